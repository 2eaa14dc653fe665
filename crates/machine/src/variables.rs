//! Variables: what `Assign` sets. A branch or an iteration sees those around it, and what it sets itself ends with it.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>.

use crate::data::Documents;
use crate::failure::{DATA_LIMIT_EXCEEDED, Failure};
use crate::run::Run;
use faastlane_asl::definition::PayloadTemplate;
use faastlane_payload::Payload;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By name.
pub(crate) type Variables = BTreeMap<Arc<str>, Payload>;

/// How many times the largest payload all variables of a branch together may be: 10 MiB where it is 256 KiB, as on AWS.
const VARIABLES_PER_PAYLOAD: usize = 40;

impl Run<'_, '_> {
    /// The variables that a template sets, as one object. They are evaluated with those of before.
    pub(crate) fn assigned(
        &mut self,
        slot: u32,
        assign: Option<&PayloadTemplate>,
        documents: &Documents<'_>,
    ) -> Result<Option<Payload>, Failure> {
        let Some(assign) = assign else { return Ok(None) };
        Ok(Some(self.fill_template(slot, "Assign", assign, documents)?))
    }

    pub(crate) fn set_variables(&mut self, slot: u32, assigned: &Payload) -> Result<(), Failure> {
        let view = assigned.view()?;
        let limit = self.machine.limits().payload_bytes;
        let variables = Arc::make_mut(&mut self.execution.branches[slot].variables);
        for (name, value) in view.members().into_iter().flatten() {
            variables.insert(Arc::from(name), Payload::from_draft(&value.into()));
        }
        let total: usize = variables.values().map(Payload::len).sum();
        if total > limit.saturating_mul(VARIABLES_PER_PAYLOAD) {
            let state = &self.state(slot).name;
            let cause = format!("The state '{state}' sets more variables than there is room for.");
            return Err(Failure::new(DATA_LIMIT_EXCEEDED, cause));
        }
        Ok(())
    }
}
