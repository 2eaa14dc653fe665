//! A guest of native code: each call is one thing to do, its argument a number.

use faastlane_domain::{Answer, Call, ConfineError, Gate, Guest, Namespace, Woken, Written, monotonic_nanos};
use faastlane_sandbox::{Confinement, Files};
use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What a call asks for: the function's number in the call.
pub(crate) const READ: u32 = 0;
pub(crate) const WRITE: u32 = 1;
/// Returns the address of a secret on this domain's heap.
pub(crate) const KEEP_SECRET: u32 = 2;
/// Returns the address of a local variable of the domain's thread.
pub(crate) const STACK: u32 = 3;
/// Returns its event.
pub(crate) const ECHO: u32 = 4;
/// Returns the address of its event.
pub(crate) const WHERE_IS_IT: u32 = 5;
/// Starts and joins this many threads of the domain's own libc.
pub(crate) const THREADS: u32 = 6;
/// Reads the address on a thread of its own.
pub(crate) const READ_ON_THREAD: u32 = 7;
/// Returns this many bytes of value 9.
pub(crate) const LARGE: u32 = 8;
/// Returns the address of its outbox.
pub(crate) const OUTBOX: u32 = 9;

/// Makes the system call whose number and six arguments the event holds; an argument of [`TEXT`] is the address of the bytes that
/// follow them. Returns what the kernel does.
pub(crate) const SYSTEM_CALL: u32 = 10;
pub(crate) const TEXT: u64 = u64::MAX - 1;
/// Calls its libc's `pkey_set`, to have all of key 0.
pub(crate) const SET_RIGHTS: u32 = 11;
/// Jumps to the address with every state component asked for.
pub(crate) const JUMP: u32 = 12;

/// Starts a thread at whose end the kernel is to write its number away at the address.
pub(crate) const END_AT: u32 = 13;
/// Starts a thread that waits, and whose list of locks leads to the address. Returns the thread's number.
pub(crate) const LOCK_AT: u32 = 14;
/// Lets that thread end.
pub(crate) const UNLOCK: u32 = 15;
/// Writes the second word of its event at the address that is the first.
pub(crate) const SET: u32 = 16;

type Start = extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(*mut libc::pthread_t, *const c_void, Start, *mut c_void) -> c_int;
type Join = unsafe extern "C" fn(libc::pthread_t, *mut *mut c_void) -> c_int;

pub(crate) struct Native {
    malloc: unsafe extern "C" fn(usize) -> *mut u8,
    create: Create,
    join: Join,
    set_rights: unsafe extern "C" fn(c_int, u32) -> c_int,
    locker: Locker,
}

impl Native {
    pub(crate) fn new(namespace: &Namespace) -> Self {
        let symbol = |name: &CStr| {
            let address = namespace.lookup(name) as usize;
            assert_ne!(address, 0, "libc has {name:?}");
            address
        };
        // SAFETY: the C library's functions of these names.
        unsafe {
            Self {
                malloc: std::mem::transmute::<usize, unsafe extern "C" fn(usize) -> *mut u8>(symbol(
                    c"malloc",
                )),
                create: std::mem::transmute::<usize, Create>(symbol(c"pthread_create")),
                join: std::mem::transmute::<usize, Join>(symbol(c"pthread_join")),
                set_rights: std::mem::transmute::<usize, unsafe extern "C" fn(c_int, u32) -> c_int>(symbol(
                    c"pkey_set",
                )),
                locker: Locker::default(),
            }
        }
    }

    fn on_threads(&self, count: u64, body: Start, argument: *mut c_void) {
        let mut threads = [0; 16];
        let threads = &mut threads[..count.min(16) as usize];
        for thread in threads.iter_mut() {
            // SAFETY: libc's own functions; the bodies take any argument.
            unsafe { (self.create)(thread, std::ptr::null(), body, argument) };
        }
        for thread in threads {
            // SAFETY: each was created above.
            unsafe { (self.join)(*thread, std::ptr::null_mut()) };
        }
    }
}

/// `numbers` is the call's number, its six arguments, and text.
fn system_call(event: &[u8]) -> u64 {
    let (numbers, text) = event.split_at(56);
    let word = |at: usize| {
        let bytes = numbers[8 * at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if bytes == TEXT { text.as_ptr() as u64 } else { bytes }
    };
    let result: u64;
    // SAFETY: none; this is the attack. (Not libc's `syscall`, whose errno is another namespace's.)
    unsafe {
        std::arch::asm!(
            "syscall",
            inout("rax") word(0) => result,
            in("rdi") word(1), in("rsi") word(2), in("rdx") word(3),
            in("r10") word(4), in("r8") word(5), in("r9") word(6),
            out("rcx") _, out("r11") _,
        );
    }
    result
}

/// Enters the loader's restore of `[rsp + 0x40]`, with all of the area zero: the rights it stands for are those to everything.
fn jump(address: u64) {
    let area = [0u8; 8192];
    let stack = (area.as_ptr() as u64 + 128).next_multiple_of(64) - 64;
    // SAFETY: none; this is the attack.
    unsafe {
        std::arch::asm!(
            "mov rsp, rsi", "xor edx, edx", "jmp rdi",
            in("rsi") stack, in("rdi") address, in("eax") 0x200, options(noreturn),
        )
    }
}

extern "C" fn nothing(_: *mut c_void) -> *mut c_void {
    std::ptr::null_mut()
}

/// Ends the calling thread after it has said that its number is at `address`, which the kernel writes then.
extern "C" fn end_at(address: *mut c_void) -> *mut c_void {
    // SAFETY: none; this is the attack.
    unsafe {
        std::arch::asm!(
            "syscall", "mov eax, {exit}", "xor edi, edi", "syscall", "ud2",
            exit = const libc::SYS_exit,
            in("rax") libc::SYS_set_tid_address, in("rdi") address,
            options(noreturn),
        )
    }
}

/// A thread that holds a lock, for the kernel.
#[derive(Default)]
struct Locker {
    address: AtomicU64,
    number: AtomicU32,
    go: AtomicU32,
}

/// The kernel marks a lock that a thread holds at its end, where the thread's number stands in it (`man 2 set_robust_list`).
extern "C" fn lock_at(locker: *mut c_void) -> *mut c_void {
    // SAFETY: the guest stays as long as the process.
    let locker = unsafe { &*locker.cast::<Locker>() };
    let mut list = [0u64; 4];
    let (head, entry) = (&raw const list[0] as u64, &raw const list[3] as u64);
    list = [entry, locker.address.load(Ordering::Relaxed).wrapping_sub(entry), 0, head];
    let call = |number: i64, a: u64, b: u64| {
        let mut event = [0; 56];
        for (bytes, word) in event.as_chunks_mut::<8>().0.iter_mut().zip([number as u64, a, b]) {
            *bytes = word.to_le_bytes();
        }
        system_call(&event)
    };
    call(libc::SYS_set_robust_list, std::hint::black_box(&list).as_ptr() as u64, 24);
    locker.number.store(call(libc::SYS_gettid, 0, 0) as u32, Ordering::Release);
    while locker.go.load(Ordering::Acquire) == 0 {
        std::hint::spin_loop();
    }
    call(libc::SYS_exit, 0, 0);
    std::ptr::null_mut()
}

extern "C" fn read_byte(address: *mut c_void) -> *mut c_void {
    // SAFETY: none; this is the attack.
    (unsafe { address.cast::<u8>().read_volatile() }) as usize as *mut c_void
}

pub(crate) fn confine(gate: &Gate) -> Result<Vec<libc::sock_filter>, ConfineError> {
    // What the scenarios open: the tests themselves, and what they write.
    let own = std::env::current_exe().map(|path| vec![path]).unwrap_or_default();
    let files = Files { readable: own, writable: vec![std::env::temp_dir()], ..Files::default() };
    Confinement { log: 2, directory: c"/".into(), monitored: true, files, ..Confinement::default() }
        .enter(|listener| gate.hand_over(listener))
        .map_err(|error| ConfineError { step: error.step, errno: error.errno })
}

impl Guest for Native {
    fn start(&mut self, _config: &[u8], _error: &mut [u8]) -> Result<(), usize> {
        Ok(())
    }

    fn before_parking(&mut self) {}

    fn after_parking(&mut self, woken: Woken, news: &[u8], _error: &mut [u8]) -> Result<(), usize> {
        let expected: &[u8] = if woken == Woken::InCopy { b"news" } else { b"" };
        if news == expected { Ok(()) } else { Err(0) }
    }

    fn call(&mut self, call: &Call<'_>, out: &mut [u8]) -> Answer {
        let argument = call.event.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let local = 0u64;
        let result = match call.function {
            // SAFETY: none; this is the attack.
            READ => u64::from(unsafe { (argument as *const u8).read_volatile() }),
            WRITE => {
                // SAFETY: none; this is the attack.
                unsafe { (argument as *mut u8).write_volatile(1) };
                0
            }
            KEEP_SECRET => {
                // SAFETY: libc's malloc gives eight bytes.
                unsafe {
                    let secret = (self.malloc)(8);
                    secret.write_volatile(42);
                    secret as u64
                }
            }
            STACK => &raw const local as u64,
            WHERE_IS_IT => call.event.as_ptr() as u64,
            OUTBOX => out.as_ptr() as u64,
            THREADS => {
                self.on_threads(argument, nothing, std::ptr::null_mut());
                argument
            }
            READ_ON_THREAD => {
                self.on_threads(1, read_byte, argument as *mut c_void);
                0
            }
            END_AT => {
                // SAFETY: libc's own function. Nobody joins the thread, which its libc does not see end.
                let error =
                    unsafe { (self.create)(&mut 0, std::ptr::null(), end_at, argument as *mut c_void) };
                error as u64
            }
            LOCK_AT => {
                self.locker.number.store(0, Ordering::Relaxed);
                self.locker.go.store(0, Ordering::Relaxed);
                self.locker.address.store(argument, Ordering::Relaxed);
                let locker = (&raw const self.locker).cast_mut().cast();
                // SAFETY: libc's own function. Nobody joins the thread.
                let error = unsafe { (self.create)(&mut 0, std::ptr::null(), lock_at, locker) };
                assert_eq!(error, 0);
                while self.locker.number.load(Ordering::Acquire) == 0 {
                    std::hint::spin_loop();
                }
                u64::from(self.locker.number.load(Ordering::Relaxed))
            }
            UNLOCK => {
                self.locker.go.store(1, Ordering::Release);
                0
            }
            SET => {
                let value = call.event[8..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                // SAFETY: none; the tests give it addresses of its own.
                unsafe { (argument as *mut u64).write_volatile(value) };
                0
            }
            SYSTEM_CALL => system_call(call.event),
            // SAFETY: none; this is the attack.
            SET_RIGHTS => unsafe { (self.set_rights)(0, 0) as u64 },
            JUMP => {
                jump(argument);
                0
            }
            ECHO | LARGE => {
                let len = if call.function == ECHO { call.event.len() } else { argument as usize };
                match call.function {
                    ECHO => out[..len].copy_from_slice(call.event),
                    _ => out[..len].fill(9),
                }
                let now = monotonic_nanos();
                return Answer { outcome: Written::Ok(len), called_ns: now, returned_ns: now };
            }
            _ => 0,
        };
        out[..8].copy_from_slice(&result.to_le_bytes());
        let now = monotonic_nanos();
        Answer { outcome: Written::Ok(8), called_ns: now, returned_ns: now }
    }

    fn pause(&mut self) {}

    fn resume(&mut self) {}
}
