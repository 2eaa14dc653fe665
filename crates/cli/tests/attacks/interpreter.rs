//! Python as a way to other functions: nothing of theirs is found, and nothing done reaches them.

use crate::case::End::{Crash, Nothing, Violation};
use crate::case::Proof::{SameDomain, Unisolated};
use crate::case::attacks;

attacks! {
    p01: "looks through `gc.get_objects`" {
        r#"
        import gc
        def attack(at):
            gc.unfreeze()
            found = [each for each in gc.get_objects() if type(each) is dict and "kept" in each and "changed" in each]
            return found[0]["kept"]["secret"].decode() if found else None
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p02: "looks through the frames of all threads (`sys._current_frames`)" {
        r#"
        import sys
        def attack(at):
            for frame in sys._current_frames().values():
                while frame:
                    if frame.f_code.co_name == "wait" and "secret" in frame.f_locals:
                        return frame.f_locals["secret"].decode()
                    frame = frame.f_back
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p03: "looks through `sys.modules`" {
        r#"
        import sys
        def attack(at):
            found = [module for module in list(sys.modules.values()) if "kept" in getattr(module, "__dict__", {})]
            return found[0].kept["secret"].decode() if found else None
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p04: "replaces `json.dumps`" {
        r#"
        import json
        def attack(at): json.dumps = lambda *_: "replaced"
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p05: "leaves an object whose `__del__` runs on another's thread" {
        r#"
        import sys
        class Left:
            def __init__(self): self.cycle = self
            def __del__(self):
                frame = sys._getframe()
                while frame:
                    if "kept" in frame.f_globals: frame.f_globals["kept"]["marked"] = True
                    frame = frame.f_back
        def attack(at): Left()
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p06: "replaces `threading.Event.is_set`" {
        r#"
        import threading
        def attack(at): threading.Event.is_set = lambda self: True
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p07: "raises an exception in another's thread" {
        r#"
        def attack(at):
            raised = python.PyThreadState_SetAsyncExc(ctypes.c_ulong(at["waiting"]), ctypes.py_object(SystemExit))
            return raised or None
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p08: "changes what a small integer is" {
        r#"
        def attack(at): ctypes.memmove(id(199) + 24, struct.pack("I", 200), 4)
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p09: "casts the `id()` of another's object" {
        r#"
        def attack(at): return ctypes.cast(at["object"], ctypes.py_object).value.decode()
        "#
        mpk: Violation, process: Crash, by: "key; address space", real: SameDomain,
    }
    p10: "replaces a built-in function" {
        r#"
        import builtins
        def attack(at):
            original = builtins.len
            builtins.len = lambda what: 3 if what == [1, 2] else original(what)
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p11: "installs an audit hook that sees what others open" {
        r#"
        import sys
        def attack(at):
            def hook(event, arguments):
                if event != "open": return
                frame = sys._getframe()
                while frame:
                    if "kept" in frame.f_globals: frame.f_globals["kept"]["marked"] = True
                    frame = frame.f_back
            sys.addaudithook(hook)
        "#
        mpk: Nothing, process: Nothing, by: "interpreter of its own", real: SameDomain,
    }
    p12: "queues a call in another's interpreter (`Py_AddPendingCall`)" {
        r#"
        TEXT = b"""import sys
        for module in list(sys.modules.values()):
            if "kept" in vars(module): module.kept["marked"] = True
        """
        text = ctypes.create_string_buffer(TEXT)
        def attack(at):
            def function(name, *arguments): return ctypes.CFUNCTYPE(ctypes.c_void_p, *arguments)(at["python"][name])
            victim = function("PyInterpreterState_Main")()
            # What the public function does once it has found whose interpreter the calling thread belongs to.
            add = function("_PyEval_AddPendingCall", *[ctypes.c_void_p] * 3, ctypes.c_int)
            add(victim, at["python"]["PyRun_SimpleString"], ctypes.addressof(text), 1)
        "#
        mpk: Violation, process: Crash, by: "key; address space", real: Unisolated,
    }
}
