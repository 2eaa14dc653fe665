"""A function in a process of its own behind an HTTP server, which the orchestrator calls.

As favourable as the standard library allows: HTTP/1.1, connections kept alive, no Nagle delay, one write for each response.
"""

import ctypes
import json
import multiprocessing
import os
import socket
import tempfile
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


# As unshare(2) has them: mounts, host name, message queues, users, process numbers, network.
NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000


def enter_namespaces():
    """Goes on in a process with namespaces of its own; this one waits for it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NAMESPACES) != 0:
        error = ctypes.get_errno()
        raise SystemExit(f"namespaces cannot be had: {os.strerror(error)}")
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    libc.prctl(1, 9)  # ends with its parent


class UnixServer(ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "function", self.server_address

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("function", 0)


class UnixConnection(HTTPConnection):
    def __init__(self, path):
        super().__init__("function")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def serve(pipe, function, headers=dict, asked=lambda: None, unix=False):
    """Serves `function(event)`, with `headers()` after each call; tells its port or the path of its socket, and `asked()` for each
    message that comes. It ends when the orchestrator does."""

    class Function(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = not unix
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

    folder = tempfile.TemporaryDirectory(prefix="faastlane-peer-")
    server = UnixServer(f"{folder.name}/http", Function) if unix else ThreadingHTTPServer(("127.0.0.1", 0), Function)
    Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    try:
        while True:
            pipe.recv()
            pipe.send(asked())
    except (EOFError, KeyboardInterrupt):
        folder.cleanup()


def ask(pipe):
    """What `asked()` says there."""
    pipe.send("asked")
    return pipe.recv()


def connect(place):
    return UnixConnection(place) if isinstance(place, str) else HTTPConnection("127.0.0.1", place)


def post(connection, body):
    """The response to a body, both as bytes."""
    connection.request("POST", "/", body, HEADERS)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise SystemExit(f"a function answered {response.status}")
    return answer, response.headers
