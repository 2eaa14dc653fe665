//! What benchmarks compare with: each way's program, what it promises, and what it needs.

use super::environment::{self, Environment};
use crate::outside::Outside;
use faastlane_compose::PythonInstall;
use serde::Serialize;

/// One of the other ways.
#[derive(Debug, Serialize)]
pub struct Way {
    pub name: &'static str,
    pub about: &'static str,
    /// What keeps a function from another's memory.
    pub isolation: &'static str,
    /// Where results are when something is lost.
    pub durable: &'static str,
    #[serde(skip)]
    pub(super) program: &'static str,
    #[serde(skip)]
    pub(super) arguments: &'static [&'static str],
    /// It has one interpreter with one lock, and so runs on one CPU, as a lane does: with more it is slower.
    #[serde(skip)]
    pub(super) one_cpu: bool,
    /// Benchmarks and kinds of events that make no sense with it, and why.
    pub left_out: &'static [(&'static str, &'static str)],
    /// So slow that a tenth of the executions have to do.
    #[serde(skip)]
    pub(super) slow: bool,
    #[serde(skip)]
    pub(super) needs: &'static [Environment],
    /// The kernel may refuse what it needs.
    #[serde(skip)]
    asks_kernel: bool,
}

pub(super) const PLAIN: Way = Way {
    name: "",
    about: "",
    isolation: "nothing",
    durable: NOT_DURABLE,
    program: "",
    arguments: &[],
    one_cpu: false,
    left_out: &[],
    slow: false,
    needs: &[],
    asks_kernel: false,
};

/// Results are in memory only.
pub(crate) const NOT_DURABLE: &str = "no";
/// Ours: an execution goes on when its instance is lost, in another one.
pub(crate) const IN_SUPERVISOR: &str = "in the supervisor";
const ON_DISK: &str = "on disk";
const JAVASCRIPT: &str = "its functions are JavaScript, which has no such values";
const CALLS_NOTHING: &str = "its states call no functions";

/// The floor first.
pub const WAYS: &[Way] = &[
    Way {
        name: "direct calls",
        about: "functions called directly in one CPython: the floor",
        program: "floor.py",
        one_cpu: true,
        ..PLAIN
    },
    Way {
        name: "threads, kept",
        about: "the original Faastlane's design with threads that are kept: one CPython, by reference",
        program: "threads.py",
        arguments: &["--variant", "persistent"],
        one_cpu: true,
        ..PLAIN
    },
    Way {
        name: "threads, one a call",
        about: "the original Faastlane's design: a thread for each call in one CPython, by reference",
        program: "threads.py",
        arguments: &["--variant", "new"],
        one_cpu: true,
        ..PLAIN
    },
    Way {
        name: "processes, pipes",
        about: "the original Faastlane's design for parallel states: a process for each function, pickles in pipes",
        isolation: "a process each",
        program: "pipes.py",
        ..PLAIN
    },
    Way {
        name: "processes, local bus",
        about: "SAND's design: a process for each function, and a message bus on the host",
        isolation: "a process each",
        program: "local_bus.py",
        ..PLAIN
    },
    Way {
        name: "HTTP server a function",
        about: "an action server for each function, connections kept open",
        isolation: "a process each",
        program: "http_functions.py",
        ..PLAIN
    },
    Way {
        name: "container a function",
        about: "the same with namespaces for each: the least that OpenWhisk or Lambda do",
        isolation: "namespaces each",
        program: "http_functions.py",
        arguments: &["--namespaces"],
        asks_kernel: true,
        ..PLAIN
    },
    Way {
        name: "object store",
        about: "an action server for each function, state in an S3-compatible server (s3s-fs) on this machine",
        isolation: "a process each",
        durable: ON_DISK,
        program: "object_store.py",
        arguments: &["--server", "{cargo}/bin/s3s-fs"],
        slow: true,
        needs: &[Environment::Python, Environment::Cargo],
        ..PLAIN
    },
    Way {
        name: "Ray actors",
        about: "an actor for each function, results in Ray's object store",
        isolation: "a process each",
        program: "ray_actors.py",
        slow: true,
        needs: &[Environment::Python],
        ..PLAIN
    },
    Way {
        name: "Restate",
        about: "a durable service that calls each function, a service too, in one Python process",
        durable: ON_DISK,
        program: "restate_services.py",
        arguments: &[
            "--server",
            "{node}/node_modules/@restatedev/restate-server-linux-x64/bin/restate-server",
        ],
        slow: true,
        needs: &[Environment::Python, Environment::Node],
        ..PLAIN
    },
    Way {
        name: "DBOS",
        about: "a durable workflow whose functions are steps, in one Python process; its database is SQLite",
        durable: ON_DISK,
        program: "dbos_steps.py",
        slow: true,
        needs: &[Environment::Python],
        ..PLAIN
    },
    Way {
        name: "aws-local-stepfunctions",
        about: "an interpreter of the states language in Node; functions are JavaScript in the same process",
        program: "local_stepfunctions.mjs",
        arguments: &["--modules", "{node}"],
        left_out: &[
            ("throughput", "its functions are JavaScript, which adds up faster than Python does"),
            ("bytes", JAVASCRIPT),
            ("array", JAVASCRIPT),
        ],
        needs: &[Environment::Node],
        ..PLAIN
    },
    Way {
        name: "moto, Pass states",
        about: "a mock of Step Functions; the states are Pass states, which call no function",
        program: "moto_pass.py",
        left_out: &[("hop", CALLS_NOTHING), ("throughput", CALLS_NOTHING)],
        slow: true,
        needs: &[Environment::Python],
        ..PLAIN
    },
];

impl Way {
    /// Why it has no part in a benchmark, or with a kind of event; none if it has.
    pub(super) fn left_out_of(&self, subject: &str) -> Option<&'static str> {
        self.left_out.iter().find(|(name, _)| *name == subject).map(|(_, why)| *why)
    }

    /// Why it cannot be run; none if it can.
    pub fn missing(&self, outside: &Outside<'_>, python: &PythonInstall) -> Option<String> {
        let folder = environment::folder(outside);
        self.needs.iter().find_map(|needed| needed.missing(&folder, python))
    }

    /// It is not on every host that it comes up.
    pub(super) fn is_optional(&self) -> bool {
        self.asks_kernel || !self.needs.is_empty()
    }
}
