"""SAND's way (Akkus et al., USENIX ATC 2018): a process for each function, and a message bus on the host, to which a function
publishes its result and which gives it to the next one.

The bus is a process that passes messages on unparsed. It keeps none of them on disk, as SAND's does not either.
"""

import json
import multiprocessing
from multiprocessing.connection import wait

from measurement import arguments, drain, marked, parse, serve, step

MARKS = b"marks"


def function(bus):
    marks = []
    try:
        while True:
            message = bus.recv_bytes()
            if message == MARKS:
                bus.send_bytes(json.dumps(drain([marks])[0]).encode())
            else:
                bus.send_bytes(json.dumps(marked(step, json.loads(message), marks)).encode())
    except (EOFError, KeyboardInterrupt):
        pass


def bus(client, functions):
    """What comes from one function goes to the next; the last one's, and every answer to `MARKS`, to the client."""
    following = dict(zip(functions, [*functions[1:], client]))
    try:
        while True:
            for end in wait([client, *functions]):
                message = end.recv_bytes()
                if end is not client:
                    following[end].send_bytes(message)
                elif message != MARKS:
                    functions[0].send_bytes(message)
                else:
                    for one in functions:
                        one.send_bytes(MARKS)
                        client.send_bytes(one.recv_bytes())
    except (EOFError, KeyboardInterrupt):
        pass


def main():
    options = parse(arguments(__doc__.splitlines()[0]))
    context = multiprocessing.get_context("spawn")
    ends = []
    for _ in range(options.functions):
        ours, theirs = context.Pipe()
        context.Process(target=function, args=(theirs,), daemon=True).start()
        theirs.close()
        ends.append(ours)
    client, theirs = context.Pipe()
    context.Process(target=bus, args=(theirs, ends), daemon=True).start()
    for end in [theirs, *ends]:
        end.close()

    def chain(event):
        client.send_bytes(json.dumps(event).encode())
        return json.loads(client.recv_bytes())

    def marks():
        client.send_bytes(MARKS)
        return [json.loads(client.recv_bytes()) for _ in range(options.functions)]

    serve(options, chain, marks)


if __name__ == "__main__":
    main()
