//! Domains under attack, without a Python: each scenario is a process of its own in which a guest that is nothing but
//! native code does what it is told, and the test sees what stopped it.
//!
//! Needs protection keys. Without them it says so and passes nothing; with `FAASTLANE_REQUIRE_MPK=1` that is a failure.

#[path = "domains/guest.rs"]
mod guest;
#[path = "domains/memory_calls.rs"]
mod memory_calls;
#[path = "domains/rights.rs"]
mod rights;
#[path = "domains/scenarios.rs"]
mod scenarios;

use faastlane_domain::{LOADER_TUNABLES, TrustedHeap, probe_keys};
use std::io::Write;
use std::process::{Command, ExitCode};

#[global_allocator]
static HEAP: TrustedHeap = TrustedHeap::new();

/// Where a scenario is played: in the process that set it up, or in a copy of that, as instances are.
const IN_PLACE: &str = "in_place";
const IN_COPY: &str = "in_a_copy";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, flag, name, copied] = words.as_slice()
        && flag == "--scenario"
    {
        scenarios::play(name, copied == IN_COPY);
    }
    // What libtest prints for `--list`, so that runners which ask first find one test a scenario.
    if words.iter().any(|word| word == "--list") {
        say(&scenarios::ALL.iter().map(|scenario| format!("{}: test\n", scenario.name)).collect::<String>());
        return ExitCode::SUCCESS;
    }
    if let Err(reason) = probe_keys() {
        let required = std::env::var_os("FAASTLANE_REQUIRE_MPK").is_some_and(|value| value == "1");
        let (verdict, failed) = if required { ("FAILED", 1) } else { ("ok", 0) };
        let skipped = 2 * scenarios::ALL.len();
        say(&format!(
            "no protection keys here ({reason}): nothing was tested\n\ntest result: {verdict}. 0 passed; {failed} failed; {skipped} ignored; 0 measured; 0 filtered out\n"
        ));
        return if required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let filter = words.get(1).filter(|word| !word.starts_with('-'));
    let chosen = scenarios::ALL
        .iter()
        .filter(|scenario| filter.is_none_or(|part| scenario.name.contains(part.as_str())));
    let (mut passed, mut failed) = (0, 0);
    for scenario in chosen {
        for place in [IN_PLACE, IN_COPY] {
            match run(scenario, place) {
                Ok(()) => {
                    passed += 1;
                    say(&format!("test {} {place} ... ok\n", scenario.name));
                }
                Err(what) => {
                    failed += 1;
                    say(&format!("test {} {place} ... FAILED\n{what}\n", scenario.name));
                }
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    say(&format!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n"
    ));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    // A closed stdout leaves the exit code.
    drop(std::io::stdout().write_all(text.as_bytes()));
}

fn run(scenario: &scenarios::Scenario, place: &str) -> Result<(), String> {
    let output = Command::new("/proc/self/exe")
        .args(["--scenario", scenario.name, place])
        .env(LOADER_TUNABLES.0, LOADER_TUNABLES.1)
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let met = said.lines().last() == Some(scenario.expected) && output.status.success();
    if met {
        return Ok(());
    }
    Err(format!(
        "expected {:?}\ngot ({}) {said}{}",
        scenario.expected,
        output.status,
        String::from_utf8_lossy(&output.stderr)
    ))
}
