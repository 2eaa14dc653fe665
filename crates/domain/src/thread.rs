//! Threads: the trusted ones, whose stacks are on the trusted key, and the first thread of each domain.

use crate::fault;
use crate::keys::Key;
use crate::mailbox::{Answer, Call, DomainSide, Doorbell, Mailbox};
use crate::mapping::{Mapping, trusted_key};
use crate::namespace::Namespace;
use crate::pkru::{StartUpPage, WritePkru};
use crate::process::ProcessCopy;
use crate::snapshot::{Parking, Woken};
use crate::sys;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

const TRUSTED_STACK: usize = 8 << 20;
const DOMAIN_STACK: usize = 16 << 20;
const SIGNAL_STACK: usize = 64 << 10;

type PthreadCreate = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    extern "C" fn(*mut c_void) -> *mut c_void,
    *mut c_void,
) -> c_int;

/// Starts a detached thread with a stack on the trusted key. It inherits the caller's rights to all keys.
pub fn spawn_trusted(body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    extern "C" fn run(body: *mut c_void) -> *mut c_void {
        // SAFETY: made from a box just below, and given to this thread alone.
        let body = unsafe { Box::from_raw(body.cast::<Box<dyn FnOnce() + Send>>()) };
        body();
        std::ptr::null_mut()
    }
    let stack = Mapping::private(TRUSTED_STACK, trusted_key())?;
    stack.guard_lowest_page()?;
    let body: Box<Box<dyn FnOnce() + Send>> = Box::new(Box::new(body));
    // SAFETY: the stack is leaked, so it outlives the thread; the body is handed over whole.
    unsafe { create(libc::pthread_create, stack.leak(), TRUSTED_STACK, run, Box::into_raw(body).cast()) }
}

/// # Safety
/// The stack stays mapped; `create` is a libc's `pthread_create`; `argument` is what `run` expects.
unsafe fn create(
    create: PthreadCreate,
    stack: usize,
    stack_len: usize,
    run: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> io::Result<()> {
    let mut attributes = std::mem::MaybeUninit::uninit();
    let mut thread = 0;
    // SAFETY: the attributes are initialised before they are used, and their layout is the same in every libc of a process.
    let error = unsafe {
        libc::pthread_attr_init(attributes.as_mut_ptr());
        libc::pthread_attr_setstack(attributes.as_mut_ptr(), stack as *mut c_void, stack_len);
        libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED);
        create(&mut thread, attributes.as_ptr(), run, argument)
    };
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// What runs in a domain: an interpreter, or a test's stand-in.
///
/// `confine` runs while the thread still has all rights; everything after it runs with the domain's rights alone, and must
/// not touch the trusted heap: no `Box`, no `String`, no `format!`.
pub trait Guest: Send + 'static {
    /// Puts the calling thread under its policy. Once more in every copy of the process.
    fn confine(&mut self, gate: &Gate) -> Result<(), ConfineError>;
    /// Starts, with its environment set; where it cannot, writes why (flat form) and says how many bytes.
    fn start(&mut self, config: &[u8], error: &mut [u8]) -> Result<(), usize>;
    /// The thread is about to park: the process may be copied before it goes on.
    fn before_parking(&mut self);
    /// It goes on, before its first call. `news` is what [`Started::revive`] was given, and empty in place. Errors as
    /// [`Self::start`].
    fn after_parking(&mut self, woken: Woken, news: &[u8], error: &mut [u8]) -> Result<(), usize>;
    fn call(&mut self, call: &Call<'_>, out: &mut [u8]) -> Answer;
    /// The thread is about to sleep for a call, and has been woken by one.
    fn pause(&mut self);
    fn resume(&mut self);
}

/// Which step of confining a thread failed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfineError {
    pub step: &'static str,
    pub errno: i32,
}

/// Where a thread that has put itself under a filter leaves the filter's listener, and waits until someone listens.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Gate {
    /// 0: nothing yet. 1: `value` is a listener. 2: past the start-up page. 3: failed, `value` is the errno, `step` says where.
    state: AtomicU32,
    open: AtomicU32,
    value: AtomicI32,
    step: AtomicU32,
    thread: AtomicI32,
    step_at: std::sync::atomic::AtomicUsize,
}

impl Gate {
    /// Leaves the listener and sleeps until it is served.
    pub fn hand_over(&self, listener: i32) {
        self.value.store(listener, Ordering::Relaxed);
        self.publish(1);
        while self.open.load(Ordering::Acquire) == 0 {
            sys::futex_wait(&self.open, 0, None);
        }
    }

    /// Sleeps until the start-up page is gone.
    fn wait_to_begin(&self) {
        loop {
            let open = self.open.load(Ordering::Acquire);
            if open == BEGIN {
                return;
            }
            sys::futex_wait(&self.open, open, None);
        }
    }

    fn publish(&self, state: u32) {
        // SAFETY: asks for the caller's number.
        self.thread.store(unsafe { libc::gettid() }, Ordering::Relaxed);
        self.state.store(state, Ordering::Release);
        sys::futex_wake(&self.state);
    }

    fn fail(&self, error: ConfineError) {
        self.value.store(error.errno, Ordering::Relaxed);
        self.step_at.store(error.step.as_ptr() as usize, Ordering::Relaxed);
        self.step.store(error.step.len() as u32, Ordering::Relaxed);
        self.publish(3);
    }
}

/// Value of [`Gate::open`]: the start-up page is gone.
const BEGIN: u32 = 2;

/// The gate of a thread that waits for the start-up page to go.
#[derive(Debug)]
pub(crate) struct WaitingGate(usize);

impl WaitingGate {
    pub(crate) fn let_begin(self) {
        // SAFETY: the block begins with the gate and is never unmapped before its thread begins.
        let gate = unsafe { &(*(self.0 as *const Front)).gate };
        gate.open.store(BEGIN, Ordering::Release);
        sys::futex_wake(&gate.open);
    }
}

/// What the trusted threads see of a [`Block`], whatever its guest is.
#[repr(C)]
struct Front {
    gate: Gate,
    parking: Parking,
    rights: Option<(WritePkru, u32)>,
    /// In a copy: where it is, and its length.
    news: (usize, usize),
    /// The life of the thread when it was made again, with the block's address.
    second_life: unsafe extern "C" fn(usize) -> !,
    side: DomainSide,
}

/// All that a domain's thread needs, in memory that carries its key.
#[repr(C)]
struct Block<G> {
    front: Front,
    guest: G,
    signal_stack: usize,
    clear_environment: unsafe extern "C" fn() -> c_int,
    put_environment: unsafe extern "C" fn(*mut c_char) -> c_int,
    config: (usize, usize),
    environment: (usize, usize),
}

/// What is to be started.
pub struct Launch<'a, G> {
    pub namespace: &'a Namespace,
    pub key: Option<Key>,
    pub guest: G,
    pub mailbox: &'a Mailbox,
    pub doorbell: &'a Doorbell,
    /// Given to [`Guest::start`].
    pub config: &'a [u8],
    /// `NAME=value`, all there is.
    pub environment: &'a [String],
}

/// A domain's first thread, on its way up, and wherever it is made again.
pub struct Started {
    block: usize,
    key: Option<Key>,
    /// The memory that is the domain's from the start: stack, block, mailbox.
    pub ranges: Vec<Range<usize>>,
}

/// What a starting thread says.
#[derive(Debug)]
pub enum Progress {
    /// The listener of its filter; call [`Started::open_gate`] when somebody serves it.
    Listener(i32),
    /// It has given up its rights; the start-up page is not needed for it any more.
    Confined,
    Failed(ConfineError),
}

impl Started {
    fn front(&self) -> &Front {
        // SAFETY: the block begins with its front and is never unmapped.
        unsafe { &*(self.block as *const Front) }
    }

    fn gate(&self) -> &Gate {
        &self.front().gate
    }

    /// Sleeps until the thread has parked, as it does when its guest has started; false where that failed.
    pub fn await_parked(&self) -> bool {
        self.front().parking.await_parked()
    }

    /// Lets the parked thread go on where it is.
    pub fn go_on(&self) {
        self.front().parking.go_on();
    }

    /// Makes the parked thread again in a copy of the process, from [`Guest::confine`] on; to be followed like one that starts.
    /// It answers at `mailbox`, and `news` is for [`Guest::after_parking`]. Returns the memory it is in, which is the domain's.
    pub fn revive(
        &self,
        copy: &ProcessCopy,
        page: Option<&StartUpPage>,
        mailbox: &Mailbox,
        news: &[u8],
    ) -> io::Result<Range<usize>> {
        let memory = Mapping::private(news.len().max(1), self.key)?;
        let range = memory.address()..memory.address() + memory.len();
        let news_at = memory.leak();
        let page = page.filter(|_| self.key.is_some());
        // SAFETY: the memory is fresh and long enough. In the copy the block's thread does not run yet, so it is all ours.
        unsafe {
            std::ptr::copy_nonoverlapping(news.as_ptr(), news_at as *mut u8, news.len());
            let front = &mut *(self.block as *mut Front);
            front.gate = Gate::default();
            front.news = (news_at, news.len());
            front.side = front.side.moved(mailbox.domain_side());
            front.rights = self.key.zip(page).map(|(key, page)| (page.write_pkru(), key.constant_pkru()));
        }
        // SAFETY: this is a copy, as the caller shows; the block's thread makes this its second life, for good.
        unsafe { self.front().parking.revive(copy.layout, self.front().second_life, self.block)? };
        if let Some(page) = page {
            page.hold(WaitingGate(self.block));
        }
        Ok(range)
    }

    /// Waits for what comes after `Progress` number `seen` (0 at first).
    pub fn wait(&self) -> Progress {
        loop {
            match self.gate().state.swap(0, Ordering::Acquire) {
                0 => sys::futex_wait(&self.gate().state, 0, None),
                1 => return Progress::Listener(self.gate().value.load(Ordering::Relaxed)),
                2 => return Progress::Confined,
                _ => {
                    let gate = self.gate();
                    let (at, len) = (gate.step_at.load(Ordering::Relaxed), gate.step.load(Ordering::Relaxed));
                    // SAFETY: stored from a &'static str, by code that runs before any of the function's.
                    let step = unsafe {
                        std::str::from_utf8_unchecked(std::slice::from_raw_parts(
                            at as *const u8,
                            len as usize,
                        ))
                    };
                    return Progress::Failed(ConfineError {
                        step,
                        errno: gate.value.load(Ordering::Relaxed),
                    });
                }
            }
        }
    }

    /// The thread's number, once it has said anything.
    pub fn thread(&self) -> i32 {
        self.gate().thread.load(Ordering::Relaxed)
    }

    pub fn open_gate(&self) {
        self.gate().open.store(1, Ordering::Release);
        sys::futex_wake(&self.gate().open);
    }
}

impl<G: Guest> Launch<'_, G> {
    /// Starts the thread, with that namespace's own `pthread_create`: per-thread state of a libc is set up only by itself.
    pub fn start(self, page: Option<&StartUpPage>) -> io::Result<Started> {
        let environment = c_strings(self.environment);
        let block_len = size_of::<Block<G>>().next_multiple_of(64);
        let memory = Mapping::private(block_len + self.config.len() + environment.len(), self.key)?;
        let stack = Mapping::private(DOMAIN_STACK, self.key)?;
        stack.guard_lowest_page()?;
        // Key 0: a signal handler starts with rights to nothing else.
        let signal_stack = Mapping::private(SIGNAL_STACK, None)?.leak();
        let ranges =
            [&memory, &stack].map(|mapping| mapping.address()..mapping.address() + mapping.len()).to_vec();

        let address = memory.leak();
        let config_at = address + block_len;
        let environment_at = config_at + self.config.len();
        let block = address as *mut Block<G>;
        let symbol = |name: &CStr| match self.namespace.lookup(name) as usize {
            0 => Err(io::Error::other(format!("its libc has no {}", name.to_string_lossy()))),
            address => Ok(address),
        };
        let (clear, put, pthread_create) =
            (symbol(c"clearenv")?, symbol(c"putenv")?, symbol(c"pthread_create")?);
        // SAFETY: fresh memory of the right size; the symbols are the C library's functions of these names.
        unsafe {
            std::ptr::copy_nonoverlapping(self.config.as_ptr(), config_at as *mut u8, self.config.len());
            std::ptr::copy_nonoverlapping(environment.as_ptr(), environment_at as *mut u8, environment.len());
            block.write(Block {
                front: Front {
                    gate: Gate::default(),
                    parking: Parking::default(),
                    rights: self.key.zip(page).map(|(key, page)| (page.write_pkru(), key.constant_pkru())),
                    news: (config_at, 0),
                    second_life: second_life::<G>,
                    side: DomainSide::new(self.mailbox.domain_side(), self.doorbell),
                },
                guest: self.guest,
                signal_stack,
                clear_environment: std::mem::transmute::<usize, unsafe extern "C" fn() -> c_int>(clear),
                put_environment: std::mem::transmute::<usize, unsafe extern "C" fn(*mut c_char) -> c_int>(
                    put,
                ),
                config: (config_at, self.config.len()),
                environment: (environment_at, environment.len()),
            });
            let pthread_create = std::mem::transmute::<usize, PthreadCreate>(pthread_create);
            create(pthread_create, stack.leak(), DOMAIN_STACK, run_domain::<G>, block.cast())?;
        }
        if let Some(page) = page.filter(|_| self.key.is_some()) {
            page.hold(WaitingGate(address));
        }
        Ok(Started { block: address, key: self.key, ranges })
    }
}

fn c_strings(strings: &[String]) -> Vec<u8> {
    strings.iter().flat_map(|string| string.bytes().filter(|&byte| byte != 0).chain([0])).collect()
}

/// The life of a domain's first thread. From `rights` on it touches nothing but its own memory.
extern "C" fn run_domain<G: Guest>(block: *mut c_void) -> *mut c_void {
    // SAFETY: `start` wrote the block and gave it to this thread; it is never unmapped.
    let block = unsafe { &mut *block.cast::<Block<G>>() };
    if !block.confine() {
        return std::ptr::null_mut();
    }
    // SAFETY: libc's own functions, on a thread of that libc; each string ends with a zero and stays for good.
    unsafe {
        (block.clear_environment)();
        let (mut at, len) = block.environment;
        let end = at + len;
        while at < end {
            (block.put_environment)(at as *mut c_char);
            at += CStr::from_ptr(at as *const c_char).count_bytes() + 1;
        }
    }
    // SAFETY: `start` put the configuration there, for good.
    let config = unsafe { std::slice::from_raw_parts(block.config.0 as *const u8, block.config.1) };
    let mut up = block.guest.start(config, block.front.side.start_error());
    if up.is_ok() {
        block.guest.before_parking();
        let woken = block.front.parking.park();
        // SAFETY: `revive` put the news there, for good; in place they are empty.
        let news = unsafe { std::slice::from_raw_parts(block.front.news.0 as *const u8, block.front.news.1) };
        up = block.guest.after_parking(woken, news, block.front.side.start_error());
    }
    match up {
        Ok(()) => block.front.side.started(),
        Err(written) => {
            block.front.side.start_failed(written);
            block.front.parking.give_up();
            return std::ptr::null_mut();
        }
    }
    block.guest.pause();
    loop {
        block.front.side.wait();
        block.guest.resume();
        let guest = &mut block.guest;
        block.front.side.answer(|call, out| guest.call(call, out));
        block.guest.pause();
    }
}

/// What a domain's first thread does in a copy of its process before it goes on where it parked.
unsafe extern "C" fn second_life<G: Guest>(block: usize) -> ! {
    {
        // SAFETY: `start` wrote the block; it is this thread's, in this copy too.
        let block = unsafe { &mut *(block as *mut Block<G>) };
        if !block.confine() {
            // Whoever follows it ends the process.
            fault::sleep_for_good();
        }
    }
    // SAFETY: this is the thread that was made again for this block's parking.
    unsafe { (*(block as *const Front)).parking.resume() }
}

impl<G: Guest> Block<G> {
    /// Puts the calling thread under its policy and takes its rights; says at the gate how that went.
    fn confine(&mut self) -> bool {
        let front = &self.front;
        let confined = fault::use_alternate_stack(self.signal_stack, SIGNAL_STACK)
            .map_err(|error| ConfineError { step: "sigaltstack", errno: error.raw_os_error().unwrap_or(0) })
            .and_then(|()| self.guest.confine(&front.gate));
        if let Err(error) = confined {
            front.gate.fail(error);
            return false;
        }
        if let Some((write_pkru, rights)) = front.rights {
            // SAFETY: the page stays until this thread says that it is past it; this stack and block carry the domain's key.
            unsafe { write_pkru.call(rights) };
        }
        front.gate.publish(2);
        if front.rights.is_some() {
            front.gate.wait_to_begin();
        }
        true
    }
}
