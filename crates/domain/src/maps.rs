//! What `/proc/self/maps` says.

use std::io;

/// One mapping of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MapsEntry {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) executable: bool,
    /// Where in its file it begins.
    pub(crate) offset: usize,
    /// The file, or a name in brackets; empty where there is neither.
    pub(crate) path: String,
    pub(crate) file_backed: bool,
    /// The heap that `brk` grows, which is the base libc's.
    pub(crate) is_brk_heap: bool,
}

pub(crate) fn read() -> io::Result<Vec<MapsEntry>> {
    Ok(std::fs::read_to_string("/proc/self/maps")?.lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<MapsEntry> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let protection = fields.next()?;
    let (offset, _device) = (fields.next()?, fields.next()?);
    let inode = fields.next()?;
    // A path can hold spaces; the fields before it hold none.
    let path = line.splitn(6, ' ').nth(5).unwrap_or_default().trim_start();
    let permits = |at: usize, letter: u8| protection.as_bytes().get(at) == Some(&letter);
    Some(MapsEntry {
        start: usize::from_str_radix(start, 16).ok()?,
        end: usize::from_str_radix(end, 16).ok()?,
        readable: permits(0, b'r'),
        writable: permits(1, b'w'),
        executable: permits(2, b'x'),
        offset: usize::from_str_radix(offset, 16).ok()?,
        path: path.into(),
        file_backed: inode != "0",
        is_brk_heap: path == "[heap]",
    })
}

/// What is mapped in `after` and was not in `before`. Both are sorted, as the kernel prints them.
pub(crate) fn added(before: &[MapsEntry], after: &[MapsEntry]) -> Vec<MapsEntry> {
    let mut new = Vec::new();
    for entry in after {
        let mut start = entry.start;
        for old in before.iter().filter(|old| old.start < entry.end && old.end > entry.start) {
            if old.start > start {
                new.push(MapsEntry { start, end: old.start, ..entry.clone() });
            }
            start = start.max(old.end);
        }
        if start < entry.end {
            new.push(MapsEntry { start, ..entry.clone() });
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(start: usize, end: usize) -> MapsEntry {
        MapsEntry { start, end, writable: true, ..MapsEntry::default() }
    }

    #[test]
    fn what_grew_is_new_and_what_stayed_is_not() {
        let before = [entry(10, 20), entry(40, 50)];
        let after = [entry(5, 25), entry(40, 50), entry(60, 70)];
        assert_eq!(added(&before, &after), [entry(5, 10), entry(20, 25), entry(60, 70)]);
    }

    #[test]
    fn reads_a_line_of_each_kind() {
        let file = parse("7f00-7f10 r--p 00000000 fe:00 42   /lib/libc.so.6").unwrap();
        assert!(file.file_backed && !file.writable && (file.start, file.end) == (0x7f00, 0x7f10));
        assert!(parse("55d0-55d1 rw-p 00000000 00:00 0    [heap]").unwrap().is_brk_heap);
        assert!(!read().unwrap().is_empty());
    }
}
