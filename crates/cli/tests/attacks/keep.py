"""The victim: puts a secret wherever a function can keep one, says where, and looks later whether all is as it was."""
import builtins
import ctypes
import gc
import json
import mmap
import os
import sysconfig
import tempfile
import threading

kept = {}
python = ctypes.PyDLL(sysconfig.get_config_var("INSTSONAME"))


def wait(secret, event):
    event.wait()


def keep(secret):
    page = mmap.mmap(-1, 1 << 16, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page[: len(secret)] = secret
    folder = tempfile.mkdtemp(prefix="keep-")
    path = os.path.join(folder, "secret")
    with open(path, "wb") as file:
        file.write(secret)
    # A number that no other function happens to have.
    descriptor = os.open(path, os.O_RDWR)
    high = os.dup2(descriptor, 777)
    os.close(descriptor)
    os.environ["KEPT_SECRET"] = secret.decode()
    os.chdir(folder)
    event = threading.Event()
    thread = threading.Thread(target=wait, args=[secret, event], daemon=True)
    thread.start()
    kept.update(secret=secret, page=page, path=path, descriptor=high, folder=os.getcwd(), event=event, thread=thread)
    return {
        "page": ctypes.addressof(ctypes.c_char.from_buffer(page)),
        "object": id(secret),
        "length": len(secret),
        "pid": os.getpid(),
        "thread": threading.get_native_id(),
        "waiting": thread.ident,
        "descriptor": high,
        "file": path,
        "python": {name: address(name) for name in ("PyInterpreterState_Main", "PyRun_SimpleString", "_PyEval_AddPendingCall")},
    }


def address(name):
    """Of a function of this interpreter, None where its version does not export it."""
    return ctypes.cast(getattr(python, name), ctypes.c_void_p).value if hasattr(python, name) else None


def changed():
    gc.collect()
    secret = kept["secret"]
    checks = {
        "page": lambda: kept["page"][: len(secret)] == secret,
        "file": lambda: open(kept["path"], "rb").read() == secret,
        "descriptor": lambda: os.pread(kept["descriptor"], 100, 0) == secret,
        "environment": lambda: os.environ["KEPT_SECRET"].encode() == secret,
        "directory": lambda: os.getcwd() == kept["folder"],
        "thread": lambda: kept["thread"].is_alive(),
        "json": lambda: json.dumps([1]) == "[1]",
        "events": lambda: not threading.Event().is_set(),
        "integers": lambda: str(100 + 99) == str(200 - 1) == "".join(["1", "9", "9"]),
        "builtins": lambda: builtins.len([1, 2]) == 2,
        "marked": lambda: "marked" not in kept,
    }
    return [what for what, holds in checks.items() if not attempt(holds)]


def attempt(holds):
    try:
        return holds()
    except Exception:
        return False


def handler(event, context):
    if "secret" in event:
        return keep(event["secret"].encode())
    return {"attack": event, "changed": changed()}
