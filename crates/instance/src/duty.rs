//! What our own threads are bound to in a process whose memory a function can write.

use crate::SET_UP_FAILED;
use crate::assignment::Assignment;
use crate::message::{Report, Reporter, SetUpFailure};
use crate::reach::{files_of, temporary};
use faastlane_domain::exit_now;
use faastlane_sandbox::{Duty, Files, Grants, bind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

/// Threads that wait for each other until all of them are bound. No domain begins before.
#[derive(Clone)]
pub(crate) struct Bound(Arc<Barrier>);

impl Bound {
    pub(crate) fn of(threads: usize) -> Self {
        Self(Arc::new(Barrier::new(threads)))
    }

    /// For a thread that nobody waits for.
    pub(crate) fn alone() -> Self {
        Self::of(1)
    }

    /// Binds the calling thread, where a function shares its memory, and waits for the others. Ends the process where that fails.
    pub(crate) fn enter(&self, duty: &Duty, assignment: &Assignment, reporter: &Reporter) {
        if !assignment.shares_memory() {
            return;
        }
        if let Err(error) = bind(duty) {
            let cause = std::io::Error::from_raw_os_error(error.errno).to_string();
            let what = format!("bind its own threads: {}", error.step);
            reporter.send(&Report::SetUpFailed(SetUpFailure::of_process(&what, cause)));
            reporter.ring();
            exit_now(SET_UP_FAILED);
        }
        self.0.wait();
    }
}

/// The duty of the thread that copies the process.
pub(crate) fn copier(assignment: &Assignment) -> Duty {
    let domains = assignment.local_domains();
    let granted = |is: fn(&faastlane_compose::Grants) -> bool| {
        domains.iter().any(|&domain| is(assignment.grants(domain)))
    };
    let grants =
        Grants { network: granted(|grants| grants.network), subprocess: granted(|grants| grants.subprocess) };
    let mounts = domains.iter().any(|&domain| temporary(assignment, domain).is_some());
    let files = (!mounts).then(|| {
        let mut all = Files { listed: vec!["/proc/self/task".into()], ..Files::default() };
        for &domain in &domains {
            let files = files_of(assignment, domain);
            all.readable.extend(files.readable);
            all.listed.extend(files.listed);
            all.writable.extend(files.writable);
            // Every copy has another scratch directory, in a folder that is made for it.
            all.writable.extend(of_all(&assignment.scratch[domain]));
        }
        all
    });
    Duty::Copy { grants, files }
}

/// Where the folders of scratch directories are made.
fn of_all(scratch: &Path) -> Option<PathBuf> {
    Some(scratch.parent()?.parent()?.to_owned())
}
