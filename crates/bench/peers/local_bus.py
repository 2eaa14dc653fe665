"""SAND's way (Akkus et al., USENIX ATC 2018): a process for each function, and a message bus on the host, to which a function
publishes its result and which gives it to the next one.

The bus is a process that passes messages on unparsed. It keeps none of them on disk, as SAND's does not either. What is under way
of several clients at the same time has to fit into the buffers of sockets.
"""

import json
import multiprocessing
import struct
from itertools import count
from multiprocessing.connection import wait

from measurement import arguments, as_json, drain, from_json, marked_json, parse, serve, step

# To whom a message goes, and to which client the last function's result goes: functions first, then clients.
HEADER = struct.Struct("<II")


def function(number, functions, bus, pipe):
    marks = []
    try:
        while True:
            for end in wait([bus, pipe]):
                if end is pipe:
                    pipe.recv()
                    pipe.send(drain([marks])[0])
                    continue
                message = bus.recv_bytes()
                _, client = HEADER.unpack_from(message)
                result = json.dumps(marked_json(step, json.loads(message[HEADER.size :]), marks)).encode()
                to = number + 1 if number + 1 < functions else client
                bus.send_bytes(HEADER.pack(to, client) + result)
    except (EOFError, KeyboardInterrupt):
        pass


def bus(ends, pipe):
    """It ends when whoever has the other end of `pipe` does."""
    while True:
        for end in wait([pipe, *ends]):
            if end is pipe:
                return
            message = end.recv_bytes()
            ends[HEADER.unpack_from(message)[0]].send_bytes(message)


def start(context, target, *arguments):
    """Our end of the pipe that it lives by."""
    ours, theirs = context.Pipe()
    context.Process(target=target, args=(*arguments, theirs), daemon=True).start()
    theirs.close()
    return ours


def main():
    options = parse(arguments(__doc__.splitlines()[0]))
    functions = options.functions
    context = multiprocessing.get_context("spawn")
    ends = [context.Pipe() for _ in range(functions + (options.clients or 1))]
    pipes = [start(context, function, number, functions, ends[number][0]) for number in range(functions)]
    # As long as it is there, the bus is.
    life = start(context, bus, [theirs for _, theirs in ends])
    for ours, theirs in ends:
        theirs.close()
    for ours, _ in ends[:functions]:
        ours.close()
    numbers = count(functions)

    def client():
        number = next(numbers)
        connection = ends[number][0]

        def chain(event):
            connection.send_bytes(HEADER.pack(0, number) + json.dumps(as_json(event)).encode())
            return from_json(json.loads(connection.recv_bytes()[HEADER.size :]))

        return chain

    def marks():
        for pipe in pipes:
            pipe.send("marks")
        return [pipe.recv() for pipe in pipes]

    serve(options, client, marks)
    life.close()


if __name__ == "__main__":
    main()
