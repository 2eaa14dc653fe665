//! `faastlane run`: one execution of a workflow, from the input to the exit code.

use crate::args::RunArguments;
use crate::exit::Exit;
use crate::history::HistoryPrinter;
use crate::interrupt::Interrupt;
use crate::run_failure::of_instance;
use crate::run_input;
use crate::surroundings::surroundings;
use crate::waterfall::{self, Run};
use crate::{host, metering, mock_file, progress, refusal, render_diagnostic, repeat};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::{Host, Plan, Surroundings, Workflow, load};
use faastlane_payload::Payload;
use faastlane_pool::{
    Completion, EventReport, Follower, Launcher, LogLine, Metering, Pool, PoolLimits, Record, StartError,
    StateRecord, Status, Stores, Submission,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) fn execute(arguments: &RunArguments) -> anyhow::Result<Exit> {
    let begin = Instant::now();
    let mut findings = Vec::new();
    let ready = make_ready(arguments, &mut findings);
    let (workflow, plan, input) = match ready {
        Ok(ready) => ready,
        Err(errors) => return refuse(arguments, &errors),
    };
    if !arguments.json {
        render_diagnostic::print(&findings)?;
    }
    // Not before: what has run until now (pip, say) ends with this process and its terminal.
    let interrupt = Interrupt::listen()?;
    let composed = begin.elapsed();
    if let Some(times) = arguments.repeat {
        return repeat::execute(arguments, times, &workflow, &plan, &input, &interrupt);
    }
    let printer = arguments.history.then(|| Arc::new(HistoryPrinter::new(arguments.json)));
    let ran = run(&workflow, &plan, &input, arguments.time_scale, printer.clone(), &interrupt, begin);
    let ran = match ran {
        Ok(ran) => ran,
        Err(StartError { error, logs }) => {
            let (finding, traceback) = of_instance(&error, &workflow, &plan);
            if !arguments.json {
                waterfall::print_lines(&plan, &logs)?;
                io::stderr().write_all(traceback.as_bytes())?;
            }
            return refuse(arguments, &[finding]);
        }
    };
    let exit = exit_of(&ran.record, &interrupt);
    if let Some(printer) = printer {
        printer.finish()?;
        if !arguments.json {
            waterfall::print(&Run { plan: &plan, ran: &ran, composed })?;
        }
    } else if arguments.json {
        say(&report(&plan, &ran))?;
    } else {
        if let Some(output) = &ran.record.output {
            say(output.value()?)?;
        }
        waterfall::print(&Run { plan: &plan, ran: &ran, composed })?;
    }
    Ok(exit)
}

/// An execution, and how long it took to get to it.
pub(crate) struct Ran {
    pub(crate) execution: String,
    pub(crate) record: Record,
    /// From the start of the command to the first call of a function.
    pub(crate) to_first_call: Option<Duration>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) metering: Metering,
}

fn make_ready(
    arguments: &RunArguments,
    findings: &mut Vec<Diagnostic>,
) -> Result<(Workflow, Plan, Payload), Vec<Diagnostic>> {
    let mut surroundings = surroundings(arguments.workflow.overrides());
    surroundings.mocks = arguments.mock.as_deref().map(mock_file::read).transpose()?;
    let input = run_input::read(arguments.input.as_deref());
    prepare(&arguments.workflow.path, &surroundings, input, &host::probe(), findings)
}

/// Everything that an execution needs, or what stands in its way. Warnings go to `findings`.
pub(crate) fn prepare(
    workflow: &Path,
    surroundings: &Surroundings,
    input: Result<Payload, Box<Diagnostic>>,
    host: &Host,
    findings: &mut Vec<Diagnostic>,
) -> Result<(Workflow, Plan, Payload), Vec<Diagnostic>> {
    let mut workflow = match (load(workflow, surroundings), &input) {
        (Ok(workflow), _) => workflow,
        (Err(errors), Err(wrong_input)) => {
            return Err(errors.into_iter().chain([(**wrong_input).clone()]).collect());
        }
        (Err(errors), Ok(_)) => return Err(errors),
    };
    let input = input.map_err(|wrong_input| vec![*wrong_input])?;
    findings.append(&mut workflow.warnings);
    let plan = faastlane_compose::plan(&workflow, host, &mut progress::show)?;
    run_input::check_size(&input, plan.limits.max_payload_bytes).map_err(|too_large| vec![*too_large])?;
    Ok((workflow, plan, input))
}

pub(crate) fn refuse(arguments: &RunArguments, findings: &[Diagnostic]) -> anyhow::Result<Exit> {
    refuse_findings(arguments.json, findings)
}

pub(crate) fn refuse_findings(as_json: bool, findings: &[Diagnostic]) -> anyhow::Result<Exit> {
    if as_json {
        let report = json!({ "format_version": 1, "diagnostics": render_diagnostic::to_json(findings) });
        say(&report)?;
    } else {
        render_diagnostic::print(findings)?;
    }
    Ok(Exit::for_findings(findings))
}

/// Runs one execution, in a pool of one instance.
pub(crate) fn run(
    workflow: &Workflow,
    plan: &Plan,
    input: &Payload,
    time_scale: f64,
    printer: Option<Arc<HistoryPrinter>>,
    interrupt: &Interrupt,
    begin: Instant,
) -> Result<Ran, StartError> {
    // It goes as soon as it has nothing to do.
    let limits = PoolLimits { most: NonZeroUsize::MIN, queue: 0, keep_warm: Duration::ZERO };
    let pool = pool(workflow, plan, limits, interrupt)?;
    let follow =
        printer.map(|printer| -> Follower { Box::new(move |event: &EventReport| printer.show(event)) });
    let submission = Submission { history: follow, ..submission(stores(workflow), input, time_scale) };
    let name = submission.name.clone();
    let ticket = pool.submit(submission).map_err(io::Error::other)?;
    let Completion { outcome, cold_start, begun, .. } = ticket.wait();
    let mut record = outcome?;
    let mut logs = std::mem::take(&mut record.logs);
    keep_durations(workflow, &pool);
    logs.extend(pool.close());
    let mut metering = Metering::new(plan);
    metering.add(&record, cold_start);
    let first_call = record.states.iter().flat_map(|state| &state.calls).map(|call| call.called_ns).min();
    let to_first_call = first_call.map(|called| (begun - begin) + Duration::from_nanos(called));
    Ok(Ran { execution: name, record, to_first_call, logs, metering })
}

pub(crate) fn pool(
    workflow: &Workflow,
    plan: &Plan,
    limits: PoolLimits,
    interrupt: &Interrupt,
) -> io::Result<Pool> {
    let interrupt = interrupt.clone();
    Ok(Pool::new(Arc::new(launcher(workflow, plan)?), limits, move || interrupt.came()))
}

pub(crate) fn launcher(workflow: &Workflow, plan: &Plan) -> io::Result<Launcher> {
    Ok(Launcher::new(std::env::current_exe()?, plan.clone(), workflow.definition.clone()))
}

/// For the next time that the bundle runs. Nothing hangs on it, so that it only says when it cannot.
pub(crate) fn keep_durations(workflow: &Workflow, pool: &Pool) {
    let kept = pool.durations().keep(&workflow.surroundings.cache_directory, &pool.plan().bundle);
    if let Err(error) = kept {
        // Where stderr is gone too, nobody wants to know.
        let _ =
            writeln!(io::stderr(), "note: how long functions took cannot be kept for the next time: {error}");
    }
}

/// Where a workflow's distributed Maps find their items and put their results.
pub(crate) fn stores(workflow: &Workflow) -> Arc<Stores> {
    Arc::new(faastlane_pool::stores(&workflow.config.stores, environment()))
}

/// One with a name and a seed of its own.
pub(crate) fn submission(stores: Arc<Stores>, input: &Payload, time_scale: f64) -> Submission {
    // Every hasher the standard library makes begins with fresh random keys.
    let seed = RandomState::new().hash_one(SystemTime::now());
    Submission {
        name: format!("{}-{:08x}", unix_seconds(), seed as u32),
        input: input.clone(),
        seed,
        time_scale,
        history: None,
        stores,
    }
}

/// What of the environment is text; nothing else holds a credential.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(crate) fn exit_of(record: &Record, interrupt: &Interrupt) -> Exit {
    match record.status {
        Status::Succeeded => Exit::Succeeded,
        Status::Failed if record.violation => Exit::IsolationViolation,
        Status::Failed => Exit::ExecutionFailed,
        Status::TimedOut => Exit::TimedOut,
        Status::Aborted if interrupt.came() => Exit::Interrupted,
        Status::Aborted => Exit::Aborted,
    }
}

/// Data for stdout, written in few calls.
pub(crate) fn say(value: &Value) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    writeln!(stdout, "{value:#}")?;
    stdout.flush()
}

/// `run --json`.
pub(crate) fn report(plan: &Plan, ran: &Ran) -> Value {
    let record = &ran.record;
    let mut report = json!({
        "format_version": 1,
        "workflow": plan.workflow,
        "execution": ran.execution,
        "status": record.status,
    });
    if let Some(output) = &record.output {
        // What does not decode was written by a function that forged it; it is no output.
        report["output"] = output.value().cloned().unwrap_or(Value::Null);
    } else {
        report["error"] = json!(record.error);
        report["cause"] = json!(record.cause);
        report["hint"] = json!(refusal::hint(plan, record));
    }
    report["isolation"] = json!(record.isolation.name());
    report["isolation_reason"] = json!(plan.isolation_reason);
    report["instances"] = json!(record.instances);
    report["not_copied"] = json!(record.not_copied);
    report["no_lane"] = json!(record.no_lane);
    report["mocked"] = json!(record.mocked);
    report["duration_us"] = json!(record.duration_us);
    report["interaction_us"] = json!(record.interaction_us);
    report["billed_ms"] = json!(record.billed_ms);
    report["to_first_function_us"] = json!(ran.to_first_call.map(|took| took.as_micros() as u64));
    report["metering"] = metering::to_json(&ran.metering);
    report["states"] = record.states.iter().map(state).collect();
    report["events"] = record.events.iter().map(|event| json!(event.kind)).collect();
    report["logs"] = ran.logs.iter().map(|line| log_line(plan, line)).collect();
    report
}

fn state(state: &StateRecord) -> Value {
    json!({
        "name": state.name,
        "type": state.state_type,
        "function": state.function,
        "placement": state.placement.map(|placement| placement.name()),
        "domain": state.domain,
        "mocked": state.mocked,
        "entered_us": state.entered_us,
        "exited_us": state.exited_us,
        "error": state.error,
        "calls": state.calls.iter().map(|call| json!({
            "request_id": call.request_id,
            "called_us": call.called_ns / 1000,
            "returned_us": call.returned_ns / 1000,
            "between_us": call.between_ns.map(|ns| ns / 1000),
        })).collect::<Vec<_>>(),
    })
}

fn log_line(plan: &Plan, line: &LogLine) -> Value {
    json!({
        "function": waterfall::function_of(plan, line),
        "request_id": line.request_id,
        "at_us": line.at_us,
        "text": line.text,
    })
}
