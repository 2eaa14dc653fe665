//! The kernel as a confused deputy: it reads and writes whatever keys a thread carries.

use crate::case::End::{Crash, Refused, Violation};
use crate::case::Proof::{Missing, Unisolated, Without, WithoutIn};
use crate::case::attacks;

attacks! {
    a14: "reads another's memory through `/proc/PID/mem`" {
        r#"
        def attack(at):
            file = os.open(f"/proc/{at['pid']}/mem", os.O_RDONLY)
            return os.pread(file, at["length"], at["page"]).decode()
        "#
        mpk: Refused, process: Refused, by: "Landlock; no capabilities", real: Without("landlock,capabilities"),
    }
    a15: "lists another's mapped files through `/proc/PID/map_files`" {
        r#"
        def attack(at): return os.listdir(f"/proc/{at['pid']}/map_files")
        "#
        mpk: Refused, process: Refused, by: "Landlock; no capabilities", real: Without("landlock,capabilities"),
    }
    a16: "copies another's memory with `process_vm_readv`" {
        r#"
        def attack(at):
            copy = ctypes.create_string_buffer(at["length"])
            here = struct.pack("QQ", ctypes.addressof(copy), at["length"])
            there = struct.pack("QQ", at["page"], at["length"])
            syscall("process_vm_readv", at["pid"], here, 1, there, 1, 0)
            return copy.raw.decode()
        "#
        mpk: Refused, process: Refused, by: "system-call filter; Landlock", real: Without("process_vm_readv,landlock,capabilities"),
    }
    a17: "forks, and has a copy of everyone's memory" {
        r#"
        def attack(at):
            child = syscall("fork")
            if child == 0: syscall("exit", 0)
            return child
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("fork"),
    }
    a18: "traces another (`ptrace`)" {
        r#"
        def attack(at):
            SEIZE = 0x4206
            return syscall("ptrace", SEIZE, at["pid"], 0, 0) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter; Landlock", real: WithoutIn("process", "ptrace,landlock,capabilities"),
    }
    a19: "returns from a signal that there was not (`rt_sigreturn`)" {
        r#"
        def attack(at): return syscall("rt_sigreturn")
        "#
        mpk: Refused, process: Refused, by: "system-call filter",
        real: Missing("the call without a frame ends the thread"),
    }
    a20: "sets a signal handler, whose frame holds the rights" {
        r#"
        def attack(at): return syscall("rt_sigaction", 10, bytes(32), 0, 8) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("rt_sigaction"),
    }
    a21: "lets the kernel write a signal frame over another's memory (`sigaltstack`)" {
        r#"
        def attack(at): return syscall("sigaltstack", struct.pack("QiiQ", at["page"], 0, 0, 1 << 16), 0) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("sigaltstack"),
    }
    a22: "lets the kernel write and jump for it (`rseq`)" {
        r#"
        def attack(at):
            area = ctypes.create_string_buffer(128)
            aligned = (ctypes.addressof(area) + 63) & -64
            return syscall("rseq", aligned, 32, 0, 0x53053053) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("rseq"),
    }
    a29: "fills others' pages (`userfaultfd`)" {
        r#"
        def attack(at): return syscall("userfaultfd", 1)
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("userfaultfd"),
    }
    a30: "makes system calls that no filter sees (`io_uring`)" {
        r#"
        def attack(at): return syscall("io_uring_setup", 8, ctypes.create_string_buffer(120))
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("io_uring_setup"),
    }
    a47: "sets a segment base (`arch_prctl`)" {
        r#"
        def attack(at):
            SET_GS = 0x1001
            return syscall("arch_prctl", SET_GS, 0) + 1
        "#
        mpk: Refused, process: Refused, by: "system-call filter", real: Without("arch_prctl"),
    }
    a47b: "aims a segment base at another's memory itself (`wrfsbase`)" {
        r#"
        def attack(at):
            # rdfsbase rcx; wrfsbase rdi; mov rax, fs:[0]; wrfsbase rcx; ret
            code = own_file_as_code(b"\xf3\x48\x0f\xae\xc1\xf3\x48\x0f\xae\xd7\x64\x48\x8b\x04\x25\0\0\0\0\xf3\x48\x0f\xae\xd1\xc3")
            return ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long)(code)(at["page"])
        "#
        mpk: Violation, process: Crash, by: "key; address space", real: Unisolated,
    }
}
