//! The function whose first line is waited for, and what it returns.

use crate::BenchError;
use serde::Deserialize;

/// The code of every function: it imports, says when its first line ran if no function before it did, and counts the calls.
pub(super) fn function_code(imports: &[String]) -> String {
    let imports: String = imports.iter().map(|module| format!("import {module}\n")).collect();
    format!(
        "import time\n{imports}\n\ndef handler(event, context):\n    \
             first_line_ns = time.monotonic_ns()\n    \
             return {{\"first_line_ns\": event.get(\"first_line_ns\", first_line_ns), \"functions\": event.get(\"functions\", 0) + 1}}\n"
    )
}

/// What the last function returned.
#[derive(Deserialize)]
struct Answer {
    first_line_ns: u64,
    functions: usize,
}

/// From `since` (CLOCK_MONOTONIC) until the first line ran, in microseconds. `answer` came through `functions` of them.
pub(super) fn until_first_line(
    answer: &[u8],
    since: u64,
    functions: usize,
    contestant: &str,
) -> Result<f64, BenchError> {
    let wrong = || BenchError::Changed { contestant: contestant.to_owned() };
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| wrong())?;
    if answer.functions != functions {
        return Err(wrong());
    }
    let ns = answer.first_line_ns.checked_sub(since).ok_or_else(wrong)?;
    Ok(ns as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_imports_what_is_asked_for() {
        let code = function_code(&["json".into(), "os.path".into()]);
        assert!(code.starts_with("import time\nimport json\nimport os.path\n\n\ndef handler("), "{code}");
    }

    #[test]
    fn an_answer_has_to_come_through_all_functions_and_after_the_start() {
        let answer = br#"{"first_line_ns": 3500, "functions": 5}"#;
        assert_eq!(until_first_line(answer, 1000, 5, "x").unwrap(), 2.5);
        for (since, functions) in [(1000, 4), (3501, 5)] {
            assert!(until_first_line(answer, since, functions, "x").is_err());
        }
        assert!(until_first_line(b"", 0, 0, "x").is_err());
    }
}
