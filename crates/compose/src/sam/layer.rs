//! Layers: folders whose Python modules functions share.

use crate::code;
use crate::sam::evaluate::Evaluator;
use crate::sam::evaluate::layer_arn;
use crate::sam::template::{Resource, first_line};
use crate::sam::value::{Value, ValueKind};
use faastlane_asl::diagnostic::Diagnostic;
use std::path::{Path, PathBuf};

/// What the layers of a function give it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    /// Absolute, for `sys.path`.
    pub(crate) folders: Vec<PathBuf>,
    /// Requirement files that `sam build` would install into a layer.
    pub(crate) requirements: Vec<PathBuf>,
}

/// Adds a layer of the template. Any other is left out, which is said.
pub(crate) fn add(
    evaluator: &mut Evaluator<'_>,
    item: &Value,
    template_folder: &Path,
    layers: &mut Layers,
    warnings: &mut Vec<Diagnostic>,
) {
    let template = evaluator.template;
    let arn = evaluator.text_of(item, "a layer");
    let layer =
        template.resources().find(|resource| resource.is_layer() && layer_arn(resource.id) == arn.as_str());
    let source = &template.source;
    let left_out = |label: &str, hint: &str| {
        Diagnostic::warning(code::LAYER_LEFT_OUT, "a layer is left out")
            .at(source, first_line(source, item.span))
            .label(label)
            .hint(hint)
    };
    let Some(layer) = layer else {
        if !arn.as_str().is_empty() {
            let hint = "If its functions import what it holds, put that into their requirements.txt.";
            warnings.push(left_out("not a layer of this template", hint));
        }
        return;
    };
    match content(evaluator, layer, template_folder) {
        Some(folder) if folder.is_dir() => add_folder(evaluator, layer, &folder, layers),
        _ => warnings.push(left_out(
            "its content is no folder here",
            "Give the layer a `ContentUri`, the path of a folder, relative to the template.",
        )),
    }
}

fn content(evaluator: &mut Evaluator<'_>, layer: Resource<'_>, template_folder: &Path) -> Option<PathBuf> {
    let node = layer.property("ContentUri").or_else(|| layer.property("Content"));
    match node.map(|node| evaluator.value(node).kind) {
        Some(ValueKind::Text(path)) => Some(template_folder.join(path.as_str()).components().collect()),
        Some(_) => None,
        None => Some(template_folder.to_owned()),
    }
}

/// Lambda looks in `python/`, and in `python/lib/python3.N/site-packages`. What `sam build` builds
/// (`Metadata.BuildMethod`) it puts there first.
fn add_folder(evaluator: &mut Evaluator<'_>, layer: Resource<'_>, folder: &Path, layers: &mut Layers) {
    let method = layer.node.get("Metadata").and_then(|metadata| metadata.get("BuildMethod"));
    let is_built =
        method.is_some_and(|node| evaluator.text(node, "`BuildMethod`").as_str().starts_with("python"));
    let python = folder.join("python");
    let mut found: Vec<PathBuf> = site_packages(&python.join("lib"));
    if python.is_dir() {
        found.push(python);
    }
    if is_built {
        found.push(folder.to_owned());
        layers.requirements.push(folder.join("requirements.txt"));
    }
    for folder in found {
        if !layers.folders.contains(&folder) {
            layers.folders.push(folder);
        }
    }
}

fn site_packages(lib: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(lib) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}
