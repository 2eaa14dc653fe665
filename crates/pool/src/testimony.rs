//! What a process of an instance may say. Where functions have no keys, one that runs native code can write all memory of its process,
//! and say what our own threads in it could say. So nothing is taken from a process but what concerns itself.

use crate::instance::Part;
use faastlane_compose::{DomainPlan, Isolation, Plan};
use faastlane_instance::{FaultReport, Report, Violation};

/// Longest report of a process without the orchestrator, in bytes: why a function does not load is the longest thing that it has to
/// say.
pub(crate) const LONGEST: usize = 1 << 20;

/// More memory than a process can have.
const ADDRESS_SPACE: u64 = 1 << 47;

/// How far a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Loading,
    /// Its functions are loaded, or it is a copy of a process in which they are.
    ComingUp,
    /// It takes calls.
    Up,
}

impl Part {
    /// Runs executions, and tells all about them. No function can write its reports: under `none` nothing is promised of that.
    pub(crate) fn has_orchestrator(self) -> bool {
        self == Part { host: 0, lane: 0 }
    }

    pub(crate) fn may_say(self, plan: &Plan, stage: Stage, report: &Report) -> bool {
        let is_own = |domain: usize| plan.domains.get(domain).is_some_and(|domain| domain.host == self.host);
        match report {
            _ if self.has_orchestrator() => true,
            Report::DomainUp { domain, .. } => stage == Stage::Loading && is_own(*domain),
            Report::Loaded(sizes) => {
                let fits = sizes.iter().all(|size| is_own(size.domain) && size.bytes < ADDRESS_SPACE);
                stage == Stage::Loading && sizes.len() <= plan.domains.len() && fits
            }
            Report::SetUpFailed(failure) => stage != Stage::Up && failure.domain.is_none_or(is_own),
            Report::Fault(fault) => {
                let is_here = fault.host == self.host && fault.lane == self.lane;
                is_here && self.may_blame(plan, fault)
            }
            _ => false,
        }
    }

    fn may_blame(self, plan: &Plan, fault: &FaultReport) -> bool {
        match fault.domain {
            Some(domain) => {
                let culprit = plan.domains.get(domain).filter(|domain| domain.host == self.host);
                culprit.is_some_and(|domain| fault.what.starts_with(&format!("function `{}` ", domain.name)))
            }
            None => self.may_hold_several(plan),
        }
    }

    /// Then it can turn out that a fault was no domain's, or nobody knows whose.
    fn may_hold_several(self, plan: &Plan) -> bool {
        let mut own = plan.domains.iter().filter(|domain| domain.host == self.host);
        let starts_others =
            |domain: &DomainPlan| domain.functions.iter().any(|&at| plan.functions[at].grants.subprocess);
        plan.isolation != Isolation::Process && !own.any(starts_others)
    }

    /// What is heard instead of what a process may not say.
    pub(crate) fn forged(self, plan: &Plan) -> FaultReport {
        let mut own = plan.domains.iter().enumerate().filter(|(_, domain)| domain.host == self.host);
        let only = own.next().filter(|_| own.next().is_none());
        let trusted = self.has_orchestrator();
        let who = match only {
            _ if trusted => "a trusted thread".to_owned(),
            Some((_, domain)) => format!("function `{}`", domain.name),
            None => "a function".into(),
        };
        FaultReport {
            host: self.host,
            lane: self.lane,
            domain: only.map(|(index, _)| index).filter(|_| !trusted),
            trusted,
            violation: (!trusted).then_some(Violation::Forged),
            ending: "a report that cannot be read".into(),
            what: format!("{who} made up what its process reports"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faastlane_instance::{BeginReport, DomainSize, SetUpFailure};
    use serde_json::{Value, json};

    /// Of functions `one` and `two`, in the processes 1 and 2, or both in process 1 where they have keys.
    fn plan(isolation: &str) -> Plan {
        let hosts = if isolation == "process" { [1, 2] } else { [1, 1] };
        let named = |make: &dyn Fn(usize, &str) -> Value| json!([make(0, "one"), make(1, "two")]);
        let domains = named(
            &|at, name| json!({ "name": name, "placement": "process", "host": hosts[at], "functions": [at], "python": 0, "reason": "" }),
        );
        let functions = named(&|at, name| {
            json!({ "name": name, "module": name, "file": "", "handler": null, "directory": "", "own_folder": false,
                "sys_path": [], "env": {}, "timeout_seconds": null, "memory_mb": 128, "domain": at })
        });
        serde_json::from_value(
            json!({ "workflow": "w", "bundle": "", "isolation": isolation, "isolation_reason": "",
            "pythons": [], "domains": domains, "functions": functions, "states": [],
            "limits": { "max_payload_bytes": 1 }, "lanes": 1, "notes": [] }),
        )
        .unwrap()
    }

    const ORCHESTRATOR: Part = Part { host: 0, lane: 0 };
    const FIRST: Part = Part { host: 1, lane: 0 };

    fn fault(domain: Option<usize>, what: &str) -> FaultReport {
        let (violation, ending, what) = (None, "SIGSEGV".into(), what.into());
        FaultReport { host: 1, lane: 0, domain, trusted: false, violation, ending, what }
    }

    #[test]
    fn a_process_tells_what_concerns_itself() {
        let plan = plan("process");
        let (own, others) =
            (fault(Some(0), "function `one` crashed"), fault(Some(1), "function `two` crashed"));
        let size = |domain, bytes| Report::Loaded(vec![DomainSize { domain, bytes }]);
        let failed = |domain| {
            Report::SetUpFailed(SetUpFailure {
                domain,
                what: String::new(),
                cause: String::new(),
                function_error: None,
            })
        };
        let begun = Report::Begun(BeginReport { at_us: 0, monotonic_ns: 0 });
        for (report, stages) in [
            (Report::DomainUp { domain: 0, since_start_us: 0 }, &[Stage::Loading][..]),
            (Report::DomainUp { domain: 1, since_start_us: 0 }, &[]),
            (Report::DomainUp { domain: usize::MAX, since_start_us: 0 }, &[]),
            (size(0, 1 << 20), &[Stage::Loading]),
            (size(0, u64::MAX), &[]),
            (size(1, 1 << 20), &[]),
            (failed(None), &[Stage::Loading, Stage::ComingUp]),
            (failed(Some(0)), &[Stage::Loading, Stage::ComingUp]),
            (failed(Some(1)), &[]),
            (failed(Some(usize::MAX)), &[]),
            (Report::Fault(own.clone()), &[Stage::Loading, Stage::ComingUp, Stage::Up]),
            (Report::Fault(others), &[]),
            (Report::Fault(FaultReport { domain: None, ..own.clone() }), &[]),
            (Report::Fault(FaultReport { host: 2, ..own.clone() }), &[]),
            (Report::Fault(FaultReport { lane: 1, ..own.clone() }), &[]),
            (Report::Fault(FaultReport { what: "function `two` crashed".into(), ..own }), &[]),
            (Report::Ready, &[]),
            (Report::Stuck, &[]),
            (Report::Freed { domain: 0, lane: 0 }, &[]),
            (begun, &[]),
        ] {
            for stage in [Stage::Loading, Stage::ComingUp, Stage::Up] {
                assert_eq!(
                    FIRST.may_say(&plan, stage, &report),
                    stages.contains(&stage),
                    "{stage:?}: {report:?}"
                );
                assert!(ORCHESTRATOR.may_say(&plan, stage, &report));
            }
        }
    }

    #[test]
    fn whose_fault_it_was_may_be_unknown_where_domains_share_a_process() {
        let unknown = Report::Fault(fault(None, "a function made up what it is to be blamed for"));
        assert!(FIRST.may_say(&plan("mpk"), Stage::Up, &unknown));
        assert!(FIRST.may_say(&plan("none"), Stage::Up, &unknown));
        assert!(!FIRST.may_say(&plan("process"), Stage::Up, &unknown));
    }

    #[test]
    fn a_forgery_is_blamed_on_whose_process_it_was() {
        let forged = FIRST.forged(&plan("process"));
        assert_eq!((forged.domain, forged.violation), (Some(0), Some(Violation::Forged)));
        assert!(forged.what.starts_with("function `one` "));
        let shared = FIRST.forged(&plan("mpk"));
        assert_eq!((shared.domain, shared.violation), (None, Some(Violation::Forged)));
        let ours = ORCHESTRATOR.forged(&plan("process"));
        assert_eq!((ours.trusted, ours.violation), (true, None));
    }
}
