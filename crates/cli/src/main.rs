//! The `faastlane` command: arguments in, data on stdout, words for people on stderr, an exit code out.
//!
//! May know everything below it. Start reading at `args.rs`; each command has a file of its name.
#![forbid(unsafe_code)]

mod analyze;
mod args;
mod bench;
mod doctor;
mod env_vars;
mod eval;
mod exit;
mod explain;
mod graph;
mod history;
mod host;
mod init;
mod interrupt;
mod metering;
mod mock_file;
mod plan;
mod progress;
mod refusal;
mod render_diagnostic;
mod repeat;
mod repeat_report;
mod run;
mod run_failure;
mod run_input;
mod schema;
mod surroundings;
mod table;
mod terminal;
mod test;
mod test_state;
mod validate;
mod watch;
mod waterfall;

use args::{Arguments, Command};
use clap::Parser;
use exit::Exit;
use faastlane_domain::TrustedHeap;
use faastlane_pool::INSTANCE_ARGUMENT;
use std::io::{self, Write};
use std::process::ExitCode;

/// On the trusted key in an instance, where no function can touch it.
#[global_allocator]
static HEAP: TrustedHeap = TrustedHeap::new();

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == INSTANCE_ARGUMENT) {
        faastlane_instance::run(&words.next().unwrap_or_default().to_string_lossy());
    }
    HEAP.leave_to_system();
    let exit = match execute(&Arguments::parse().command) {
        Ok(exit) => exit,
        Err(problem) if is_broken_pipe(&problem) => Exit::Succeeded,
        Err(problem) => {
            // Where stderr is gone too, the exit code has to do.
            let _ = writeln!(io::stderr(), "error: {problem:#}");
            Exit::Unexpected
        }
    };
    exit.into()
}

fn execute(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Init(arguments) => init::execute(arguments),
        Command::Run(arguments) => run::execute(arguments),
        Command::Test(arguments) => test::execute(arguments),
        Command::TestState(arguments) => test_state::execute(arguments),
        Command::Plan(arguments) if arguments.analyze => analyze::execute(arguments),
        Command::Plan(arguments) => plan::execute(arguments),
        Command::Validate(arguments) => validate::execute(arguments),
        Command::Graph(arguments) => graph::execute(arguments),
        Command::Schema => schema::execute(),
        Command::Bench(arguments) => bench::execute(arguments),
        Command::Doctor(arguments) => doctor::execute(arguments),
        Command::Explain(arguments) => explain::execute(arguments),
        Command::Eval(arguments) => eval::execute(arguments),
    }
}

/// Whoever read our output has read enough.
fn is_broken_pipe(problem: &anyhow::Error) -> bool {
    problem
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
