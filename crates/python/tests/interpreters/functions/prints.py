"""Functions that print."""

import os
import sys
import threading

print("imported")
tick = threading.Event()
worker = None


def speak(event, context):
    print("one", event)
    sys.stderr.write("two\n")
    sys.stdout.buffer.write(b"three\n")
    print("unfinished", end="")


def silent(event, context):
    return None


def odd(event, context):
    print("lone \ud800 surrogate")
    print("é" * 10_000)


def log(event, context):
    import logging

    logging.info("not shown")
    logging.warning("careful %s", event)
    logging.getLogger("a").error("two\nlines")


def environment(event, context):
    return [os.environ.get("GREETING"), os.environ.get("PYTHONHOME"), sys.path[0], sys.executable, sys.prefix]


def start_worker(event, context):
    global worker
    count = [0]

    def work():
        while tick.wait(60) and count[0] < 3:
            tick.clear()
            count[0] += 1
        count[0] = 100

    worker = threading.Thread(target=work, daemon=True)
    worker.count = count
    worker.start()
    tick.set()


def look_at_worker(event, context):
    return worker.count[0]


def native(event, context):
    import ctypes

    ctypes.CDLL(None).puts(b"from C")
