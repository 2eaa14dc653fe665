//! Making the process one in which domains can live. Once, first thing, while it has one thread.

use crate::fault;
use crate::heap;
use crate::keys::Key;
use crate::keys::{Keys, KeysUnavailable};
use crate::link_map::LinkMap;
use crate::mapping::Mapping;
use crate::namespace::{Namespace, NamespaceError, find_libc};
use crate::snapshot::{Forked, ThreadLayout, copy_process};
use crate::sys;
use crate::thread_lists::{ListHeads, ThreadListsError};
use std::io;
use std::path::Path;

/// What the loader must be told before it starts: room for 16 namespaces and their thread-local storage, and no restartable
/// sequences, which a thread that was copied does not have.
pub const LOADER_TUNABLES: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.rtld.nns=16:glibc.rtld.optional_static_tls=8192:glibc.pthread.rseq=0");

#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    #[error("cannot prepare the process ({0}): {1}")]
    System(&'static str, io::Error),
    #[error("this process has no libc that is loaded dynamically; domains need one")]
    NoLibc,
    #[error(transparent)]
    ThreadLists(#[from] ThreadListsError),
}

/// A process that is ready for domains.
pub struct DomainProcess {
    /// `None` where domains are not to be kept apart by keys.
    pub keys: Option<Keys>,
    heads: Option<ListHeads>,
    /// `None` where this glibc is unknown to us: then the process cannot be copied.
    layout: Option<ThreadLayout>,
}

/// Shows that the calling process is a copy, in which parked threads may be made again.
#[derive(Debug)]
pub struct ProcessCopy {
    pub(crate) layout: ThreadLayout,
}

/// Which of the two a process is after [`DomainProcess::copy`].
#[derive(Debug)]
pub enum Copied {
    /// The copy has this number.
    Original(i32),
    Copy(ProcessCopy),
}

impl DomainProcess {
    /// Prepares the calling process, which has one thread, is not to be used for anything else, and dies with the thread
    /// that started it.
    pub fn prepare(with_keys: bool) -> Result<Self, PrepareError> {
        one_base_heap();
        forbid_new_privileges().map_err(|error| PrepareError::System("no_new_privs", error))?;
        let libc = base_libc().ok_or(PrepareError::NoLibc)?;
        let heads = match ListHeads::find(&libc) {
            Err(unknown) if with_keys => return Err(unknown.into()),
            // Shared lists do no harm where every thread may touch every stack.
            found => found.unwrap_or_default(),
        };
        let keys = if with_keys { Some(Keys::take()?) } else { None };
        if let Some(keys) = &keys {
            heap::tag_with(keys.trusted).map_err(|error| PrepareError::System("the trusted heap", error))?;
            tag_own_data(keys.trusted)
                .map_err(|error| PrepareError::System("the executable's data", error))?;
        }
        if let Some(heads) = &heads {
            let trusted = keys.as_ref().map(|keys| keys.trusted);
            let copy = Mapping::private(heads.copy_size(), trusted)
                .map_err(|error| PrepareError::System("thread lists", error))?;
            // SAFETY: the copy stays for good, and this is the only thread.
            unsafe { heads.give_private_copy(&libc, copy.leak())? };
        }
        // Until its libc has made a thread it believes that there is one only, and the loader's allocations, which are that
        // libc's, go unlocked even when the threads of other namespaces make them.
        let elsewhere = std::thread::spawn(ThreadLayout::candidates)
            .join()
            .map_err(|_| PrepareError::System("threads", io::ErrorKind::Other.into()))?;
        let layout = ThreadLayout::among(&elsewhere);
        fault::install().map_err(|error| PrepareError::System("signal handlers", error))?;
        Ok(Self { keys, heads, layout })
    }

    /// Copies the process. The copy is a sibling, of the same parent, and has the calling thread only; it ends when the thread
    /// ends that started the original.
    ///
    /// To be called while all domains are parked and every trusted thread sleeps. Fails where threads are there that nobody
    /// could make again: `threads` is how many there are without those that functions started.
    pub fn copy(&self, threads: usize) -> io::Result<Copied> {
        let unsupported = |why: String| io::Error::new(io::ErrorKind::Unsupported, why);
        let layout = self.layout.ok_or_else(|| unsupported("this glibc is not known".into()))?;
        let there = std::fs::read_dir("/proc/self/task")?.count();
        if there > threads {
            let others = there - threads;
            return Err(unsupported(format!(
                "importing the functions started {others} threads, which run on"
            )));
        }
        // SAFETY: asks for a number.
        let parent = unsafe { libc::getppid() };
        // SAFETY: the other threads sleep, as the caller promises, outside of any lock.
        match unsafe { copy_process(layout)? } {
            Forked::Original(pid) => Ok(Copied::Original(pid)),
            Forked::Copy => {
                die_with_parent()?;
                // SAFETY: asks for a number, and makes this process the first of a group.
                let orphaned = unsafe {
                    libc::setpgid(0, 0);
                    libc::getppid() != parent
                };
                if orphaned {
                    exit_now(0);
                }
                Ok(Copied::Copy(ProcessCopy { layout }))
            }
        }
    }

    /// Loads `library` in a namespace of its own, on `key`. All of them before the first domain starts.
    pub fn open_namespace(&self, library: &Path, key: Option<Key>) -> Result<Namespace, NamespaceError> {
        Namespace::open(library, key, self.heads.as_ref())
    }
}

/// Puts the executable's own variables on the trusted key, but for the page that a fault handler writes.
fn tag_own_data(key: Key) -> io::Result<()> {
    unsafe extern "C" {
        // Defined by the linker: the first byte of initialised data, and the end of all data.
        static __data_start: u8;
        static _end: u8;
    }
    let start = &raw const __data_start as usize & !(sys::PAGE - 1);
    let end = sys::page_ceil(&raw const _end as usize);
    let report = fault::report_page();
    for range in [start..report.start, report.end..end] {
        if range.start < range.end {
            // SAFETY: these are this executable's variables, which stay readable and writable for the trusted threads; code of
            // ours that runs on a domain's thread uses none.
            unsafe { sys::protect(range.start, range.len(), libc::PROT_READ | libc::PROT_WRITE, Some(key))? };
        }
    }
    Ok(())
}

fn base_libc() -> Option<LinkMap> {
    // SAFETY: opens the executable itself, which is loaded.
    let handle = unsafe { libc::dlopen(std::ptr::null(), libc::RTLD_NOW) };
    if handle.is_null() { None } else { find_libc(handle) }
}

/// The loader allocates from the base libc's heap, on any thread. That heap must be one: an arena that was made for the thread
/// of one domain would carry its key, and be given to another.
fn one_base_heap() {
    const M_MMAP_MAX: i32 = -4;
    const M_TRIM_THRESHOLD: i32 = -1;
    const M_ARENA_MAX: i32 = -8;
    // SAFETY: sets parameters of the allocator, before other threads exist.
    unsafe {
        libc::mallopt(M_ARENA_MAX, 1);
        libc::mallopt(M_MMAP_MAX, 0);
        libc::mallopt(M_TRIM_THRESHOLD, i32::MAX);
    }
}

fn forbid_new_privileges() -> io::Result<()> {
    // SAFETY: sets an attribute of the process.
    match unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets the kernel end this process when the thread that started it ends.
pub fn die_with_parent() -> io::Result<()> {
    // SAFETY: sets an attribute of the process.
    match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends the process at once: destructors of namespaces are not safe to run.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}
