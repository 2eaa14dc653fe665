//! A peer's program: it is told how many executions to do, a line each time, and answers with a line of JSON.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often it is looked whether the user has had enough.
const LOOK: Duration = Duration::from_millis(50);
/// The file in its folder that it complains in.
const COMPLAINTS: &str = "stderr";
/// How long it has to clean up before it is killed.
const END: Duration = Duration::from_secs(5);

/// By which everything that it starts is told from other processes, and where it puts its files.
const FOLDER: &str = "TMPDIR";

/// Ends with this value, and so does everything that it started.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    answers: Receiver<io::Result<String>>,
    folder: PathBuf,
    /// How long an answer may take.
    patience: Duration,
    /// It took longer, so that it is not to be expected to end by itself.
    hangs: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    Interrupted,
    Failed(String),
}

impl Program {
    /// `folder` is to be made, for all that it writes, and is no other program's.
    pub(super) fn start(command: &mut Command, folder: PathBuf, patience: Duration) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(folder.join(COMPLAINTS))?);
        command.env(FOLDER, &folder);
        let mut child = command.process_group(0).spawn()?;
        let (send, answers) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                BufReader::new(stdout).lines().try_for_each(|line| send.send(line).map_err(drop)).ok();
            });
        }
        Ok(Self { child, answers, folder, patience, hangs: false })
    }

    /// Asks for so many executions.
    pub(super) fn ask(&mut self, executions: usize) {
        // If it has ended, that is seen when it does not answer.
        if let Some(stdin) = &mut self.child.stdin {
            writeln!(stdin, "{executions}").and_then(|()| stdin.flush()).ok();
        }
    }

    /// Its next line.
    pub(super) fn answer<T: DeserializeOwned>(&mut self, stop: &dyn Fn() -> bool) -> Result<T, Silence> {
        let begin = Instant::now();
        let line = loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(Ok(line)) => break line,
                Ok(Err(error)) => return Err(Silence::Failed(error.to_string())),
                Err(RecvTimeoutError::Disconnected) => return Err(Silence::Failed(self.how_it_ended())),
                Err(RecvTimeoutError::Timeout) if stop() => return Err(Silence::Interrupted),
                Err(RecvTimeoutError::Timeout) if begin.elapsed() > self.patience => {
                    self.hangs = true;
                    let seconds = self.patience.as_secs_f64();
                    return Err(Silence::Failed(format!("it has said nothing for {seconds} s")));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        serde_json::from_str(&line).map_err(|error| {
            let begin: String = line.chars().take(200).collect();
            Silence::Failed(format!("it said what is no answer ({error}): {begin}"))
        })
    }

    /// Its status, and the end of what it complained about.
    fn how_it_ended(&mut self) -> String {
        const LINES: usize = 12;
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let said = fs::read(self.folder.join(COMPLAINTS)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.trim_end().lines().collect();
        format!("{status}: {}", lines[lines.len().saturating_sub(LINES)..].join("\n"))
    }

    /// Ends what has left its process group, as some daemons do, and waits until all of it is gone.
    fn end_stragglers(&self) {
        let begin = Instant::now();
        while begin.elapsed() < END {
            let stragglers = processes_with(FOLDER, &self.folder);
            if stragglers.is_empty() {
                return;
            }
            for process in stragglers {
                // It may have ended meanwhile.
                kill_process(process, Signal::KILL).ok();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it ends by itself in time.
    fn ends(&mut self) -> bool {
        let begin = Instant::now();
        while !self.hangs && begin.elapsed() < END {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It ends when nobody asks any more.
        drop(self.child.stdin.take());
        self.ends();
        // What is left of its group; none may be.
        if let Ok(group) = i32::try_from(self.child.id())
            && let Some(group) = Pid::from_raw(group)
        {
            kill_process_group(group, Signal::KILL).ok();
        }
        self.child.wait().ok();
        self.end_stragglers();
    }
}

/// Whose environment has the variable with this value, but those that are over and only wait to be taken note of.
fn processes_with(variable: &str, value: &Path) -> Vec<Pid> {
    let wanted = [variable.as_bytes(), b"=", value.as_os_str().as_bytes()].concat();
    let has = |process: &Pid| {
        let environment = fs::read(format!("/proc/{}/environ", process.as_raw_pid())).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == wanted)
    };
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(Pid::from_raw).filter(has).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn program(script: &str, patience: Duration) -> (Program, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let its = folder.path().join("its");
        let program = Program::start(Command::new("sh").args(["-c", script]), its, patience).unwrap();
        (program, folder)
    }

    const LONG: Duration = Duration::from_secs(60);

    fn failure(mut program: Program) -> String {
        program.ask(1);
        match program.answer::<Value>(&|| false) {
            Err(Silence::Failed(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_answers_each_line() {
        let (mut program, _folder) = program("while read count; do echo \"[$count]\"; done", LONG);
        for count in [3, 5] {
            program.ask(count);
            let answer: Vec<usize> = program.answer(&|| false).unwrap();
            assert_eq!(answer, [count]);
        }
    }

    #[test]
    fn one_that_dies_is_quoted() {
        let (program, _folder) = program("read line; echo 'no such module' >&2; exit 3", LONG);
        assert_eq!(failure(program), "exit status: 3: no such module");
    }

    #[test]
    fn one_that_hangs_is_ended_with_all_that_it_started() {
        let (program, _folder) = program("sleep 600 & wait", Duration::from_millis(200));
        let group = program.child.id();
        assert_eq!(failure(program), "it has said nothing for 0.2 s");
        let group = Pid::from_raw(i32::try_from(group).unwrap()).unwrap();
        // Whoever takes in orphans has to do so first.
        let begin = Instant::now();
        while rustix::process::test_kill_process_group(group).is_ok() {
            assert!(begin.elapsed() < LONG, "something of it is left");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_left_its_process_group_is_ended_too() {
        let (mut program, folder) = program("read line; setsid sleep 600 & echo 1; wait", LONG);
        program.ask(1);
        let _: u32 = program.answer(&|| false).unwrap();
        program.hangs = true;
        drop(program);
        assert_eq!(processes_with(FOLDER, &folder.path().join("its")), []);
    }

    #[test]
    fn what_is_no_json_is_shown() {
        let (program, _folder) = program("read line; echo hello; read line", LONG);
        let why = failure(program);
        assert!(why.starts_with("it said what is no answer") && why.ends_with(": hello"), "{why}");
    }

    #[test]
    fn an_interrupt_is_no_failure() {
        let (mut program, _folder) = program("read line; read line", LONG);
        assert!(matches!(program.answer::<Value>(&|| true), Err(Silence::Interrupted)));
    }
}
