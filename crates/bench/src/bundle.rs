//! Workflows that are made for a benchmark: functions and a definition in a folder.

use crate::BenchError;
use crate::event::EventKind;
use crate::outside::Outside;
use faastlane_compose::{Plan, RequestedIsolation, Workflow, load, plan};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Of the functions that get arrays, and of the peers' with them.
const NUMPY: &str = "numpy==2.2.6\n";

/// Where the functions' requirements are installed.
pub(crate) fn packages(plan: &Plan) -> Vec<PathBuf> {
    let own = &plan.pythons[0].sys_path;
    let of_functions = plan.functions.iter().flat_map(|function| &function.sys_path);
    let is_required = |path: &&PathBuf| {
        !own.contains(path) && !plan.functions.iter().any(|function| path.starts_with(&function.directory))
    };
    let mut found: Vec<PathBuf> = of_functions.filter(is_required).cloned().collect();
    found.dedup();
    found
}

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

    /// Lets it send events of a kind.
    pub(crate) fn carry(&self, kind: EventKind) -> io::Result<()> {
        if kind.is_binary() {
            let config = self.folder.path().join("faastlane.toml");
            let mut config = File::options().create(true).append(true).open(config)?;
            config.write_all(b"[workflow]\nbinary = true\n")?;
        }
        if kind == EventKind::Array {
            fs::write(self.folder.path().join("requirements.txt"), NUMPY)?;
        }
        Ok(())
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
        // Few functions require anything, and what they do is installed once.
        let plan = plan(&workflow, outside.host, &mut |_| ()).map_err(BenchError::Compose)?;
        Ok((workflow, plan))
    }
}
