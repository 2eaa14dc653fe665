"""Functions that give and take values, for comparison with the real json."""

import collections
import decimal
import enum
import json
import math
import random


class Colour(enum.IntEnum):
    RED = 7


class Name(str):
    def __str__(self):
        return "not me"


class Ratio(float):
    def __repr__(self):
        return "not me"


class Count(int):
    def __repr__(self):
        return "not me"

    __str__ = __repr__


class Backwards(list):
    def __iter__(self):
        return reversed(list(super().__iter__()))


class Upper(dict):
    def items(self):
        return [(key.upper(), value) for key, value in super().items()]


class Shrinking(dict):
    """Empties the list that it lies in while it is written."""

    def items(self):
        self.around.clear()
        return []


Point = collections.namedtuple("Point", "x y")


def containers(event):
    """How many lists and dicts there are, and how many different ones."""
    found = []
    rest = [event]
    while rest:
        value = rest.pop()
        if isinstance(value, (list, dict)):
            found.append(value)
            rest.extend(value.values() if isinstance(value, dict) else value)
    return [len(found), len({id(value) for value in found})]


def nested(levels, bottom=1):
    value = bottom
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def circular(kind):
    outer = [1]
    inner = {"outer": outer, "other": ()} if kind == "dict" else (0, outer)
    outer.append(inner)
    return outer


def moved():
    value = collections.OrderedDict(a=1, b=2)
    value.move_to_end("a")
    return value


def shrinking():
    value = [1, Shrinking(), 2, 3]
    value[1].around = value
    return value


def evaluate(event, context):
    return eval(event)


def dumps(event, context):
    try:
        return {"json": json.dumps(eval(event), allow_nan=False)}
    except Exception as error:
        return {"error": str(error)}


def echo(event, context):
    return event


def nothing(event):
    return None


def describe(event):
    return repr(event)


def _scalar(draw):
    return draw.choice(
        (
            lambda: None,
            lambda: draw.random() < 0.5,
            lambda: draw.randint(-10, 1000),
            lambda: draw.getrandbits(63) * draw.choice((1, -1)),
            lambda: draw.choice((2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64)),
            lambda: draw.getrandbits(draw.randint(64, 500)) * draw.choice((1, -1)),
            lambda: draw.random(),
            lambda: draw.choice((1, -1)) * draw.random() * 10.0 ** draw.randint(-320, 300),
            lambda: float(draw.randint(-(10**17), 10**17)),
            lambda: _text(draw),
            lambda: Count(draw.randint(0, 9)),
            lambda: Ratio(draw.random()),
            lambda: Name(_text(draw)),
            lambda: Colour.RED,
        )
    )()


def _text(draw):
    planes = ((0, 127), (160, 0xD7FF), (0x10000, 0x10FFFF))
    return "".join(chr(draw.randint(*draw.choice(planes))) for _ in range(draw.randint(0, 12)))


def _value(draw, depth=0):
    if depth > 4 or draw.random() < 0.4:
        return _scalar(draw)
    values = [_value(draw, depth + 1) for _ in range(draw.randint(0, 5))]
    shape = draw.randrange(6)
    if shape == 0:
        return values
    if shape == 1:
        return tuple(values)
    if shape == 2:
        return Backwards(values)
    keys = [draw.choice((_text, _scalar))(draw) for _ in values]
    return (dict, collections.OrderedDict, dict)[shape - 3](zip(keys, values))


def generate(event):
    """A value, and the text that json makes of it."""
    value = _value(random.Random(event))
    return [value, json.dumps(value, allow_nan=False)]


def texts(event):
    """A JSON text with duplicate keys and numbers in forms that json does not write."""
    draw = random.Random(event)

    def number():
        texts = "0 -0 -0.0 1E5 1e+5 12e-3 1.50 -9223372036854775808 1e308 1e-400".split()
        return draw.choice((draw.choice(texts), str(draw.getrandbits(draw.randint(1, 300)))))

    def text(depth):
        if depth > 3 or draw.random() < 0.3:
            return draw.choice((number, lambda: json.dumps(_text(draw)), lambda: "null", lambda: "true"))()
        parts = [text(depth + 1) for _ in range(draw.randint(0, 4))]
        if draw.random() < 0.5:
            return "[" + " , ".join(parts) + "]"
        return "{" + ",".join(f'"{draw.choice("aab")}": {part}' for part in parts) + "}"

    return text(0)


def agrees(event):
    """Whether an event is what json makes of its text, to the type and the last bit."""
    loaded = json.loads(event["text"])
    return repr(loaded) == repr(event["value"]) and json.dumps(loaded) == json.dumps(event["value"])
