//! Threads, and what they would carry out or be made to do.

use crate::case::End::{Crash, Nothing, Refused, Violation};
use crate::case::Proof::{Unisolated, Without};
use crate::case::attacks;

attacks! {
    a31: "installs a system-call filter that fakes success" {
        r#"
        def attack(at):
            ALLOW = 0x7fff0000
            program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, ALLOW))
            return syscall("seccomp", 1, 0, struct.pack("HxxxxxxQ", 1, ctypes.addressof(program))) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("seccomp"),
    }
    a32: "lets the kernel write another's bytes into a pipe" {
        r#"
        def attack(at):
            found = peek(at["page"], at["length"])
            return found and found.decode()
        "#
        mpk: Nothing, process: Nothing, by: "key, which the kernel honours; address space", real: Unisolated,
    }
    a33: "reads another's memory on a thread that it starts" {
        r#"
        import threading
        def attack(at):
            found = []
            thread = threading.Thread(target=lambda: found.append(read(at["page"], at["length"])))
            thread.start()
            thread.join()
            return found[0]
        "#
        mpk: Violation, process: Crash, by: "key, inherited; address space", real: Unisolated,
    }
    a33b: "makes a refused system call on a thread that it starts" {
        r#"
        import threading
        def attack(at):
            found = []
            def on_a_thread():
                try:
                    found.append(syscall("memfd_create", b"memory", 0))
                except OSError as error:
                    found.append(error)
            thread = threading.Thread(target=on_a_thread)
            thread.start()
            thread.join()
            if isinstance(found[0], OSError): raise found[0]
            return found[0]
        "#
        mpk: Refused, process: Refused, by: "system-call filter, inherited", real: Without("memfd_create"),
    }
    a34: "raises the limit on core dumps, which hold everyone's memory" {
        r#"
        def attack(at):
            CORE, EVERYTHING = 4, 2 ** 64 - 1
            return syscall("setrlimit", CORE, struct.pack("QQ", EVERYTHING, EVERYTHING)) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("setrlimit,capabilities"),
    }
    a35: "signals a trusted thread" {
        r#"
        def attack(at): return syscall("tgkill", at["pid"], at["pid"], 0) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("tgkill,landlock"),
    }
}
