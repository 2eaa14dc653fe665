//! The domains of one process, and how they come up.

use crate::assignment::Assignment;
use crate::fault::Suspect;
use crate::lane::Threads;
use crate::message::SetUpFailure;
use crate::monitor::{self, Watched};
use crate::reach::{files_of, scratch_of, temporary};
use faastlane_compose::{FunctionPlan, PythonInstall};
use faastlane_domain::{
    Confine, ConfineError, Cpus, DomainProcess, Doorbell, Key, Launch, Mailbox, Namespace, Owners,
    ProcessCopy, Progress, RegionPool, StartUpPage, Started,
};
use faastlane_payload::Payload;
use faastlane_python::PythonGuest;
use faastlane_sandbox::{Confinement, Grants, Listener, close_process, left_out};
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What the orchestrator needs of the domains of its own process.
pub(crate) struct Host {
    pub(crate) owners: Arc<Mutex<Owners>>,
    pub(crate) doorbell: Doorbell,
    pub(crate) domains: Vec<LocalDomain>,
    pub(crate) cpus: Cpus,
}

pub(crate) struct LocalDomain {
    /// By position in the plan.
    pub(crate) index: usize,
    pub(crate) mailbox: Mailbox,
    pub(crate) threads: Threads,
    pub(crate) started: Started,
    key: Option<Key>,
    /// What its first thread enters, wherever it is made.
    confinement: Arc<Mutex<Confinement>>,
    /// In the process that loaded it.
    scratch: PathBuf,
}

/// A domain whose libraries are loaded and whose thread is not started.
struct Loaded {
    index: usize,
    key: Option<Key>,
    namespace: Namespace,
}

impl Host {
    /// Starts every domain of this host, until it is confined. Their interpreters come up at the same time, where there are no keys
    /// from [`Self::begin`] on; each says so through its mailbox.
    pub(crate) fn bring_up(
        process: &DomainProcess,
        assignment: &Arc<Assignment>,
    ) -> Result<Self, SetUpFailure> {
        let of_process = |what: &'static str| {
            move |error: std::io::Error| SetUpFailure::of_process(what, error.to_string())
        };
        if !left_out("capabilities") {
            close_process().map_err(of_process("keep it out of core dumps"))?;
        }
        let owners = Arc::new(Mutex::new(Owners::default()));
        let doorbell = assignment.doorbell_file().and_then(|file| Doorbell::shared(file.as_fd()));
        let doorbell = doorbell.map_err(of_process("map the doorbell"))?;
        let cpus = Cpus::allowed().map_err(of_process("ask which CPUs there are"))?;
        let pool = RegionPool::new(assignment.max_payload());
        // All libraries first: what the loader maps for one must not be mistaken for what another does meanwhile.
        let loaded = load_all(process, assignment, &owners)?;
        let page = match &process.keys {
            Some(_) => Some(StartUpPage::map().map_err(of_process("map the start-up page"))?),
            None => None,
        };
        let mut domains = Vec::with_capacity(loaded.len());
        for loaded in &loaded {
            let index = loaded.index;
            let failed = |what: &'static str| {
                move |error: std::io::Error| SetUpFailure::of_domain(index, what, error.to_string())
            };
            let mailbox = if assignment.is_remote(index) {
                let file = assignment.mailbox_file(index).map_err(failed("open its mailbox"))?;
                Mailbox::shared(file.as_fd(), 0, assignment.max_payload(), loaded.key)
            } else {
                Mailbox::private(loaded.key, pool.clone())
            }
            .map_err(failed("map its mailbox"))?;
            let confinement = confinement(assignment, index, loaded.key.is_some())?;
            let confinement = Arc::new(Mutex::new(confinement));
            let started = start(assignment, loaded, &mailbox, &doorbell, page.as_ref(), &confinement)?;
            {
                let mut owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
                owners.give(started.stack.clone(), index, false);
            }
            let threads = confirm(&started, index, loaded.key, &owners, cpus, assignment)?;
            let scratch = assignment.scratch[index].clone();
            domains.push(LocalDomain {
                index,
                mailbox,
                threads,
                started,
                key: loaded.key,
                confinement,
                scratch,
            });
        }
        page.into_iter().for_each(StartUpPage::remove);
        Ok(Self { owners, doorbell, domains, cpus })
    }

    /// Lets the domains begin, which are confined.
    pub(crate) fn begin(&self) {
        self.domains.iter().for_each(|domain| domain.started.begin());
    }

    /// How many threads there are in this process, with `others` trusted ones, as long as functions have started none.
    pub(crate) fn threads(&self, others: usize) -> usize {
        let monitored = self.domains.iter().filter(|domain| domain.key.is_some()).count();
        others + self.domains.len() + monitored
    }

    /// Makes the parked domains again in a copy of the process, as those of the instance that `assignment` is about. Where there
    /// are no keys they go on from [`Self::begin`] on.
    pub(crate) fn revive(
        &mut self,
        copy: &ProcessCopy,
        assignment: &Arc<Assignment>,
    ) -> Result<(), SetUpFailure> {
        let of_process = |what: &'static str| {
            move |error: std::io::Error| SetUpFailure::of_process(what, error.to_string())
        };
        let doorbell = assignment.doorbell_file().and_then(|file| self.doorbell.replace(file.as_fd()));
        doorbell.map_err(of_process("map the doorbell"))?;
        let page = match self.domains.iter().any(|domain| domain.key.is_some()) {
            true => Some(StartUpPage::map_in_copy().map_err(of_process("map the start-up page"))?),
            false => None,
        };
        for domain in &mut self.domains {
            let range = domain.revive(copy, assignment, page.as_ref())?;
            self.owners.lock().unwrap_or_else(PoisonError::into_inner).give(range, domain.index, false);
        }
        // They confine themselves side by side.
        for domain in &mut self.domains {
            domain.threads =
                confirm(&domain.started, domain.index, domain.key, &self.owners, self.cpus, assignment)?;
        }
        page.into_iter().for_each(StartUpPage::remove);
        Ok(())
    }
}

impl LocalDomain {
    /// Makes its first thread again. Returns the memory that it comes up in.
    fn revive(
        &mut self,
        copy: &ProcessCopy,
        assignment: &Assignment,
        page: Option<&StartUpPage>,
    ) -> Result<Range<usize>, SetUpFailure> {
        let Self { index, key, .. } = *self;
        let failed = |what: &'static str| {
            move |error: std::io::Error| SetUpFailure::of_domain(index, what, error.to_string())
        };
        if assignment.is_remote(index) {
            let file = assignment.mailbox_file(index).map_err(failed("open its mailbox"))?;
            let max_payload = assignment.max_payload();
            self.mailbox = Mailbox::shared(file.as_fd(), assignment.lane, max_payload, key)
                .map_err(failed("map its mailbox"))?;
        }
        let news = json!({ "env": self.move_to(assignment)? });
        let revived = self.started.revive(copy, page, &self.mailbox, Payload::from_value(news).flat());
        revived.map_err(failed("make its thread again"))
    }

    /// How a fault of its threads is told from others'.
    pub(crate) fn suspect(&self) -> Suspect {
        let signal_stack = self.started.signal_stack.clone();
        Suspect { domain: self.index, thread: self.threads.first(), signal_stack }
    }

    /// Lets it enter its confinement with the log and the scratch directory that it has in another instance. Returns the
    /// variables that lead there, if they have changed.
    fn move_to(&self, assignment: &Assignment) -> Result<BTreeMap<&'static str, String>, SetUpFailure> {
        let index = self.index;
        let mut confinement = self.confinement.lock().unwrap_or_else(PoisonError::into_inner);
        confinement.log = assignment.log(index);
        let scratch = &assignment.scratch[index];
        if confinement.temporary.is_some() {
            confinement.temporary = Some(c_path(scratch, index)?);
            return Ok(BTreeMap::new());
        }
        let before = confinement.files.writable.iter_mut().find(|path| **path == self.scratch);
        before.into_iter().for_each(|path| path.clone_from(scratch));
        let mut variables = scratch_variables(scratch);
        let own = |name: &str| functions(assignment, index).any(|function| function.env.contains_key(name));
        variables.retain(|name, _| !own(name));
        Ok(variables)
    }
}

fn load_all(
    process: &DomainProcess,
    assignment: &Assignment,
    owners: &Mutex<Owners>,
) -> Result<Vec<Loaded>, SetUpFailure> {
    let mut loaded = Vec::new();
    for (position, index) in assignment.local_domains().into_iter().enumerate() {
        let key = match &process.keys {
            Some(keys) => Some(*keys.domains.get(position).ok_or_else(|| {
                let cause = format!("this process has {} keys for domains", keys.domains.len());
                SetUpFailure::of_domain(index, "give it a protection key", cause)
            })?),
            None => None,
        };
        let libpython = &python_of(assignment, index).libpython;
        let namespace = process.open_namespace(libpython, key).map_err(|error| {
            SetUpFailure::of_domain(index, &format!("load {}", libpython.display()), error.to_string())
        })?;
        let mut owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
        namespace.enter(&mut owners, index);
        drop(owners);
        loaded.push(Loaded { index, key, namespace });
    }
    Ok(loaded)
}

fn python_of(assignment: &Assignment, domain: usize) -> &PythonInstall {
    &assignment.plan.pythons[assignment.plan.domains[domain].python]
}

/// Starts one domain's thread.
fn start(
    assignment: &Arc<Assignment>,
    loaded: &Loaded,
    mailbox: &Mailbox,
    doorbell: &Doorbell,
    page: Option<&StartUpPage>,
    confinement: &Arc<Mutex<Confinement>>,
) -> Result<Started, SetUpFailure> {
    let Loaded { index, key, namespace } = loaded;
    let index = *index;
    let failure = |what: &str, cause: String| SetUpFailure::of_domain(index, what, cause);
    let confinement = confinement.clone();
    let confine: Confine = Arc::new(move |gate| {
        confinement
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .enter(|listener| gate.hand_over(listener))
            .map_err(|error| ConfineError { step: error.step, errno: error.errno })
    });
    let guest = PythonGuest::new(namespace)
        .map_err(|symbol| failure("use its libpython", format!("it lacks {}", symbol.to_string_lossy())))?;
    let config = configuration(assignment, index);
    let launch = Launch {
        namespace,
        key: *key,
        guest,
        confine,
        mailbox,
        doorbell,
        config: config.flat(),
        environment: &environment(assignment, index),
    };
    launch.start(page).map_err(|error| failure("start its thread", error.to_string()))
}

/// Follows a starting thread until it is confined.
fn confirm(
    started: &Started,
    index: usize,
    key: Option<Key>,
    owners: &Arc<Mutex<Owners>>,
    cpus: Cpus,
    assignment: &Arc<Assignment>,
) -> Result<Threads, SetUpFailure> {
    let failure = |what: &str, cause: String| SetUpFailure::of_domain(index, what, cause);
    loop {
        match started.wait() {
            Progress::Confined => return Ok(Threads::new(started.thread(), cpus)),
            Progress::Failed(ConfineError { step, errno }) => {
                let cause = std::io::Error::from_raw_os_error(errno).to_string();
                return Err(failure(&format!("confine its thread: {step}"), cause));
            }
            Progress::Listener(descriptor) => {
                let Some(key) = key else { continue };
                let threads = Threads::new(started.thread(), cpus);
                let (owners, assignment) = (owners.clone(), assignment.clone());
                let watched = Watched { domain: index, key, owners, threads, assignment };
                Listener::from_handed_over(descriptor)
                    .and_then(|listener| monitor::serve(listener, watched))
                    .map_err(|error| failure("monitor it", error.to_string()))?;
                started.open_gate();
            }
        }
    }
}

fn functions(assignment: &Assignment, domain: usize) -> impl Iterator<Item = &FunctionPlan> {
    assignment.plan.domains[domain].functions.iter().map(|&function| &assignment.plan.functions[function])
}

fn confinement(assignment: &Assignment, domain: usize, monitored: bool) -> Result<Confinement, SetUpFailure> {
    let directory =
        functions(assignment, domain).next().map_or(PathBuf::from("/"), |first| first.directory.clone());
    let directory = c_path(&directory, domain)?;
    let granted = assignment.grants(domain);
    let temporary = temporary(assignment, domain).map(|folder| c_path(&folder, domain)).transpose()?;
    Ok(Confinement {
        log: assignment.log(domain),
        directory,
        monitored,
        grants: Grants { network: granted.network, subprocess: granted.subprocess },
        files: files_of(assignment, domain),
        temporary,
    })
}

fn c_path(path: &Path, domain: usize) -> Result<CString, SetUpFailure> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| {
        SetUpFailure::of_domain(domain, "enter a folder of its", "its path holds a zero byte".into())
    })
}

/// What the domain's interpreter is started with: see `faastlane_python::Interpreter::start`.
fn configuration(assignment: &Assignment, domain: usize) -> Payload {
    let python = python_of(assignment, domain);
    let mut sys_path: Vec<&PathBuf> = Vec::new();
    for path in functions(assignment, domain).flat_map(|function| &function.sys_path) {
        if !sys_path.contains(&path) {
            sys_path.push(path);
        }
    }
    let functions: Vec<_> = functions(assignment, domain)
        .map(|function| {
            json!({
                "name": function.name,
                "module": function.module,
                "file": function.file,
                "handler": function.handler,
                "memory_mb": function.memory_mb,
                "env": function.env,
            })
        })
        .collect();
    Payload::from_value(json!({
        "sys_path": sys_path,
        "executable": python.executable,
        "prefix": python.prefix,
        "functions": functions,
        "binary": assignment.plan.binary,
    }))
}

/// What leads to the domain's scratch directory, which each instance has of its own.
fn scratch_variables(scratch: &Path) -> BTreeMap<&'static str, String> {
    let scratch = scratch.display().to_string();
    ["HOME", "TMPDIR", "TEMP", "TMP"].into_iter().map(|name| (name, scratch.clone())).collect()
}

/// Everything in the domain's environment: as Lambda sets it, then the functions' own.
fn environment(assignment: &Assignment, domain: usize) -> Vec<String> {
    let mut variables: BTreeMap<&str, String> = BTreeMap::from([
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("LANG", "C.UTF-8".into()),
        ("PYTHONHOME", python_of(assignment, domain).base_prefix.display().to_string()),
        ("PYTHONNOUSERSITE", "1".into()),
        // A function's folder is its code, not its cache.
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
    ]);
    variables.extend(scratch_variables(&scratch_of(assignment, domain)));
    // Threads that run on from an import cannot be copied with the process.
    variables.insert("OPENBLAS_NUM_THREADS", "1".into());
    for function in functions(assignment, domain) {
        variables.insert("AWS_LAMBDA_FUNCTION_NAME", function.name.clone());
        variables.insert("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into());
        variables.insert("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string());
        variables.insert("LAMBDA_TASK_ROOT", function.directory.display().to_string());
        variables.extend(function.env.iter().map(|(name, value)| (name.as_str(), value.clone())));
    }
    variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}
