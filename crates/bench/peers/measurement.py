"""What the peers have in common: the event, the function, the marks around each call, and the result that they print.

A hop is the time from the return of one function to the call of the next. The clock is CLOCK_MONOTONIC, so that marks of
several processes compare.
"""

import argparse
import json
import os
import platform
import sys
from time import perf_counter_ns


def step(event, context=None):
    return event


def marked(function, event, marks):
    """Calls a function and notes when it was called and when it returned."""
    called = perf_counter_ns()
    result = function(event, None)
    returned = perf_counter_ns()
    marks.append((called, returned))
    return result


def make_event(kind, size):
    if kind == "text":
        return {"id": 7, "blob": "x" * size}
    record = {"name": "sensor-0042", "valid": True, "values": [1, 2.5, -3, None]}
    return {"id": 7, "records": [record] * max(1, (size + 30) // 60)}


def count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("wants a number from 1")
    return number


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--payload", choices=["text", "records"], default="text", help="one string, or many small objects")
    parser.add_argument("--size", type=int, default=200, help="of the payload, about as many bytes of JSON")
    parser.add_argument("--functions", type=int, choices=range(2, 65), default=2, metavar="2..64", help="in a chain")
    parser.add_argument("--hops", type=count, default=2000, help="to measure")
    parser.add_argument("--warm-up", type=int, default=200, help="hops before the first that counts")
    parser.add_argument("--cpus", help="run on these alone, for example 0 or 0,1")
    return parser


def parse(parser):
    options = parser.parse_args()
    if options.cpus:
        os.sched_setaffinity(0, {int(cpu) for cpu in options.cpus.split(",")})
    return options


def run(options, chain):
    """Sends the event through `chain(event)` as often as the hops need, and checks what comes out."""
    event = make_event(options.payload, options.size)
    options.execution_us = []
    for _ in range(-(-(options.warm_up + options.hops) // (options.functions - 1))):
        begin = perf_counter_ns()
        result = chain(event)
        options.execution_us.append((perf_counter_ns() - begin) / 1000)
        if result != event:
            raise SystemExit(f"the chain changed the event: {str(result)[:200]}")


def report(options, peer, marks):
    """Prints the hops as one JSON object. `marks` holds, for each function, its calls in order.

    `executions` is how often the event went through all functions, and came out as it was; `execution_us` is how long each took.
    """
    hops = [
        (following[0] - previous[1]) / 1000
        for execution in zip(*marks)
        for previous, following in zip(execution, execution[1:])
    ]
    result = {
        "format_version": 1,
        "peer": peer,
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "kernel": platform.release(),
        "cpus": sorted(os.sched_getaffinity(0)),
        "payload": options.payload,
        "size": options.size,
        "event_bytes": len(json.dumps(make_event(options.payload, options.size), separators=(",", ":"))),
        "functions": options.functions,
        "warm_up": options.warm_up,
        "executions": len(marks[0]),
        "execution_us": options.execution_us,
        "hop_us": hops[options.warm_up : options.warm_up + options.hops],
    }
    json.dump(result, sys.stdout)
    print()
