# Runs in every domain before the functions' own code. Rust calls `start` once, and per invocation only what
# the invocation needs: a context if the handler takes one, `flush` if there was output, `on_demand` if it
# failed. It imports nothing that CPython has not loaded by itself, and is short, because every domain pays
# for it.

import io
import os
import sys
import time

# What is running: index of the function, request id (both set by Rust), whether there may be output to flush.
now = [0, "", False]

# Per function: the handler, and the class of its contexts or None when it takes an event only.
functions = []

# The text of `on_demand.py`, which Rust sets.
on_demand_source = ""


def on_demand(name, *arguments):
    """Calls what `on_demand.py` defines. Few domains need any of it, so it is compiled when one does."""
    if "failed" not in globals():
        exec(compile(on_demand_source, "<faastlane>", "exec"), globals())
    return globals()[name](*arguments)


# Output: everything goes to descriptor 1, and a marker line says whose it is.

_write_text = io.TextIOWrapper.write


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


# Logging.


class _LoggingFinder:
    """Waits for the first import of `logging`, to set it up."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(_LoggingFinder)
        return on_demand("logging_spec", path, target)


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
        return on_demand("shown_context", self)


def _log_stream():
    return time.strftime("%Y/%m/%d/[$LATEST]", time.gmtime()) + os.urandom(16).hex()


def _context_class(function):
    name = function["name"]
    region = os.environ.get("AWS_REGION", "us-east-1")
    attributes = {
        "__module__": __name__,
        "function_name": name,
        "memory_limit_in_mb": str(function.get("memory_mb") or 128),
        "invoked_function_arn": f"arn:aws:lambda:{region}:000000000000:function:{name}",
        "log_group_name": f"/aws/lambda/{name}",
        "log_stream_name": _log_stream(),
    }
    return type("LambdaContext", (LambdaContext,), attributes)


# Around a snapshot: an instance is a copy of a process in which the functions were loaded.

# (index of the function, what is to be done)
_before_snapshot = []
_after_restore = []


def _before(work):
    _before_snapshot.insert(0, (now[0], work))
    return work


def _after(work):
    _after_restore.append((now[0], work))
    return work


class _HookFinder:
    """Gives `faastlane` to functions that import it, and `snapshot_restore_py`, its like in AWS Lambda."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in ("faastlane", "snapshot_restore_py"):
            return None
        return on_demand("restore_spec", name, _before, _after)


def _run_hooks(hooks, name):
    for index, work in hooks:
        now[0] = index
        try:
            work()
        except BaseException as error:
            return index, on_demand("hook_failed", error, name)
        finally:
            if now[2]:
                flush()
    return None


def _set_environment(variables):
    # `os.environ.update` would look through abstract base classes first, and each copy would write to a hundred pages more.
    for name, value in variables.items():
        os.environ[name] = value


def restored(news=None):
    """Makes this interpreter that of an instance; returns None or (index, why a function's own work failed)."""
    if news is not None:
        tempfile = sys.modules.get("tempfile")
        if tempfile is not None and tempfile.tempdir == os.environ.get("TMPDIR"):
            tempfile.tempdir = None  # it is another one here
        _set_environment(news["env"])
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None:
            numpy_random.seed()  # has no hook of its own, as `random` has
        for _, context in functions:
            if context is not None:
                context.log_stream_name = _log_stream()
    return _run_hooks(_after_restore, "after_restore")


# Loading.


def _positional(handler):
    """How many positional arguments `handler` takes: 2 for two or more, and for what cannot be known."""
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
    return on_demand("imported_beside", name, file, index)


def _load(index, function):
    """Loads a function; returns None or why it cannot be."""
    name, wanted = function["module"], function.get("handler")
    try:
        module = _import(name, function["file"], index)
    except BaseException as error:
        return on_demand("not_loaded", error, name)
    names = (wanted,) if wanted else ("handler", "lambda_handler", "main")
    found = next((name for name in names if hasattr(module, name)), None)
    handler = getattr(module, found) if found else None
    if not callable(handler):
        return on_demand("no_handler", name, wanted, found)
    functions.append((handler, None if _positional(handler) == 1 else _context_class(function)))
    return None


def start(config):
    """Makes the interpreter the functions' own and loads them; returns None or (index, why one cannot be)."""
    if config.get("executable"):
        sys.executable = config["executable"]
    if config.get("prefix"):
        sys.prefix = sys.exec_prefix = config["prefix"]
    sys.argv = [""]
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = _streams
    if sys.flags.no_site:
        # Only now is it known which environment this is: what its .pth files import is imported, and not another one's.
        import site

        site.main()
    sys.path[:] = config["sys_path"]
    os.environ.pop("PYTHONHOME", None)  # led this interpreter to its library; another one would be misled
    for function in config["functions"]:
        os.environ.update(function.get("env") or {})
    if "logging" in sys.modules:
        on_demand("set_up_logging", sys.modules["logging"])
    else:
        sys.meta_path.insert(0, _LoggingFinder)
    sys.meta_path.append(_HookFinder)
    for index, function in enumerate(config["functions"]):
        now[0] = index
        error = _load(index, function)
        if now[2]:
            flush()
        if error is not None:
            return index, error
    failed = _run_hooks(_before_snapshot, "before_snapshot")
    # What runs for the first time leaves traces in memory (caches, specialised bytecode): better here, once, than in each copy.
    _set_environment({name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ})
    # What is there now is there in every instance: collecting it again would only make each of them copy it.
    import gc

    gc.collect()
    gc.freeze()
    return failed
