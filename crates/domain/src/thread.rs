//! Threads: the trusted ones, whose stacks are on the trusted key, and the first thread of each domain.

use crate::fault;
use crate::gate::{ConfineError, Gate, Progress, WaitingGate};
use crate::keys::Key;
use crate::mailbox::{Answer, Call, DomainSide, Doorbell, Mailbox};
use crate::mapping::{Mapping, trusted_key};
use crate::namespace::Namespace;
use crate::pkru::{StartUpPage, WritePkru};
use crate::snapshot::{Parking, Woken};
use crate::sys;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::mem::offset_of;
use std::ops::Range;
use std::sync::Arc;

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
    spawn_trusted_on(TRUSTED_STACK, body)
}

/// The same, with a stack of `stack_len` bytes.
pub(crate) fn spawn_trusted_on(stack_len: usize, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    extern "C" fn run(body: *mut c_void) -> *mut c_void {
        // SAFETY: made from a box just below, and given to this thread alone.
        let body = unsafe { Box::from_raw(body.cast::<Box<dyn FnOnce() + Send>>()) };
        body();
        std::ptr::null_mut()
    }
    let stack = Mapping::private(stack_len, trusted_key())?;
    stack.guard_lowest_page()?;
    let body: Box<Box<dyn FnOnce() + Send>> = Box::new(Box::new(body));
    // SAFETY: the stack is leaked, so it outlives the thread; the body is handed over whole.
    unsafe { create(libc::pthread_create, stack.leak(), stack_len, run, Box::into_raw(body).cast()) }
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
/// It runs with the domain's rights alone, and must not touch the trusted heap: no `Box`, no `String`, no `format!`.
pub trait Guest: Send + 'static {
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

/// Puts the calling thread under its policy, all but the last filter, which it returns as the kernel takes it (`man 2 seccomp`).
///
/// Runs while the thread still has all rights, once in every copy of the process. So it and all it uses is in trusted memory.
pub type Confine = Arc<dyn Fn(&Gate) -> Result<Vec<libc::sock_filter>, ConfineError> + Send + Sync>;

/// What the trusted threads see of a [`Block`], whatever its guest is. They write it before its domain runs, or while none does;
/// what they read of it later may be forged.
#[repr(C)]
pub(crate) struct Front {
    gate: Gate,
    pub(crate) parking: Parking,
    rights: Option<(WritePkru, u32)>,
    /// In a copy: where it is, and its length.
    pub(crate) news: (usize, usize),
    pub(crate) side: DomainSide,
}

/// All that a domain's thread needs, in memory that carries its key. No domain owns that memory: the monitor lets nobody unmap it
/// or map something else there, so that what a trusted thread finds there is never anything else.
#[repr(C)]
struct Block<G> {
    front: Front,
    guest: G,
    /// For the first life. Nobody drops it.
    confine: Confine,
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
    pub confine: Confine,
    pub mailbox: &'a Mailbox,
    pub doorbell: &'a Doorbell,
    /// Given to [`Guest::start`].
    pub config: &'a [u8],
    /// `NAME=value`, all there is.
    pub environment: &'a [String],
}

/// A domain's first thread, on its way up, and wherever it is made again.
pub struct Started {
    pub(crate) block: usize,
    pub(crate) key: Option<Key>,
    pub(crate) confine: Confine,
    /// Where the kernel writes what it tells of a fault of this thread.
    pub signal_stack: Range<usize>,
    /// Where it says how it comes up: in the block, and in a copy of the process in fresh memory.
    pub(crate) gate: usize,
    /// The thread's stack, which is the domain's from the start.
    pub stack: Range<usize>,
}

impl Started {
    fn front(&self) -> &Front {
        // SAFETY: the block begins with its front and is never unmapped.
        unsafe { &*(self.block as *const Front) }
    }

    fn gate(&self) -> &Gate {
        // SAFETY: it is where `start` or `revive` put it, and is never unmapped.
        unsafe { &*(self.gate as *const Gate) }
    }

    /// Sleeps until the thread has parked, as it does when its guest has started; false where that failed.
    pub fn await_parked(&self) -> bool {
        self.front().parking.await_parked()
    }

    /// Lets the parked thread go on where it is.
    pub fn go_on(&self) {
        self.front().parking.go_on();
    }

    /// Waits for what comes next.
    pub fn wait(&self) -> Progress {
        self.gate().wait()
    }

    /// The thread's number, once it has said anything.
    pub fn thread(&self) -> i32 {
        self.gate().thread()
    }

    pub fn open_gate(&self) {
        self.gate().open();
    }

    /// Lets it begin, once it is confined, where it waits for no start-up page to go.
    pub fn begin(&self) {
        if self.key.is_none() {
            self.gate().let_begin();
        }
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
        let stack_range = stack.address()..stack.address() + stack.len();
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
                    side: DomainSide::new(self.mailbox.domain_side(), self.doorbell),
                },
                guest: self.guest,
                confine: self.confine.clone(),
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
        let gate = address + offset_of!(Front, gate);
        if let Some(page) = page.filter(|_| self.key.is_some()) {
            page.hold(WaitingGate::at(gate));
        }
        Ok(Started {
            block: address,
            key: self.key,
            confine: self.confine,
            signal_stack: signal_stack..signal_stack + SIGNAL_STACK,
            gate,
            stack: stack_range,
        })
    }
}

fn c_strings(strings: &[String]) -> Vec<u8> {
    strings.iter().flat_map(|string| string.bytes().filter(|&byte| byte != 0).chain([0])).collect()
}

/// The life of a domain's first thread. From `rights` on it touches nothing but its own memory.
extern "C" fn run_domain<G: Guest>(block: *mut c_void) -> *mut c_void {
    // SAFETY: `start` wrote the block and gave it to this thread; it is never unmapped.
    let block = unsafe { &mut *block.cast::<Block<G>>() };
    block.front.parking.remember_robust_list();
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

impl<G: Guest> Block<G> {
    /// Puts the calling thread under its policy and takes its rights; says at the gate how that went.
    fn confine(&mut self) -> bool {
        let front = &self.front;
        let confined = enter(&self.confine, &front.gate, self.signal_stack).and_then(|last_filter| {
            sys::filter(&last_filter).map_err(ConfineError::at("its system-call policy (seccomp)"))
        });
        if let Err(error) = confined {
            front.gate.fail(error);
            return false;
        }
        if let Some((write_pkru, rights)) = front.rights {
            // SAFETY: the page stays until this thread says that it is past it; this stack and block carry the domain's key.
            unsafe { write_pkru.call(rights) };
        }
        front.gate.pass();
        front.gate.wait_to_begin();
        true
    }
}

/// All of its policy but the last filter, which it returns.
pub(crate) fn enter(
    confine: &Confine,
    gate: &Gate,
    signal_stack: usize,
) -> Result<Vec<libc::sock_filter>, ConfineError> {
    fault::use_alternate_stack(signal_stack, SIGNAL_STACK).map_err(ConfineError::at("sigaltstack"))?;
    confine(gate)
}
