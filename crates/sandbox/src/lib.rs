//! The kernel jail of a domain thread.
//!
//! An island of `unsafe`. It knows nothing of keys, Python or workflows. Start reading at [`Confinement::enter`], which is
//! what a thread goes through, and at `policy.rs`, which is what it may not do and why.

#[macro_use]
mod policy;

mod check;
mod confine;
mod defences;
mod descriptors;
mod duty;
mod files;
mod filter;
mod listener;
mod privileges;
mod temporary;

pub use confine::{Confinement, EnterError};
pub use defences::left_out;
pub use descriptors::{close_others, inherited, write_log};
pub use duty::{Duty, bind};
pub use files::{Files, landlock_version};
pub use filter::Grants;
pub use listener::{AskedCall, Listener};
pub use privileges::{can_drop_capabilities, can_part_descriptors, close_process, end_group};
pub use temporary::can_part_temporary;
