"""One HTTP server, in a process of its own, for each function, and an orchestrator that calls them in turn.

As favourable as the standard library allows: HTTP/1.1, connections kept alive, no Nagle delay, one write for each response,
and an orchestrator that passes the bodies on unparsed.
"""

import json
import multiprocessing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from measurement import arguments, marked, parse, report, run, step


def serve(pipe):
    """One function's process. It tells its port, and its marks when asked; it ends when the orchestrator does."""
    marks = []

    class Function(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(marked(step, event, marks)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Function)
    Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    try:
        pipe.recv()
        pipe.send(marks)
    except (EOFError, KeyboardInterrupt):
        pass


def main():
    options = parse(arguments(__doc__.splitlines()[0]))
    # Spawned, not forked: a forked server would hold the other servers' pipes open.
    processes = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(options.functions):
        ours, theirs = processes.Pipe()
        processes.Process(target=serve, args=(theirs,), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    connections = [HTTPConnection("127.0.0.1", pipe.recv()) for pipe in pipes]

    def chain(event):
        body = json.dumps(event).encode()
        for connection in connections:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            body = connection.getresponse().read()
        return json.loads(body)

    run(options, chain)
    marks = []
    for pipe in pipes:
        pipe.send("marks")
        marks.append(pipe.recv())
    report(options, "http", marks)


if __name__ == "__main__":
    main()
