//! What a filter can ask about an argument: it sees registers, not the memory they point to.

/// A condition on one argument, numbered from 0. Where the kernel takes 32 bits, it is those that are compared.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// These bits are one of these values.
    AnyOf { argument: u32, mask: u32, values: &'static [u32] },
    /// These bits are exactly this.
    Bits { argument: u32, mask: u32, value: u32 },
    /// All 64 bits are zero.
    Null { argument: u32 },
}

pub(crate) const fn any_of(argument: u32, values: &'static [u32]) -> Check {
    Check::AnyOf { argument, mask: u32::MAX, values }
}

pub(crate) const fn masked(argument: u32, mask: u32, values: &'static [u32]) -> Check {
    Check::AnyOf { argument, mask, values }
}

pub(crate) const fn bits(argument: u32, mask: u32, value: u32) -> Check {
    Check::Bits { argument, mask, value }
}

pub(crate) const fn low(argument: u32, value: u32) -> Check {
    Check::Bits { argument, mask: u32::MAX, value }
}

pub(crate) const fn null(argument: u32) -> Check {
    Check::Null { argument }
}
