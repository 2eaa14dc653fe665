//! What the orchestrator takes from a mailbox, and what it leaves there.

use super::*;
use crate::ring::shared_file;
use std::os::fd::AsFd;

const MAX: usize = 8192;

fn called(mailbox: &mut Mailbox, event: &[u8]) {
    let header = CallHeader { function: 0, request_id: "id", deadline_ms: 0 };
    mailbox.call(header, Outgoing::Bytes(event)).unwrap();
    // What the domain does.
    let words = mailbox.words();
    words.len.store(0, Ordering::Relaxed);
    words.reply.store(REPLY_RETURNED, Ordering::Release);
    assert!(matches!(mailbox.poll(), Ok(Some(Reply::Returned(_)))));
}

/// What a domain can write into its words: that it went on to other calls, with results anywhere.
fn claims(words: &Words, len: u64) {
    words.run.claim_all(len);
    words.outcome.store(OUTCOME_OK, Ordering::Relaxed);
    words.len.store(len, Ordering::Relaxed);
    words.reply.store(REPLY_RETURNED, Ordering::Release);
}

#[test]
fn what_a_domain_claims_of_its_run_ends_where_it_was_told_so_and_in_its_own_memory() {
    let header = CallHeader { function: 0, request_id: "id", deadline_ms: 0 };
    let next =
        Ahead { function: 0, request_id: "next".into(), timeout_us: None, not_behind: crate::BEHIND_ALL };
    let file = shared_file(c"mailbox", shared_len(1)).unwrap();
    for len in [0, 1, SMALL as u64, 1 << 40, u64::MAX] {
        let private = Mailbox::private(None, RegionPool::new(1)).unwrap();
        for mut mailbox in [private, Mailbox::shared(file.as_fd(), 0, 1, None).unwrap()] {
            for ahead in [0, 1, MOST_AHEAD] {
                let ahead = vec![next.clone(); ahead];
                mailbox.call_run(header, &ahead, 0, Outgoing::Bytes(&[])).unwrap();
                claims(mailbox.words(), len);
                for _ in &ahead {
                    let Ok(Some(Reply::HandedOn(on))) = mailbox.poll() else { panic!("of its run") };
                    let Outcome::Ok(result) = on.outcome else { panic!("{on:?}") };
                    assert!(result.as_ref().len() <= SMALL);
                }
                let Ok(Some(Reply::Returned(returned))) = mailbox.poll() else { panic!("of no run") };
                let Outcome::Ok(result) = returned.outcome else { panic!("{returned:?}") };
                assert!(result.as_ref().len() <= sys::PAGE, "more than there is room for");
                assert!(matches!(mailbox.poll(), Ok(None)));
            }
        }
    }
}

#[test]
fn a_result_that_was_handed_on_stays_as_long_as_it_is_an_event() {
    let file = shared_file(c"mailbox", shared_len(MAX)).unwrap();
    let mut mailbox = Mailbox::shared(file.as_fd(), 0, MAX, None).unwrap();
    let doorbell = Doorbell::private().unwrap();
    let header = CallHeader { function: 0, request_id: "id", deadline_ms: 0 };
    let next =
        Ahead { function: 1, request_id: "next".into(), timeout_us: None, not_behind: crate::BEHIND_ALL };
    mailbox.call_run(header, &[next], 0, Outgoing::Bytes(b"event")).unwrap();
    let mut events = Vec::new();
    // SAFETY: mailbox and doorbell live to the end of the test.
    let side = unsafe { DomainSide::new(mailbox.domain_side(), &doorbell) };
    side.answer(|call, out| {
        // The orchestrator looks before the function has read its event.
        if call.function == 1 {
            assert!(matches!(mailbox.poll(), Ok(Some(Reply::HandedOn(_)))));
            mailbox.tidy();
        }
        events.push(call.event.to_vec());
        out[..6].copy_from_slice(b"result");
        Answer { outcome: Written::Ok(6), called_ns: 1, returned_ns: 2 }
    });
    assert_eq!(events, [b"event".to_vec(), b"result".to_vec()]);
    assert!(matches!(mailbox.poll(), Ok(Some(Reply::Returned(_)))));
    mailbox.tidy();
    let room = copy_of(mailbox.memory.address() + HANDED_ON_AT, SMALL);
    assert!(room.iter().all(|byte| *byte == 0), "and no longer");
}

#[test]
fn an_event_that_was_answered_is_nowhere_in_the_inbox() {
    let file = shared_file(c"mailbox", shared_len(MAX)).unwrap();
    let mut mailbox = Mailbox::shared(file.as_fd(), 0, MAX, None).unwrap();
    let inbox = |mailbox: &Mailbox| copy_out(mailbox.memory.address() + INBOX_AT, MAX);
    called(&mut mailbox, &[7; MAX]);
    // The next one overwrites its beginning, and the rest goes before the domain sees that.
    called(&mut mailbox, &[9; 100]);
    assert!(inbox(&mailbox)[100..].iter().all(|byte| *byte == 0));
    mailbox.tidy();
    assert!(inbox(&mailbox).iter().all(|byte| *byte == 0));

    called(&mut mailbox, &[7; 50]);
    let header = CallHeader { function: 0, request_id: "id", deadline_ms: 0 };
    let refused = mailbox.call(header, Outgoing::Bytes(&[1; MAX + 1])).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
    assert!(inbox(&mailbox).iter().all(|byte| *byte == 0), "nor is it where another one was refused");
}
