//! The state machine of a template: which one it is, and the text of its definition.

use crate::code;
use crate::finding::did_you_mean;
use crate::sam::evaluate::{Evaluator, StandIn};
use crate::sam::placeholders::{Substitution, Unreplaced, replace};
use crate::sam::template::{Resource, Template, first_line};
use crate::sam::text::Text;
use crate::sam::value::{Value, ValueKind};
use crate::text_file::read_source;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::{Source, Span};
use std::path::{Path, PathBuf};

/// A definition with its substitutions made.
pub(crate) struct Definition {
    pub(crate) source: Source,
    /// As the user would type it; the template itself where the definition is in it.
    pub(crate) file: PathBuf,
    /// Where the user wrote it.
    written_in: Source,
    unreplaced: Vec<Unreplaced>,
    substitutions: Vec<String>,
}

/// The state machine that is meant: the one of this logical id, or the only one.
pub(crate) fn choose<'t>(
    template: &'t Template,
    evaluator: &mut Evaluator<'_>,
    selection: Option<&str>,
) -> Result<Resource<'t>, Diagnostic> {
    let name = &template.source.name;
    let machines: Vec<Resource<'_>> = template
        .resources()
        .filter(|resource| resource.is_state_machine() && evaluator.exists(resource.node))
        .collect();
    let ids: Vec<&str> = machines.iter().map(|machine| machine.id).collect();
    let listed = format!("`{}`", ids.join("`, `"));
    let refused =
        |message: String, hint: String| Diagnostic::error(code::NO_STATE_MACHINE, message).hint(hint);
    match (selection, machines.as_slice()) {
        (_, []) => {
            let hint = "Faastlane runs a resource of the type `AWS::Serverless::StateMachine` or \
                        `AWS::StepFunctions::StateMachine`."
                .to_owned();
            let hint =
                match template.members("Resources").iter().find(|member| member.key.starts_with("Fn::")) {
                    Some(member) => format!("{hint} `{}` and other macros are not expanded.", member.key),
                    None => hint,
                };
            Err(refused(format!("{name} has no state machine"), hint))
        }
        (None, [only]) => Ok(*only),
        (None, [first, ..]) => {
            let message = format!("{name} has several state machines: {listed}");
            let hint = format!("Name the one you mean: `faastlane run {name}#{}`.", first.id);
            Err(refused(message, hint).at(&template.source, machines[1].id_span).label("the second of them"))
        }
        (Some(wanted), _) => machines.iter().find(|machine| machine.id == wanted).copied().ok_or_else(|| {
            let message = format!("{name} has no state machine `{wanted}`");
            let hint =
                did_you_mean(wanted, ids.iter().copied()).unwrap_or_else(|| format!("There is {listed}."));
            refused(message, hint)
        }),
    }
}

/// Reads the definition of a state machine. `folder` is the template's, as the user would type it.
pub(crate) fn definition(
    evaluator: &mut Evaluator<'_>,
    machine: Resource<'_>,
    file: &Path,
    warnings: &mut Vec<Diagnostic>,
) -> Option<Definition> {
    check_type(evaluator, machine);
    evaluator.stand_ins.clear();
    let substitutions = read_substitutions(evaluator, machine);
    let (text, written_in, name, file) = read_text(evaluator, machine, file)?;
    warnings
        .extend(evaluator.stand_ins.drain(..).map(|known| warn(&evaluator.template.source, known, machine)));
    let replaced = replace(&text, &substitutions);
    if replaced.too_long {
        let message =
            format!("the definition of `{}` is too long once its placeholders are replaced", machine.id);
        evaluator.wrong(machine.id_span, message, "this state machine", None);
        return None;
    }
    for used in &replaced.used {
        let stand_ins = substitutions[*used].stand_ins.iter().cloned();
        warnings.extend(stand_ins.map(|known| warn(&evaluator.template.source, known, machine)));
    }
    Some(Definition {
        source: replaced.text.into_source(&name, &written_in),
        file,
        written_in,
        unreplaced: replaced.unreplaced,
        substitutions: substitutions.into_iter().map(|substitution| substitution.name).collect(),
    })
}

impl Definition {
    /// Says of each placeholder that is left that it is. Where that is why something in `findings` is wrong, it is said
    /// there.
    pub(crate) fn report_unreplaced(&self, findings: &mut Vec<Diagnostic>) {
        for left in &self.unreplaced {
            let span = left.span;
            let names = self.substitutions.iter().map(String::as_str);
            let name = &left.name;
            let hint = did_you_mean(name, names).unwrap_or_else(|| {
                format!("Give `{name}` a value under `DefinitionSubstitutions` of the state machine.")
            });
            let around = findings.iter_mut().find(|finding| {
                finding.place.as_ref().is_some_and(|(source, place)| {
                    *source == self.written_in && place.start <= span.start && span.end <= place.end
                })
            });
            match around {
                Some(finding) => {
                    finding.label = Some(format!("nothing replaces `${{{name}}}`"));
                    finding.hint = Some(hint);
                }
                None => findings.push(
                    Diagnostic::warning(
                        code::NOT_REPLACED,
                        format!("nothing replaces the placeholder `${{{name}}}`"),
                    )
                    .at(&self.written_in, span)
                    .label("stays as it is")
                    .hint(hint),
                ),
            }
        }
    }
}

fn warn(source: &Source, known: StandIn, machine: Resource<'_>) -> Diagnostic {
    let hint = known.remedy.clone().unwrap_or_else(|| {
        format!("`{}` works with the stand-in, and may not find what it names.", machine.id)
    });
    known_once_deployed(source, &known).hint(hint)
}

pub(crate) fn known_once_deployed(source: &Source, known: &StandIn) -> Diagnostic {
    Diagnostic::warning(
        code::KNOWN_ONCE_DEPLOYED,
        format!("{} is known only once it is deployed", known.what),
    )
    .at(source, first_line(source, known.span))
    .label(format!("\"{}\" stands for it here", known.text))
}

/// Both types run alike here, but no third one does.
fn check_type(evaluator: &mut Evaluator<'_>, machine: Resource<'_>) {
    let Some(node) = machine.property("Type").or_else(|| machine.property("StateMachineType")) else {
        return;
    };
    let kind = evaluator.text(node, "the type of a state machine");
    if !matches!(kind.as_str(), "STANDARD" | "EXPRESS" | "") {
        let message = format!("there is no type of state machine `{}`", kind.as_str());
        evaluator.wrong(node.span, message, "expected STANDARD or EXPRESS", None);
    }
}

fn read_substitutions(evaluator: &mut Evaluator<'_>, machine: Resource<'_>) -> Vec<Substitution> {
    let Some(node) = machine.property("DefinitionSubstitutions") else { return Vec::new() };
    let faastlane_asl::tree::Kind::Object(members) = &node.kind else {
        let label = format!("found {}", node.describe());
        evaluator.wrong(node.span, "`DefinitionSubstitutions` must be an object".to_owned(), &label, None);
        return Vec::new();
    };
    let mut substitutions = Vec::new();
    for member in members {
        let value = evaluator.value(&member.value);
        let text = evaluator.text_of(&value, &format!("the substitution `{}`", member.key));
        let stand_ins = std::mem::take(&mut evaluator.stand_ins);
        substitutions.push(Substitution { name: member.key.clone(), text, stand_ins });
    }
    substitutions
}

/// The definition's text before substitution, the file it was written in, a name for it, and the file's path.
fn read_text(
    evaluator: &mut Evaluator<'_>,
    machine: Resource<'_>,
    file: &Path,
) -> Option<(Text, Source, String, PathBuf)> {
    const PLACES: [&str; 4] = ["Definition", "DefinitionString", "DefinitionUri", "DefinitionS3Location"];
    let given: Vec<(&str, Value)> = PLACES
        .into_iter()
        .filter_map(|name| Some((name, evaluator.value(machine.property(name)?))))
        .filter(|(_, value)| value.kind != ValueKind::Absent)
        .collect();
    let source = evaluator.template.source.clone();
    let inline_name = format!("{}#{}", source.name, machine.id);
    let (name, value) = match given.as_slice() {
        [given] => given,
        [] => {
            if evaluator.findings.is_empty() {
                let message = format!("the state machine `{}` has no definition", machine.id);
                let hint = "Give it a `DefinitionUri`, the path of a file, or a `Definition`.".to_owned();
                evaluator.wrong(machine.id_span, message, "neither a file nor a definition", Some(hint));
            }
            return None;
        }
        [(first, _), (second, value), ..] => {
            let message = format!("`{first}` and `{second}` exclude each other");
            evaluator.wrong(
                value.span,
                message,
                "the second definition",
                Some("Keep one of the two.".to_owned()),
            );
            return None;
        }
    };
    match (*name, &value.kind) {
        ("Definition", ValueKind::Object(_)) => Some((value.to_json(), source, inline_name, file.to_owned())),
        ("DefinitionString", ValueKind::Text(text)) => {
            Some((text.clone(), source, inline_name, file.to_owned()))
        }
        ("DefinitionUri" | "DefinitionS3Location", ValueKind::Text(path)) => {
            let (definition, path) = read_file(evaluator, machine, path.as_str(), value.span, file)?;
            let name = definition.name.to_string();
            Some((Text::of_file(&definition), definition, name, path))
        }
        ("DefinitionUri" | "DefinitionS3Location", ValueKind::Object(_)) => {
            not_here(evaluator, value.span, machine, "an object in S3, which is not fetched");
            None
        }
        _ => {
            let label = format!("found {}", value.describe());
            evaluator.wrong(value.span, format!("`{name}` cannot be a definition"), &label, None);
            None
        }
    }
}

fn read_file(
    evaluator: &mut Evaluator<'_>,
    machine: Resource<'_>,
    path: &str,
    span: Span,
    template_file: &Path,
) -> Option<(Source, PathBuf)> {
    if path.starts_with("s3://") || path.starts_with("https://") {
        not_here(evaluator, span, machine, "an object in S3, which is not fetched");
        return None;
    }
    let folder = template_file.parent().unwrap_or(Path::new(""));
    // `./` in front is noise in every message.
    let file: PathBuf = folder.join(path).components().collect();
    if !file.is_file() {
        not_here(evaluator, span, machine, "no such file");
        return None;
    }
    match read_source(&file) {
        Ok(source) => Some((source, file)),
        Err(finding) => {
            evaluator.findings.push(finding);
            None
        }
    }
}

fn not_here(evaluator: &mut Evaluator<'_>, span: Span, machine: Resource<'_>, label: &str) {
    let source = &evaluator.template.source;
    let message = format!("the definition of `{}` cannot be had", machine.id);
    evaluator.findings.push(
        Diagnostic::error(code::DEFINITION_NOT_HERE, message)
            .at(source, first_line(source, span))
            .label(label)
            .hint("Give the path of a file, relative to the template, or write the definition under `Definition`."),
    );
}
