//! What every benchmark needs of the outside.

use crate::BenchError;
use crate::machine::Machine;
use crate::report::{Heading, Unavailable, Versions};
use faastlane_compose::{Host, Isolation, PythonInstall, RequestedIsolation, Surroundings, decide_isolation};
use std::cell::OnceCell;
use std::path::Path;
use std::process::{Command, Stdio};

pub struct Outside<'a> {
    /// Of the `faastlane` command.
    pub executable: &'a Path,
    pub command_line: Vec<String>,
    pub surroundings: &'a Surroundings,
    pub host: &'a Host,
    /// Asked from time to time; true ends the measurement.
    pub stop: &'a dyn Fn() -> bool,
    /// As it was before the first measurement made it busy; empty until then.
    pub machine: OnceCell<Machine>,
}

/// When a measurement began, and on what.
pub(crate) struct Begun {
    date: String,
    machine: Machine,
}

impl Begun {
    pub(crate) fn heading(
        self,
        benchmark: &'static str,
        metric: &'static str,
        python: &PythonInstall,
        outside: &Outside<'_>,
    ) -> Heading {
        Heading {
            format_version: 1,
            benchmark,
            metric,
            command_line: outside.command_line.clone(),
            date: self.date,
            machine: self.machine,
            versions: Versions {
                faastlane: env!("CARGO_PKG_VERSION"),
                commit: commit(outside.executable),
                python: python.version_text(),
            },
        }
    }
}

/// With `-dirty` where the checkout differs from it.
fn commit(executable: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(executable.parent()?).args(["describe", "--always", "--dirty", "--exclude=*"]);
    let output = git.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

impl Outside<'_> {
    /// To be called before anything makes the machine busy.
    pub(crate) fn begin(&self) -> Begun {
        let date = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Begun { date, machine: self.machine.get_or_init(|| Machine::of(self.host)).clone() }
    }

    /// What this host has, the strongest first and at least one, and what it does not have.
    pub(crate) fn isolations(&self) -> Result<(Vec<RequestedIsolation>, Vec<Unavailable>), BenchError> {
        let mut available = Vec::new();
        let (mut unavailable, mut findings) = (Vec::new(), Vec::new());
        let all = [
            (RequestedIsolation::Mpk, Isolation::Mpk),
            (RequestedIsolation::Process, Isolation::Process),
            (RequestedIsolation::None, Isolation::None),
        ];
        for (wanted, isolation) in all {
            match decide_isolation(wanted, self.host) {
                Ok(_) => available.push(wanted),
                Err(finding) => {
                    unavailable
                        .push(Unavailable { isolation: isolation.name(), reason: finding.message.clone() });
                    findings.push(finding);
                }
            }
        }
        if available.is_empty() { Err(BenchError::Compose(findings)) } else { Ok((available, unavailable)) }
    }
}

/// What keeps a function from another's memory.
pub(crate) fn kept_apart_by(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Mpk => "a protection key each",
        Isolation::Process => "a process each",
        Isolation::None => "nothing",
    }
}
