//! Workflows that are made for a benchmark: functions and a definition in a folder.

use crate::BenchError;
use crate::outside::Outside;
use faastlane_compose::{Plan, RequestedIsolation, Workflow, load, plan};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::Path;
use tempfile::TempDir;

/// A folder with the functions and a definition, gone with this value.
pub(crate) struct Bundle {
    folder: TempDir,
}

impl Bundle {
    /// `functions` are names and code.
    pub(crate) fn make<'a>(
        functions: impl IntoIterator<Item = (&'a str, &'a str)>,
        definition: &Value,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("faastlane-bench-").tempdir()?;
        fs::create_dir(folder.path().join("functions"))?;
        for (name, code) in functions {
            fs::write(folder.path().join("functions").join(name).with_extension("py"), code)?;
        }
        fs::write(folder.path().join("workflow.asl.json"), definition.to_string())?;
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn compose(
        &self,
        outside: &Outside<'_>,
        isolation: RequestedIsolation,
        max_payload_bytes: u64,
    ) -> Result<(Workflow, Plan), BenchError> {
        let mut surroundings = outside.surroundings.clone();
        surroundings.overrides.isolation = Some(isolation);
        surroundings.overrides.max_payload_bytes = Some(max_payload_bytes);
        let workflow = load(self.folder.path(), &surroundings).map_err(BenchError::Compose)?;
        // The functions require nothing, so there is no progress to tell.
        let plan = plan(&workflow, outside.host, &mut |_| ()).map_err(BenchError::Compose)?;
        Ok((workflow, plan))
    }
}
