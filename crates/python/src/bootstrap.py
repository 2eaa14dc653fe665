# Runs in every domain before the functions' own code. Rust calls `start` once, and per invocation only what the
# invocation needs: a context if the handler takes one, `flush` if there was output, `failed` and the like if it
# failed. It imports nothing that CPython has not loaded by itself, because every domain pays for it.

import io
import os
import sys
import time

# What is running: index of the function, request id, whether there may be output to flush. Rust sets the first two.
now = [0, "", False]

# Per function: the handler, and the class of its contexts or None when it takes an event only.
functions = []

_write_text = io.TextIOWrapper.write


# Output: everything goes to descriptor 1, and a marker line says whose it is.


class _Pipe(io.RawIOBase):
    name = "<output>"
    mode = "wb"
    # Shared by both streams. The request id is compared by identity: each invocation has its own object.
    _marked = [None, None]
    _at_line_start = [True]

    def writable(self):
        return True

    def fileno(self):
        return 1

    def write(self, data):
        data = memoryview(data).tobytes()
        length = len(data)
        if not length:
            return 0
        ends_line = data.endswith(b"\n")
        if self._marked[1] is not now[1] or self._marked[0] != now[0]:
            self._marked[:] = now[:2]
            line_start = b"" if self._at_line_start[0] else b"\n"
            data = b"%b\x1e%d %b\n%b" % (line_start, now[0], now[1].encode(), data)
        self._at_line_start[0] = ends_line
        while data:
            data = data[os.write(1, data) :]
        return length


class _Stream(io.TextIOWrapper):
    def write(self, text):
        now[2] = True
        return _write_text(self, text)


def _stream():
    return _Stream(_Pipe(), encoding="utf-8", errors="backslashreplace", newline="\n", line_buffering=True)


_streams = (_stream(), _stream())


def flush():
    now[2] = False
    for stream in _streams:
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # closed by the function, or nobody reads any more


# Logging: as in AWS Lambda's Python runtime, from the moment on when something imports `logging`.


def _set_up_logging(logging):
    class LambdaLoggerHandler(logging.Handler):
        def emit(self, record):
            try:
                record.aws_request_id = now[1]
                sys.stdout.write(self.format(record))
            except Exception:
                self.handleError(record)

    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler()
    layout = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
    handler.setFormatter(logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(handler)


class _LoggingLoader:
    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        _set_up_logging(module)


class _LoggingFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(_LoggingFinder)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader = _LoggingLoader(spec.loader)
                return spec
        return None


# The context object.


class LambdaContext:
    identity = None
    client_context = None
    function_version = "$LATEST"
    aws_request_id = ""
    # Unix time in milliseconds, 0 for none. Set with `aws_request_id` for each invocation.
    _epoch_deadline_time_in_ms = 0

    def get_remaining_time_in_millis(self):
        if not self._epoch_deadline_time_in_ms:
            return 900_000  # the longest that AWS Lambda lets a function run
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        names = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
        )
        return "LambdaContext([" + ",".join(f"{name}={getattr(self, name)}" for name in names) + "])"


def _context_class(function):
    name = function["name"]
    region = os.environ.get("AWS_REGION", "us-east-1")
    attributes = {
        "__module__": __name__,
        "function_name": name,
        "memory_limit_in_mb": str(function.get("memory_mb") or 128),
        "invoked_function_arn": f"arn:aws:lambda:{region}:000000000000:function:{name}",
        "log_group_name": f"/aws/lambda/{name}",
        "log_stream_name": time.strftime("%Y/%m/%d/[$LATEST]", time.gmtime()) + os.urandom(16).hex(),
    }
    return type("LambdaContext", (LambdaContext,), attributes)


# Errors: as AWS Lambda's Python runtime reports them.

_LONGEST_MESSAGE = 256 * 1024  # characters


def _error(message, kind, request_id, trace=()):
    def clean(text):
        return text[:_LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode()

    return {
        "errorMessage": clean(message),
        "errorType": clean(kind),
        "requestId": request_id,
        "stackTrace": [clean(line) for line in trace],
    }


def _message(error):
    try:
        return str(error)
    except BaseException as second:
        return f"<{type(error).__name__}, whose __str__ raised {type(second).__name__}>"


def _source_line(file, number):
    try:
        with open(file, encoding="utf-8", errors="replace") as source:
            for index, line in enumerate(source, 1):
                if index == number:
                    return line.strip()[:1000]
    except (OSError, ValueError, TypeError):
        pass  # not a file, or not one that this domain may read
    return ""


def _frames(traceback):
    """The lines of `traceback.format_list`, whose module takes longer to import than most functions to run."""
    lines = []
    last, repeated = None, 0

    def close():
        if repeated > 3:
            lines.append(f"  [Previous line repeated {repeated - 3} more time{'s' if repeated > 4 else ''}]\n")

    while traceback is not None:
        code, number = traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next
        file = code.co_filename
        if not lines and (file == "<faastlane>" or file.startswith("<frozen importlib")):
            continue
        if last != (file, number, code.co_name):
            close()
            last, repeated = (file, number, code.co_name), 0
        repeated += 1
        if repeated <= 3:
            line = _source_line(file, number)
            lines.append(f'  File "{file}", line {number}, in {code.co_name}\n' + (f"    {line}\n" if line else ""))
    close()
    return lines


def failed(error, request_id):
    trace = _frames(error.__traceback__)
    if not isinstance(error, SystemExit):
        return _error(_message(error), type(error).__name__, request_id, trace)
    if error.code is None or error.code == 0:
        reason = "Runtime exited without providing a reason"
    elif isinstance(error.code, int):
        reason = f"Runtime exited with error: exit status {int(error.code)}"
    else:
        reason = f"Runtime exited with error: exit status 1: {_message(error)}"
    return _error(f"RequestId: {request_id} Error: {reason}", "Runtime.ExitError", request_id, trace)


def not_read(error, request_id):
    return _error(f"Unable to unmarshal input: {_message(error)}", "Runtime.UnmarshalError", request_id)


def not_written(error, request_id):
    return _error(f"Unable to marshal response: {_message(error)}", "Runtime.MarshalError", request_id)


def default(value, is_key):
    """The text of a Decimal, which AWS Lambda's runtime writes as it is. Raises for whatever else JSON cannot hold."""
    name = type(value).__name__
    if is_key:
        raise TypeError(f"keys must be str, int, float, bool or None, not {name}")
    decimal = sys.modules.get("decimal")
    if decimal is not None and isinstance(value, decimal.Decimal):
        return decimal.Decimal.__str__(value)
    raise TypeError(f"Object of type {name} is not JSON serializable")


# Loading.


def _positional(handler):
    """How many positional arguments `handler` takes: 2 stands for two or more, and for what cannot be known."""
    bound, named = 0, ()
    for _ in range(100):
        functools = sys.modules.get("functools")
        if functools is not None and isinstance(handler, functools.partial):
            bound += len(handler.args)
            named = (*named, *handler.keywords)
            handler = handler.func
        elif hasattr(handler, "__func__"):
            bound += 1
            handler = handler.__func__
        elif hasattr(handler, "__code__"):
            code = handler.__code__
            if code.co_flags & 0x04:  # *args
                return 2
            names = code.co_varnames[bound : code.co_argcount]
            return next((index for index, name in enumerate(names) if name in named), len(names))
        else:
            call = handler.__init__ if isinstance(handler, type) else getattr(type(handler), "__call__", None)
            call = getattr(call, "__func__", call)
            if not hasattr(call, "__code__"):
                return 2
            bound += 1
            handler = call
    return 2


def _import(name, file, index):
    parts = name.count(".") + (os.path.basename(file) == "__init__.py")
    root = os.path.dirname(file)
    for _ in range(parts):
        root = os.path.dirname(root)
    if root not in sys.path:
        sys.path.insert(0, root)
    if name not in sys.builtin_module_names:
        __import__(name)
        module = sys.modules[name]
        found = getattr(module, "__file__", None)
        if found is not None and os.path.realpath(found) == os.path.realpath(file):
            return module
    # The name belongs to another module of this interpreter: this one takes a name of its own beside it.
    from importlib import util

    spec = util.spec_from_file_location(f"_faastlane_{index}_{name.replace('.', '_')}", file)
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _load(index, function):
    """Loads a function; returns None or why it cannot be."""
    name, wanted = function["module"], function.get("handler")
    try:
        module = _import(name, function["file"], index)
    except ImportError as error:
        message = f"Unable to import module '{name}': {_message(error)}"
        return _error(message, "Runtime.ImportModuleError", "", _frames(error.__traceback__))
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{name}': {_message(error)}"
        return _error(message, "Runtime.UserCodeSyntaxError", "", trace)
    except BaseException as error:
        return failed(error, "")

    names = (wanted,) if wanted else ("handler", "lambda_handler", "main")
    handler = next((getattr(module, name) for name in names if hasattr(module, name)), None)
    if handler is None:
        if wanted:
            message = f"Handler '{wanted}' missing on module '{name}'"
        else:
            message = f"Handler missing on module '{name}': it has no handler, lambda_handler or main"
        return _error(message, "Runtime.HandlerNotFound", "")
    if not callable(handler):
        message = f"Handler '{wanted or 'handler'}' on module '{name}' is not callable"
        return _error(message, "Runtime.HandlerNotFound", "")
    functions.append((handler, None if _positional(handler) == 1 else _context_class(function)))
    return None


def start(config):
    """Makes the interpreter the functions' own and loads them; returns None or (index, why one cannot be loaded)."""
    sys.path[:] = config["sys_path"]
    if config.get("executable"):
        sys.executable = config["executable"]
    if config.get("prefix"):
        sys.prefix = sys.exec_prefix = config["prefix"]
    sys.argv = [""]
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = _streams
    os.environ.pop("PYTHONHOME", None)  # led this interpreter to its library; another one would be misled
    for function in config["functions"]:
        os.environ.update(function.get("env") or {})
    if "logging" in sys.modules:
        _set_up_logging(sys.modules["logging"])
    else:
        sys.meta_path.insert(0, _LoggingFinder)
    for index, function in enumerate(config["functions"]):
        now[0] = index
        error = _load(index, function)
        if now[2]:
            flush()
        if error is not None:
            return index, error
    return None
