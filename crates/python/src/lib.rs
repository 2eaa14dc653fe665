//! CPython 3.10 and later through its stable ABI, one per domain, resolved at run time; flat payloads to
//! objects and back.
//!
//! It knows `payload` for the flat form and `domain` for whose guest it is, and nothing of keys: whoever
//! starts a domain resolves an [`Api`] in the domain's namespace and then runs an [`Interpreter`] on the
//! domain's thread. Start reading at `interpreter`; `bootstrap.py` and `on_demand.py` are its part that is
//! written in Python, and `object` is where the calls through the table are wrapped.
//!
//! Architecture Invariant: everything after [`Api::resolve`] runs where this process's heap cannot be
//! touched. It uses its stack, the memory it was given, and CPython's own heap: no `Box`, `Vec`, `String` or
//! `format!`, no thread-locals, no locks of `std`, and no indexing that could panic. The tests run it under
//! an allocator that aborts the process.

mod api;
mod binary;
mod buffer;
mod decode;
mod encode;
mod guest;
mod interpreter;
mod keys;
mod number;
mod object;
mod output;
mod shapes;

pub use api::Api;
pub use guest::PythonGuest;
pub use interpreter::{Call, InRun, Interpreter, Outcome, Returned, StartFailure};
pub use output::Output;
