//! From a workflow and a host to a plan: interpreters, requirements, domains, and where each state runs.

use crate::bundle::bundle_digest;
use crate::durations::Durations;
use crate::flow_walk::{calls, walk};
use crate::functions::FunctionSource;
use crate::host::{Host, LimitMeans};
use crate::isolation::{Decision, decide};
use crate::plan::{
    DomainPlan, FunctionPlan, Isolation, Limits, Placement, Plan, PythonInstall, StatePlan, WORTH_A_LANE_NS,
};
use crate::progress::Progress;
use crate::python_search;
use crate::requirement_list::RequirementList;
use crate::requirements;
use crate::settings::Setting;
use crate::workflow::Workflow;
use faastlane_asl::definition::{Flow, Resource, State, StateKind};
use faastlane_asl::diagnostic::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Plans a workflow for a host. Runs Python to ask what it is and pip to install requirements, unless both have been
/// done before.
///
/// # Errors
///
/// No Python that can be used, requirements that cannot be installed, an isolation that the host does not have: all that
/// stand in the way at once.
pub fn plan(
    workflow: &Workflow,
    host: &Host,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let decision = decide(&workflow.settings.isolation, host).map_err(|finding| findings.push(finding));
    let pythons = Pythons::find(workflow).map_err(|found| findings.extend(found));
    let (Ok(decision), Ok(pythons)) = (decision, pythons) else { return Err(findings) };
    let packages = install_requirements(workflow, &pythons, progress)?;

    let bundle = bundle_digest(workflow);
    let mut notes = pythons.notes.clone();
    let durations =
        Durations::load(&workflow.surroundings.cache_directory, &bundle).unwrap_or_else(|error| {
            notes.push(format!(
                "how long functions took before is not known: what was kept of it cannot be read ({error})"
            ));
            Durations::default()
        });
    let domains = assign_domains(workflow, &decision, &pythons);
    let functions =
        workflow.functions.iter().zip(packages).enumerate().map(|(index, (function, packages))| {
            let domain =
                domains.iter().position(|domain| domain.functions.contains(&index)).unwrap_or_default();
            let python = &pythons.installs[pythons.of_function[index]];
            FunctionPlan {
                usual: durations.of(&function.name),
                ..plan_function(function, packages, domain, python)
            }
        });
    let mut plan = Plan {
        workflow: workflow.name.clone(),
        bundle,
        isolation: decision.isolation,
        isolation_reason: decision.reason,
        functions: functions.collect(),
        pythons: pythons.installs,
        domains,
        states: Vec::new(),
        mocks: workflow.mocks.clone(),
        limits: Limits {
            max_payload_bytes: workflow.settings.max_payload_bytes.value,
            instance_memory_mb: workflow.config.limits.memory_mb,
            instance_cpus: workflow.config.limits.cpus,
        },
        binary: workflow.config.binary,
        lanes: lanes(workflow, host),
        notes,
    };
    if plan.mocks.is_some() && plan.functions.is_empty() {
        plan.isolation_reason = "nothing to isolate: no function's code runs, stand-ins answer".to_owned();
    }
    let mut states = Vec::new();
    walk(&workflow.machine.flow, &mut |state, within| states.push(plan_state(state, within, &plan)));
    plan.states = states;
    add_calls_by_reference(&mut plan, &workflow.machine.flow);
    add_notes(&mut plan, decision.domains_per_process, host);
    add_limit_notes(&mut plan, host);
    let shared =
        workflow.functions.iter().zip(&plan.functions).filter(|(source, _)| source.own_folder.is_none());
    let hidden: Vec<String> = shared.filter_map(|(_, function)| hides_module(function, &plan)).collect();
    plan.notes.extend(hidden);
    Ok(plan)
}

/// The interpreters of a workflow.
struct Pythons {
    installs: Vec<PythonInstall>,
    /// For each function, a position in `installs`.
    of_function: Vec<usize>,
    notes: Vec<String>,
}

impl Pythons {
    fn find(workflow: &Workflow) -> Result<Self, Vec<Diagnostic>> {
        let mut pythons = Self { installs: Vec::new(), of_function: Vec::new(), notes: Vec::new() };
        let mut wanted: Vec<(Setting<_>, Option<usize>)> = Vec::new();
        let mut findings = Vec::new();
        for function in &workflow.functions {
            let request = function.python.clone().unwrap_or_else(|| workflow.settings.python.clone());
            let known = wanted.iter().find(|(other, _)| other.value == request.value);
            let found = match known {
                Some((_, found)) => *found,
                None => {
                    let result = python_search::find(&request, &workflow.root, &workflow.surroundings);
                    let found =
                        result.map(|found| pythons.add(found)).map_err(|finding| findings.push(finding)).ok();
                    wanted.push((request, found));
                    found
                }
            };
            pythons.of_function.extend(found);
        }
        if findings.is_empty() { Ok(pythons) } else { Err(findings) }
    }

    fn add(&mut self, (install, notes): (PythonInstall, Vec<String>)) -> usize {
        self.notes.extend(notes);
        match self.installs.iter().position(|known| *known == install) {
            Some(known) => known,
            None => {
                self.installs.push(install);
                self.installs.len() - 1
            }
        }
    }
}

/// For each function, the folder of its installed requirements.
fn install_requirements(
    workflow: &Workflow,
    pythons: &Pythons,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Option<PathBuf>>, Vec<Diagnostic>> {
    // Functions with the same files and the same Python share an installation.
    let mut shared: BTreeMap<(usize, &[PathBuf]), Vec<usize>> = BTreeMap::new();
    for (index, function) in workflow.functions.iter().enumerate() {
        shared.entry((pythons.of_function[index], &function.requirements)).or_default().push(index);
    }
    let mut folders = vec![None; workflow.functions.len()];
    let mut findings = Vec::new();
    for ((python, files), functions) in shared {
        let names: Vec<String> = functions.iter().map(|&i| workflow.functions[i].name.clone()).collect();
        let cache = &workflow.surroundings.cache_directory;
        let installed = RequirementList::read(files).and_then(|list| match list.is_empty() {
            true => Ok(None),
            false => {
                requirements::installed(&list, &names, &pythons.installs[python], cache, progress).map(Some)
            }
        });
        match installed {
            Ok(folder) => functions.into_iter().for_each(|index| folders[index] = folder.clone()),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(folders) } else { Err(findings) }
}

/// One domain for each function or trust group, in order of first use, so that neighbours in the definition share a
/// process where not all fit into one.
fn assign_domains(workflow: &Workflow, decision: &Decision, pythons: &Pythons) -> Vec<DomainPlan> {
    let mut members: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, function) in workflow.functions.iter().enumerate() {
        let group = workflow.config.group_of(&function.name);
        let name = group.map_or(&function.name, |group| &group.name.value);
        match members.iter_mut().find(|(other, _)| other == name) {
            Some((_, functions)) => functions.push(index),
            None => members.push((name.clone(), vec![index])),
        }
    }
    // Those that start programs come after the others, each in a process of its own: a child is a copy of its process.
    let apart = |functions: &[usize]| workflow.functions[functions[0]].grants.subprocess;
    let together = members.iter().filter(|(_, functions)| !apart(functions)).count();
    let shared_hosts = u32::try_from(together).unwrap_or(u32::MAX).div_ceil(decision.domains_per_process);
    let (mut next_shared, mut next_apart) = (0, shared_hosts.max(1));
    members
        .into_iter()
        .enumerate()
        .map(|(index, (name, functions))| {
            let position = u32::try_from(index).unwrap_or(u32::MAX);
            let alone = apart(&functions);
            let counter = if alone { &mut next_apart } else { &mut next_shared };
            let nth = *counter;
            *counter += 1;
            // Under `process` the instance's own process holds the orchestrator and no domain.
            let host = match decision.isolation {
                Isolation::Process => position + 1,
                Isolation::Mpk | Isolation::None if alone => nth,
                Isolation::Mpk | Isolation::None => nth / decision.domains_per_process,
            };
            let placement = if host == 0 { Placement::Thread } else { Placement::Process };
            let python = pythons.of_function[functions[0]];
            let mut reason = match alone {
                true => "a process of its own: it may start programs".to_owned(),
                false => reason_for(decision, host),
            };
            if functions.len() > 1 {
                reason.push_str(", shared by a trust group");
            }
            DomainPlan { name, placement, host, functions, python, reason }
        })
        .collect()
}

fn reason_for(decision: &Decision, host: u32) -> String {
    let full = decision.domains_per_process;
    match (decision.isolation, host) {
        (Isolation::Mpk, 0) => "its own key, in the instance's process".to_owned(),
        (Isolation::Mpk, _) => {
            format!("its own key, in process {host}: each process has keys for {full} domains")
        }
        (Isolation::Process, _) => "a process of its own".to_owned(),
        (Isolation::None, 0) => "the instance's process, unprotected".to_owned(),
        (Isolation::None, _) => {
            format!("process {host}, unprotected: each process has link namespaces for {full} domains")
        }
    }
}

fn plan_function(
    function: &FunctionSource,
    packages: Option<PathBuf>,
    domain: usize,
    python: &PythonInstall,
) -> FunctionPlan {
    let own = std::iter::once(function.directory.clone());
    FunctionPlan {
        name: function.name.clone(),
        module: function.module.clone(),
        file: function.file.clone(),
        handler: function.handler.clone(),
        directory: function.directory.clone(),
        own_folder: function.own_folder.is_some(),
        sys_path: own
            .chain(function.layers.iter().cloned())
            .chain(packages)
            .chain(python.sys_path.iter().cloned())
            .collect(),
        env: function.env.clone(),
        timeout_seconds: function.timeout_seconds,
        memory_mb: function.memory_mb,
        grants: function.grants.clone(),
        domain,
        usual: None,
    }
}

fn plan_state(state: &State, within: &[&str], plan: &Plan) -> StatePlan {
    let (state_type, function, reason) = match &state.kind {
        StateKind::Task(task) => match &task.resource {
            Resource::Function(name) | Resource::LambdaInvoke { function: Some(name) } => {
                ("Task", Some(name.to_string()), None)
            }
            Resource::LambdaInvoke { function: None } => {
                let all = plan.functions.len();
                ("Task", None, Some(format!("names its function when it runs: any of the {all} planned")))
            }
            Resource::Service { api, .. } => {
                ("Task", None, Some(format!("{api}: nothing here answers for it but a stand-in")))
            }
            Resource::Activity(_) => {
                ("Task", None, Some("an activity: nothing here answers for it but a stand-in".to_owned()))
            }
        },
        StateKind::Parallel(_) => ("Parallel", None, Some(runs_within("its branches run", state, plan))),
        StateKind::Map(_) => ("Map", None, Some(runs_within("its items run", state, plan))),
        StateKind::Pass(_) => ("Pass", None, None),
        StateKind::Choice(_) => ("Choice", None, None),
        StateKind::Wait(_) => ("Wait", None, None),
        StateKind::Succeed => ("Succeed", None, None),
        StateKind::Fail(_) => ("Fail", None, None),
    };
    let asked_for = function.as_deref().unwrap_or_default();
    let mocks = plan.mocks.as_ref().filter(|mocks| mocks.stands_in(&state.name, asked_for));
    let mocked = mocks.map(|_| "a stand-in answers".to_owned());
    let domain = function
        .as_ref()
        .filter(|_| mocked.is_none())
        .and_then(|name| plan.function(name))
        .map(|(_, function)| function.domain);
    let in_domain = domain.map(|domain| &plan.domains[domain]);
    StatePlan {
        name: state.name.to_string(),
        state_type: state_type.to_owned(),
        within: within.iter().map(|name| (*name).to_owned()).collect(),
        function,
        domain,
        placement: in_domain.map(|domain| domain.placement),
        reason: mocked
            .or(reason)
            .or_else(|| in_domain.map(|domain| domain.reason.clone()))
            .unwrap_or_else(|| "evaluated by the orchestrator".to_owned()),
        by_reference_from: Vec::new(),
    }
}

/// Between functions of one domain, where nothing is computed between them and no history wants all details. Not within branches.
fn add_calls_by_reference(plan: &mut Plan, flow: &Flow) {
    if plan.mocks.is_some() {
        return;
    }
    for state in &flow.states {
        let Some(call) = flow.direct_call_behind(state, false) else { continue };
        let at = |name: &str| plan.states.iter().position(|planned| planned.name == name);
        let (Some(from), Some(to)) = (at(&state.name), at(&call.state.name)) else { continue };
        let shared = |domain: usize| plan.domains[domain].functions.len() > 1;
        if plan.states[from].domain == plan.states[to].domain && plan.states[to].domain.is_some_and(shared) {
            plan.states[to].by_reference_from.push(state.name.to_string());
        }
    }
}

/// How much of a Parallel or Map can run side by side: a domain does one thing at a time.
fn runs_within(subject: &str, state: &State, plan: &Plan) -> String {
    let flows: Vec<&Flow> = match &state.kind {
        StateKind::Parallel(parallel) => parallel.branches.iter().collect(),
        StateKind::Map(map) => vec![&map.processor],
        _ => Vec::new(),
    };
    let mut domains = BTreeSet::new();
    for call in flows.into_iter().flat_map(calls) {
        let function =
            call.function.and_then(|name| plan.function(&name).map(|(_, function)| function.domain));
        domains.extend(function);
    }
    let where_to = match domains.len() {
        0 => return format!("{subject} in the orchestrator"),
        1 => format!("{subject} in one domain, one call at a time"),
        several => format!("{subject} side by side in {several} domains, one call at a time in each"),
    };
    if plan.lanes < 2 {
        return where_to;
    }
    let functions = domains.iter().flat_map(|&domain| &plan.domains[domain].functions);
    let functions: Vec<&FunctionPlan> = functions.map(|&function| &plan.functions[function]).collect();
    let mut lanes: Vec<String> = functions.iter().filter_map(|function| lanes_of(function)).collect();
    let unknown = "is found out while it runs";
    if lanes.is_empty() {
        lanes.push(format!("how long calls take {unknown}"));
    } else if lanes.len() < functions.len() {
        lanes.push(format!("how long the others take {unknown}"));
    }
    format!("{where_to}; {}", lanes.join(", "))
}

/// When calls of a function get more lanes, if it is known how long they take.
fn lanes_of(function: &FunctionPlan) -> Option<String> {
    let (name, usual) = (&function.name, function.usual?);
    let lanes = match WORTH_A_LANE_NS / usual.busy_ns.max(1) {
        0 => "one that waits gets another lane".to_owned(),
        stay @ ..1000 => format!("when more than {stay} wait they get another lane"),
        _ => "too short for another lane".to_owned(),
    };
    Some(format!("a call of {name} takes {usual}: {lanes}"))
}

fn add_notes(plan: &mut Plan, domains_per_process: u32, host: &Host) {
    if plan.isolation == Isolation::Mpk && host.landlock.is_none() {
        plan.notes.push(
            "this kernel has no Landlock: a function can read the others' memory through /proc/self/mem"
                .to_owned(),
        );
    }
    let hosts = plan.hosts();
    if plan.isolation == Isolation::None {
        plan.notes
            .push("nothing keeps the functions of this workflow from reading each other's memory".to_owned());
    }
    let starts_programs = |domain: &DomainPlan| plan.functions[domain.functions[0]].grants.subprocess;
    let apart = plan.domains.iter().filter(|domain| starts_programs(domain)).count();
    let hosts_in_common = hosts - u32::try_from(apart).unwrap_or(0).min(hosts - 1);
    if plan.isolation != Isolation::Process && hosts_in_common > 1 {
        plan.notes.push(format!(
            "{} domains do not fit into one process, which takes {domains_per_process}: they spread over {hosts_in_common}",
            plan.domains.len() - apart,
        ));
    }
}

/// No more than this, whatever the host has.
const MOST_LANES: u32 = 32;

/// As many as there are CPUs for an instance, where calls of a function can come at the same time at all.
fn lanes(workflow: &Workflow, host: &Host) -> u32 {
    let mut side_by_side = false;
    walk(&workflow.machine.flow, &mut |state, within| {
        side_by_side |= matches!(state.kind, StateKind::Task(_)) && !within.is_empty();
    });
    if !side_by_side {
        return 1;
    }
    let allowed = workflow.config.limits.cpus.map_or(host.cpus, |cpus| cpus.ceil() as u32);
    allowed.clamp(1, host.cpus.clamp(1, MOST_LANES))
}

/// What holds an instance to its limits here, and what does not.
fn add_limit_notes(plan: &mut Plan, host: &Host) {
    let asked_for = [
        (plan.limits.instance_memory_mb.map(|mb| format!("{mb} MB of memory")), &host.memory_limits),
        (plan.limits.instance_cpus.map(|cpus| format!("{cpus} CPUs")), &host.cpu_limits),
    ];
    let host_mb = host.memory_bytes >> 20;
    if let Some(mb) = plan.limits.instance_memory_mb.filter(|mb| u64::from(*mb) > host_mb) {
        plan.notes.push(format!("an instance may use {mb} MB of memory, and this host has {host_mb} MB"));
    }
    for (limit, means) in asked_for {
        let Some(limit) = limit else { continue };
        plan.notes.push(match means {
            LimitMeans::Whole(means) => format!("an instance may use {limit}: {means} holds it to that"),
            LimitMeans::EachProcess { means, reason } => {
                format!("an instance may use {limit}, but only each of its processes is held to that, by {means}: {reason}")
            }
            LimitMeans::Unavailable { reason } => {
                format!("an instance may use {limit}, but nothing holds it to that here: {reason}")
            }
        });
    }
}

/// A function that is a file among others is in the way of an `import` of the same name in all of them.
fn hides_module(function: &FunctionPlan, plan: &Plan) -> Option<String> {
    let python = &plan.pythons[plan.domains[function.domain].python];
    let name = &function.module;
    let mut standard = python.sys_path.iter().filter(|folder| !folder.ends_with("site-packages"));
    let module = standard.find(|folder| {
        folder.join(format!("{name}.py")).is_file() || folder.join(name).join("__init__.py").is_file()
    })?;
    Some(format!(
        "{name}.py hides the module `{name}` of {} from itself and from every function beside it: as a folder \
         ({name}/handler.py) it would hide it from itself only",
        module.display()
    ))
}
