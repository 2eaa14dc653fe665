"""The original Faastlane's way: a thread for each function in one CPython, which hand the event over by reference.

`new` starts a thread for each call and joins it; `persistent` keeps a thread for each function, fed by a queue.
"""

from queue import SimpleQueue
from threading import Thread

from measurement import arguments, drain, marked, parse, serve, step


def new_threads(functions, marks):
    def chain(event):
        results = []
        for function, its_marks in zip(functions, marks):
            thread = Thread(target=lambda: results.append(marked(function, event, its_marks)))
            thread.start()
            thread.join()
            event = results.pop()
        return event

    return lambda: chain


def persistent_threads(functions, marks):
    queues = [SimpleQueue() for _ in functions]

    def work(function, its_marks, inbox, following):
        while True:
            event, results = inbox.get()
            result = marked(function, event, its_marks)
            if following:
                following.put((result, results))
            else:
                results.put(result)

    for function, its_marks, *ends in zip(functions, marks, queues, [*queues[1:], None]):
        Thread(target=work, args=(function, its_marks, *ends), daemon=True).start()

    def client():
        results = SimpleQueue()

        def chain(event):
            queues[0].put((event, results))
            return results.get()

        return chain

    return client


VARIANTS = {"new": new_threads, "persistent": persistent_threads}


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--variant", choices=VARIANTS, default="new", help="threads for each call, or kept")
    options = parse(parser)
    functions = [step] * options.functions
    marks = [[] for _ in functions]
    serve(options, VARIANTS[options.variant](functions, marks), lambda: drain(marks))


if __name__ == "__main__":
    main()
