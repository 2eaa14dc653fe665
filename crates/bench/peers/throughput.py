"""A chain of functions, each in a process of its own, that many clients run through at the same time.

`pipes`: the orchestrator hands the event to each process through a pipe, one client at a time. `http`: each process is an HTTP
server, and the orchestrator passes the bodies on unparsed.

Time is measured from the first execution to the last; the processes' CPU time is the kernel's, of all their threads.
"""

import argparse
import json
import os
import sys
from threading import Lock, Thread
from time import perf_counter_ns

import http_process
from function import handler

INPUT = {"total": 0, "calls": 0, "cpu_ns": 0}


def serve_pipe(pipe):
    try:
        while True:
            pipe.send(handler(pipe.recv(), None))
    except (EOFError, KeyboardInterrupt):
        pass


def serve_http(pipe):
    http_process.serve(pipe, lambda event: handler(event, None))


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
        connections = [http_process.connect(port) for port in ports]

        def chain(event):
            body = json.dumps(event).encode()
            for connection in connections:
                body, _ = http_process.post(connection, body)
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
    started = [http_process.start(serve) for _ in range(options.functions)]
    pipes = [pipe for _, pipe in started]
    processes = [os.getpid(), *(process.pid for process, _ in started)]
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
