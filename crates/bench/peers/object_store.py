"""State through an object store: each function, behind an HTTP server of its own, gets its event from an S3-compatible server on
this machine and puts its result there; what the orchestrator hands on is the key."""

import json
import os
import socket
import subprocess
import tempfile
import time

import boto3
import http_process
from botocore.config import Config
from measurement import arguments, drain, marked, parse, serve, step

SECRET = "faastlane"
BUCKET = "states"
START_SECONDS = 30


def connect(port):
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=SECRET,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def get(store, key):
    return json.loads(store.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def put(store, key, value):
    store.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(value).encode())
    return key


def function(number, port, pipe):
    marks = []
    store = connect(port)

    def call(key):
        return put(store, f"result-{number}", marked(step, get(store, key), marks))

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
            connect(port).create_bucket(Bucket=BUCKET)
            return server, port
        except Exception as error:
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
            store = connect(port)
            pipes = [http_process.start(function, number, port)[1] for number in range(options.functions)]
            connections = [http_process.connect(pipe.recv()) for pipe in pipes]

            def chain(event):
                body = json.dumps(put(store, "event", event)).encode()
                for connection in connections:
                    body, _ = http_process.post(connection, body)
                return get(store, json.loads(body))

            serve(options, chain, lambda: [http_process.ask(pipe) for pipe in pipes])
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
