"""A function in a process of its own behind an HTTP server, which the orchestrator calls.

As favourable as the standard library allows: HTTP/1.1, connections kept alive, no Nagle delay, one write for each response.
"""

import json
import multiprocessing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HEADERS = {"Content-Type": "application/json"}


def start(serve_function, *arguments):
    """Starts a process that calls `serve_function(*arguments, pipe)`, which ends in `serve`; returns the process and our end of
    the pipe, by which it lives."""
    # Spawned, not forked: a forked server would hold the other servers' pipes open.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve_function, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def serve(pipe, function, headers=dict, asked=lambda: None):
    """Serves `function(event)`, with `headers()` after each call; tells its port, and `asked()` for each message that comes. It
    ends when the orchestrator does."""

    class Function(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(function(event)).encode()
            self.send_response(200)
            for name, value in {**HEADERS, "Content-Length": len(body), **headers()}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Function)
    Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    try:
        while True:
            pipe.recv()
            pipe.send(asked())
    except (EOFError, KeyboardInterrupt):
        pass


def connect(port):
    return HTTPConnection("127.0.0.1", port)


def post(connection, body):
    """The response to a body, both as bytes."""
    connection.request("POST", "/", body, HEADERS)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise SystemExit(f"a function answered {response.status}")
    return answer, response.headers
