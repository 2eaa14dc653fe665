"""One HTTP server, in a process of its own, for each function, and an orchestrator that calls them in turn.

The orchestrator passes the bodies on unparsed. With `--namespaces` each process has namespaces of its own, as a container does, and
is reached through a Unix socket, which costs less than a bridge between networks.
"""

import json

import http_process
from measurement import arguments, as_json, drain, from_json, marked_json, parse, serve, step


def function(namespaces, pipe):
    marks = []
    if namespaces:
        http_process.enter_namespaces()
    http_process.serve(pipe, lambda event: marked_json(step, event, marks), asked=lambda: drain([marks])[0], unix=namespaces)


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--namespaces", action="store_true", help="of its own for each function")
    options = parse(parser)
    pipes = [http_process.start(function, options.namespaces)[1] for _ in range(options.functions)]
    places = [pipe.recv() for pipe in pipes]

    def client():
        connections = [http_process.connect(place) for place in places]

        def chain(event):
            body = json.dumps(as_json(event)).encode()
            for connection in connections:
                body, _ = http_process.post(connection, body)
            return from_json(json.loads(body))

        return chain

    serve(options, client, lambda: [http_process.ask(pipe) for pipe in pipes])


if __name__ == "__main__":
    main()
