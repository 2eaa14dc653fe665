//! The context object (`$$`), built when a path asks for it.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>.

use crate::branch::{Branch, Item};
use crate::clock::rfc3339;
use crate::execution::Execution;
use faastlane_asl::definition::{State, StateKind};
use faastlane_payload::PayloadError;
use serde_json::{Map, Value, json};

/// The context as one state sees it. `reached` says of a member whether anybody will look at it: the execution's
/// input and a Map's item may be large.
pub(crate) fn build(
    execution: &Execution,
    branch: &Branch,
    state: &State,
    item: Option<&Item>,
    reached: impl Fn(&[&str]) -> bool,
) -> Result<Value, PayloadError> {
    let identity = &execution.identity;
    let mut of_execution = json!({
        "Id": &*identity.execution_id,
        "Name": &*identity.execution_name,
        "RedriveCount": 0,
        "StartTime": rfc3339(execution.started_at),
    });
    if let Some(role) = &identity.role {
        of_execution["RoleArn"] = Value::from(&**role);
    }
    if reached(&["Execution", "Input"]) {
        of_execution["Input"] = execution.input.value()?.clone();
    }
    let mut of_state = json!({ "EnteredTime": rfc3339(branch.entered_at), "Name": &*state.name });
    if matches!(state.kind, StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_)) {
        of_state["RetryCount"] = branch.retries.iter().sum::<u32>().into();
    }
    let mut context = json!({
        "Execution": of_execution,
        "State": of_state,
        "StateMachine": { "Id": &*identity.state_machine_id, "Name": &*identity.state_machine_name },
    });
    if let Some(item) = item {
        let mut of_item = Map::new();
        of_item.insert("Index".to_owned(), item.index.into());
        if reached(&["Map", "Item", "Value"]) {
            of_item.insert("Value".to_owned(), item.value()?.clone());
        }
        context["Map"] = json!({ "Item": of_item });
    }
    Ok(context)
}

impl Item {
    pub(crate) fn value(&self) -> Result<&Value, PayloadError> {
        Ok(&self.items.value()?[self.index as usize])
    }
}
