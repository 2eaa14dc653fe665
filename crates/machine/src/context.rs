//! The context object (`$$`), built when a path asks for it.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>.

use crate::branch::Branch;
use crate::clock::rfc3339;
use crate::execution::Execution;
use crate::item::Item;
use crate::trial::context_with_item;
use faastlane_asl::definition::{State, StateKind};
use faastlane_payload::flat::Draft;
use faastlane_payload::{Payload, PayloadError};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The context as one state sees it. `reached` says of a member whether anybody will look at it: the execution's
/// input and a Map's item may be large.
pub(crate) fn build(
    execution: &Execution,
    branch: &Branch,
    state: &State,
    item: Option<&Item>,
    reached: impl Fn(&[&str]) -> bool,
) -> Result<Payload, PayloadError> {
    if let Some(given) = execution.trial.as_ref().and_then(|trial| trial.context.as_ref()) {
        return context_with_item(given, item);
    }
    let identity = &execution.identity;
    let child = branch.root.and_then(|root| execution.branches[root].child.as_ref());
    let (id, name, input, started_at) = match child {
        Some(child) => (&child.id, &child.name, &child.input, child.started_at),
        None => (&identity.execution_id, &identity.execution_name, &execution.input, execution.started_at),
    };
    let mut of_execution = object([
        ("Id", json!(&**id)),
        ("Name", json!(&**name)),
        ("RedriveCount", json!(0)),
        ("StartTime", json!(rfc3339(started_at))),
    ]);
    if let Some(role) = &identity.role {
        of_execution.push(("RoleArn".into(), json!(&**role).into()));
    }
    if reached(&["Execution", "Input"]) {
        of_execution.push(("Input".into(), input.view()?.into()));
    }
    let mut of_state =
        object([("EnteredTime", json!(rfc3339(branch.entered_at))), ("Name", json!(&*state.name))]);
    if matches!(state.kind, StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_)) {
        let before = execution.trial.as_ref().map_or(0, |trial| trial.retries);
        of_state.push(("RetryCount".into(), json!(before + branch.retries.iter().sum::<u32>()).into()));
    }
    let of_machine =
        object([("Id", json!(&*identity.state_machine_id)), ("Name", json!(&*identity.state_machine_name))]);
    let mut context = vec![
        ("Execution".into(), Draft::Object(of_execution)),
        ("State".into(), Draft::Object(of_state)),
        ("StateMachine".into(), Draft::Object(of_machine)),
    ];
    if let Some(token) = &branch.task_token {
        context.push(("Task".into(), Draft::Object(object([("Token", json!(&**token))]))));
    }
    if let Some(item) = item {
        let of_map = vec![("Item".into(), item.context(reached(&["Map", "Item", "Value"]))?)];
        context.push(("Map".into(), Draft::Object(of_map)));
    }
    Ok(Payload::from_draft(&Draft::Object(context)))
}

type Members<'a> = Vec<(Cow<'a, str>, Draft<'a>)>;

fn object<'a, const N: usize>(members: [(&'a str, Value); N]) -> Members<'a> {
    members.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}
