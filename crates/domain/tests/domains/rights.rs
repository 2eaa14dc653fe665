//! Code that writes the rights register.

use crate::guest::{JUMP, SET_RIGHTS};
use crate::scenarios::Stage;
use faastlane_domain::exit_now;
use std::hint::black_box;
use std::path::PathBuf;

/// Not a constant: an optimiser would make it part of an instruction, and this process's code would hold it.
fn write_rights() -> [u8; 3] {
    black_box([!0x0f, !0x01, !0xef_u8]).map(|byte| !byte)
}

/// Every `WRPKRU` and `XRSTOR` in the process's code, by a search of the test's own.
fn writers() -> Vec<(u64, bool)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut writers = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" r-xp ")) {
        let (start, end) =
            line.split_once(' ').and_then(|(range, _)| range.split_once('-')).unwrap_or(("0", "0"));
        let [start, end] = [start, end].map(|number| usize::from_str_radix(number, 16).unwrap_or(0));
        // SAFETY: the map says that it can be read, and nobody unmaps it.
        let code = unsafe { std::slice::from_raw_parts(start as *const u8, end - start) };
        for (at, bytes) in code.windows(3).enumerate().filter(|(_, bytes)| bytes[0] == 0x0f) {
            let restore = bytes[1] == 0xae && bytes[2] >> 6 != 3 && bytes[2] >> 3 & 7 == 5;
            if *bytes == write_rights() || restore {
                writers.push(((start + at) as u64, restore));
            }
        }
    }
    writers
}

/// In this process that is two, the loader's, and each is a restore.
pub(crate) fn none_left(_: &mut Stage) -> String {
    let writers = writers();
    if writers.iter().all(|(_, restore)| *restore) { "restores only".into() } else { format!("{writers:x?}") }
}

pub(crate) fn set_rights(stage: &mut Stage) -> String {
    format!("set: {}", stage.number(1, SET_RIGHTS, 0))
}

pub(crate) fn restore_rights(stage: &mut Stage) -> String {
    match writers().iter().find(|(_, restore)| *restore) {
        Some((address, _)) => format!("restored: {}", stage.number(1, JUMP, *address)),
        None => "no restore".into(),
    }
}

/// Domain 1 maps this as code.
fn map_file(stage: &mut Stage, bytes: &[u8]) -> i64 {
    let path: PathBuf = std::env::temp_dir().join(format!("faastlane-code-{}", std::process::id()));
    if std::fs::write(&path, bytes).is_err() {
        exit_now(10);
    }
    let fd = stage.open(&path.display().to_string(), libc::O_RDONLY);
    let access = (libc::PROT_READ | libc::PROT_EXEC) as u64;
    let mapped = stage.map([0, 8192, access, libc::MAP_PRIVATE as u64, fd as u64, 0]);
    // What is scanned is a copy: this changes nothing any more.
    if std::fs::write(&path, [&[0xcc; 100][..], &write_rights()].concat()).is_err()
        || std::fs::remove_file(&path).is_err()
    {
        exit_now(11);
    }
    mapped
}

pub(crate) fn mapped_code(stage: &mut Stage) -> String {
    let mut across = vec![0x90; 4098];
    across[4095..].copy_from_slice(&write_rights());
    let refused = -i64::from(libc::EACCES);
    let with = [
        map_file(stage, &[&[0x90][..], &write_rights()].concat()),
        map_file(stage, &across),
        map_file(stage, &[0x0f, 0xae, 0x2f]),
    ];
    if with != [refused; 3] {
        return format!("{with:?}");
    }
    let clean = map_file(stage, &[0x90, 0x0f, 0x01, 0xee]);
    if clean < 0 {
        return format!("clean code: {clean}");
    }
    let read = stage.read(1, clean as u64);
    let written = stage.read(1, clean as u64 + 101);
    format!("refused; clean code begins with {read:x}, later {written:x}")
}
