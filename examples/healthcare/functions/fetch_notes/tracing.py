"""A tracing library as careless as some are: what it adds to the event says where in memory the records lie."""

# A bytes object's contents come after its header, and end with a zero byte that the basic size counts.
HEADER = bytes.__basicsize__ - 1


def describe(records):
    return {"tracer": "tracing 0.3", "bytes": len(records), "debug_address": id(records) + HEADER}
