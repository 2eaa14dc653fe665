//! Faults, and who is blamed for them: what a thread was doing is told by its registers and by memory that a domain can write.

use crate::case::End::{Crash, Ends, Violation};
use crate::case::Proof::Missing;
use crate::case::attacks;

attacks! {
    a21b: "faults on a thread whose stack pointer is aimed at another's memory, where the kernel writes the signal's frame" {
        r#"
        def attack(at):
            threading.Thread(target=go_on_at, args=[at["page"] + 0x8000]).start()
            threading.Event().wait()
        "#
        mpk: Ends, process: Crash, by: "key; whatever comes of it, the instance ends",
        real: Missing("the frame is the kernel's"),
    }
    a49: "aims its stack pointer at another's stack and faults, so that the other is blamed" {
        r#"
        def attack(at): go_on_at(at["waiting"] - PAGE)
        "#
        mpk: Violation, process: Crash, by: "the kernel says whose thread it was",
        real: Missing("registers are not asked any more"),
    }
    a50: "calls the handler of faults as a function, and tells it what another is to have done" {
        r#"
        def attack(at):
            KEY = 4
            information = ctypes.create_string_buffer(struct.pack("iiiiQQQI", 11, 0, KEY, 0, at["page"], 0, 0, 1), 128)
            registers = ctypes.create_string_buffer(1024)
            ctypes.memmove(ctypes.addressof(registers) + RSP, struct.pack("Q", at["waiting"]), 8)
            handler = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(fault_handler()[0])
            handler(11, ctypes.addressof(information), ctypes.addressof(registers))
        "#
        mpk: Violation, process: Violation, by: "the kernel says whose thread it was",
        real: Missing("there is nothing to switch off"),
    }
    a51: "writes the report of a fault that another is to have had, and has its memory read for that" {
        r#"
        def attack(at):
            _, report = fault_handler()
            claimed, ready = report, report + 4
            claim = struct.pack("IIIIQQ", 1, 0, 11, at["thread"], at["page"], at["page"])
            ctypes.memmove(claimed, claim, len(claim))
            ctypes.memmove(ready, struct.pack("I", 1), 4)
            WAKE = 1
            syscall("futex", ready, WAKE, 1)
            threading.Event().wait()
        "#
        mpk: Violation, process: Crash, by: "a thread that has faulted sleeps in the handler, as the kernel says; nothing is told from memory of others",
        real: Missing("there is nothing to switch off"),
    }
    a52: "claims the report of faults for good, and faults then, so that nobody ends the instance" {
        r#"
        def attack(at):
            _, report = fault_handler()
            ctypes.memmove(report, struct.pack("I", 1), 4)
            threading.Thread(target=read, args=[1 << 40, 1]).start()
            threading.Event().wait()
        "#
        mpk: Crash, process: Crash, by: "a thread that has faulted ends the process when nobody else does",
        real: Missing("there is nothing to switch off"),
    }
}
