//! Rewrites code that holds the bytes of an instruction that writes the rights register, so that it does the same without them.
//!
//! - `WRPKRU` that is an instruction becomes one that traps: nobody but an attacker runs libc's `pkey_set` in a domain.
//! - `XRSTOR` that is an instruction (the loader's lazy binding) moves to a page of repairs, where what follows it traps if the
//!   rights were among what it restored. Who jumps there with that bit set gets no further than the trap.
//! - An instruction that holds the bytes by accident moves there too, and a jump takes its place. What is relative to the
//!   instruction pointer is adjusted. A call or jump whose distance holds the bytes goes by way of that page.
//!
//! What cannot be repaired, for instance because no instruction that has a part in it is as long as a jump, is refused.
//!
//! The result is sound whatever the decoder believed, since [`plan`] scans it again, the page of repairs included. A table of
//! functions that lies breaks the library that has it.

use crate::rights_scan::{self, Find, TELLING, Writer};
use crate::sys::PAGE;
use iced_x86::{
    BlockEncoder, BlockEncoderOptions, Code, Decoder, DecoderOptions, Encoder, FlowControl, Instruction,
    InstructionBlock, Mnemonic, Register,
};

/// `ud2`, and a byte that is never reached, by which the trap is told from others.
pub(crate) const TRAP: [u8; TELLING] = [0x0f, 0x0b, 0xef];
/// Room for one repair on the page. The bytes before the first are traps.
const SLOT: usize = 64;
const BREAKPOINT: u8 = 0xcc;
/// `jmp` with a 32-bit distance.
const JUMP: usize = 5;

/// Why code cannot be repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unrepairable {
    #[error("no table says which function they are in")]
    NoFunction,
    #[error("what is before them in their function does not decode")]
    Undecodable,
    #[error("the instruction that holds them is too short to be replaced by a jump")]
    TooShort,
    #[error("the instruction that holds them works in no other place")]
    Immovable,
    #[error("the instruction that holds them holds them in any place, or there are too many of them")]
    TooMany,
}

/// Bytes to write, by offset in the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) offset: usize,
    pub(crate) bytes: Vec<u8>,
}

/// What makes a piece of code clean.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) edits: Vec<Edit>,
    /// The page of repairs, executable and not writable, if any is needed.
    pub(crate) page: Option<Vec<u8>>,
}

/// Plans the repair of `code`, which will be at `address`, with a page of repairs at `page`. `function_of` tells, by offsets in the
/// code, where the function begins that an offset is in.
pub(crate) fn plan(
    code: &[u8],
    address: u64,
    page: u64,
    function_of: impl Fn(usize) -> Option<usize>,
) -> Result<Plan, (Find, Unrepairable)> {
    let finds = rights_scan::scan(code);
    if finds.is_empty() {
        return Ok(Plan::default());
    }
    let mut repaired = code.to_vec();
    let mut repairs = vec![BREAKPOINT; PAGE];
    let mut plan = Plan::default();
    let mut used = false;
    let mut slots = (SLOT..PAGE).step_by(SLOT);
    for find in finds {
        if rights_scan::scan(&repaired[find.offset..find.offset + TELLING]).is_empty() {
            // One change can break two.
            continue;
        }
        let refuse = |why| (find, why);
        let site = Site::find(&repaired, address, find, &function_of).map_err(refuse)?;
        let repair = slots.find_map(|slot| match site.repair(repaired.len(), page + slot as u64) {
            // Distances depend on the slot, and can hold the bytes themselves.
            Ok((edit, moved)) => {
                let clean =
                    edit.breaks_more_than_it_makes(&repaired) && site.keeps(&rights_scan::scan(&moved));
                clean.then_some(Ok((edit, moved, slot)))
            }
            Err(why) => Some(Err(why)),
        });
        let (edit, moved, slot) = repair.unwrap_or(Err(Unrepairable::TooMany)).map_err(refuse)?;
        edit.apply(&mut repaired);
        repairs[slot..slot + moved.len()].copy_from_slice(&moved);
        used |= !moved.is_empty();
        plan.edits.push(edit);
    }
    if let Some(&left) = rights_scan::scan(&repaired).first() {
        return Err((left, Unrepairable::Immovable));
    }
    plan.page = used.then_some(repairs);
    Ok(plan)
}

impl Edit {
    pub(crate) fn apply(&self, code: &mut [u8]) {
        code[self.offset..self.offset + self.bytes.len()].copy_from_slice(&self.bytes);
    }

    fn breaks_more_than_it_makes(&self, code: &[u8]) -> bool {
        let start = self.offset.saturating_sub(TELLING - 1);
        let end = code.len().min(self.offset + self.bytes.len() + TELLING - 1);
        let before = &code[start..end];
        let mut after = before.to_vec();
        Self { offset: self.offset - start, bytes: self.bytes.clone() }.apply(&mut after);
        rights_scan::scan(&after).len() < rights_scan::scan(before).len()
    }
}

/// Whether a thread that got SIGILL where these bytes are ran into a trap that stands for a write of the rights.
pub(crate) fn is_trap(found: [u8; TELLING]) -> bool {
    found == TRAP
}

/// A find, and the instruction that is to be changed for it.
struct Site {
    find: Find,
    instruction: Instruction,
    offset: usize,
}

impl Site {
    fn find(
        code: &[u8],
        address: u64,
        find: Find,
        function_of: &impl Fn(usize) -> Option<usize>,
    ) -> Result<Self, Unrepairable> {
        let start = function_of(find.offset).ok_or(Unrepairable::NoFunction)?;
        let bytes = code.get(start..).filter(|_| start <= find.offset).ok_or(Unrepairable::NoFunction)?;
        let mut decoder = Decoder::with_ip(64, bytes, address + start as u64, DecoderOptions::NONE);
        let mut short = false;
        while decoder.can_decode() {
            let instruction = decoder.decode();
            let offset = (instruction.ip() - address) as usize;
            if instruction.is_invalid() {
                return Err(Unrepairable::Undecodable);
            }
            if offset >= find.offset + TELLING {
                break;
            }
            let site = Self { find, instruction, offset };
            if offset + instruction.len() > find.offset {
                if site.is_writer() && find.writer == Writer::Wrpkru || instruction.len() >= JUMP {
                    return Ok(site);
                }
                // The bytes can go on in a longer one.
                short = true;
            }
        }
        Err(if short { Unrepairable::TooShort } else { Unrepairable::Undecodable })
    }

    /// Is the instruction itself what writes the rights?
    fn is_writer(&self) -> bool {
        matches!(self.instruction.mnemonic(), Mnemonic::Wrpkru | Mnemonic::Xrstor | Mnemonic::Xrstor64)
    }

    /// Is all that was found in what moved the restore that a trap follows? Its own operand can hold the bytes of another, which
    /// enters behind the first and before the trap.
    fn keeps(&self, finds: &[Find]) -> bool {
        let one = self.is_writer() && self.instruction.mnemonic() != Mnemonic::Wrpkru;
        finds.is_empty() || one && finds.len() == 1
    }

    /// The edit, and what goes to `slot`.
    fn repair(&self, code_len: usize, slot: u64) -> Result<(Edit, Vec<u8>), Unrepairable> {
        let instruction = &self.instruction;
        if instruction.mnemonic() == Mnemonic::Wrpkru {
            return Ok((Edit { offset: self.find.offset, bytes: TRAP.to_vec() }, Vec::new()));
        }
        let next = instruction.next_ip();
        let (edit, moved) = match instruction.flow_control() {
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch | FlowControl::Call
                if instruction.is_jmp_near() || instruction.is_jcc_near() || instruction.is_call_near() =>
            {
                let mut detour = *instruction;
                detour.set_near_branch64(slot);
                let moved = jump(slot, instruction.near_branch_target())?;
                (assemble(&detour, instruction.ip())?, moved)
            }
            FlowControl::IndirectCall => {
                // The address it returns to must not change: unwinding looks it up.
                let moved = move_to(slot, &[indirect_jump(instruction)?])?;
                let call = next - JUMP as u64;
                let target = Instruction::with_branch(Code::Call_rel32_64, slot)
                    .map_err(|_| Unrepairable::Immovable)?;
                let mut edit = vec![0x90; instruction.len() - JUMP];
                edit.extend(assemble(&target, call)?);
                (edit, moved)
            }
            FlowControl::Next if self.is_writer() => {
                let mut moved = move_to(slot, &[*instruction])?;
                moved.extend(TRAP_IF_RIGHTS);
                let back = slot + moved.len() as u64;
                moved.extend(jump(back, next)?);
                moved.extend(TRAP);
                (jump_padded(instruction, slot)?, moved)
            }
            FlowControl::Next => {
                let back = Instruction::with_branch(Code::Jmp_rel32_64, next)
                    .map_err(|_| Unrepairable::Immovable)?;
                (jump_padded(instruction, slot)?, move_to(slot, &[*instruction, back])?)
            }
            _ => return Err(Unrepairable::Immovable),
        };
        let fits =
            edit.len() == instruction.len() && self.offset + edit.len() <= code_len && moved.len() <= SLOT;
        if !fits {
            return Err(Unrepairable::Immovable);
        }
        Ok((Edit { offset: self.offset, bytes: edit }, moved))
    }
}

/// `bt eax, 9; jc` over the jump that follows, to the trap. `XRSTOR` leaves alone which components it was asked for, and
/// nothing is read or written between it and the trap. (The flags are lost; no context switch relies on them.)
const TRAP_IF_RIGHTS: [u8; 6] = [0x0f, 0xba, 0xe0, 0x09, 0x72, JUMP as u8];

fn indirect_jump(call: &Instruction) -> Result<Instruction, Unrepairable> {
    if call.code() != Code::Call_rm64 || call.memory_base() == Register::RSP {
        return Err(Unrepairable::Immovable);
    }
    let mut jump = *call;
    jump.set_code(Code::Jmp_rm64);
    Ok(jump)
}

fn assemble(instruction: &Instruction, at: u64) -> Result<Vec<u8>, Unrepairable> {
    let mut encoder = Encoder::new(64);
    encoder.encode(instruction, at).map_err(|_| Unrepairable::Immovable)?;
    Ok(encoder.take_buffer())
}

fn jump(at: u64, to: u64) -> Result<Vec<u8>, Unrepairable> {
    let jump = Instruction::with_branch(Code::Jmp_rel32_64, to).map_err(|_| Unrepairable::Immovable)?;
    assemble(&jump, at)
}

/// A jump to `slot` that is as long as `instruction`.
fn jump_padded(instruction: &Instruction, slot: u64) -> Result<Vec<u8>, Unrepairable> {
    let mut bytes = jump(instruction.ip(), slot)?;
    bytes.resize(instruction.len(), BREAKPOINT);
    Ok(bytes)
}

/// `instructions` as they are to be at `slot`, with all that is relative adjusted.
fn move_to(slot: u64, instructions: &[Instruction]) -> Result<Vec<u8>, Unrepairable> {
    let block = InstructionBlock::new(instructions, slot);
    BlockEncoder::encode(64, block, BlockEncoderOptions::DONT_FIX_BRANCHES)
        .map(|encoded| encoded.code_buffer)
        .map_err(|_| Unrepairable::Immovable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: u64 = 0x7f00_0010_0000;
    const PAGE_OF_REPAIRS: u64 = 0x7f00_0030_0000;

    fn repaired(code: &[u8]) -> (Vec<u8>, Plan) {
        let plan = plan(code, CODE, PAGE_OF_REPAIRS, |_| Some(0)).unwrap();
        let mut repaired = code.to_vec();
        plan.edits.iter().for_each(|edit| edit.apply(&mut repaired));
        assert_eq!(rights_scan::scan(&repaired), []);
        (repaired, plan)
    }

    fn decode(bytes: &[u8], at: u64) -> Vec<Instruction> {
        Decoder::with_ip(64, bytes, at, DecoderOptions::NONE).iter().collect()
    }

    #[test]
    fn clean_code_needs_no_page() {
        let (_, plan) = repaired(&[0x90, 0xc3]);
        assert!(plan.edits.is_empty() && plan.page.is_none());
    }

    #[test]
    fn the_instruction_itself_becomes_a_trap() {
        let (code, plan) = repaired(&[0x09, 0xf0, 0x0f, 0x01, 0xef, 0x31, 0xc0, 0xc3]);
        assert_eq!(code, [0x09, 0xf0, 0x0f, 0x0b, 0xef, 0x31, 0xc0, 0xc3]);
        assert!(plan.page.is_none());
    }

    /// `lea r13, [rip + 0x2aae0f]`, as libpython 3.11 has it.
    #[test]
    fn an_address_is_still_the_same_after_the_move() {
        let lea = [0x90, 0x4c, 0x8d, 0x2d, 0x0f, 0xae, 0x2a, 0x00, 0xc3];
        let before = decode(&lea, CODE)[1];
        let (code, plan) = repaired(&lea);
        let there = decode(&code, CODE)[1].near_branch_target();
        let page = plan.page.unwrap();
        assert_eq!(rights_scan::scan(&page), []);
        let moved = decode(&page[(there - PAGE_OF_REPAIRS) as usize..], there);
        assert_eq!(moved[0].memory_displacement64(), before.memory_displacement64());
        assert_eq!(moved[0].op0_register(), Register::R13);
        assert_eq!(moved[1].near_branch_target(), before.next_ip());
    }

    #[test]
    fn a_call_by_way_of_the_page_arrives_and_returns_where_it_did() {
        // call with distance 0x002fae0f, and through a slot at that distance.
        for (call, indirect) in [
            (&[0xe8, 0x0f, 0xae, 0x2f, 0, 0xc3][..], false),
            (&[0xff, 0x15, 0x0f, 0xae, 0x2f, 0, 0xc3], true),
        ] {
            let before = decode(call, CODE)[0];
            let (code, plan) = repaired(call);
            let new = decode(&code, CODE).into_iter().find(Instruction::is_call_near).unwrap();
            assert_eq!(new.next_ip(), before.next_ip());
            let there = new.near_branch_target();
            let moved = decode(&plan.page.unwrap()[(there - PAGE_OF_REPAIRS) as usize..], there)[0];
            if indirect {
                assert!(moved.is_jmp_near_indirect());
                assert_eq!(moved.memory_displacement64(), before.memory_displacement64());
            } else {
                assert_eq!(moved.near_branch_target(), before.near_branch_target());
            }
        }
    }

    /// `xrstor [rsp + 0x40]`: what is kept of it stands before a trap.
    #[test]
    fn a_restore_traps_when_it_restored_the_rights() {
        let (code, plan) = repaired(&[0x0f, 0xae, 0x6c, 0x24, 0x40, 0xc3]);
        let there = decode(&code, CODE)[0].near_branch_target();
        let page = plan.page.unwrap();
        let slot = (there - PAGE_OF_REPAIRS) as usize;
        assert_eq!(rights_scan::scan(&page), [Find { offset: slot, writer: Writer::Xrstor }]);
        let moved = decode(&page[slot..], there);
        assert_eq!(moved[1].mnemonic(), Mnemonic::Bt);
        assert_eq!(moved[1].immediate8(), 9);
        assert_eq!(moved[3].near_branch_target(), CODE + 5);
        let trap = (moved[2].near_branch_target() - PAGE_OF_REPAIRS) as usize;
        assert_eq!(page[trap..trap + 3], TRAP);
    }

    /// `xrstor [rdi + rcx + …]`, in whose operand stands `xrstor [rax]; jmp` over the trap.
    #[test]
    fn a_restore_that_hides_another_is_refused() {
        let code = [0x0f, 0xae, 0xac, 0x0f, 0xae, 0x28, 0xeb, 0x06, 0xc3];
        assert_eq!(rights_scan::scan(&code).len(), 2);
        let why = plan(&code, CODE, PAGE_OF_REPAIRS, |_| Some(0)).unwrap_err().1;
        assert_eq!(why, Unrepairable::TooMany);
    }

    #[test]
    fn two_short_instructions_are_refused() {
        // rol r15d, 15; add edi, ebp: two short ones, as in libnettle.
        let why = plan(&[0x41, 0xc1, 0xc7, 0x0f, 0x01, 0xef, 0xc3], CODE, PAGE_OF_REPAIRS, |_| Some(0))
            .unwrap_err()
            .1;
        assert_eq!(why, Unrepairable::TooShort);
    }

    #[test]
    fn what_no_function_holds_is_refused() {
        let why = plan(&[0x0f, 0x01, 0xef], CODE, PAGE_OF_REPAIRS, |_| None).unwrap_err().1;
        assert_eq!(why, Unrepairable::NoFunction);
    }
}
