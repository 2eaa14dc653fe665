# What only some domains need, compiled into the namespace of `bootstrap.py` when it is first needed.

# Logging: as in AWS Lambda's Python runtime, from the moment on when something imports `logging`.


def set_up_logging(logging):
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
    """The loader of `logging`, which sets it up when it is loaded."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        set_up_logging(module)


def logging_spec(path, target):
    for finder in sys.meta_path:
        spec = finder.find_spec("logging", path, target)
        if spec is not None:
            spec.loader = _LoggingLoader(spec.loader)
            return spec
    return None


def shown_context(context):
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
    return "LambdaContext([" + ",".join(f"{name}={getattr(context, name)}" for name in names) + "])"


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
    """The lines of `traceback.format_list`, whose module takes 10 ms to import."""
    lines = []
    last, repeated = None, 0

    def close():
        if repeated > 3:
            times = "time" if repeated == 4 else "times"
            lines.append(f"  [Previous line repeated {repeated - 3} more {times}]\n")

    while traceback is not None:
        code, number = traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next
        file = code.co_filename
        if file == "<faastlane>" or file.startswith("<frozen importlib"):
            continue
        if last != (file, number, code.co_name):
            close()
            last, repeated = (file, number, code.co_name), 0
        repeated += 1
        if repeated <= 3:
            line = _source_line(file, number)
            lines.append(f'  File "{file}", line {number}, in {code.co_name}\n')
            if line:
                lines[-1] += f"    {line}\n"
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


def read_response(data):
    """The value of bytes, which AWS Lambda's runtime takes for the text of the response as it stands."""
    from json import loads

    try:
        return loads(str(data, "utf-8"))
    except ValueError as error:
        raise ValueError(f"the bytes that the function returned cannot be read as JSON: {error}") from None


def default(value, is_key):
    """The text of a Decimal, which AWS Lambda's runtime writes as it is; raises for anything else."""
    name = type(value).__name__
    if is_key:
        raise TypeError(f"keys must be str, int, float, bool or None, not {name}")
    decimal = sys.modules.get("decimal")
    if decimal is not None and isinstance(value, decimal.Decimal):
        return decimal.Decimal.__str__(value)
    raise TypeError(f"Object of type {name} is not JSON serializable")


# Loading.


def not_loaded(error, module):
    message = _message(error)
    if isinstance(error, ImportError):
        message = f"Unable to import module '{module}': {message}"
        return _error(message, "Runtime.ImportModuleError", "", _frames(error.__traceback__))
    if isinstance(error, SyntaxError):
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module}': {message}"
        return _error(message, "Runtime.UserCodeSyntaxError", "", trace)
    return failed(error, "")


def no_handler(module, wanted, found):
    if found:
        message = f"Handler '{found}' on module '{module}' is not callable"
    elif wanted:
        message = f"Handler '{wanted}' missing on module '{module}'"
    else:
        message = f"Handler missing on module '{module}': it has no handler, lambda_handler or main"
    return _error(message, "Runtime.HandlerNotFound", "")


def imported_beside(name, file, index):
    """Imports a module whose name belongs to another module of this interpreter under a name of its own."""
    from importlib import util

    spec = util.spec_from_file_location(f"_faastlane_{index}_{name.replace('.', '_')}", file)
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# Around a snapshot.


class _HookLoader:
    """Makes the module through which functions say what is to be done around a snapshot."""

    def __init__(self, before_snapshot, after_restore):
        self._hooks = before_snapshot, after_restore

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        before_snapshot, after_restore = self._hooks
        if module.__name__ == "faastlane":
            module.before_snapshot, module.after_restore = before_snapshot, after_restore
        else:
            # Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
            module.register_before_snapshot = lambda work, *args, **kwargs: before_snapshot(
                lambda: work(*args, **kwargs)
            )
            module.register_after_restore = lambda work, *args, **kwargs: after_restore(
                lambda: work(*args, **kwargs)
            )


def restore_spec(name, before_snapshot, after_restore):
    from importlib.machinery import ModuleSpec

    return ModuleSpec(name, _HookLoader(before_snapshot, after_restore))


def hook_failed(error, name):
    report = failed(error, "")
    report["errorMessage"] = f"{name} failed: {report['errorMessage']}"
    return report
