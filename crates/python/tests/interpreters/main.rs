//! Runs every case in every CPython of this machine. A process can start CPython once, so each of them, and
//! each way of failing to start, gets a process of its own: this program again, with what to do in its
//! environment.

mod binary;
mod calls;
mod heap;
mod loading;
mod pythons;
mod world;

use std::io::Write;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match std::env::var("FAASTLANE_TEST_SCENARIO") {
        Ok(name) => child(&name),
        Err(_) => parent(),
    }
}

/// Every scenario, by name.
fn scenarios() -> Vec<(&'static str, fn())> {
    [calls::SCENARIOS, binary::SCENARIOS, loading::SCENARIOS].concat()
}

fn parent() -> ExitCode {
    let mut report = std::io::stderr();
    let found = pythons::find();
    if found.is_empty() {
        let _ =
            writeln!(report, "no shared libpython from 3.10 on was found: apt-get install libpython3-dev");
        return ExitCode::FAILURE;
    }
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let (mut passed, mut failed) = (0, 0);
    for python in found {
        for (name, _) in scenarios() {
            if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(wanted)) {
                continue;
            }
            let mut child = Command::new(std::env::current_exe().expect("this program has a path"));
            let child = child
                .env("FAASTLANE_TEST_SCENARIO", name)
                .env("FAASTLANE_TEST_LIBPYTHON", &python.library)
                .env("FAASTLANE_TEST_SYS_PATH", &python.sys_path)
                .env("PYTHONHOME", &python.home)
                .env("PYTHONDONTWRITEBYTECODE", "1");
            let status = child.status().expect("this program starts again");
            *(if status.success() { &mut passed } else { &mut failed }) += 1;
            let verdict = if status.success() { "ok".to_owned() } else { format!("FAILED ({status})") };
            let _ = writeln!(report, "test CPython {} {name} ... {verdict}", python.version);
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let _ = writeln!(
        report,
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn child(name: &str) -> ExitCode {
    let (_, scenario) = scenarios().into_iter().find(|(known, _)| *known == name).expect("a known scenario");
    // Its interpreter is never finalised, and nothing of this process is worth keeping.
    match std::panic::catch_unwind(scenario) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
