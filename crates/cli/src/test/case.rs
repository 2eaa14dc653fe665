//! One test case, as its file says it.

use crate::mock_file;
use crate::run_input;
use crate::test::expectation::Expectation;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::document::{self, Findings, Kind, Member, Node};
use faastlane_asl::source::{Source, Span};
use faastlane_mock::MockFile;
use faastlane_payload::Payload;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const BAD_CASE: &str = "FL0510";

pub(crate) struct Case {
    /// The case file, whose text `--update` changes.
    pub(crate) source: Source,
    pub(crate) file: PathBuf,
    /// Where the case's object is in it.
    pub(crate) root: Span,
    /// Of the value of `expect`.
    pub(crate) expect_at: Option<Span>,
    pub(crate) name: Option<String>,
    pub(crate) workflow: Option<PathBuf>,
    pub(crate) input: Payload,
    pub(crate) mocks: Option<MockFile>,
    pub(crate) time_scale: f64,
    /// Why it is not to be run.
    pub(crate) skip: Option<String>,
    /// `None` where the file does not say it yet.
    pub(crate) expect: Option<Expectation>,
}

const MEMBERS: [&str; 8] =
    ["name", "workflow", "input", "input_file", "mock", "time_scale", "skip", "expect"];

const SHAPE: &str = "A test case is an object with `expect`, and mostly `input` (or `input_file`) and `mock`; \
                     `faastlane explain FL0510` shows one.";

impl Case {
    /// Reads and checks a case file.
    ///
    /// # Errors
    /// All that is wrong with it and with the files that it names.
    pub(crate) fn read(file: &Path) -> Result<Self, Vec<Diagnostic>> {
        let source = read_source(file)?;
        let root = document::read(&source, "the test case", BAD_CASE)?;
        let mut findings = Findings::new(&source, BAD_CASE, SHAPE);
        let Some(members) = findings.object(&root, "a test case") else { return Err(findings.found) };
        findings.only(members, &MEMBERS, "a test case");
        let mut reader = Reader { members, folder: file.parent().unwrap_or(Path::new("")), findings };
        let name = reader.string("name");
        let workflow = reader.string("workflow").map(|path| reader.folder.join(path));
        let skip = reader.string("skip");
        let input = reader.input();
        let mocks = reader.mocks();
        let time_scale = reader.time_scale();
        let expect = reader.get("expect");
        let expect_at = expect.map(|member| member.value.span);
        let expect = expect.and_then(|member| Expectation::read(&member.value, &mut reader.findings));
        let found = reader.findings.found;
        if !found.is_empty() {
            return Err(found);
        }
        let (root, file) = (root.span, file.to_owned());
        Ok(Self { root, file, expect_at, name, workflow, input, mocks, time_scale, skip, expect, source })
    }
}

struct Reader<'n, 's> {
    members: &'n [Member],
    /// What paths in the case are relative to.
    folder: &'n Path,
    findings: Findings<'s>,
}

impl<'n> Reader<'n, '_> {
    fn get(&self, name: &str) -> Option<&'n Member> {
        self.members.iter().find(|member| member.key == name)
    }

    fn string(&mut self, name: &str) -> Option<String> {
        let member = self.get(name)?;
        self.findings.string(&member.value, &format!("`{name}`")).map(str::to_owned)
    }

    /// `input`, the file that `input_file` names, or an `input.json` beside; `{}` without.
    fn input(&mut self) -> Payload {
        let empty = || Payload::from_value(serde_json::json!({}));
        let file = match (self.get("input"), self.get("input_file")) {
            (Some(_), Some(file)) => {
                let message = "the test case has both `input` and `input_file`";
                self.findings.error(BAD_CASE, file.key_span, message, "the second", "Keep one of the two.");
                return empty();
            }
            (Some(input), None) => return Payload::from_value(input.value.to_value()),
            (None, Some(_)) => match self.string("input_file") {
                Some(file) => self.folder.join(file),
                None => return empty(),
            },
            (None, None) => match self.beside(&["input.json"]) {
                Some(file) => file,
                None => return empty(),
            },
        };
        run_input::read(Some(&file)).unwrap_or_else(|finding| {
            self.findings.found.push(*finding);
            empty()
        })
    }

    /// The file that `mock` names, with a test case behind `#`; the mocks themselves; or a `mocks.json` beside.
    fn mocks(&mut self) -> Option<MockFile> {
        let read = match self.get("mock") {
            None => mock_file::read_case(&self.beside(&["mocks.json", "mocks.yaml", "mocks.yml"])?, None),
            Some(Member { value: Node { kind: Kind::String(named), .. }, .. }) => {
                mock_file::read(&self.folder.join(named).display().to_string())
            }
            Some(member) => MockFile::from_node(self.findings.source, &member.value, None),
        };
        read.map_err(|found| self.findings.found.extend(found)).ok()
    }

    fn time_scale(&mut self) -> f64 {
        let Some(member) = self.get("time_scale") else { return 1.0 };
        match crate::args::parse_time_scale(&member.value.to_value().to_string()) {
            Ok(scale) => scale,
            Err(expected) => {
                let message = "`time_scale` is no factor that time can be scaled by";
                self.findings.error(BAD_CASE, member.value.span, message, &expected, "1 is real time.");
                1.0
            }
        }
    }

    /// A file in the folder of a case that has a folder of its own.
    fn beside(&self, names: &[&str]) -> Option<PathBuf> {
        let own_folder =
            self.findings.source.name.rsplit('/').next().is_some_and(super::discovery::is_of_folder);
        names.iter().map(|name| self.folder.join(name)).find(|file| own_folder && file.is_file())
    }
}

fn read_source(file: &Path) -> Result<Source, Vec<Diagnostic>> {
    let name = file.display().to_string();
    match fs::read_to_string(file) {
        Ok(text) => Ok(Source::new(name.as_str(), text)),
        Err(problem) => {
            let message = format!("cannot read the test case {name}: {problem}");
            Err(vec![Diagnostic::error(BAD_CASE, message).hint("A test case is a text file in UTF-8.")])
        }
    }
}
