"""The floor: the functions are called directly, one after the other, in one CPython. Nothing is isolated."""

from measurement import arguments, marked, parse, report, run, step


def main():
    options = parse(arguments(__doc__))
    functions = [step] * options.functions
    marks = [[] for _ in functions]

    def chain(event):
        for function, its_marks in zip(functions, marks):
            event = marked(function, event, its_marks)
        return event

    run(options, chain)
    report(options, "floor", marks)


if __name__ == "__main__":
    main()
