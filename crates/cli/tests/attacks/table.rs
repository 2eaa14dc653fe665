//! The table of attacks in `docs/SECURITY.md`, which this suite writes.

use crate::case::{Case, End, check_together};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SECURITY.md");
const BEGIN: &str = "<!-- attacks: written by the attack suite -->\n";
const END: &str = "<!-- end of attacks -->\n";

fn cases() -> Vec<&'static Case> {
    let families = [
        crate::memory::CASES,
        crate::code::CASES,
        crate::kernel::CASES,
        crate::faults::CASES,
        crate::mappings::CASES,
        crate::threads::CASES,
        crate::surroundings::CASES,
        crate::interpreter::CASES,
        crate::payloads::CASES,
        crate::ordinary::CASES,
    ];
    let mut cases: Vec<&Case> = families.into_iter().flatten().collect();
    cases.sort_by_key(|case| case.id);
    cases
}

fn table() -> String {
    let mut table = String::from(
        "| id | a function that | `mpk` | `process` | stopped by | shown to succeed |\n|---|---|---|---|---|---|\n",
    );
    let mut open = String::new();
    for case in cases() {
        let Case { id, title, mpk, process, defence, proof, .. } = case;
        let (mpk, process) = (*mpk, *process);
        writeln!(
            table,
            "| {id} | {title} | {} | {} | {defence} | {} |",
            mpk.words(),
            process.words(),
            proof.words()
        )
        .unwrap();
        if let Some(reason) = [mpk, process].into_iter().find_map(End::reason) {
            writeln!(open, "- {id}: {reason}.").unwrap();
        }
    }
    if open.is_empty() { table } else { format!("{table}\nOpen:\n\n{open}") }
}

#[test]
fn the_document_has_this_table() {
    let path = Path::new(DOCUMENT);
    let document = fs::read_to_string(path).unwrap();
    let (before, rest) =
        document.split_once(BEGIN).expect("docs/SECURITY.md lacks the mark of the table's begin");
    let (_, after) = rest.split_once(END).expect("docs/SECURITY.md lacks the mark of the table's end");
    let wanted = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if std::env::var_os("FAASTLANE_UPDATE_DOCS").is_some() {
        fs::write(path, &wanted).unwrap();
    }
    let document = fs::read_to_string(path).unwrap();
    assert!(
        document == wanted,
        "docs/SECURITY.md has another table than the suite; FAASTLANE_UPDATE_DOCS=1 writes this one:\n{}",
        table()
    );
}

#[test]
fn no_two_attacks_have_one_name() {
    let ids: Vec<&str> = cases().iter().map(|case| case.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
}

#[test]
fn one_function_tries_them_all() {
    check_together(&cases(), "process", |case| case.process);
    check_together(&cases(), "mpk", |case| case.mpk);
}
