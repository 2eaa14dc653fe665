//! What code forges while it is imported, for the copy of its process: what its thread is made again from is in memory that it can
//! write. It says that it has parked when it has not, and leaves what it likes.

use crate::case::is_under_test;
use crate::workflow::{Workflow, fed, text};
use serde_json::json;
use std::fmt::Write;

/// Nobody but its owner may ever see it. Its owner has it in hexadecimal digits, which are no secret here.
const SECRET: &str = "kept-7b02d4e9a1";

const VICTIM: &str = r#"
import ctypes, mmap, os
page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
page[:len(SECRET)] = SECRET
with open(os.path.join(MARKS, "part"), "w") as file:
    file.write(str(ctypes.addressof(ctypes.c_char.from_buffer(page))))
os.rename(os.path.join(MARKS, "part"), os.path.join(MARKS, "address"))
def handler(event, context): return page[:len(SECRET)] == SECRET
"#;

const FORGER: &str = r#"
from kit import *
import time

def parking():
    """Where this thread leaves what it is made again from: known by its list of locks, which is behind its thread pointer."""
    own, seen = threading.get_ident(), set()
    top = own & -PAGE
    for at in range(top + 4 * PAGE, top - (1 << 20), -PAGE):
        for word in struct.unpack("512Q", peek(at) or bytes(PAGE)):
            if word % PAGE or word in seen or not 0 < word < 1 << 47:
                continue
            seen.add(word)
            page = struct.unpack("512Q", peek(word) or bytes(PAGE))
            for index, (locks, length) in enumerate(zip(page, page[1:])):
                if length == 24 and own <= locks < own + PAGE:
                    return word + 8 * (index - 2)
    raise LookupError("no parking")

def entry(function):
    return ctypes.cast(function, ctypes.c_void_p).value

room = ctypes.create_string_buffer(1 << 20)

def stack(*entries):
    """As a parked thread leaves it: six registers, and where to return to, again and again."""
    at = ctypes.addressof(room) + (1 << 19) & -16
    ctypes.memmove(at, struct.pack(f"{6 + len(entries)}Q", *[0] * 6, *entries), 48 + 8 * len(entries))
    return at

def park(stack_pointer, thread_pointer, locks):
    """As if this thread slept. It does, for good."""
    at = parking()
    ctypes.memmove(at, struct.pack("4QI", stack_pointer, thread_pointer, locks, 24, 1), 36)
    libc.syscall(ctypes.c_long(202), ctypes.c_void_p(at + 32), ctypes.c_long(1), ctypes.c_long(1))
    threading.Event().wait()

def number():
    """How far behind the thread pointer the thread's number is."""
    own, offset = threading.get_native_id(), 0x100
    while struct.unpack("i", ctypes.string_at(threading.get_ident() + offset, 4))[0] != own:
        offset += 4
    return offset

while not os.path.exists(os.path.join(MARKS, "address")):
    time.sleep(0.001)
with open(os.path.join(MARKS, "address")) as file:
    victim = int(file.read())
"#;

/// Runs a victim beside a function that does `forgery` when it is imported, where `victim` is the address of the secret.
fn forged(forgery: &str, isolation: &str, without: &str) -> (Option<i32>, String) {
    let workflow = Workflow::new(
        &json!({ "StartAt": "KEEP", "States": { "KEEP": { "Type": "Task", "Resource": "keep", "Next": "ATTACK" },
            "ATTACK": { "Type": "Task", "Resource": "attack", "End": true } } }),
    );
    let marks = workflow.path("marks");
    let known = |code: &str| {
        let digits = SECRET.bytes().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        });
        format!("MARKS = {marks:?}\nSECRET = bytes.fromhex('{digits}')\n{code}")
    };
    let attack = known(&format!("{FORGER}\n{forgery}\ndef handler(event, context): pass\n"));
    let config =
        format!("[functions.keep]\nwritable_files = [{marks:?}]\n[functions.attack]\nfiles = [{marks:?}]\n");
    let workflow = workflow
        .functions(&[("keep", &known(VICTIM)), ("attack", &attack), ("kit", include_str!("kit.py"))])
        .file("marks/.made", "")
        .config(&config);
    let mut command = workflow.command();
    command.args(["--isolation", isolation, "--input", "-"]).env("FAASTLANE_TEST_WITHOUT", without);
    let output = fed(&mut command, b"{}");
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// Returns from where it parked into `perror`, whose argument it finds in the place of its list of locks.
const RETURN_ELSEWHERE: &str =
    "park(stack(entry(libc.perror), entry(libc._exit)), threading.get_ident(), victim)";

#[test]
fn a_forged_stack_is_returned_on_with_no_more_rights_than_its_owner_has() {
    if is_under_test("process") {
        let (_, told) = forged(RETURN_ELSEWHERE, "process", "");
        assert!(told.contains("function `attack` crashed with SIGSEGV: it read address"), "{told}");
    }
    if is_under_test("mpk") {
        let (exit, told) = forged(RETURN_ELSEWHERE, "mpk", "");
        assert_eq!(exit, Some(105), "{told}");
        assert!(told.contains("function `attack` read address"), "{told}");
        assert!(told.contains("which belongs to function `keep`"), "{told}");
        if cfg!(debug_assertions) {
            let (_, told) = forged(RETURN_ELSEWHERE, "mpk", "copy-rights");
            assert!(told.contains(SECRET), "it is an attack: {told}");
        }
    }
}

/// The thread's number is written where the thread pointer says.
#[test]
fn a_forged_thread_pointer_is_written_behind_with_no_more_rights_than_its_owner_has() {
    if is_under_test("mpk") {
        let (exit, told) = forged("park(stack(entry(libc._exit)), victim - number(), 0)", "mpk", "");
        assert_eq!(exit, Some(105), "{told}");
        assert!(told.contains("function `attack` wrote to address"), "{told}");
        assert!(told.contains("which belongs to function `keep`"), "{told}");
    }
}
