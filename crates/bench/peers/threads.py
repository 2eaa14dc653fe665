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

    return chain


def persistent_threads(functions, marks):
    queues = [SimpleQueue() for _ in range(len(functions) + 1)]

    def work(function, its_marks, inbox, outbox):
        while True:
            outbox.put(marked(function, inbox.get(), its_marks))

    for number, (function, its_marks) in enumerate(zip(functions, marks)):
        Thread(target=work, args=(function, its_marks, queues[number], queues[number + 1]), daemon=True).start()

    def chain(event):
        queues[0].put(event)
        return queues[-1].get()

    return chain


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
