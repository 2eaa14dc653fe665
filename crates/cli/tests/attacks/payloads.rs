//! Payloads that are not addressed to the attacker, and mailboxes that lie.

use crate::case::End::{Contained, Nothing};
use crate::case::Proof::{Missing, Unisolated};
use crate::case::attacks;

attacks! {
    m01: "looks for a payload that is addressed to another, before and after that one's turn" {
        r#"
        import re
        SECRET = re.compile(b"kept-[0-9a-f]{10}")
        early = []
        def look():
            own = syscall("mmap", 0, PAGE, READ, PRIVATE | ANONYMOUS, -1, 0)
            libc.sbrk.restype = ctypes.c_void_p
            return search(SECRET, own, 1 << 24) or search(SECRET, libc.sbrk(0), 1 << 22)
        def before(): early.append(look())
        def attack(at): return early[0] or look() or search(SECRET, at["page"], 1 << 16) or search(SECRET, at["object"], 1 << 16)
        "#
        mpk: Nothing, process: Nothing, by: "keys; address space", real: Unisolated,
    }
    m02: "looks for what was left in pages that payloads move with" {
        r#"
        import re
        def attack(at):
            mailbox = Mailbox(at["context"].aws_request_id)
            for offset, length in (Mailbox.OUT_AT, mailbox[Mailbox.OUT_LENGTH]), (Mailbox.EVENT_AT, 1 << 20):
                start = (mailbox.address + mailbox[offset]) % (1 << 64)
                for page in range(start & -PAGE, start + length, PAGE):
                    if b"kept" + b"-5e" in (peek(page) or b""): return hex(page)
        "#
        mpk: Nothing, process: Nothing, by: "pages are wiped before they change hands",
        real: Missing("wiping has no switch"),
    }
    m03: "points its mailbox at another's memory" {
        r#"
        def attack(at):
            mailbox = Mailbox(at["context"].aws_request_id)
            for offset in (Mailbox.OUT_AT, Mailbox.EVENT_AT): mailbox[offset] = (at["page"] - mailbox.address) % (1 << 64)
            for offset in (Mailbox.OUT_LENGTH, Mailbox.EVENT_LENGTH): mailbox[offset] = 1 << 16
        "#
        mpk: Nothing, process: Nothing, by: "the orchestrator takes no address from a mailbox",
        real: Missing("there is nothing to switch off"),
    }
    m04: "changes its mailbox while it is read" {
        r#"
        import threading
        def attack(at):
            mailbox = Mailbox(at["context"].aws_request_id)
            def change():
                while True: mailbox[Mailbox.LENGTH] = 1 << 40
            threading.Thread(target=change, daemon=True).start()
        "#
        mpk: Contained, process: Contained, by: "each word is read once; a damaged payload is no payload",
        real: Missing("there is nothing to switch off"),
    }
    m05: "claims to have gone on to calls that it was never told of, with results from anywhere" {
        r#"
        def attack(at): Mailbox(at["context"].aws_request_id).claim_all_calls()
        "#
        mpk: Nothing, process: Nothing, by: "the orchestrator knows by itself which calls it told a domain of",
        real: Missing("there is nothing to switch off"),
    }
    m05b: "does so in a run of calls of its trust group" {
        r#"
        def attack(at): Mailbox(at["context"].aws_request_id).claim_all_calls()
        "#
        with: "[trust]\nfriends = [\"other0\", \"attack\"]\n",
        between: 1,
        mpk: Nothing, process: Nothing, by: "the orchestrator knows by itself which calls it told a domain of",
        real: Missing("there is nothing to switch off"),
    }
}
