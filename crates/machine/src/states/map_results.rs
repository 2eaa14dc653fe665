//! The results of a distributed Map's children: kept for the Map's own result, or given to a writer as they come.

use crate::action::Action;
use crate::child_result::{Ended, Results, full_record, put_together, values};
use crate::event::TransferId;
use crate::failure::Failure;
use crate::history::{Detail, EventKind};
use crate::run::Run;
use faastlane_asl::definition::{OutputType, ResultWriter, Transformation};
use faastlane_payload::Payload;

impl Results {
    /// What a `ResultWriter` asks for.
    ///
    /// # Errors
    /// It asks for nothing. Such a definition can be created, and its execution fails.
    pub(super) fn of(writer: Option<&ResultWriter>) -> Result<Results, Failure> {
        let Some(writer) = writer else { return Ok(Results::Plain) };
        let config = writer.config.unwrap_or_default();
        if writer.resource.is_some() {
            return Ok(Results::Written(config.transformation.unwrap_or(Transformation::None)));
        }
        if writer.config.is_none() {
            let cause =
                "The ResultWriter has neither a WriterConfig nor a Resource and Parameters, or Arguments.";
            return Err(Failure::runtime(cause));
        }
        let transformation = config.transformation.unwrap_or(Transformation::Compact);
        Ok(Results::Formed(transformation, config.output_type))
    }
}

impl Run<'_, '_> {
    /// Writes the last event of a child execution's history, and gives its result away where a writer wants it. What
    /// comes back is what is to be kept for the Map's own result. An iteration that is no execution of its own has its
    /// output kept.
    pub(super) fn end_child_execution(
        &mut self,
        child: u32,
        slot: u32,
        ended: Result<Payload, &Failure>,
    ) -> Result<Option<Payload>, Failure> {
        if self.execution.branches[child].child.is_none() {
            return Ok(ended.ok());
        }
        let (kind, detail) = match &ended {
            Ok(output) => (EventKind::ExecutionSucceeded, Detail::Output(output.clone())),
            Err(Failure { error, cause, .. }) => {
                let detail = Detail::Failure { error: error.clone(), cause: cause.clone() };
                (EventKind::ExecutionFailed, detail)
            }
        };
        self.record_without_state(child, kind, detail);
        let Some(results) = self.group(slot).run.as_ref().map(|run| run.results) else { return Ok(None) };
        let succeeded = ended.is_ok();
        let transformation = match results {
            Results::Plain => return Ok(ended.ok()),
            Results::Formed(transformation, _) | Results::Written(transformation) => transformation,
        };
        let result = match ended {
            Ok(output) if transformation != Transformation::None => output,
            Ok(output) => self.record_of(child, slot, &Ended::Succeeded(&output))?,
            Err(Failure { error, cause, .. }) => {
                let failed = Ended::Failed { error: error.as_deref(), cause: cause.as_deref() };
                self.record_of(child, slot, &failed)?
            }
        };
        if !matches!(results, Results::Written(_)) {
            return Ok(Some(result));
        }
        let records = match transformation {
            Transformation::None | Transformation::Compact => vec![result],
            Transformation::Flatten => {
                let records = values(std::iter::once(&result), transformation)?;
                records.into_iter().map(|record| Payload::from_draft(&record.into())).collect()
            }
        };
        let (transfer, _) = self.map_run(slot);
        self.actions.push(Action::WriteResult { transfer, succeeded, records });
        Ok(None)
    }

    fn record_of(&mut self, child: u32, slot: u32, ended: &Ended<'_>) -> Result<Payload, Failure> {
        let (_, arn) = self.map_run(slot);
        // The run's ARN without what tells it from other runs of the Map.
        let run = arn.rsplit_once(':').map_or(&*arn, |(run, _)| run);
        let state_machine = run.replacen(":mapRun:", ":stateMachine:", 1);
        let now = self.execution.now;
        match &self.execution.branches[child].child {
            Some(child) => Ok(full_record(child, ended, now, &state_machine)?),
            None => unreachable!("it was asked before whether this is an execution of its own"),
        }
    }

    /// Keeps a child's result for that of its group.
    ///
    /// # Errors
    /// All results together are too large already, so that there is no need to run the rest.
    pub(super) fn keep_result(
        &mut self,
        slot: u32,
        index: usize,
        result: Option<Payload>,
    ) -> Result<(), Failure> {
        let Some(result) = result else { return Ok(()) };
        let limit = self.machine.limits().payload_bytes;
        let group = self.group(slot);
        group.result_bytes = group.result_bytes.saturating_add(result.len());
        if group.results.len() <= index {
            group.results.resize(index + 1, None);
        }
        group.results[index] = Some(result);
        if group.result_bytes > limit {
            return Err(Failure::data_limit(&self.state(slot).name));
        }
        Ok(())
    }

    /// The result of a group, from those that were kept.
    pub(super) fn kept_results(&mut self, slot: u32) -> Result<Payload, Failure> {
        let group = self.group(slot);
        let results = std::mem::take(&mut group.results);
        let (transformation, output_type) = match group.run.as_ref().map(|run| run.results) {
            Some(Results::Formed(transformation, output_type)) => (transformation, output_type),
            _ => (Transformation::Compact, OutputType::Json),
        };
        let values = values(results.iter().flatten(), transformation)?;
        self.made(slot, put_together(values, output_type))
    }

    /// Whether there is a writer whose answer is the Map's result.
    pub(super) fn close_results(&mut self, slot: u32) -> bool {
        let is_written = |results| matches!(results, Results::Written(_));
        let Some(run) = self.group(slot).run.as_mut().filter(|run| is_written(run.results)) else {
            return false;
        };
        let transfer = run.transfer;
        if !std::mem::replace(&mut run.closing, true) {
            self.actions.push(Action::CloseResults { transfer });
        }
        true
    }

    pub(crate) fn results_written(&mut self, transfer: TransferId, result: Payload) {
        let Some(slot) = self.group_of(transfer) else { return };
        let left = self.leave_group(slot, result);
        self.settle(slot, left);
    }
}
