"""One HTTP server, in a process of its own, for each function, and an orchestrator that calls them in turn.

The orchestrator passes the bodies on unparsed.
"""

import json

import http_process
from measurement import arguments, marked, parse, report, run, step


def serve(pipe):
    marks = []
    http_process.serve(pipe, lambda event: marked(step, event, marks), asked=lambda: marks)


def main():
    options = parse(arguments(__doc__.splitlines()[0]))
    pipes = [http_process.start(serve)[1] for _ in range(options.functions)]
    connections = [http_process.connect(pipe.recv()) for pipe in pipes]

    def chain(event):
        body = json.dumps(event).encode()
        for connection in connections:
            body, _ = http_process.post(connection, body)
        return json.loads(body)

    run(options, chain)
    marks = []
    for pipe in pipes:
        pipe.send("marks")
        marks.append(pipe.recv())
    report(options, "http", marks)


if __name__ == "__main__":
    main()
