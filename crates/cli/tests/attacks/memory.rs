//! Plain loads and stores, and ways to the rights that they need.

use crate::case::End::{Contained, Crash, Nothing, Open, Refused, Violation};
use crate::case::Proof::{Missing, Unisolated, WithoutIn};
use crate::case::attacks;

attacks! {
    a01: "reads another function's memory by its address" {
        r#"
        def attack(at): return read(at["page"], at["length"])
        "#
        mpk: Violation, process: Crash, by: "key; address space", real: Unisolated,
    }
    a02: "writes another function's memory by its address" {
        r#"
        def attack(at): ctypes.memmove(at["page"], b"overwritten", 11)
        "#
        mpk: Violation, process: Crash, by: "key; address space", real: Unisolated,
    }
    a03: "calls `pkey_set`" {
        r#"
        def attack(at):
            for key in range(1, 16): libc.pkey_set(key, 0)
            return read(at["page"], at["length"])
        "#
        mpk: Violation, process: Crash, by: "all code is scanned, and what holds such bytes rewritten; address space",
        real: WithoutIn("mpk", "scan"),
    }
    a03b: "looks for bytes that read as WRPKRU or XRSTOR, to jump into" {
        r#"
        import re
        def attack(at):
            found = list(code_bytes(re.compile(rb"\x0f\x01\xef|\x0f\xae[\x28-\x2f\x68-\x6f\xa8-\xaf]", re.DOTALL)))
            return [hex(address) for address in found[:8]] or None
        "#
        mpk: Nothing, process: Contained, by: "all code is scanned, and what holds such bytes rewritten; address space",
        real: WithoutIn("mpk", "scan"),
    }
    a04: "gives another's page key 0 (`pkey_mprotect`)" {
        r#"
        def attack(at):
            syscall("pkey_mprotect", at["page"], PAGE, READ | WRITE, 0)
            return read(at["page"], at["length"])
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: WithoutIn("mpk", "pkey_mprotect"),
    }
    a05: "frees a key and takes it again with all rights" {
        r#"
        def attack(at):
            for key in range(1, 16): syscall("pkey_free", key)
            for key in range(1, 16): syscall("pkey_alloc", 0, 0)
            return read(at["page"], at["length"])
        "#
        mpk: Refused, process: Refused, by: "system-call filter",
        real: WithoutIn("mpk", "pkey_free,pkey_alloc"),
    }
    a06: "makes another's page executable only and then readable, which drops its key" {
        r#"
        def attack(at):
            syscall("mprotect", at["page"], PAGE, EXECUTE)
            syscall("mprotect", at["page"], PAGE, READ)
            return read(at["page"], at["length"])
        "#
        mpk: Refused, process: Contained, by: "monitor; address space",
        real: Missing("no page is execute-only, whatever is left out"),
    }
    a43: "writes the trusted threads' memory" {
        r#"
        def attack(at):
            libc.getauxval.restype = ctypes.c_void_p
            headers, size, count = (libc.getauxval(kind) for kind in (3, 4, 5))
            headers = [(headers + size * index, struct.unpack("IIQQQQQQ", ctypes.string_at(headers + size * index, size)))
                       for index in range(count)]
            base = next(at - header[3] for at, header in headers if header[0] == 6)
            last = [base + header[3] + header[6] - 8 for _, header in headers if header[0] == 1 and header[1] & 2][-1]
            ctypes.memmove(last, ctypes.string_at(last, 8), 8)
            return "written"
        "#
        mpk: Violation, process: Contained, by: "key of the trusted threads", real: Unisolated,
    }
    a44: "writes the base libc's data" {
        r#"
        def attack(at):
            base = next(base for base, name in loaded(base_link_map()) if "libc.so" in name)
            start, length = next((start, length) for flags, start, length in segments(base) if flags & 2)
            ctypes.memmove(start + length - 8, ctypes.string_at(start + length - 8, 8), 8)
            return "written"
        "#
        mpk: Open("the loader and the base libc are on key 0, which every domain can write"), process: Contained,
        by: "nothing yet", real: Missing("open"),
    }
}
