//! Executable memory: what there is when domains start, and what a domain maps later. None of it holds the bytes of an instruction
//! that writes the rights register ([`rights_scan`]), but where a trap follows at once ([`rights_repair`]).
//!
//! A domain's code is a copy. The kernel maps a file's pages as they are when they are first touched, so a file that changed after
//! it was scanned would bring in what nobody saw. The monitor reads the file into memory that the domain cannot touch, scans and
//! repairs that, moves it to where it is wanted and makes it executable. The price is that libraries that functions import are not
//! shared with other processes. What is there when domains start stays mapped from its file: only code outside of what a domain may
//! write is loaded by then.

use crate::elf_functions::ElfFunctions;
use crate::keys;
use crate::mapping::{Mapping, trusted_key};
use crate::maps::{self, MapsEntry};
use crate::rights_repair::{self, Plan, Unrepairable};
use crate::rights_scan::{self, Find, TELLING, Writer};
use crate::sys::{self, PAGE};
use crate::test_switch::without;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Why code may not run beside domains.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodeError {
    #[error(
        "{file} has the bytes of {writer} at offset {offset:#x}, which lift a domain's key, and they cannot be rewritten: {why}"
    )]
    WritesRights { file: String, offset: usize, writer: Writer, why: String },
    #[error(
        "the bytes of {0}, which lift a domain's key, would stand where this code and its neighbour meet"
    )]
    AtJoin(Writer),
    #[error("code comes from regular files only")]
    NotAFile,
    #[error("no room for a page near the code")]
    NoRoom,
    #[error("cannot prepare it: {0}")]
    System(#[from] io::Error),
}

/// More code than any library has. The other domains' memory calls wait while it is read.
const LARGEST: usize = 1 << 30;
/// A jump reaches 2 GB; the code itself takes some.
const NEAR: usize = 1 << 30;
const READ_EXECUTE: i32 = libc::PROT_READ | libc::PROT_EXEC;

fn refused(file: &str, offset: usize, find: Find, why: Unrepairable) -> CodeError {
    CodeError::WritesRights { file: file.into(), offset, writer: find.writer, why: why.to_string() }
}

/// Makes everything executable in this process clean. To be called when all is loaded and before a domain runs.
pub(crate) fn clean_process() -> Result<(), CodeError> {
    if without("scan") {
        return Ok(());
    }
    let entries = maps::read()?;
    let code: Vec<MapsEntry> =
        entries.into_iter().filter(|entry| entry.executable && entry.readable).collect();
    for run in code.chunk_by(|one, next| one.end == next.start) {
        clean_loaded(run)?;
    }
    Ok(())
}

/// Cleans mappings that follow on one another without a gap.
fn clean_loaded(run: &[MapsEntry]) -> Result<(), CodeError> {
    let range = run[0].start..run[run.len() - 1].end;
    // SAFETY: the map says that this is readable; nothing unmaps code while no domain runs, and what changes it is below.
    let code = unsafe { std::slice::from_raw_parts(range.start as *const u8, range.len()) };
    if rights_scan::scan(code).is_empty() {
        return Ok(());
    }
    let entry_of = |offset: usize| run.iter().find(|entry| entry.end - range.start > offset);
    let function_of = |offset: usize| {
        let entry = entry_of(offset)?;
        let in_file = (range.start + offset - entry.start + entry.offset) as u64;
        let start = ElfFunctions::read(&File::open(&entry.path).ok()?).ok()?.start_of(in_file)?;
        (offset as u64).checked_sub(in_file - start).map(|start| start as usize)
    };
    let page = RepairPage::near(&range)?;
    let plan = rights_repair::plan(code, range.start as u64, page.address() as u64, function_of).map_err(
        |(find, why)| match entry_of(find.offset) {
            Some(entry) => {
                let offset = range.start + find.offset - entry.start + entry.offset;
                refused(&entry.path, offset, find, why)
            }
            None => refused("?", find.offset, find, why),
        },
    )?;
    page.fill(&plan)?;
    for edit in &plan.edits {
        // SAFETY: code of a loaded object, which no other thread runs: only the loader and libc's `pkey_set` have instructions
        // that do this, and the others are of libraries in which nothing runs yet.
        unsafe { overwrite(range.start + edit.offset, &edit.bytes)? };
    }
    Ok(())
}

/// # Safety
/// The bytes at `address` are executable, and no thread is running them.
unsafe fn overwrite(address: usize, bytes: &[u8]) -> io::Result<()> {
    let first = address & !(PAGE - 1);
    let len = sys::page_ceil(address + bytes.len()) - first;
    // SAFETY: as the caller promises. It stays executable all along, since what is called here may be on the same page.
    unsafe {
        sys::protect(first, len, READ_EXECUTE | libc::PROT_WRITE, None)?;
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len());
        sys::protect(first, len, READ_EXECUTE, None)
    }
}

/// Maps `len` bytes of `file` from `offset` on as code, at `at` if the caller says where, else where the kernel likes.
///
/// # Safety
/// Whatever is at `at` may be replaced. No other thread maps or unmaps code meanwhile.
pub(crate) unsafe fn map_code(
    file: &File,
    offset: u64,
    len: usize,
    at: Option<usize>,
) -> Result<Range<usize>, CodeError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(CodeError::NotAFile);
    }
    let in_file = sys::page_ceil(metadata.len().saturating_sub(offset).min(len as u64) as usize);
    if in_file > LARGEST {
        return Err(CodeError::NoRoom);
    }
    // On the trusted key: the domain cannot touch it before it is what it will be.
    let staged = Mapping::private(len, trusted_key())?;
    // Behind the file's end it is zero, and stays untouched.
    // SAFETY: fresh memory that only this value owns, at least this long.
    let code = unsafe { std::slice::from_raw_parts_mut(staged.address() as *mut u8, in_file) };
    read_up_to(file, offset, code)?;
    let range = at.map_or(staged.address()..staged.address() + staged.len(), |at| at..at + staged.len());
    if !without("scan") {
        clean_staged(file, offset, code, &range)?;
    }
    let from = staged.leak();
    // SAFETY: the staged memory is ours; the caller lets go of what is at `range`.
    unsafe {
        if from != range.start {
            sys::move_to(from, range.len(), range.start)?;
        }
        sys::protect(range.start, range.len(), READ_EXECUTE, Some(keys::DEFAULT))?;
    }
    Ok(range)
}

/// Beyond the end of the file it stays zero, as the rest of a file's last page is.
fn read_up_to(file: &File, offset: u64, code: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < code.len() {
        match file.read_at(&mut code[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn clean_staged(file: &File, offset: u64, code: &mut [u8], range: &Range<usize>) -> Result<(), CodeError> {
    if !rights_scan::scan(code).is_empty() {
        let page = RepairPage::near(range)?;
        let plan = plan_for(file, offset, code, range, page.address() as u64)
            .map_err(|(find, why)| refused("the file", offset as usize + find.offset, find, why))?;
        page.fill(&plan)?;
        plan.edits.iter().for_each(|edit| edit.apply(code));
    }
    check_joins(code, range)
}

/// Plans the repair of what stands at `offset` of `file` and is to be at `range`.
fn plan_for(
    file: &File,
    offset: u64,
    code: &[u8],
    range: &Range<usize>,
    page: u64,
) -> Result<Plan, (Find, Unrepairable)> {
    let functions = ElfFunctions::read(file).unwrap_or_default();
    let function_of = |at: usize| {
        let start = functions.start_of(offset + at as u64)?;
        start.checked_sub(offset).map(|start| start as usize)
    };
    rights_repair::plan(code, range.start as u64, page, function_of)
}

/// The last bytes of the code before and the first of the code behind make no instruction with this code's.
fn check_joins(code: &[u8], range: &Range<usize>) -> Result<(), CodeError> {
    const PART: usize = TELLING - 1;
    let first = code.first_chunk().copied().unwrap_or([0; PART]);
    let filled = code.len() == range.len();
    let last = code.last_chunk().copied().filter(|_| filled).unwrap_or([0; PART]);
    let neighbours = maps::read()?.into_iter().filter(|entry| entry.executable && entry.readable);
    for entry in neighbours {
        let mut bytes = Vec::new();
        // SAFETY: the map says that this code is readable, a page at least, and the caller that nobody unmaps code now.
        let part = |at: usize| unsafe { (at as *const [u8; PART]).read() };
        if entry.end == range.start {
            bytes.extend(part(entry.end - PART));
            bytes.extend(first);
        } else if entry.start == range.end {
            bytes.extend(last);
            bytes.extend(part(entry.start));
        }
        if let Some(find) = rights_scan::scan(&bytes).first() {
            return Err(CodeError::AtJoin(find.writer));
        }
    }
    Ok(())
}

/// Where what cannot stay in place goes: a page within reach of a jump, nobody's, unmapped again when it is not filled.
struct RepairPage(Mapping);

impl RepairPage {
    fn near(code: &Range<usize>) -> Result<Self, CodeError> {
        let entries = maps::read()?;
        let mut holes: Vec<usize> = entries
            .windows(2)
            .filter(|pair| pair[1].start > pair[0].end)
            // The base heap grows into the hole behind it, from the one end; all that is mapped later comes from the other.
            .flat_map(|pair| {
                let first = (!pair[0].is_brk_heap).then_some(pair[0].end);
                first.into_iter().chain([pair[1].start - PAGE])
            })
            .filter(|hole| hole.abs_diff(code.start).max(hole.abs_diff(code.end)) < NEAR)
            .collect();
        holes.sort_by_key(|hole| hole.abs_diff(code.start));
        // Another thread can take a hole first.
        holes
            .into_iter()
            .find_map(|hole| Mapping::at(hole, PAGE, trusted_key()).ok())
            .map(Self)
            .ok_or(CodeError::NoRoom)
    }

    fn address(&self) -> usize {
        self.0.address()
    }

    fn fill(self, plan: &Plan) -> io::Result<()> {
        let Some(bytes) = &plan.page else { return Ok(()) };
        let address = self.0.leak();
        // SAFETY: a page of our own that nothing refers to yet.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len());
            sys::protect(address, PAGE, READ_EXECUTE, Some(keys::DEFAULT))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is loaded here has the loader's restores and libc's `pkey_set` in it.
    #[test]
    fn everything_in_this_process_can_be_made_clean() {
        let own = std::env::current_exe().unwrap().display().to_string();
        let code: Vec<MapsEntry> = maps::read()
            .unwrap()
            .into_iter()
            .filter(|entry| entry.executable && entry.readable && entry.file_backed)
            // The tests of this crate have constants with these bytes.
            .filter(|entry| entry.path != own)
            .collect();
        let mut edits = 0;
        for entry in &code {
            let file = File::open(&entry.path).unwrap();
            let mut bytes = vec![0; entry.end - entry.start];
            read_up_to(&file, entry.offset as u64, &mut bytes).unwrap();
            let range = entry.start..entry.end;
            let plan = plan_for(&file, entry.offset as u64, &bytes, &range, entry.end as u64 + 65536);
            edits +=
                plan.map_err(|(find, why)| format!("{}: {find:?}: {why}", entry.path)).unwrap().edits.len();
        }
        assert!(edits >= 3, "{edits}");
    }
}
