//! Finds the bytes of instructions that write the rights register, at every offset of a piece of code.
//!
//! Every offset, because who can jump can jump into the middle of an instruction: what stands inside an immediate or a
//! displacement is code as good as any. Two instructions write the register from user mode:
//!
//! - `WRPKRU`, `0F 01 EF`;
//! - `XRSTOR`, `0F AE /5` with an operand in memory, where the caller's `EAX` asks for component 9.
//!
//! `RDPKRU` only reads. `XRSTORS` (`0F C7 /3`) restores the register too, but raises a general protection fault outside ring 0,
//! whatever its operand. A prefix before any of these bytes changes nothing: the attacker jumps behind it.
//!
//! What occurs (glibc 2.36, CPython 3.10 to 3.13, wheels of numpy, pandas, Pillow, scikit-learn, scipy, lxml, cryptography; 150 MB
//! of code): `WRPKRU` once, in libc's `pkey_set`. `XRSTOR` twice, in the loader's `_dl_runtime_resolve_xsave` and `_xsavec`.
//! Inside other instructions, `XRSTOR` four times: libpython 3.11 once, numpy's OpenBLAS once, scipy's OpenBLAS twice, each in the
//! displacement of a `lea` that is relative to the instruction. The bytes of `XRSTORS` occur as often again (pandas, lxml).
//! So a loader that refused every find would refuse numpy, and one that looked at instructions only would miss all of them.
//! `crate::rights_repair` rewrites them.

use std::hint::black_box;

/// An instruction that writes the rights register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    Wrpkru,
    Xrstor,
}

impl std::fmt::Display for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wrpkru => "WRPKRU",
            Self::Xrstor => "XRSTOR",
        })
    }
}

/// Where its bytes begin, and which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Find {
    pub(crate) offset: usize,
    pub(crate) writer: Writer,
}

/// How many bytes tell that it is one. Code that is scanned in pieces overlaps by one less.
pub(crate) const TELLING: usize = 3;

/// All finds in `code`, in order. A find that only begins in it is not one.
pub(crate) fn scan(code: &[u8]) -> Vec<Find> {
    memchr::memchr_iter(0x0f, code)
        .filter_map(|offset| {
            let writer = writer_at(code.get(offset..offset + TELLING)?)?;
            Some(Find { offset, writer })
        })
        .collect()
}

fn writer_at(bytes: &[u8]) -> Option<Writer> {
    let &[0x0f, second, third] = bytes else { return None };
    // An optimiser would compare all bytes at once, with a number that holds what is looked for.
    match second {
        0x01 if third == !black_box(!0xef) => Some(Writer::Wrpkru),
        0xae if third >> 3 & 7 == 5 && third >> 6 != 3 => Some(Writer::Xrstor),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Decoder, DecoderOptions, Mnemonic};
    use proptest::prelude::*;

    fn offsets(code: &[u8]) -> Vec<usize> {
        scan(code).iter().map(|find| find.offset).collect()
    }

    #[test]
    fn each_writer_is_found() {
        assert_eq!(scan(&[0x0f, 0x01, 0xef]), [Find { offset: 0, writer: Writer::Wrpkru }]);
        // xrstor [rsp + 0x40], as the loader has it.
        assert_eq!(scan(&[0x90, 0x0f, 0xae, 0x6c, 0x24, 0x40]), [Find { offset: 1, writer: Writer::Xrstor }]);
        // With REX.W.
        assert_eq!(offsets(&[0x48, 0x0f, 0xae, 0x2f]), [1]);
    }

    #[test]
    fn what_stands_in_a_displacement_is_found() {
        // lea r13, [rip + 0x2aae0f]: libpython 3.11.
        assert_eq!(offsets(&[0x4c, 0x8d, 0x2d, 0x0f, 0xae, 0x2a, 0x00]), [3]);
        // rol r15d, 15; add edi, ebp: libnettle.
        assert_eq!(offsets(&[0x41, 0xc1, 0xc7, 0x0f, 0x01, 0xef]), [3]);
    }

    #[test]
    fn their_relatives_are_not() {
        // lfence, xsave, rdpkru, xrstors, and beginnings.
        for code in [
            &[0x0f, 0xae, 0xe8][..],
            &[0x0f, 0xae, 0x27],
            &[0x0f, 0x01, 0xee],
            &[0x0f, 0xc7, 0x1f],
            &[0x0f, 0x01],
            &[0x0f],
            &[],
        ] {
            assert_eq!(scan(code), []);
        }
    }

    proptest! {
        /// Whatever a decoder, started at any offset, takes for a writer is found there or behind its prefixes.
        #[test]
        fn a_decoder_finds_no_more(code in prop::collection::vec(prop::sample::select(vec![
            0x0fu8, 0x01, 0xef, 0xae, 0xee, 0x48, 0x41, 0x66, 0xf3, 0x2f, 0x28, 0x6c, 0x24, 0xac, 0xe8, 0xc7, 0x1f, 0x90,
        ]), 0..64)) {
            let found = offsets(&code);
            for start in 0..code.len() {
                let instruction = Decoder::new(64, &code[start..], DecoderOptions::NONE).decode();
                if matches!(instruction.mnemonic(), Mnemonic::Wrpkru | Mnemonic::Xrstor | Mnemonic::Xrstor64) {
                    prop_assert!(found.iter().any(|&at| (start..start + instruction.len()).contains(&at)));
                }
            }
        }

        /// Nothing is lost at a join when what is scanned overlaps.
        #[test]
        fn pieces_that_overlap_find_the_same(
            code in prop::collection::vec(prop::sample::select(vec![0x0fu8, 0x01, 0xef, 0xae, 0x2f]), 8..64),
            cut in 3usize..8,
        ) {
            let mut pieces = offsets(&code[..cut]);
            let second = cut + 1 - TELLING;
            pieces.extend(offsets(&code[second..]).iter().map(|at| at + second));
            prop_assert_eq!(pieces, offsets(&code));
        }
    }
}
