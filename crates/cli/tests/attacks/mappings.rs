//! Changes to what is mapped where others have their memory.

use crate::case::End::{Contained, Refused};
use crate::case::Proof::Unisolated;
use crate::case::attacks;

attacks! {
    a25: "maps over another's page" {
        r#"
        def attack(at): syscall("mmap", at["page"], PAGE, READ | WRITE, PRIVATE | FIXED | ANONYMOUS, -1, 0)
        "#
        mpk: Refused, process: Contained, by: "monitor; address space", real: Unisolated,
    }
    a26: "drops what is in another's page (`MADV_DONTNEED`)" {
        r#"
        def attack(at):
            DONTNEED = 4
            syscall("madvise", at["page"], PAGE, DONTNEED)
        "#
        mpk: Refused, process: Contained, by: "monitor; address space", real: Unisolated,
    }
    a27: "unmaps another's page" {
        r#"
        def attack(at): syscall("munmap", at["page"], PAGE)
        "#
        mpk: Refused, process: Contained, by: "monitor; address space", real: Unisolated,
    }
    a28: "moves another's page to where it can be read (`mremap`)" {
        r#"
        def attack(at):
            MAYMOVE, FIXED_ADDRESS = 1, 2
            here = syscall("mmap", 0, PAGE, READ, PRIVATE | ANONYMOUS, -1, 0)
            syscall("mremap", at["page"], PAGE, PAGE, MAYMOVE | FIXED_ADDRESS, here)
            return read(here, at["length"])
        "#
        mpk: Refused, process: Contained, by: "monitor; address space", real: Unisolated,
    }
}
