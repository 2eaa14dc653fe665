"""What the peers have in common: the event, the function, the marks around each call, and what they print.

A hop is the time from the return of one function to the call of the next. The clock is CLOCK_MONOTONIC, so that marks of
several processes compare.
"""

import argparse
import json
import os
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
    parser.add_argument("--cpus", help="run on these alone, for example 0 or 0,1")
    return parser


def parse(parser):
    options = parser.parse_args()
    if options.cpus:
        os.sched_setaffinity(0, {int(cpu) for cpu in options.cpus.split(",")})
    return options


def drain(marks):
    """Takes the marks out."""
    taken = [list(its_marks) for its_marks in marks]
    for its_marks in marks:
        its_marks.clear()
    return taken


def serve(options, chain, take_marks):
    """Sends the event through `chain(event)` as often as each line of the standard input says, checks what comes out, and prints
    how long that took: one JSON object a line.

    `take_marks()` gives, for each function, the calls since the last time in order, or None where functions say nothing.
    `execution_us` is how long each execution took, `hop_us` how long each hop.
    """
    event = make_event(options.payload, options.size)
    say({"format_version": 2, "event_bytes": len(json.dumps(event, separators=(",", ":")))})
    for line in sys.stdin:
        execution_us = []
        for _ in range(int(line)):
            begin = perf_counter_ns()
            result = chain(event)
            execution_us.append((perf_counter_ns() - begin) / 1000)
            if result != event:
                raise SystemExit(f"the chain changed the event: {str(result)[:200]}")
        marks = take_marks()
        say({"execution_us": execution_us, "hop_us": None if marks is None else hops(marks)})


def hops(marks):
    return [
        (following[0] - previous[1]) / 1000
        for execution in zip(*marks)
        for previous, following in zip(execution, execution[1:])
    ]


def say(message):
    print(json.dumps(message), flush=True)
