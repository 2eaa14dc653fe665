"""The original Faastlane's way for what is to run in parallel: a process for each function, and pipes between them and an
orchestrator, which pickle the event."""

import multiprocessing
from threading import Lock

from measurement import arguments, drain, marked, parse, serve, step


def function(pipe):
    marks = []
    try:
        while True:
            asked, event = pipe.recv()
            pipe.send(drain([marks])[0] if asked == "marks" else marked(step, event, marks))
    except (EOFError, KeyboardInterrupt):
        pass


def start(context):
    ours, theirs = context.Pipe()
    context.Process(target=function, args=(theirs,), daemon=True).start()
    theirs.close()
    return ours


def main():
    options = parse(arguments(__doc__.splitlines()[0]))
    context = multiprocessing.get_context("spawn")
    # A function has one client at a time.
    pipes = [(start(context), Lock()) for _ in range(options.functions)]

    def ask(function, asked, event=None):
        pipe, turn = function
        with turn:
            pipe.send((asked, event))
            return pipe.recv()

    def chain(event):
        for pipe in pipes:
            event = ask(pipe, "call", event)
        return event

    serve(options, lambda: chain, lambda: [ask(pipe, "marks") for pipe in pipes])


if __name__ == "__main__":
    main()
