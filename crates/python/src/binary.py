# Bytes and numpy's arrays as parts of events and results. In domains of workflows with `binary = true` only.
# numpy is not imported before the function does, or is sent an array.

import sys

_KINDS = "biufcmMSU"

# What numpy calls a type, for those that can be sent, as far as they were asked for.
_names = {}
_MOST_NAMES = 256


def _name(numpy, dtype):
    """What stands for a type on the way; raises where that would not be all of it."""
    name = dtype.str
    try:
        is_plain = dtype.kind in _KINDS and dtype.itemsize > 0 and numpy.dtype(name) == dtype
    except TypeError:
        is_plain = False
    if not is_plain:
        raise TypeError(f"a numpy array of dtype {dtype} cannot be sent: its elements are not plain data")
    if len(_names) == _MOST_NAMES:
        _names.clear()  # texts can be of any width
    _names[dtype] = name
    return name


def plain(value):
    """None for what is neither; an object with a buffer for bytes; dtype, shape and such an object for an array."""
    if isinstance(value, bytearray):
        return value
    if isinstance(value, memoryview):
        return value if value.c_contiguous else value.tobytes()
    numpy = sys.modules.get("numpy")
    array = getattr(numpy, "ndarray", None)
    if array is None or not isinstance(value, array):
        return None
    if type(value) is not array:
        raise TypeError(f"a {type(value).__name__} cannot be sent: only numpy.ndarray itself, as numpy.asarray makes")
    dtype = value.dtype
    name = _names.get(dtype) or _name(numpy, dtype)
    return name, value.shape, value if value.flags.c_contiguous else value.copy("C")


def _numpy():
    try:
        import numpy
    except ImportError as error:
        raise ImportError(f"a numpy array was sent to this function, which cannot import numpy: {error}") from None
    return numpy


def room_for(dtype, shape):
    return _numpy().empty(shape, dtype)


def _data(said, names):
    from base64 import b64decode

    if not isinstance(said, dict) or sorted(said) != names:
        raise ValueError(f"it wants an object of {', '.join(names)}")
    return b64decode(said["base64"], validate=True)


def revived(value):
    """What an object of Extended JSON stands for."""
    ((kind, said),) = value.items()
    try:
        if kind == "$binary":
            return _data(said, ["base64"])
        data = _data(said, ["base64", "dtype", "shape"])
        numpy = _numpy()
        dtype = numpy.dtype(said["dtype"])
        _name(numpy, dtype)
        shape = said["shape"]
        if not isinstance(shape, list) or not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError("its shape must be an array of whole numbers")
        array = numpy.ndarray(shape, dtype, data)
        if array.nbytes != len(data):
            raise ValueError(f"its shape takes {array.nbytes} bytes, and there are {len(data)}")
        return array.copy()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{kind} cannot be read: {error}") from None
