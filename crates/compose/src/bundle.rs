//! What a workflow is made of, as one digest: two workflows with the same one behave alike on the same Python.

use crate::tree_digest::TreeDigest;
use crate::workflow::Workflow;

/// SHA-256 over definition, template, configuration, requirements and the code of every function, in hexadecimal.
pub fn bundle_digest(workflow: &Workflow) -> String {
    let mut digest = TreeDigest::default();
    digest.add(workflow.definition.text.as_bytes());
    if let Some(config) = &workflow.config.source {
        digest.add(config.text.as_bytes());
    }
    if let Some(template) = &workflow.template {
        digest.add(template.text.as_bytes());
    }
    // Functions that are files may import each other and modules beside them.
    digest.add_path("functions", &workflow.root.join("functions"));
    for function in &workflow.functions {
        match &function.own_folder {
            Some(folder) => digest.add_path(&function.name, folder),
            None => {
                digest.add_path(&function.name, &function.file);
                for module in modules_beside(&function.directory) {
                    digest.add_path("", &module);
                }
            }
        }
        for layer in &function.layers {
            digest.add_path("layer", layer);
        }
        for requirements in &function.requirements {
            digest.add_path("requirements", requirements);
        }
    }
    if let Some(mocks) = &workflow.mocks {
        // Plain data always has a form.
        digest.add(&serde_json::to_vec(mocks).unwrap_or_default());
    }
    digest.finish()
}

fn modules_beside(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut modules: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    modules.sort();
    modules
}
