//! Code of the attacker's own, which would hold the instruction that lifts its key.

use crate::case::End::{Contained, Refused, Violation};
use crate::case::Proof::{Without, WithoutIn};
use crate::case::attacks;

attacks! {
    a07: "maps memory that is writable and executable" {
        r#"
        def attack(at): return syscall("mmap", 0, PAGE, READ | WRITE | EXECUTE, PRIVATE | ANONYMOUS, -1, 0)
        "#
        mpk: Refused, process: Contained, by: "monitor: no page is code and data", real: WithoutIn("mpk", "wx"),
    }
    a08: "writes a page and makes it executable then" {
        r#"
        def attack(at):
            page = syscall("mmap", 0, PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0)
            ctypes.memmove(page, b"\x31\xc0\xc3", 3)
            syscall("mprotect", page, PAGE, READ | EXECUTE)
            return call(page) == 0
        "#
        mpk: Refused, process: Contained, by: "monitor: code comes from files", real: WithoutIn("mpk", "wx"),
    }
    a09: "makes the page of a ctypes callback writable" {
        r#"
        def attack(at):
            try:
                callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)
            except MemoryError as error:
                raise PermissionError(13, "libffi has no page for code") from error
            address = ctypes.cast(callback, ctypes.c_void_p).value
            syscall("mprotect", address & -PAGE, PAGE, READ | WRITE | EXECUTE)
            return "writable"
        "#
        mpk: Refused, process: Contained, by: "monitor: no page is code and data", real: WithoutIn("mpk", "wx"),
    }
    a10: "writes code into a memory file and maps that" {
        r#"
        def attack(at):
            file = syscall("memfd_create", b"code", 0)
            os.write(file, b"\x31\xc0\xc3".ljust(PAGE, b"\xcc"))
            return call(syscall("mmap", 0, PAGE, READ | EXECUTE, PRIVATE, file, 0)) == 0
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("memfd_create,wx,scan"),
    }
    a11: "loads code with WRPKRU from a file that it wrote" {
        r#"
        def attack(at):
            call(own_file_as_code(b"\x31\xc0\x31\xc9\x31\xd2\x0f\x01\xef\xc3"))
            return read(at["page"], at["length"])
        "#
        mpk: Refused, process: Contained, by: "code comes from files that nobody can write; scan; address space", real: WithoutIn("mpk", "wx,scan"),
    }
    a12: "makes all that is readable executable (`personality`)" {
        r#"
        def attack(at): return syscall("personality", 0x0400000) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("personality"),
    }
    a13: "makes a system call through `int 0x80`" {
        r#"
        import re
        def attack(at):
            try:
                getpid = own_file_as_code(b"\xb8\x14\0\0\0\xcd\x80\xc3")
            except OSError:
                getpid = next(code_bytes(re.compile(rb"\xcd\x80", re.DOTALL)))
            return call(getpid)
        "#
        mpk: Violation, process: Violation, by: "system-call filter: other architectures trap",
        real: WithoutIn("process", "filter,duty"),
    }
    a48: "maps a file of its own as code and rewrites the file then" {
        r#"
        def attack(at):
            SHARED = 1
            with tempfile.NamedTemporaryFile() as file:
                file.write(b"\x31\xc0\xc3".ljust(PAGE, b"\xcc"))
                file.flush()
                code = syscall("mmap", 0, PAGE, READ | EXECUTE, SHARED, file.fileno(), 0)
                os.pwrite(file.fileno(), b"\xb8\x01\x00\x00\x00\xc3", 0)
                return call(code)
        "#
        mpk: Refused, process: Contained, by: "code comes from files that nobody can write; address space", real: WithoutIn("mpk", "wx,scan"),
    }
}
