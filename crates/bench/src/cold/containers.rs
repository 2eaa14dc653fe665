//! A peer: a container for each function, with an HTTP server in it that calls the function.
//!
//! What is made of a container is what `unshare` makes: namespaces for mounts, processes, System V objects and the host's name.
//! There is no namespace for the network (its loopback would not be ours), no image, no control group and no runtime, all of
//! which take more time.

use super::first_line::until_first_line;
use crate::BenchError;
use crate::contest::{Contender, repeat};
use crate::outside::Outside;
use faastlane_compose::PythonInstall;
use faastlane_pool::monotonic_nanos;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// As root, a namespace for users is not needed, and takes time.
const WITHOUT_USERS: [&str; 6] = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"];
const WITH_USERS: [&str; 2] = ["--user", "--map-root-user"];

/// What is around a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// It is a process like others.
    Nothing,
    Namespaces,
    NamespacesWithUsers,
}

/// Why there can be no containers here.
pub(crate) fn obstacle() -> Option<String> {
    let plain = attempt(&[])?;
    attempt(&WITH_USERS).map(|with_users| match plain == with_users {
        true => plain,
        false => format!("{plain}; with a user namespace: {with_users}"),
    })
}

/// What is wrong with a container that does nothing.
fn attempt(more: &[&str]) -> Option<String> {
    let output = Command::new("unshare").args(WITHOUT_USERS).args(more).arg("true").output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Some(if said.is_empty() { format!("unshare: {}", output.status) } else { said })
        }
        Err(error) => Some(format!("unshare cannot be run: {error}")),
    }
}

pub(crate) struct Containers {
    python: PathBuf,
    folder: TempDir,
    around: Around,
    starts: usize,
    functions: usize,
    executions: usize,
}

impl Containers {
    pub(crate) const NAME: &'static str = "a container a function";

    pub(crate) fn new(
        python: &PythonInstall,
        code: &str,
        starts: usize,
        functions: usize,
    ) -> io::Result<Self> {
        let around = if attempt(&[]).is_some() { Around::NamespacesWithUsers } else { Around::Namespaces };
        Self::in_surroundings(python, code, starts, functions, around)
    }

    /// The same servers, in processes like others.
    pub(crate) fn without(python: &PythonInstall, code: &str, functions: usize) -> io::Result<Self> {
        Self::in_surroundings(python, code, 1, functions, Around::Nothing)
    }

    fn in_surroundings(
        python: &PythonInstall,
        code: &str,
        starts: usize,
        functions: usize,
        around: Around,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
        fs::write(folder.path().join("function.py"), code)?;
        fs::write(folder.path().join("function_server.py"), include_str!("../../peers/function_server.py"))?;
        let python = python.executable.clone();
        Ok(Self { python, folder, around, starts, functions, executions: 0 })
    }

    /// Starts all containers at once, and calls the first function as soon as it can be called; then, to see that all are right,
    /// the others.
    fn start_once(&self) -> Result<f64, BenchError> {
        let since = monotonic_nanos();
        let (event, _running) = self.start_and_call().map_err(|error| self.failed(&error))?;
        until_first_line(&event, since, self.functions, self.title())
    }

    /// All of them, each called once.
    pub(crate) fn start_all(&self) -> Result<Vec<Container>, BenchError> {
        Ok(self.start_and_call().map_err(|error| self.failed(&error))?.1)
    }

    fn start_and_call(&self) -> io::Result<(Vec<u8>, Vec<Container>)> {
        let mut containers: Vec<Container> =
            (0..self.functions).map(|_| self.start()).collect::<io::Result<_>>()?;
        let mut event = b"{}".to_vec();
        for container in &mut containers {
            event = container.call(&event)?;
        }
        Ok((event, containers))
    }

    fn failed(&self, error: &io::Error) -> BenchError {
        BenchError::Peer { peer: self.title(), problem: error.to_string() }
    }

    pub(crate) fn title(&self) -> &'static str {
        if self.around == Around::Nothing { "HTTP server a function" } else { Self::NAME }
    }

    pub(crate) fn keeps_apart(&self) -> &'static str {
        if self.around == Around::Nothing { "a process each" } else { "namespaces and a process each" }
    }

    fn start(&self) -> io::Result<Container> {
        let mut command = if self.around == Around::Nothing {
            Command::new(&self.python)
        } else {
            let mut command = Command::new("unshare");
            let with_users = self.around == Around::NamespacesWithUsers;
            command.args(WITHOUT_USERS).args(WITH_USERS.iter().filter(|_| with_users)).arg(&self.python);
            command
        };
        command.arg(self.folder.path().join("function_server.py"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map(Container)
    }
}

/// Ends with this value, and what runs in it.
pub(crate) struct Container(Child);

impl Container {
    /// The first of its processes.
    pub(crate) fn process(&self) -> u32 {
        self.0.id()
    }

    fn call(&mut self, event: &[u8]) -> io::Result<Vec<u8>> {
        let gone = || io::Error::other("its server has no port");
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().ok_or_else(gone)?).read_line(&mut line)?;
        let port: u16 = line.trim().parse().map_err(|_| gone())?;
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let mut request = format!("POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n", event.len()).into_bytes();
        request.extend(event);
        stream.write_all(&request)?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response)?;
        let end_of_header = response.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let body = end_of_header.map(|at| response.split_off(at + 4));
        body.ok_or_else(|| io::Error::other("its server's answer has no end of a header"))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // It fails only when the container has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Contender for Containers {
    fn name(&self) -> &str {
        self.title()
    }

    fn isolation(&self) -> &'static str {
        self.keeps_apart()
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        self.executions += self.starts;
        repeat(self.starts, outside, || self.start_once())
    }

    fn executions(&self) -> usize {
        self.executions
    }
}
