"""State through an object store: each function, behind an HTTP server of its own, gets its event from an S3-compatible server on
this machine and puts its result there; what the orchestrator hands on is the key."""

import itertools
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from http.client import HTTPConnection

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import http_process
from measurement import arguments, as_json, drain, from_json, marked_json, parse, serve, step

SECRET = "faastlane"
BUCKET = "states"
START_SECONDS = 30


class Store(threading.local):
    """A client with less around it than boto3 has, and so as favourable as can be. Each thread has a connection."""

    def __init__(self, port):
        self.connection = HTTPConnection("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"
        self.signature = S3SigV4Auth(Credentials(SECRET, SECRET), "s3", "us-east-1")

    def ask(self, method, path, body=b""):
        request = AWSRequest(method, self.url + path, data=body)
        self.signature.add_auth(request)
        self.connection.request(method, path, body, dict(request.headers))
        # The server writes headers and body apart, and waits in between for what the kernel likes to put off by 40 ms.
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise OSError(f"the store answered {response.status} to {method} {path}: {answer[:300]}")
        return answer

    def get(self, key):
        return json.loads(self.ask("GET", f"/{BUCKET}/{key}"))

    def put(self, key, value):
        self.ask("PUT", f"/{BUCKET}/{key}", json.dumps(value).encode())
        return key


def function(number, port, pipe):
    marks = []
    store = Store(port)

    def call(asked):
        client, key = asked
        return [client, store.put(f"{client}-result-{number}", marked_json(step, store.get(key), marks))]

    http_process.serve(pipe, call, asked=lambda: drain([marks])[0])


def start(executable, folder):
    """The server, once it answers, and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [executable, "--host", "127.0.0.1", "--port", str(port), "--access-key", SECRET, "--secret-key", SECRET, folder]
    environment = {"PATH": os.defpath, "RUST_LOG": "off"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begin = time.monotonic()
    while True:
        try:
            Store(port).ask("PUT", f"/{BUCKET}")
            return server, port
        except OSError as error:
            if server.poll() is not None or time.monotonic() - begin > START_SECONDS:
                raise SystemExit(f"the object store does not come up: {error}") from error
            time.sleep(0.05)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--server", required=True, help="the executable s3s-fs")
    options = parse(parser)
    with tempfile.TemporaryDirectory(prefix="faastlane-s3-") as folder:
        server, port = start(options.server, folder)
        try:
            pipes = [http_process.start(function, number, port)[1] for number in range(options.functions)]
            ports = [pipe.recv() for pipe in pipes]
            names = itertools.count()

            def client():
                name, store = f"client-{next(names)}", Store(port)
                connections = [http_process.connect(function_port) for function_port in ports]

                def chain(event):
                    body = json.dumps([name, store.put(f"{name}-event", as_json(event))]).encode()
                    for connection in connections:
                        body, _ = http_process.post(connection, body)
                    return from_json(store.get(json.loads(body)[1]))

                return chain

            serve(options, client, lambda: [http_process.ask(pipe) for pipe in pipes])
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
