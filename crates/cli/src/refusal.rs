//! What an execution failed of that a function may not do: which system call the policy refused, and what in `faastlane.toml` grants it.
//!
//! The function itself got a number, as from any kernel. From that, its message and its traceback follows what it asked for; where the
//! function was granted that already, it was somebody else who refused.

use faastlane_compose::{FunctionPlan, Plan};
use faastlane_pool::Record;
use serde_json::Value;

const EPERM: &str = "[Errno 1]";
const EACCES: &str = "[Errno 13]";

/// What of Python starts programs.
const STARTS: [&str; 7] =
    ["fork_exec", "os.fork", "os.posix_spawn", "os.exec", "subprocess.", "os.popen", "Process("];

/// Ends with what to do.
pub(crate) fn hint(plan: &Plan, record: &Record) -> Option<String> {
    let error: Value = serde_json::from_str(record.cause.as_deref()?).ok()?;
    let message = error["errorMessage"].as_str()?;
    let failed = record.states.iter().rev().find(|state| state.error.is_some())?;
    let name = failed.function.as_deref()?;
    let function = plan.functions.iter().find(|function| function.name == name)?;
    let trace: Vec<&str> = error["stackTrace"].as_array()?.iter().filter_map(Value::as_str).collect();
    refused(function, message, &trace)
}

fn refused(function: &FunctionPlan, message: &str, trace: &[&str]) -> Option<String> {
    let FunctionPlan { name, grants, .. } = function;
    let granted_by = |what: &str| format!("Granted by `[functions.{name}]` `{what}` in faastlane.toml.");
    if message.contains(EACCES) {
        if let Some(path) = path_in(message) {
            let path = function.directory.join(path);
            let is_granted = grants.writable_files.iter().any(|granted| path.starts_with(granted));
            return (!is_granted).then(|| {
                let path = path.display();
                format!(
                    "Landlock keeps `{name}` from `{path}` (open). {} To change it: `writable_files`.",
                    granted_by(&format!("files = [\"{path}\"]"))
                )
            });
        }
        return (!grants.network)
            .then(|| format!("`{name}` has no network (socket, connect). {}", granted_by("network = true")));
    }
    if !message.contains(EPERM) {
        return None;
    }
    let starts = trace.iter().any(|line| STARTS.iter().any(|what| line.contains(what)));
    if starts && !grants.subprocess {
        return Some(format!(
            "`{name}` may start no programs (fork, clone, execve). {}",
            granted_by("subprocess = true")
        ));
    }
    let asked = trace.last().and_then(|frame| frame.trim_end().lines().last()).map(str::trim);
    asked.map(|asked| {
        format!(
            "The system call behind `{asked}` is not among those that a function may make, and no grant allows it: \
             see \"What a function is told\" in docs/SECURITY.md."
        )
    })
}

/// As Python words an error about a file.
fn path_in(message: &str) -> Option<&str> {
    message.split_once("Permission denied: '")?.1.split('\'').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn function(grants: &Value) -> FunctionPlan {
        serde_json::from_value(json!({ "name": "f", "module": "f", "file": "", "handler": null, "directory": "/code",
            "own_folder": false, "sys_path": [], "env": {}, "timeout_seconds": null, "memory_mb": 128, "domain": 0,
            "grants": grants }))
        .unwrap()
    }

    #[test]
    fn what_was_refused_and_what_grants_it() {
        let none = json!({ "network": false, "subprocess": false, "files": [], "writable_files": [] });
        let all = json!({ "network": true, "subprocess": true, "files": [], "writable_files": ["/granted"] });
        let [bare, granted] = [function(&none), function(&all)];
        let denied = "[Errno 13] Permission denied";
        let not_permitted = "[Errno 1] Operation not permitted";
        let starts = ["  File \"f.py\", line 1, in handler\n    subprocess.run(['true'])\n"];
        let other = ["  File \"f.py\", line 1, in handler\n    os.nice(-1)\n"];
        let found =
            |function, message: &str, trace: &[&str]| refused(function, message, trace).unwrap_or_default();
        assert!(
            found(&bare, denied, &other)
                .contains("no network (socket, connect). Granted by `[functions.f]` `network = true`")
        );
        assert!(found(&bare, "<urlopen error [Errno 13] Permission denied>", &other).contains("no network"));
        assert_eq!(found(&granted, denied, &other), "");
        let path = "[Errno 13] Permission denied: '/data/x'";
        assert!(found(&granted, path, &other).contains("files = [\"/data/x\"]"));
        let own = "[Errno 13] Permission denied: 'own.txt'";
        assert!(found(&bare, own, &other).contains("from `/code/own.txt` (open)"));
        assert_eq!(found(&granted, "[Errno 13] Permission denied: '/granted/x'", &other), "");
        let by_a_library = "Pool(host='127.0.0.1', port=9): [Errno 13] Permission denied'))";
        assert!(found(&bare, by_a_library, &other).contains("no network"));
        assert!(
            found(&bare, not_permitted, &starts)
                .contains("(fork, clone, execve). Granted by `[functions.f]` `subprocess = true`")
        );
        assert!(found(&granted, not_permitted, &starts).contains("behind `subprocess.run(['true'])`"));
        assert!(found(&bare, not_permitted, &other).contains("behind `os.nice(-1)`"));
        assert_eq!(found(&bare, "[Errno 2] No such file or directory: '/x'", &other), "");
    }
}
