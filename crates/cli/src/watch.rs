//! Following a workflow's files while executions of it run: what changes is taken up by the executions that begin after.

use crate::args::RunArguments;
use crate::run;
use crate::run_failure::of_instance;
use crate::surroundings::surroundings;
use crate::{host, mock_file, progress, render_diagnostic, waterfall};
use faastlane_compose::{Plan, Workflow, bundle_digest, load};
use faastlane_pool::{Pool, StartError};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it looks.
pub(crate) const LOOK: Duration = Duration::from_millis(500);

pub(crate) struct Watch<'a> {
    arguments: &'a RunArguments,
    pool: &'a Pool,
    /// What was seen last, whether it could be taken up or not.
    seen: String,
    looked: Instant,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(arguments: &'a RunArguments, pool: &'a Pool) -> Self {
        Self { arguments, pool, seen: pool.plan().bundle.clone(), looked: Instant::now() }
    }

    /// Looks, if it is time to, and says what came of it. A workflow that does not load is no reason to end: the one before it
    /// goes on.
    pub(crate) fn look(&mut self) -> io::Result<()> {
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        self.looked = Instant::now();
        let mut surroundings = surroundings(self.arguments.workflow.overrides());
        surroundings.mocks = self.arguments.mock.as_deref().and_then(|file| mock_file::read(file).ok());
        // Somebody may be writing it.
        let Ok(workflow) = load(&self.arguments.workflow.path, &surroundings) else { return Ok(()) };
        let digest = bundle_digest(&workflow);
        if digest == self.seen {
            return Ok(());
        }
        self.seen = digest;
        match self.take_up(&workflow) {
            Ok(()) => say("the workflow has changed: executions that begin now run what it is now"),
            Err(why) => say(&format!("the workflow has changed, but goes on as it was: {why}")),
        }
    }

    fn take_up(&self, workflow: &Workflow) -> Result<(), &'static str> {
        let plan = faastlane_compose::plan(workflow, &host::probe(), &mut progress::show);
        let plan = plan.map_err(|findings| {
            render_diagnostic::print(&findings).ok();
            "it cannot be planned"
        })?;
        if functions(&plan) != functions(&self.pool.plan()) {
            return Err("it has other functions than before; begin again to run those");
        }
        let launcher = run::launcher(workflow, &plan).map_err(|_| "this executable is gone")?;
        self.pool.replace(Arc::new(launcher)).map_err(|StartError { error, logs }| {
            let (finding, traceback) = of_instance(&error, workflow, &plan);
            waterfall::print_lines(&plan, &logs).ok();
            io::stderr().write_all(traceback.as_bytes()).ok();
            render_diagnostic::print(&[finding]).ok();
            "its functions cannot be loaded"
        })
    }
}

/// What executions are counted by.
fn functions(plan: &Plan) -> Vec<&str> {
    plan.functions.iter().map(|function| function.name.as_str()).collect()
}

fn say(what: &str) -> io::Result<()> {
    writeln!(io::stderr(), "note: {what}")
}
