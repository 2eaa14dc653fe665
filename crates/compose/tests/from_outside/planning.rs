//! Which domain each function gets, and where the domain runs.

use crate::folder::{Folder, host_with_keys};
use faastlane_compose::{Host, Isolation, Keys, LimitMeans, Placement, Plan, RequestedIsolation, plan};

fn plan_on(folder: &Folder, host: &Host) -> Plan {
    let workflow = folder.load().unwrap_or_else(|findings| panic!("{findings:?}"));
    plan(&workflow, host, &mut |_| {}).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// A folder with as many functions, and a Python that is never asked twice.
fn folder_with(functions: usize) -> Folder {
    let names: Vec<String> = (0..functions).map(|index| format!("f{index}")).collect();
    let mut folder = Folder::calling(&names.iter().map(String::as_str).collect::<Vec<_>>());
    folder.search_only(&["py/bin"]);
    folder.fake_python("py/bin/python3", [3, 12, 0], Some("libpython3.12.so.1.0"));
    folder
}

fn hosts(plan: &Plan) -> Vec<u32> {
    plan.domains.iter().map(|domain| domain.host).collect()
}

#[test]
fn a_domain_for_each_function_in_one_process() {
    let plan = plan_on(&folder_with(3), &host_with_keys(15));
    assert_eq!(plan.isolation, Isolation::Mpk);
    assert_eq!(hosts(&plan), [0, 0, 0]);
    assert!(plan.states.iter().all(|state| state.placement == Some(Placement::Thread)));
    assert_eq!(plan.states[1].domain, Some(1));
    assert_eq!(plan.notes, Vec::<String>::new());
}

#[test]
fn what_does_not_fit_spills_in_order_of_use() {
    let plan = plan_on(&folder_with(28), &host_with_keys(15));
    let expected: Vec<u32> = (0..28).map(|index| index / 13).collect();
    assert_eq!(hosts(&plan), expected);
    assert_eq!(plan.hosts(), 3);
    assert_eq!(plan.domains[12].placement, Placement::Thread);
    assert_eq!(plan.domains[13].placement, Placement::Process);
    assert_eq!(plan.states[13].placement, Some(Placement::Process));
    assert!(plan.notes[0].contains("28 domains do not fit into one process"), "{:?}", plan.notes);

    let few = plan_on(&folder_with(4), &host_with_keys(5));
    assert_eq!(hosts(&few), [0, 0, 0, 1]);
}

#[test]
fn without_keys_every_domain_has_a_process() {
    let keys = Keys::Unavailable { reason: "no PKU".to_owned(), remedy: "Buy another".to_owned() };
    let plan = plan_on(&folder_with(3), &Host { keys, ..host_with_keys(0) });
    assert_eq!(plan.isolation, Isolation::Process);
    assert!(plan.isolation_reason.contains("no PKU"), "{}", plan.isolation_reason);
    assert_eq!(hosts(&plan), [1, 2, 3]);
    assert!(plan.domains.iter().all(|domain| domain.placement == Placement::Process));
}

#[test]
fn a_process_does_not_get_the_environments_of_functions_elsewhere() {
    let folder = folder_with(2);
    folder.write(
        "faastlane.toml",
        "[functions.f0]\nenv = { SECRET = '0' }\n[functions.f1]\nenv = { SECRET = '1' }\n",
    );
    let keys = Keys::Unavailable { reason: "no PKU".to_owned(), remedy: "Buy another".to_owned() };
    let apart = plan_on(&folder, &Host { keys, ..host_with_keys(0) });
    let secrets = |plan: &Plan| -> Vec<Option<String>> {
        plan.functions.iter().map(|function| function.env.get("SECRET").cloned()).collect()
    };
    assert_eq!(secrets(&apart.seen_by(0)), [None, None], "the orchestrator calls no function");
    assert_eq!(secrets(&apart.seen_by(2)), [None, Some("1".to_owned())]);
    let together = plan_on(&folder, &host_with_keys(15));
    assert_eq!(together.seen_by(0), together, "there the plan is on the trusted key");
}

#[test]
fn no_isolation_is_never_silent() {
    let mut folder = folder_with(14);
    folder.overrides().isolation = Some(RequestedIsolation::None);
    let plan = plan_on(&folder, &host_with_keys(15));
    assert_eq!(plan.isolation, Isolation::None);
    assert_eq!(hosts(&plan)[12..], [0, 1]);
    assert!(plan.notes[0].contains("nothing keeps the functions"), "{:?}", plan.notes);
}

#[test]
fn an_isolation_asked_for_in_the_file_is_refused_at_its_place() {
    let folder = folder_with(1);
    folder.write("faastlane.toml", "[workflow]\nisolation = 'mpk'\n");
    let host = Host { keys: Keys::Available(1), ..host_with_keys(0) };
    let findings = plan(&folder.load().unwrap(), &host, &mut |_| {}).unwrap_err();
    assert_eq!(crate::folder::places(&findings), [("FL0401", "'mpk'".to_owned())]);
}

#[test]
fn limits_of_an_instance_are_said_with_what_holds_it_to_them() {
    let folder = folder_with(1);
    folder.write("faastlane.toml", "[limits]\ninstance_memory_mb = 512\ninstance_cpus = 0.5\n");
    let host = host_with_keys(15);
    let planned = plan_on(&folder, &host);
    assert_eq!((planned.limits.instance_memory_mb, planned.limits.instance_cpus), (Some(512), Some(0.5)));
    let [memory, cpus] = planned.notes.as_slice() else { panic!("{:?}", planned.notes) };
    assert_eq!(memory, "an instance may use 512 MB of memory: a control group (version 2) holds it to that");
    assert_eq!(
        cpus,
        "an instance may use 0.5 CPUs, but nothing holds it to that here: the group has no cpu controller"
    );
    let planned = plan_on(&folder, &Host { memory_bytes: 256 << 20, ..host.clone() });
    assert_eq!(planned.notes[0], "an instance may use 512 MB of memory, and this host has 256 MB");
    let means = LimitMeans::EachProcess { means: "RLIMIT_DATA".into(), reason: "no groups".into() };
    let planned = plan_on(&folder, &Host { memory_limits: means, ..host });
    assert!(
        planned.notes[0].ends_with("only each of its processes is held to that, by RLIMIT_DATA: no groups")
    );
}

#[test]
fn a_trust_group_shares_a_domain() {
    let folder = folder_with(4);
    folder.write("faastlane.toml", "[trust]\npair = ['f3', 'f1']\n");
    let plan = plan_on(&folder, &host_with_keys(15));
    let domains: Vec<(&str, &[usize])> =
        plan.domains.iter().map(|domain| (domain.name.as_str(), domain.functions.as_slice())).collect();
    assert_eq!(domains, [("f0", &[0][..]), ("pair", &[1, 3]), ("f2", &[2])]);
    assert_eq!(plan.functions.iter().map(|function| function.domain).collect::<Vec<_>>(), [0, 1, 2, 1]);
}

#[test]
fn calls_by_reference_are_between_functions_of_one_domain_with_nothing_between() {
    let definition = r#"{ "StartAt": "A", "States": {
        "A": { "Type": "Task", "Resource": "f0", "Next": "B" },
        "B": { "Type": "Task", "Resource": "f1", "ResultPath": "$.b", "Next": "C" },
        "C": { "Type": "Task", "Resource": "f0", "Next": "D" },
        "D": { "Type": "Task", "Resource": "f2", "Next": "E" },
        "E": { "Type": "Task", "Resource": "f2", "End": true } } }"#;
    let by_reference = |trust: &str| {
        let folder = folder_with(3);
        folder.write("workflow.asl.json", definition);
        folder.write("faastlane.toml", trust);
        let states = plan_on(&folder, &host_with_keys(15)).states;
        states.into_iter().map(|state| state.by_reference_from.join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(by_reference("[trust]\npair = ['f0', 'f1']\n"), ["", "A", "", "", ""]);
    assert_eq!(by_reference("[trust]\nall = ['f0', 'f1', 'f2']\n"), ["", "A", "", "C", "D"]);
    assert_eq!(by_reference(""), ["", "", "", "", ""]);
}

#[test]
fn states_within_states() {
    let definition = r#"{ "StartAt": "Fan", "States": {
        "Fan": { "Type": "Parallel", "Next": "Each", "Branches": [
            { "StartAt": "A", "States": { "A": { "Type": "Task", "Resource": "f0", "End": true } } },
            { "StartAt": "B", "States": { "B": { "Type": "Task", "Resource": "f1", "End": true } } } ] },
        "Each": { "Type": "Map", "Next": "Done", "ItemProcessor": { "StartAt": "C", "States": {
            "C": { "Type": "Task", "Resource": "f0", "End": true } } } },
        "Done": { "Type": "Succeed" } } }"#;
    let folder = folder_with(2);
    folder.write("workflow.asl.json", definition);
    let plan = plan_on(&folder, &host_with_keys(15));
    let states: Vec<String> = plan
        .states
        .iter()
        .map(|state| format!("{}{}: {}", state.within.join("/"), state.name, state.reason))
        .collect();
    assert_eq!(
        states,
        [
            "Fan: its branches run side by side in 2 domains, one call at a time in each; how long calls take is found out while \
             it runs",
            "FanA: its own key, in the instance's process",
            "FanB: its own key, in the instance's process",
            "Each: its items run in one domain, one call at a time; how long calls take is found out while it runs",
            "EachC: its own key, in the instance's process",
            "Done: evaluated by the orchestrator",
        ]
    );
}

#[test]
fn the_plan_travels_as_json() {
    let folder = folder_with(2);
    folder.write("faastlane.toml", "[functions.f0]\ntimeout = 3\nmemory = 256\nenv = { A = 'b' }\n");
    let plan = plan_on(&folder, &host_with_keys(15));
    let function = &plan.functions[0];
    assert_eq!(
        (function.timeout_seconds, function.memory_mb, function.env["A"].as_str()),
        (Some(3), 256, "b")
    );
    assert_eq!(function.sys_path, [folder.root().join("functions"), folder.beside("py/lib/python")]);
    let travelled: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(travelled, plan);
}

#[test]
fn the_bundle_follows_what_the_workflow_is_made_of() {
    let folder = folder_with(1);
    let mut bundles = vec![plan_on(&folder, &host_with_keys(15)).bundle];
    folder.write("events/e.json", "{}");
    assert_eq!(plan_on(&folder, &host_with_keys(3)).bundle, bundles[0], "neither events nor hosts count");
    for (path, text) in [
        ("functions/f0.py", "def handler(event, context): return 1\n"),
        ("functions/shared.py", "x = 1\n"),
        ("faastlane.toml", "[workflow]\nmax_payload = '1MiB'\n"),
        ("requirements.txt", "# none\n"),
    ] {
        folder.write(path, text);
        bundles.push(plan_on(&folder, &host_with_keys(15)).bundle);
    }
    bundles.sort();
    bundles.dedup();
    assert_eq!(bundles.len(), 5);
}

#[test]
fn a_function_named_like_a_module_of_python_is_mentioned() {
    let mut folder = Folder::calling(&["email", "other"]);
    folder.search_only(&["py/bin"]);
    folder.fake_python("py/bin/python3", [3, 12, 0], Some("libpython3.12.so.1.0"));
    folder.write("../py/lib/python/email/__init__.py", "");
    let plan = plan_on(&folder, &host_with_keys(15));
    assert_eq!(plan.notes.len(), 1);
    assert!(plan.notes[0].starts_with("email.py hides the module `email`"), "{:?}", plan.notes);
}
