//! What is tried, and how it must end.

use crate::guest::{
    ECHO, END_AT, KEEP_SECRET, LARGE, LOCK_AT, Native, OUTBOX, READ, READ_ON_THREAD, SET, STACK, THREADS,
    UNLOCK, WHERE_IS_IT, WRITE, confine,
};
use crate::{memory_calls, rights};
use faastlane_domain::{
    CallHeader, Copied, DomainProcess, Doorbell, FaultKind, Key, Launch, Mailbox, MemoryCall, Outcome,
    Outgoing, Owners, Progress, Received, RegionPool, Reply, StartUpPage, Started, exit_now, is_same_domain,
    perform_memory_call, sleep_for_good, spawn_trusted, watch_for_fault,
};
use faastlane_sandbox::Listener;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    play: fn(&mut Stage) -> String,
    /// The last line that it prints.
    pub(crate) expected: &'static str,
}

const fn scenario(name: &'static str, play: fn(&mut Stage) -> String, expected: &'static str) -> Scenario {
    Scenario { name, play, expected }
}

const MAX_PAYLOAD: usize = 64 << 20;

pub(crate) const ALL: &[Scenario] = &[
    scenario("a_domain_reads_and_writes_what_is_its_own", own_memory, "42"),
    scenario(
        "another_domains_heap_cannot_be_read",
        |s| s.attack(READ, KEEP_SECRET),
        "domain 1 read domain 0",
    ),
    scenario(
        "another_domains_heap_cannot_be_written",
        |s| s.attack(WRITE, KEEP_SECRET),
        "domain 1 wrote domain 0",
    ),
    scenario("another_domains_stack_cannot_be_read", |s| s.attack(READ, STACK), "domain 1 read domain 0"),
    scenario(
        "another_domains_inbox_cannot_be_read",
        |s| s.attack(READ, WHERE_IS_IT),
        "domain 1 read nobody's",
    ),
    scenario("another_domains_outbox_cannot_be_read", |s| s.attack(READ, OUTBOX), "domain 1 read nobody's"),
    scenario(
        "a_thread_of_a_domain_is_bound_too",
        |s| s.attack(READ_ON_THREAD, KEEP_SECRET),
        "domain 1 read domain 0",
    ),
    scenario("at_a_threads_end_the_kernel_writes_with_its_rights_only", end_at, "42, then 0"),
    scenario(
        "at_a_threads_end_the_kernel_marks_its_locks_with_its_rights_only",
        locks,
        "unmarked, then marked",
    ),
    scenario("the_trusted_heap_cannot_be_read", trusted_heap, "domain 0 read nobody's"),
    scenario("the_executables_variables_cannot_be_read", variables, "domain 0 read nobody's"),
    scenario("the_trusted_stack_cannot_be_read", trusted_stack, "domain 0 read nobody's"),
    scenario(
        "an_address_that_is_nobodys_is_a_crash_not_a_violation",
        |s| s.read(0, 16).to_string(),
        "domain 0 crashed",
    ),
    scenario("threads_of_two_domains_come_and_go", threads, "done"),
    scenario("a_large_result_moves_and_its_sender_has_lost_it", moved_pages, "domain 0 read nobody's"),
    scenario("a_large_event_cannot_be_read_after_its_turn", after_its_turn, "domain 1 read nobody's"),
    scenario("nothing_of_a_payload_is_left_in_a_region", region_is_clean, "clean"),
    scenario("payloads_arrive_as_they_were_sent", payloads, "done"),
    scenario(
        "no_instruction_that_writes_the_rights_is_left_on_the_start_up_page",
        start_up_page,
        "domain 0 crashed",
    ),
    scenario("only_restores_that_a_trap_follows_are_left_in_all_code", rights::none_left, "restores only"),
    scenario("a_domain_that_calls_pkey_set_is_stopped", rights::set_rights, "domain 1 tried to lift its key"),
    scenario("a_restore_of_the_rights_is_stopped", rights::restore_rights, "domain 1 tried to lift its key"),
    scenario(
        "code_that_writes_the_rights_cannot_be_mapped",
        rights::mapped_code,
        "refused; clean code begins with 90, later 0",
    ),
    scenario("memory_of_others_cannot_be_changed_by_the_kernel", memory_calls::of_others, "refused"),
    scenario("what_is_its_own_a_domain_may_change", memory_calls::own_works, "done"),
    scenario("nothing_is_code_that_was_ever_writable", memory_calls::writable_code, "refused"),
    scenario("the_monitor_opens_no_more_than_the_domain_did", memory_calls::descriptors, "refused"),
];

/// Two domains, and the orchestrator's place.
pub(crate) struct Stage {
    mailboxes: Vec<Mailbox>,
    doorbell: Doorbell,
    start_up_page: u64,
}

fn say(line: &str) {
    // The parent sees an empty output where this fails.
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Plays a scenario, in this process or in a copy of it.
pub(crate) fn play(name: &str, in_copy: bool) -> ! {
    let Some(scenario) = ALL.iter().find(|scenario| scenario.name == name) else { exit_now(2) };
    let parked = match set_up() {
        Ok(parked) => parked,
        Err(error) => fail(&*error),
    };
    let act = scenario.play;
    let started = spawn_trusted(move || {
        let mut stage = parked.go_on(in_copy).unwrap_or_else(|error| fail(&*error));
        say(&act(&mut stage));
        exit_now(0)
    });
    if started.is_err() {
        exit_now(4);
    }
    sleep_for_good()
}

fn fail(error: &dyn std::error::Error) -> ! {
    say(&format!("set-up failed: {error}"));
    exit_now(3)
}

/// Says what a domain's thread did that faulted.
fn watch(owners: &Mutex<Owners>, threads: &[i32]) -> ! {
    let fault = watch_for_fault();
    let owners = owners.lock().unwrap();
    let name = |owner: Option<usize>| owner.map_or("nobody's".into(), |domain| format!("domain {domain}"));
    assert!(fault.is_asleep());
    let who = name(threads.iter().position(|&first| is_same_domain(fault.thread, first).unwrap()));
    say(&match fault.kind {
        FaultKind::ForeignKey { address, write, .. } => {
            let verb = if write { "wrote" } else { "read" };
            format!("{who} {verb} {}", name(owners.owner_of(address)))
        }
        FaultKind::Rights => format!("{who} tried to lift its key"),
        _ => format!("{who} crashed"),
    });
    exit_now(0)
}

type Failure = Box<dyn std::error::Error>;

/// Two domains whose threads are parked.
struct Parked {
    process: DomainProcess,
    started: Vec<Started>,
    owners: Arc<Mutex<Owners>>,
    stage: Stage,
}

fn set_up() -> Result<Parked, Failure> {
    let process = DomainProcess::prepare(true)?;
    let keys = process.keys.as_ref().ok_or("no keys")?;
    let owners = Arc::new(Mutex::new(Owners::default()));
    let doorbell = Doorbell::private()?;
    let pool = RegionPool::new(MAX_PAYLOAD);
    let mut namespaces = Vec::new();
    for domain in 0..2 {
        let namespace = process.open_namespace(Path::new("libc.so.6"), Some(keys.domains[domain]))?;
        let mut book = owners.lock().map_err(|_| "poisoned")?;
        namespace.enter(&mut book, domain);
        drop(book);
        namespaces.push(namespace);
    }
    let page = StartUpPage::map()?;
    let mut stage = Stage { mailboxes: Vec::new(), doorbell, start_up_page: start_up_page_address() };
    let mut all_started = Vec::new();
    for (domain, namespace) in namespaces.iter().enumerate() {
        let key = Some(keys.domains[domain]);
        let mailbox = Mailbox::private(key, pool.clone())?;
        let guest = Native::new(namespace);
        let launch = Launch {
            namespace,
            key,
            guest,
            confine: Arc::new(confine),
            mailbox: &mailbox,
            doorbell: &stage.doorbell,
            config: &[],
            environment: &[],
        };
        let started = launch.start(Some(&page))?;
        let mut book = owners.lock().map_err(|_| "poisoned")?;
        book.give(started.stack.clone(), domain, false);
        drop(book);
        follow(&started, domain, keys.domains[domain], &owners)?;
        all_started.push(started);
        stage.mailboxes.push(mailbox);
    }
    page.remove();
    Ok(Parked { process, started: all_started, owners, stage })
}

/// Until the thread has given up its rights.
fn follow(started: &Started, domain: usize, key: Key, owners: &Arc<Mutex<Owners>>) -> Result<(), Failure> {
    loop {
        match started.wait() {
            Progress::Listener(listener) => {
                serve(Listener::from_handed_over(listener)?, domain, key, owners.clone())?;
                started.open_gate();
            }
            Progress::Confined => return Ok(()),
            other => return Err(format!("{other:?}").into()),
        }
    }
}

impl Parked {
    /// Lets the domains take calls: the parked threads themselves, or those of a copy, in which this returns.
    fn go_on(self, in_copy: bool) -> Result<Stage, Failure> {
        let Self { process, mut started, owners, mut stage } = self;
        for started in &started {
            assert!(started.await_parked());
        }
        if in_copy {
            // The first thread, this one, and for each domain its own and its monitor.
            match process.copy(2 + 2 * started.len())? {
                Copied::Original(_) => exit_now(0),
                Copied::Copy(copy) => {
                    let keys = process.keys.as_ref().ok_or("no keys")?;
                    let page = StartUpPage::map_in_copy()?;
                    stage.start_up_page = start_up_page_address();
                    for (domain, started) in started.iter_mut().enumerate() {
                        let range = started.revive(&copy, Some(&page), &stage.mailboxes[domain], b"news")?;
                        owners.lock().map_err(|_| "poisoned")?.give(range, domain, false);
                        follow(started, domain, keys.domains[domain], &owners)?;
                    }
                    page.remove();
                }
            }
        } else {
            started.iter().for_each(Started::go_on);
        }
        let threads: Vec<i32> = started.iter().map(Started::thread).collect();
        spawn_trusted(move || watch(&owners, &threads))?;
        for domain in 0..started.len() {
            match stage.reply(domain) {
                Reply::Started => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(stage)
    }
}

/// The monitor of one domain.
fn serve(listener: Listener, domain: usize, key: Key, owners: Arc<Mutex<Owners>>) -> std::io::Result<()> {
    spawn_trusted(move || {
        while let Ok(call) = listener.receive() {
            let Some(call) = call else { continue };
            if call.number == libc::SYS_clone {
                listener.let_through(&call);
                continue;
            }
            let wanted = MemoryCall { number: call.number, arguments: call.arguments, thread: call.thread };
            let result = perform_memory_call(&wanted, domain, key, &mut owners.lock().unwrap());
            listener.answer(&call, result);
        }
    })
}

/// The one mapping of this process that is executable and comes from no file.
fn start_up_page_address() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let line =
        maps.lines().find(|line| line.contains("r-xp") && line.contains(" 00:00 0") && !line.contains('['));
    line.and_then(|line| u64::from_str_radix(line.split('-').next()?, 16).ok()).unwrap_or(0)
}

impl Stage {
    fn reply(&mut self, domain: usize) -> Reply {
        loop {
            let rings = self.doorbell.rings();
            match self.mailboxes[domain].poll() {
                Ok(Some(reply)) => return reply,
                Ok(None) => self.doorbell.wait(rings, None, &self.mailboxes),
                Err(_) => exit_now(5),
            }
        }
    }

    pub(crate) fn call(&mut self, domain: usize, function: u32, event: Outgoing<'_>) -> Received {
        let header = CallHeader { function, request_id: "test", deadline_ms: 0 };
        if self.mailboxes[domain].call(header, event).is_err() {
            exit_now(6);
        }
        match self.reply(domain) {
            Reply::Returned(returned) => match returned.outcome {
                Outcome::Ok(received) => received,
                _ => exit_now(7),
            },
            _ => exit_now(8),
        }
    }

    pub(crate) fn number(&mut self, domain: usize, function: u32, argument: u64) -> u64 {
        let received = self.call(domain, function, Outgoing::Bytes(&argument.to_le_bytes()));
        received.as_ref().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    pub(crate) fn read(&mut self, domain: usize, address: u64) -> u64 {
        self.number(domain, READ, address)
    }

    /// Domain 1 does `attack` at the address that domain 0 gives away when it does `give`.
    fn attack(&mut self, attack: u32, give: u32) -> String {
        let address = self.number(0, give, 0);
        format!("got {}", self.number(1, attack, address))
    }
}

fn own_memory(stage: &mut Stage) -> String {
    let address = stage.number(0, KEEP_SECRET, 0);
    stage.read(0, address).to_string()
}

fn threads_here() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn await_end_of_others(threads: usize) {
    while threads_here() != threads {
        std::thread::yield_now();
    }
}

/// Domain 1's thread ends at a secret of domain 0, and then one of domain 0 itself.
fn end_at(stage: &mut Stage) -> String {
    let secret = stage.number(0, KEEP_SECRET, 0);
    let threads = threads_here();
    let mut left = |domain| {
        assert_eq!(stage.number(domain, END_AT, secret), 0);
        await_end_of_others(threads);
        stage.read(0, secret)
    };
    format!("{}, then {}", left(1), left(0))
}

/// The same, with what looks like a lock that the thread holds.
fn locks(stage: &mut Stage) -> String {
    let lock = stage.number(0, KEEP_SECRET, 0);
    let threads = threads_here();
    let mut left = |domain| {
        let number = stage.number(domain, LOCK_AT, lock);
        stage.call(0, SET, Outgoing::Bytes(&[lock.to_le_bytes(), number.to_le_bytes()].concat()));
        stage.number(domain, UNLOCK, 0);
        await_end_of_others(threads);
        // The mark is in the word's highest byte.
        if stage.read(0, lock + 3) & 0x40 == 0 { "unmarked" } else { "marked" }
    };
    format!("{}, then {}", left(1), left(0))
}

fn trusted_heap(stage: &mut Stage) -> String {
    let secret = Box::new(7u8);
    stage.read(0, &raw const *secret as u64).to_string()
}

fn variables(stage: &mut Stage) -> String {
    static SECRET: AtomicU8 = AtomicU8::new(7);
    SECRET.store(8, Ordering::Relaxed);
    stage.read(0, SECRET.as_ptr() as u64).to_string()
}

fn trusted_stack(stage: &mut Stage) -> String {
    let secret = 7u8;
    stage.read(0, &raw const secret as u64).to_string()
}

fn threads(stage: &mut Stage) -> String {
    for _ in 0..20 {
        for domain in 0..2 {
            assert_eq!(stage.number(domain, THREADS, 8), 8);
        }
    }
    "done".into()
}

fn large(stage: &mut Stage, domain: usize) -> Received {
    stage.call(domain, LARGE, Outgoing::Bytes(&(1u64 << 20).to_le_bytes()))
}

fn moved_pages(stage: &mut Stage) -> String {
    let outbox = stage.number(0, OUTBOX, 0);
    let payload = large(stage, 0);
    assert!(matches!(&payload, Received::Region(region) if region.as_ref().as_ptr() as u64 == outbox));
    stage.read(0, outbox).to_string()
}

fn after_its_turn(stage: &mut Stage) -> String {
    let Received::Region(region) = large(stage, 0) else { exit_now(9) };
    let at = region.as_ref().as_ptr() as u64;
    let address = stage.call(1, WHERE_IS_IT, Outgoing::Region(region));
    assert_eq!(address.as_ref(), at.to_le_bytes());
    stage.read(1, at).to_string()
}

/// A region that held a payload, and that a domain wrote more into, comes back from the pool with neither.
fn region_is_clean(stage: &mut Stage) -> String {
    for _ in 0..4 {
        let Received::Region(region) = large(stage, 0) else { exit_now(9) };
        let echoed = stage.call(1, ECHO, Outgoing::Region(region));
        assert!(echoed.as_ref().iter().all(|&byte| byte == 9));
        drop(echoed);
    }
    let outbox = stage.number(0, OUTBOX, 0);
    // What was just returned is all that the outbox ever shows the orchestrator; the domain looks for itself.
    let left = (64..2u64 << 20).step_by(997).filter(|at| stage.read(0, outbox + at) != 0).count();
    if left == 0 { "clean".into() } else { format!("{left} bytes left") }
}

fn payloads(stage: &mut Stage) -> String {
    for len in [0, 1, 8, 4095, 16 << 10, (16 << 10) + 1, 100_000, 1 << 20, 5 << 20, MAX_PAYLOAD] {
        let sent: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let once = stage.call(0, ECHO, Outgoing::Bytes(&sent));
        assert!(once.as_ref() == sent.as_slice(), "{len} bytes");
        let twice = match once {
            Received::Region(region) => stage.call(1, ECHO, Outgoing::Region(region)),
            copied => stage.call(1, ECHO, Outgoing::Bytes(copied.as_ref())),
        };
        assert!(twice.as_ref() == sent.as_slice(), "{len} bytes, moved on");
    }
    "done".into()
}

fn start_up_page(stage: &mut Stage) -> String {
    let page = stage.start_up_page;
    assert_ne!(page, 0, "it was there while the domains started");
    format!("still there: {}", stage.read(0, page))
}
