"""The floor: the functions are called directly, one after the other, in one CPython. Nothing is isolated."""

from measurement import arguments, drain, marked, parse, serve, step


def main():
    options = parse(arguments(__doc__))
    functions = [step] * options.functions
    marks = [[] for _ in functions]

    def chain(event):
        for function, its_marks in zip(functions, marks):
            event = marked(function, event, its_marks)
        return event

    serve(options, lambda: chain, lambda: drain(marks))


if __name__ == "__main__":
    main()
