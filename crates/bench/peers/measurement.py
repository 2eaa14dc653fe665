"""What the peers have in common: the event, the function, the marks around each call, and what they print.

A hop is the time from the return of one function to the call of the next. The clock is CLOCK_MONOTONIC, so that marks of
several processes compare.
"""

import argparse
import base64
import json
import os
import sys
from threading import Lock, Thread
from time import perf_counter_ns, process_time_ns

from function import handler as step


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
    if kind == "bytes":
        return {"id": 7, "blob": b"x" * size}
    if kind == "array":
        import numpy

        return {"id": 7, "blob": numpy.full(size // 8, 1.5)}
    if kind == "sums":
        return {"total": 0, "calls": 0, "cpu_ns": 0}
    record = {"name": "sensor-0042", "valid": True, "values": [1, 2.5, -3, None]}
    return {"id": 7, "records": [record] * max(1, (size + 30) // 60)}


def as_json(event):
    """Bytes and arrays in base64, as whoever hands on JSON has to send them; any other event as it is."""
    blob = event.get("blob")
    if isinstance(blob, bytes):
        return {**event, "blob": {"$binary": {"base64": base64.b64encode(blob).decode()}}}
    if hasattr(blob, "dtype"):
        data = base64.b64encode(blob).decode()
        return {**event, "blob": {"$ndarray": {"dtype": blob.dtype.str, "shape": blob.shape, "base64": data}}}
    return event


def from_json(event):
    """What `as_json` made it of."""
    blob = event.get("blob")
    if not isinstance(blob, dict):
        return event
    if "$binary" in blob:
        return {**event, "blob": base64.b64decode(blob["$binary"]["base64"])}
    import numpy

    array = blob["$ndarray"]
    return {**event, "blob": numpy.frombuffer(bytearray(base64.b64decode(array["base64"])), array["dtype"]).reshape(array["shape"])}


def marked_json(function, event, marks):
    """The same as `marked`, of an event that came as JSON and a result that will go as JSON."""
    return as_json(marked(function, from_json(event), marks))


def unchanged(result, event):
    blob = event.get("blob")
    if hasattr(blob, "dtype"):
        theirs = result["blob"]
        return theirs.dtype == blob.dtype and theirs.shape == blob.shape and bool((theirs == blob).all())
    return result == event


def count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("wants a number from 1")
    return number


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--payload", choices=["text", "records", "bytes", "array", "sums"], default="text", help="one string, many small objects, bytes, an array of numpy's, or sums to add to")
    parser.add_argument("--size", type=int, default=200, help="of the payload, about as many bytes of JSON, or so many of bytes and arrays")
    parser.add_argument("--functions", type=count, default=2, help="in a chain")
    parser.add_argument("--clients", type=count, help="that each wait for their execution; without, one execution after the other")
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


def serve(options, client, take_marks):
    """Runs as many executions as each line of the standard input says, and prints how long they took: one JSON object a line.

    `client()` makes a way to send an event through the chain. `take_marks()` gives, for each function, the calls since the last
    time in order, or None where functions say nothing.
    """
    event = make_event(options.payload, options.size)
    clients = [client() for _ in range(options.clients or 1)]
    say({"format_version": 3, "event_bytes": len(json.dumps(as_json(event), separators=(",", ":")))})
    for line in sys.stdin:
        if options.clients:
            say(together(clients, event, int(line)))
            take_marks()
        else:
            say({"execution_us": one_after_the_other(clients[0], event, int(line)), "hop_us": hops(take_marks())})


def one_after_the_other(chain, event, executions):
    """How long each took; what comes out has to be what went in."""
    execution_us = []
    for _ in range(executions):
        begin = perf_counter_ns()
        result = chain(event)
        execution_us.append((perf_counter_ns() - begin) / 1000)
        if not unchanged(result, event):
            raise SystemExit(f"the chain changed the event: {str(result)[:200]}")
    return execution_us


def together(clients, event, executions):
    """How long all took, and the CPU time of all processes. Each client's next one begins as soon as its last is over."""
    outputs, problems = [], []
    counter = iter(range(executions))
    turn = Lock()

    def run(chain):
        try:
            while not problems:
                with turn:
                    if next(counter, None) is None:
                        return
                outputs.append(chain(event))
        except BaseException as problem:
            problems.append(problem)

    threads = [Thread(target=run, args=(chain,)) for chain in clients]
    processes = descendants(os.getpid())[1:]
    # Of this one, threads that have ended count too.
    cpu_before, begin = process_time_ns() + cpu_ns(processes), perf_counter_ns()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, cpu = perf_counter_ns() - begin, process_time_ns() + cpu_ns(processes) - cpu_before
    if problems:
        raise problems[0]
    return {"took_ns": took, "cpu_ns": cpu, "outputs": outputs}


def listed(folder):
    try:
        return os.listdir(folder)
    except (FileNotFoundError, ProcessLookupError):
        return []


def of_threads(process, file):
    """What the kernel says of each thread of a process, but those that have ended."""
    for thread in listed(f"/proc/{process}/task"):
        try:
            with open(f"/proc/{process}/task/{thread}/{file}") as told:
                yield told.read().split()
        except (FileNotFoundError, ProcessLookupError):
            pass


def descendants(process):
    """A process and all that came of it."""
    found = [process]
    for one in found:
        for children in of_threads(one, "children"):
            found.extend(int(child) for child in children)
    return found


def cpu_ns(processes):
    return sum(int(told[0]) for process in processes for told in of_threads(process, "schedstat"))


def hops(marks):
    if marks is None:
        return None
    return [
        (following[0] - previous[1]) / 1000
        for execution in zip(*marks)
        for previous, following in zip(execution, execution[1:])
    ]


def say(message):
    print(json.dumps(message), flush=True)
