//! `faastlane doctor`: what this host offers, what is missing, and how to get it.

use crate::args::DoctorArguments;
use crate::exit::Exit;
use crate::host;
use crate::surroundings::surroundings;
use crate::terminal::Terminal;
use faastlane_compose::{
    Host, Keys, LimitMeans, Overrides, PythonCandidate, RequestedIsolation, decide_isolation, survey,
};
use serde::Serialize;
use serde_json::json;
use std::io::{self, Write};

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    detail: String,
    /// How to get what is missing.
    remedy: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// Not there; something else takes its place.
    Missing,
    /// Nothing runs without it.
    Needed,
}

pub(crate) fn execute(arguments: &DoctorArguments) -> anyhow::Result<Exit> {
    let host = host::probe();
    let root = std::path::absolute(&arguments.path)?;
    let pythons = survey(&root, &surroundings(Overrides::default()));
    let mut checks = hardware_checks(&host);
    checks.extend(limit_checks(&host));
    checks.extend(kernel_checks(&host));
    checks.extend(python_checks(&pythons));
    let ready = checks.iter().all(|check| check.status != Status::Needed);
    let isolation = decide_isolation(RequestedIsolation::Auto, &host);
    if arguments.json {
        let isolation = isolation.as_ref().ok().map(|(isolation, _)| isolation.name());
        let report = json!({ "format_version": 1, "ready": ready, "isolation": isolation, "checks": checks });
        writeln!(io::stdout(), "{report:#}")?;
    } else {
        let mut stdout = io::stdout().lock();
        for check in &checks {
            stdout.write_all(line(check, Terminal::stdout().color).as_bytes())?;
        }
        match isolation {
            Ok((isolation, reason)) if ready => {
                writeln!(stdout, "\nworkflows run here with isolation {}: {reason}", isolation.name())?;
            }
            _ => writeln!(stdout, "\nworkflows cannot run here yet")?,
        }
    }
    Ok(if ready { Exit::Succeeded } else { Exit::ComposeFailed })
}

fn line(check: &Check, color: bool) -> String {
    let (word, code) = match check.status {
        Status::Ok => ("ok", 32),
        Status::Missing => ("missing", 33),
        Status::Needed => ("NEEDED", 31),
    };
    let status = if color { format!("\x1b[{code}m{word:<7}\x1b[0m") } else { format!("{word:<7}") };
    let mut text = format!("{status}  {:<22}  {}\n", check.name, check.detail);
    if let Some(remedy) = &check.remedy {
        text.push_str(&format!("{:33}hint: {remedy}\n", ""));
    }
    text
}

fn ok(name: &'static str, detail: impl Into<String>) -> Check {
    Check { name, status: Status::Ok, detail: detail.into(), remedy: None }
}

fn missing(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Check {
    Check { name, status: Status::Missing, detail: detail.into(), remedy: Some(remedy.into()) }
}

fn hardware_checks(host: &Host) -> Vec<Check> {
    let processor = if host::cpu_has("ospke") {
        ok("processor", format!("{} with protection keys, switched on", host.architecture))
    } else if host::cpu_has("pku") {
        let remedy = "Boot a kernel with protection keys and without `nopku`.";
        missing("processor", format!("{} with protection keys, switched off", host.architecture), remedy)
    } else {
        let remedy = "Domains get a process each; for keys, use a recent Intel or AMD server.";
        missing("processor", format!("{} without protection keys", host.architecture), remedy)
    };
    let keys = match &host.keys {
        Keys::Available(keys) => ok("protection keys", format!("{keys} can be had")),
        Keys::Unavailable { reason, remedy } => missing("protection keys", reason, format!("{remedy}.")),
    };
    let memory = format!("{:.1} GiB", host.memory_bytes as f64 / f64::from(1 << 30));
    vec![processor, keys, ok("CPUs", host.cpus.to_string()), ok("memory", memory)]
}

/// With what an instance can be held to the limits that a workflow gives it.
fn limit_checks(host: &Host) -> [Check; 2] {
    let remedy = "Run it where it may make control groups: as root, or with `systemd-run --user --scope -p Delegate=yes`.";
    let check = |name, means: &LimitMeans| match means {
        LimitMeans::Whole(means) => ok(name, means),
        LimitMeans::EachProcess { means, reason } => {
            missing(name, format!("only of each process alone, by {means}: {reason}"), remedy)
        }
        LimitMeans::Unavailable { reason } => missing(name, format!("none: {reason}"), remedy),
    };
    [check("memory limits", &host.memory_limits), check("CPU limits", &host.cpu_limits)]
}

fn kernel_checks(host: &Host) -> Vec<Check> {
    let actions = host::read("/proc/sys/kernel/seccomp/actions_avail");
    let notifications = if actions.split_whitespace().any(|action| action == "user_notif") {
        ok("seccomp notifications", "supported")
    } else {
        missing(
            "seccomp notifications",
            "not supported",
            "Use Linux 5.9 or later with CONFIG_SECCOMP_FILTER.",
        )
    };
    let landlock = match host.landlock {
        Some(version @ ..3) => missing(
            "Landlock",
            format!(
                "version {version}: a file that a function may only read it can empty, if its user owns it"
            ),
            "Boot Linux 6.2 or later.",
        ),
        Some(version @ 3..6) => ok("Landlock", format!("version {version}")),
        Some(version) => ok("Landlock", format!("version {version}, signals included")),
        None => missing(
            "Landlock",
            "absent: functions reach every file of their user, and their process's memory through /proc",
            "Boot Linux 5.13 or later with `lsm=landlock,…`; Docker allows it from version 23.",
        ),
    };
    let glibc = match (host.glibc, decide_isolation(RequestedIsolation::None, host)) {
        (Some((major, minor)), Ok(_)) => {
            ok("glibc", format!("{major}.{minor}, link namespaces for 15 domains"))
        }
        (_, Err(finding)) => missing("glibc", finding.message, finding.hint.unwrap_or_default()),
        (None, Ok(_)) => ok("C library", "not glibc"),
    };
    let mut checks = vec![ok("kernel", host.kernel.clone()), notifications, landlock];
    checks.extend(thread_checks(host));
    checks.push(glibc);
    checks
}

/// What a thread gives up besides, and what it gets instead.
fn thread_checks(host: &Host) -> [Check; 3] {
    let descriptors = if faastlane_sandbox::can_part_descriptors() {
        ok("descriptors", "a table and a working directory for each function")
    } else {
        Check {
            name: "descriptors",
            status: Status::Needed,
            detail: "the container refuses `unshare`: functions would share their descriptors".to_owned(),
            remedy: Some("Allow `unshare` in the container's seccomp profile.".to_owned()),
        }
    };
    let temporary = match host.landlock {
        Some(_) if faastlane_sandbox::can_part_temporary() => {
            ok("/tmp", "each function has its own, but for workflows that are in /tmp themselves")
        }
        Some(_) => missing(
            "/tmp",
            "closed to functions: this process may not mount",
            "Write to TMPDIR, a scratch directory of the function's own; or run as root, in Docker with \
             `--cap-add SYS_ADMIN`.",
        ),
        None => missing(
            "/tmp",
            "shared with everyone: without Landlock nothing closes it",
            "Write to TMPDIR, a scratch directory of the function's own.",
        ),
    };
    let capabilities = if faastlane_sandbox::can_drop_capabilities() {
        ok("capabilities", "a function keeps none, root's neither")
    } else {
        Check {
            name: "capabilities",
            status: Status::Needed,
            detail: "the container refuses `capset`: functions would keep what this process has".to_owned(),
            remedy: Some("Allow `capset` in the container's seccomp profile.".to_owned()),
        }
    };
    [descriptors, capabilities, temporary]
}

fn python_checks(candidates: &[PythonCandidate]) -> Vec<Check> {
    let mut checks: Vec<Check> = candidates.iter().flat_map(checks_of_python).collect();
    if candidates.iter().all(|candidate| candidate.verdict.is_err()) {
        checks.push(Check {
            name: "Python",
            status: Status::Needed,
            detail: "none that can be used: CPython 3.10 or later with its shared library".to_owned(),
            remedy: Some("On Debian and Ubuntu: `apt-get install python3 libpython3-dev`.".to_owned()),
        });
    }
    checks
}

fn checks_of_python(candidate: &PythonCandidate) -> Vec<Check> {
    let path = candidate.path.display();
    match &candidate.verdict {
        Ok(install) => {
            let python = ok("Python", format!("{} at {path}", install.version_text()));
            if candidate.has_pip {
                return vec![python];
            }
            let remedy =
                format!("`{path} -m ensurepip`, or on Debian and Ubuntu `apt-get install python3-pip`.");
            vec![python, missing("pip", format!("not in {path}: requirements cannot be installed"), remedy)]
        }
        Err(passed_over) => vec![Check {
            name: "Python",
            status: Status::Missing,
            detail: format!("{path} {}", passed_over.reason),
            remedy: passed_over.remedy.as_ref().map(|command| format!("`{command}`")),
        }],
    }
}
