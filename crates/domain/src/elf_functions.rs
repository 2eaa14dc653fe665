//! Where the functions of a library begin, by the table that its unwinder searches: libraries without symbols have it too.
//!
//! Only [`crate::rights_repair`] asks, and only where there is something to repair. What a lying table costs is the library's own
//! working: code that was repaired is scanned again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const PT_LOAD: u32 = 1;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
/// The table's entries are pairs of 32-bit numbers relative to the table's header, the count a 32-bit number: what every linker
/// writes.
const ENCODINGS: [u8; 2] = [0x03, 0x3b];
/// No table is longer: eight bytes for each of two million functions.
const LONGEST: u64 = 16 << 20;

struct Load {
    file: u64,
    address: u64,
    len: u64,
}

/// The beginnings of an object's functions, as offsets in its file.
#[derive(Default)]
pub(crate) struct ElfFunctions {
    starts: Vec<u64>,
}

impl ElfFunctions {
    /// Reads the table of `file`. Empty where there is none that we can read.
    pub(crate) fn read(file: &File) -> io::Result<Self> {
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0)?;
        if header[..6] != *b"\x7fELF\x02\x01" || usize::from(u16_at(&header, 54)) != PROGRAM_HEADER {
            return Ok(Self { starts: Vec::new() });
        }
        let mut table = vec![0; usize::from(u16_at(&header, 56)) * PROGRAM_HEADER];
        file.read_exact_at(&mut table, u64_at(&header, 32))?;
        let headers = || table.chunks_exact(PROGRAM_HEADER);
        let loads: Vec<Load> = headers()
            .filter(|header| u32_at(header, 0) == PT_LOAD)
            .map(|header| Load {
                file: u64_at(header, 8),
                address: u64_at(header, 16),
                len: u64_at(header, 32),
            })
            .collect();
        let Some(frames) = headers().find(|header| u32_at(header, 0) == PT_GNU_EH_FRAME) else {
            return Ok(Self { starts: Vec::new() });
        };
        let (at, address, len) = (u64_at(frames, 8), u64_at(frames, 16), u64_at(frames, 32));
        let mut bytes = vec![0; len.min(LONGEST) as usize];
        file.read_exact_at(&mut bytes, at)?;
        Ok(Self { starts: starts(&bytes, address, &loads) })
    }

    /// Where the function begins that the byte at `offset` is of.
    pub(crate) fn start_of(&self, offset: u64) -> Option<u64> {
        let behind = self.starts.partition_point(|&start| start <= offset);
        behind.checked_sub(1).map(|index| self.starts[index])
    }
}

/// Reads an `.eh_frame_hdr` that is at `address` when loaded.
fn starts(bytes: &[u8], address: u64, loads: &[Load]) -> Vec<u64> {
    // Version, encodings of pointer, count and table, the pointer, the count.
    if bytes.len() < 12 || bytes[0] != 1 || bytes[2..4] != ENCODINGS {
        return Vec::new();
    }
    let count = u32_at(bytes, 8) as usize;
    let mut starts: Vec<u64> = bytes[12..]
        .chunks_exact(8)
        .take(count)
        .filter_map(|entry| {
            let at = address.wrapping_add_signed(i64::from(u32_at(entry, 0) as i32));
            let load = loads.iter().find(|load| at >= load.address && at - load.address < load.len)?;
            load.file.checked_add(at - load.address)
        })
        .collect();
    starts.sort_unstable();
    starts
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_this_program_are_found() {
        let path = std::env::current_exe().unwrap();
        let functions = ElfFunctions::read(&File::open(path).unwrap()).unwrap();
        assert!(functions.starts.len() > 100);
        let some = functions.starts[50];
        assert_eq!(functions.start_of(some), Some(some));
        assert_eq!(functions.start_of(functions.starts[0].wrapping_sub(1)), None);
    }

    #[test]
    fn a_table_that_lies_is_read_no_further_than_it_is() {
        let loads = [Load { file: 0x100, address: 0x1000, len: 0x100 }];
        let mut table = vec![1, 0x1b, 0x03, 0x3b, 0, 0, 0, 0];
        table.extend(u32::MAX.to_le_bytes());
        // Inside the segment, and outside of all.
        table.extend((0x10i32).to_le_bytes());
        table.extend([0; 4]);
        table.extend((-0x900i32).to_le_bytes());
        table.extend([0; 4]);
        assert_eq!(starts(&table, 0x1000, &loads), [0x110]);
        assert_eq!(starts(&table[..11], 0x1000, &loads), []);
    }
}
