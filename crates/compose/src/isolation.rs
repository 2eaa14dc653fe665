//! Which isolation a workflow gets on a host: the one that was asked for or an error, never a weaker one in silence.

use crate::code;
use crate::host::{Host, Keys};
use crate::plan::Isolation;
use crate::settings::{Origin, RequestedIsolation, Setting};
use faastlane_asl::diagnostic::Diagnostic;

/// One key is for the trusted threads, and one stays spare for pages that change hands.
const KEYS_KEPT: u32 = 2;

/// How many domains fit into one process: x86-64 has 15 keys to give, and glibc as many link namespaces.
const MOST_DOMAINS_PER_PROCESS: u32 = 13;

/// The first in which `glibc.rtld.nns` and `optional_static_tls` make room for as many namespaces.
const OLDEST_GLIBC: (u32, u32) = (2, 33);

/// An isolation that the host can give.
pub(crate) struct Decision {
    pub(crate) isolation: Isolation,
    pub(crate) reason: String,
    /// At least 1.
    pub(crate) domains_per_process: u32,
}

pub(crate) fn decide(wanted: &Setting<RequestedIsolation>, host: &Host) -> Result<Decision, Diagnostic> {
    let (isolation, reason) = match wanted.value {
        RequestedIsolation::Auto => match obstacle(Isolation::Mpk, host) {
            None => (Isolation::Mpk, "the strongest that this host has".to_owned()),
            Some(obstacle) => {
                (Isolation::Process, format!("protection keys cannot be had: {}", obstacle.reason))
            }
        },
        RequestedIsolation::Mpk => (Isolation::Mpk, asked_for(&wanted.origin)),
        RequestedIsolation::Process => (Isolation::Process, asked_for(&wanted.origin)),
        RequestedIsolation::None => (Isolation::None, asked_for(&wanted.origin)),
    };
    if let Some(obstacle) = obstacle(isolation, host) {
        let message = format!("the isolation `{}` cannot be had: {}", isolation.name(), obstacle.reason);
        let finding = Diagnostic::error(obstacle.code, message)
            .hint(format!("{}. `--isolation auto` takes the strongest that this host has.", obstacle.remedy));
        return Err(match &wanted.origin {
            Origin::File(source, span) | Origin::Template(source, span) => {
                finding.at(source, *span).label("asked for here")
            }
            Origin::CommandLine | Origin::Default => finding,
        });
    }
    let domains_per_process = match (isolation, &host.keys) {
        (Isolation::Process, _) => 1,
        (Isolation::Mpk, Keys::Available(keys)) => (keys - KEYS_KEPT).min(MOST_DOMAINS_PER_PROCESS),
        _ => MOST_DOMAINS_PER_PROCESS,
    };
    Ok(Decision { isolation, reason, domains_per_process })
}

/// What a request comes to on a host, and why.
///
/// # Errors
///
/// The host does not have what was asked for.
pub fn decide_isolation(wanted: RequestedIsolation, host: &Host) -> Result<(Isolation, String), Diagnostic> {
    let decision = decide(&Setting { value: wanted, origin: Origin::CommandLine }, host)?;
    Ok((decision.isolation, decision.reason))
}

fn asked_for(origin: &Origin) -> String {
    format!("asked for by {origin}")
}

/// Why a host cannot give an isolation.
struct Obstacle {
    code: &'static str,
    reason: String,
    remedy: String,
}

fn obstacle(isolation: Isolation, host: &Host) -> Option<Obstacle> {
    if isolation == Isolation::Process {
        return None;
    }
    let no_namespaces = match host.glibc {
        None => Some("the C library is not glibc, which alone has link namespaces".to_owned()),
        Some((major, minor)) if (major, minor) < OLDEST_GLIBC => {
            Some(format!("glibc {major}.{minor} has too few link namespaces"))
        }
        Some(_) => None,
    };
    if let Some(reason) = no_namespaces {
        let (major, minor) = OLDEST_GLIBC;
        let remedy = format!(
            "Use a distribution with glibc {major}.{minor} or later, such as Debian 12 or Ubuntu 22.04"
        );
        return Some(Obstacle { code: code::NO_NAMESPACES, reason, remedy });
    }
    let no_keys = |reason, remedy| Some(Obstacle { code: code::NO_KEYS, reason, remedy });
    match &host.keys {
        _ if isolation == Isolation::None => None,
        Keys::Available(keys) if *keys > KEYS_KEPT => None,
        Keys::Available(keys) => no_keys(
            format!("only {keys} protection keys are free, and {} are needed", KEYS_KEPT + 1),
            "Something loaded into this process holds the others".to_owned(),
        ),
        Keys::Unavailable { reason, remedy } => no_keys(reason.clone(), remedy.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::LimitMeans;

    fn host(keys: Keys, glibc: Option<(u32, u32)>) -> Host {
        let (kernel, architecture) = ("6.1.0".to_owned(), "x86_64".to_owned());
        let none = LimitMeans::Unavailable { reason: "no control groups".to_owned() };
        Host {
            cpus: 2,
            memory_bytes: 1 << 30,
            kernel,
            architecture,
            keys,
            glibc,
            landlock: Some(1),
            memory_limits: none.clone(),
            cpu_limits: none,
        }
    }

    fn refused() -> Keys {
        let reason = "the container refuses pkey_alloc".to_owned();
        Keys::Unavailable { reason, remedy: "Update Docker to 23 or later".to_owned() }
    }

    #[test]
    fn each_request_on_each_host() {
        use RequestedIsolation as R;
        let (gnu, musl) = (Some((2, 36)), None);
        let table = [
            (R::Auto, Keys::Available(15), gnu, Ok((Isolation::Mpk, 13))),
            (R::Auto, Keys::Available(5), gnu, Ok((Isolation::Mpk, 3))),
            (R::Auto, Keys::Available(2), gnu, Ok((Isolation::Process, 1))),
            (R::Auto, refused(), gnu, Ok((Isolation::Process, 1))),
            (R::Auto, Keys::Available(15), musl, Ok((Isolation::Process, 1))),
            (R::Mpk, Keys::Available(15), gnu, Ok((Isolation::Mpk, 13))),
            (R::Mpk, refused(), gnu, Err(code::NO_KEYS)),
            (R::Mpk, Keys::Available(2), gnu, Err(code::NO_KEYS)),
            (R::Mpk, Keys::Available(15), musl, Err(code::NO_NAMESPACES)),
            (R::Mpk, Keys::Available(15), Some((2, 31)), Err(code::NO_NAMESPACES)),
            (R::Auto, Keys::Available(15), Some((2, 31)), Ok((Isolation::Process, 1))),
            (R::Process, refused(), musl, Ok((Isolation::Process, 1))),
            (R::None, refused(), gnu, Ok((Isolation::None, 13))),
            (R::None, refused(), musl, Err(code::NO_NAMESPACES)),
        ];
        for (value, keys, glibc, expected) in table {
            let wanted = Setting { value, origin: Origin::CommandLine };
            let decided = decide(&wanted, &host(keys.clone(), glibc));
            let decided =
                decided.map(|d| (d.isolation, d.domains_per_process)).map_err(|finding| finding.code);
            assert_eq!(decided, expected, "{value:?} {keys:?} {glibc:?}");
        }
    }

    #[test]
    fn a_refusal_says_why_and_what_helps() {
        let wanted = Setting { value: RequestedIsolation::Mpk, origin: Origin::CommandLine };
        let finding = decide(&wanted, &host(refused(), Some((2, 36)))).err().unwrap();
        assert!(finding.message.contains("the container refuses pkey_alloc"));
        assert!(finding.hint.unwrap().contains("Update Docker"));
    }
}
