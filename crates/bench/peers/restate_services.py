"""Restate: a durable service that calls each function, which is a service too. Its server has the result of each in its journal,
on disk, before the next begins; the functions are in one Python process, behind HTTP/2."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from threading import Thread

import restate
from hypercorn.asyncio import serve as serve_http
from hypercorn.config import Config

from http_process import UnixConnection
from measurement import arguments, as_json, drain, from_json, marked_json, parse, serve, step

START_SECONDS = 60


def services(functions, marks):
    function = restate.Service("Function")
    chain = restate.Service("Chain")

    @function.handler()
    async def call(ctx: restate.Context, asked: dict) -> dict:
        return marked_json(step, asked["event"], marks[asked["number"]])

    @chain.handler()
    async def run(ctx: restate.Context, event: dict) -> dict:
        for number in range(functions):
            event = await ctx.service_call(call, arg={"number": number, "event": event})
        return event

    return restate.app([function, chain])


def listen(app):
    """Serves in a thread of its own; returns the port."""
    end = socket.socket()
    end.bind(("127.0.0.1", 0))
    end.listen()
    config = Config()
    config.bind = [f"fd://{end.fileno()}"]
    config.errorlog = None
    Thread(target=lambda: asyncio.run(serve_http(app, config, shutdown_trigger=asyncio.Event().wait)), daemon=True).start()
    return end


def start(server, folder):
    environment = {
        "HOME": folder,
        "PATH": os.defpath,
        "DO_NOT_TRACK": "1",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "off",
    }
    command = [server, "--no-logo", "--base-dir", folder, "--node-name", "bench", "--listen-mode", "unix"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def post(connection, to, body):
    connection.request("POST", to, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    if response.status >= 300:
        raise SystemExit(f"restate answered {response.status} to {to}: {answer[:300]}")
    return answer


def register(folder, server, port):
    """Tells the server where the services are, once it is up."""
    begin = time.monotonic()
    while True:
        try:
            return post(UnixConnection(f"{folder}/bench/admin.sock"), "/deployments", {"uri": f"http://127.0.0.1:{port}"})
        except (OSError, SystemExit) as error:
            if server.poll() is not None or time.monotonic() - begin > START_SECONDS:
                raise SystemExit(f"the server of restate does not come up: {error}") from error
            time.sleep(0.1)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--server", required=True, help="the executable restate-server")
    options = parse(parser)
    marks = [[] for _ in range(options.functions)]
    end = listen(services(options.functions, marks))
    with tempfile.TemporaryDirectory(prefix="restate-") as folder:
        server = start(options.server, folder)
        try:
            register(folder, server, end.getsockname()[1])

            def client():
                connection = UnixConnection(f"{folder}/bench/ingress.sock")
                return lambda event: from_json(json.loads(post(connection, "/Chain/run", as_json(event))))

            serve(options, client, lambda: drain(marks))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


if __name__ == "__main__":
    main()
