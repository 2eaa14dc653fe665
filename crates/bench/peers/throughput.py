"""A chain of functions, each in a process of its own, that many clients run through at the same time.

`pipes`: the orchestrator hands the event to each process through a pipe, one client at a time. `http`: each process is an HTTP
server; as favourable as the standard library allows: HTTP/1.1, connections kept alive, no Nagle delay, one write for each
response, and an orchestrator that passes the bodies on unparsed.

Time is measured from the first execution to the last; the processes' CPU time is the kernel's, of all their threads.
"""

import argparse
import json
import multiprocessing
import os
import sys
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import perf_counter_ns

from function import handler

INPUT = {"total": 0, "calls": 0, "cpu_ns": 0}


def serve_pipe(pipe):
    try:
        while True:
            pipe.send(handler(pipe.recv(), None))
    except (EOFError, KeyboardInterrupt):
        pass


def serve_http(pipe):
    class Function(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(handler(event, None)).encode()
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
    except (EOFError, KeyboardInterrupt):
        pass


def over_pipes(pipes):
    """Makes chains, one for each client."""
    ways = [(pipe, Lock()) for pipe in pipes]

    def chain(event):
        for pipe, turn in ways:
            with turn:
                pipe.send(event)
                event = pipe.recv()
        return event

    return lambda: chain


def over_http(pipes):
    ports = [pipe.recv() for pipe in pipes]

    def client():
        connections = [HTTPConnection("127.0.0.1", port) for port in ports]

        def chain(event):
            body = json.dumps(event).encode()
            for connection in connections:
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                body = connection.getresponse().read()
            return json.loads(body)

        return chain

    return client


WAYS = {"pipes": (serve_pipe, over_pipes), "http": (serve_http, over_http)}


def cpu_ns(processes):
    """What the kernel says that all threads of these processes ran, but those that have ended."""
    total = 0
    for process in processes:
        for thread in os.listdir(f"/proc/{process}/task"):
            try:
                with open(f"/proc/{process}/task/{thread}/schedstat") as file:
                    total += int(file.read().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                pass
    return total


def run(chains, executions):
    """Runs so many executions; what their functions used."""
    outputs = []
    counter = iter(range(executions))
    turn = Lock()

    def client(chain):
        while True:
            with turn:
                if next(counter, None) is None:
                    return
            outputs.append(chain(INPUT))

    clients = [Thread(target=client, args=(chain,)) for chain in chains]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--functions", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--executions", type=int, required=True)
    options = parser.parse_args()
    serve, connect = WAYS[options.way]
    # Spawned, not forked: a forked process would hold the other processes' pipes open.
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], [os.getpid()]
    for _ in range(options.functions):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process.pid)
    client = connect(pipes)
    chains = [client() for _ in range(options.clients)]
    run(chains, 2 * options.clients)
    cpu_before, begin = cpu_ns(processes), perf_counter_ns()
    outputs = run(chains, options.executions)
    took, cpu = perf_counter_ns() - begin, cpu_ns(processes) - cpu_before
    result = {
        "format_version": 1,
        "took_ns": took,
        "cpu_ns": cpu,
        "outputs": outputs,
    }
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
