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
    a05b: "frees the keys, so that the next to ask gets one that memory of others still carries" {
        r#"
        def attack(at):
            for key in range(1, 16): syscall("pkey_free", key)
            return "freed"
        "#
        mpk: Refused, process: Refused, by: "system-call filter; no key ever changes its domain",
        real: WithoutIn("mpk", "pkey_free"),
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
            start, length = own_data()[-1]
            last = start + length - 8
            ctypes.memmove(last, ctypes.string_at(last, 8), 8)
            return "written"
        "#
        mpk: Violation, process: Contained, by: "key of the trusted threads", real: Unisolated,
    }
    a43b: "writes a trusted thread's stack" {
        r#"
        import itertools
        STACK = 8 << 20
        def attack(at):
            own, number = threading.get_ident(), 0x100
            while struct.unpack("i", ctypes.string_at(own + number, 4))[0] != threading.get_native_id(): number += 4
            known = threading.get_native_id(), at["thread"]
            pages = itertools.chain.from_iterable((own + near & -PAGE, own - near & -PAGE) for near in range(0, 1 << 28, PAGE))
            hidden = 0
            for page in filter(is_mapped, pages):
                if peek(page, 8) is None:
                    # It is another's: a trusted thread's, where as much of it is as a stack takes.
                    if all(is_mapped(page - near) and peek(page - near, 8) is None for near in range(0, STACK // 2, 1 << 16)):
                        hidden = hidden or page - STACK // 4
                    continue
                for index, word in enumerate(words(page)):
                    block = page + 8 * index
                    # What it has at the end of its stack begins with where that is.
                    if word == block and peek(block + number, 4) and peek(block - STACK // 2, 8):
                        thread, = struct.unpack("i", ctypes.string_at(block + number, 4))
                        if thread > 0 and thread not in known:
                            unused = block - STACK // 2
                            ctypes.memmove(unused, ctypes.string_at(unused, 8), 8)
                            return "written"
                if hidden: break
            ctypes.memset(hidden, 0, 8)
            return "written"
        "#
        mpk: Violation, process: Contained, by: "key of the trusted threads", real: Unisolated,
    }
    a55: "reads another's memory by its address, and is the 16th function, for which that process has no key" {
        r#"
        def attack(at): return read(at["page"], at["length"])
        "#
        between: 14,
        mpk: Crash, process: Crash, by: "address space: what is beyond the keys of a process is in another one",
        real: Missing("it is in another process where nothing isolates, too; a01 is the same in one"),
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
