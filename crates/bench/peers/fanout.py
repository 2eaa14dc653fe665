"""One function called on many items at the same time, and the results in order: by a pool that is warm, or by new processes.

`threads` and `processes`: as many as there are CPUs. `http`: one server for the function, and as many connections, kept alive.
`branches`: the original Faastlane's way for parallel states, a process forked for each item, which answers through a pipe.
"""

import argparse
import json
import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local
from time import perf_counter_ns

import http_process
from function import handler

CPUS = len(os.sched_getaffinity(0))


def call(event):
    return handler(event, None)


def threads():
    pool = ThreadPoolExecutor(CPUS)
    return lambda items: list(pool.map(call, items))


def processes():
    pool = multiprocessing.get_context("spawn").Pool(CPUS)
    return lambda items: pool.map(call, items)


def branch(item, pipe):
    pipe.send(call(item))


def branches():
    context = multiprocessing.get_context("fork")

    def start(item):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=branch, args=(item, theirs))
        process.start()
        theirs.close()
        return process, ours

    def fan_out(items):
        started = [start(item) for item in items]
        results = [pipe.recv() for _, pipe in started]
        for process, pipe in started:
            process.join()
            pipe.close()
        return results

    return fan_out


def serve(pipe):
    http_process.serve(pipe, call)


def http():
    _, ours = http_process.start(serve)
    port = ours.recv()
    own = local()
    pool = ThreadPoolExecutor(CPUS)

    def post(event):
        if not hasattr(own, "connection"):
            own.connection = http_process.connect(port)
        return json.loads(http_process.post(own.connection, json.dumps(event).encode())[0])

    # The pipe is what the server lives by.
    return lambda items, pipe=ours: list(pool.map(post, items))


WAYS = {"threads": threads, "processes": processes, "http": http, "branches": branches}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--branches", type=int, required=True)
    parser.add_argument("--executions", type=int, required=True)
    options = parser.parse_args()
    items = [{"index": index} for index in range(options.branches)]
    fan_out = WAYS[options.way]()
    first = [fan_out(items) for _ in range(3)][0]
    took_us = []
    for _ in range(options.executions):
        begin = perf_counter_ns()
        output = fan_out(items)
        took_us.append((perf_counter_ns() - begin) / 1000)
        if output != first:
            raise SystemExit("the output is not what it was")
    json.dump({"format_version": 1, "took_us": took_us, "output": first}, sys.stdout)
    print(flush=True)
    # Without waiting for the pools' own ways to end.
    for process in multiprocessing.active_children():
        process.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
