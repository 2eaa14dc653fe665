"""Functions that fail, each in its own way."""

import asyncio
import sys


class OutOfStock(Exception):
    pass


class Rude(Exception):
    def __str__(self):
        raise RuntimeError("no")


def divide(event, context):
    return helper(event["by"])


def helper(by):
    return 1 / by


def chained(event, context):
    try:
        divide({"by": 0}, None)
    except ZeroDivisionError as error:
        raise OutOfStock("sold out") from error


def recursive(event, context):
    return recursive(event, context)


def leave(event, context):
    sys.exit(*event)


def interrupt(event, context):
    raise KeyboardInterrupt


def cancelled(event, context):
    raise asyncio.CancelledError("too late")


def rude(event, context):
    raise Rude


def surrogate(event, context):
    raise ValueError("bad \ud800 text")


def long(event, context):
    raise ValueError("x" * 10_000_000)


def dynamic(event, context):
    exec(compile("raise LookupError('made up')", "<made up>", "exec"))


def without_arguments():
    return 1


async def asynchronous(event, context):
    return 1
