//! What an EXPRESS state machine cannot have: tasks that wait for what lasts, and distributed Maps.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html>.

use crate::code;
use crate::definition::{Pattern, Resource};
use crate::node::At;
use crate::report::Report;

const HINT: &str = "Make it a STANDARD state machine, or call the service without waiting.";

pub(super) fn check_resource(resource: &Resource, at: &At<'_>, report: &mut Report) {
    let (what, label, aws) = match resource {
        Resource::Service { pattern: Pattern::Sync, .. } => (
            "waits for a job",
            "`.sync`",
            "Express state machine does not support '.sync' service integration",
        ),
        // AWS's words end in a blank.
        Resource::Service { pattern: Pattern::TaskToken, .. } => (
            "waits for a token",
            "`.waitForTaskToken`",
            "Express state machine does not support '.waitForTaskToken' service integration ",
        ),
        Resource::Activity(_) => {
            ("waits for a worker", "an activity", "Express state machine does not support Activity ARN")
        }
        Resource::Service { .. } | Resource::Function(_) | Resource::LambdaInvoke { .. } => return,
    };
    report
        .error(
            code::NOT_IN_EXPRESS,
            at.spot(),
            format!("a task of an EXPRESS state machine cannot be one that {what}"),
        )
        .label(label)
        .hint(HINT)
        .aws(aws);
}

pub(super) fn refuse_distributed(mode: &At<'_>, report: &mut Report) {
    report
        .error(code::NOT_IN_EXPRESS, mode.spot(), "an EXPRESS state machine has no distributed Maps")
        .label("starts executions of its own")
        .hint("Make it a STANDARD state machine, or set `\"Mode\": \"INLINE\"`.")
        .aws("The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines");
}
