//! `faastlane run` from outside: workflows in temporary folders, run by the command itself.
//!
//! `libraries` installs packages from PyPI on its first run, so it needs a network or a filled cache. What needs
//! protection keys says so where there are none, and fails there under `FAASTLANE_REQUIRE_MPK=1`.

mod binary;
mod distributed;
mod durable;
mod durations;
mod errors;
mod functions;
mod input;
mod isolation;
mod lanes;
mod language;
mod libraries;
mod log_result;
mod mocks;
mod ordinary;
mod payloads;
mod policy;
mod pool;
mod processes;
mod repeat;
mod snapshot;
mod test_cases;
mod trust;
mod values;
mod workflow;
