//! Link namespaces: a libc, a libpython and native extensions of a domain's own, in one process.

use crate::keys::Key;
use crate::link_map::LinkMap;
use crate::mapping::Mapping;
use crate::maps::{self, MapsEntry};
use crate::owners::{DomainIndex, Holds, Owners};
use crate::sys;
use crate::thread_lists::{ListHeads, ThreadListsError};
use std::ffi::{CStr, CString, OsStr, c_void};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    #[error("the loader cannot open it in a namespace of its own: {0}")]
    Loader(String),
    #[error("cannot read what the loader mapped: {0}")]
    Maps(io::Error),
    #[error("cannot give the loader's mappings to their key: {0}")]
    Tag(io::Error),
    #[error("no libc was loaded with it")]
    NoLibc,
    #[error(transparent)]
    ThreadLists(#[from] ThreadListsError),
}

/// A library, and everything it needs, loaded apart from all others. It stays for as long as the process lives.
pub struct Namespace {
    handle: *mut c_void,
    /// What the loader mapped for it, and whether it is code.
    ranges: Vec<(Range<usize>, bool)>,
}

// SAFETY: the handle is an address in the loader's tables, valid on every thread; lookups lock the loader.
unsafe impl Send for Namespace {}

impl Namespace {
    /// Loads `library` in a new namespace and gives its writable memory to `key`.
    ///
    /// To be called while no domain runs: what appears in the process's map meanwhile is taken to belong to the namespace.
    pub(crate) fn open(
        library: &Path,
        key: Option<Key>,
        heads: Option<&ListHeads>,
    ) -> Result<Self, NamespaceError> {
        let name = CString::new(library.as_os_str().as_bytes())
            .map_err(|_| NamespaceError::Loader("its path holds a zero byte".into()))?;
        let before = maps::read().map_err(NamespaceError::Maps)?;
        // SAFETY: loading runs the library's constructors, which is what it was asked for; the name is a C string.
        let handle =
            unsafe { libc::dlmopen(libc::LM_ID_NEWLM, name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            return Err(NamespaceError::Loader(loader_error()));
        }
        if let Some(heads) = heads {
            let libc = find_libc(handle).ok_or(NamespaceError::NoLibc)?;
            let copy = Mapping::private(heads.copy_size(), key).map_err(NamespaceError::Tag)?.leak();
            // SAFETY: the copy stays for good, and no thread of this namespace exists yet.
            unsafe { heads.give_private_copy(&libc, copy)? };
        }
        let after = maps::read().map_err(NamespaceError::Maps)?;
        let new: Vec<MapsEntry> =
            maps::added(&before, &after).into_iter().filter(|entry| !entry.is_brk_heap).collect();
        for entry in new.iter().filter(|entry| entry.writable) {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            // SAFETY: the loader just mapped this for the namespace, and nothing of the namespace runs yet.
            unsafe { sys::protect(entry.start, entry.end - entry.start, protection, key) }
                .map_err(NamespaceError::Tag)?;
        }
        Ok(Self {
            handle,
            ranges: new.into_iter().map(|entry| (entry.start..entry.end, entry.executable)).collect(),
        })
    }

    /// Enters what the loader mapped for it as `owner`'s.
    pub fn enter(&self, owners: &mut Owners, owner: DomainIndex) {
        for (range, code) in &self.ranges {
            owners.enter(range.clone(), owner, if *code { Holds::Code } else { Holds::File });
        }
    }

    /// The address of a symbol of the library or of what it needs; null where there is none.
    pub fn lookup(&self, symbol: &CStr) -> *mut c_void {
        // SAFETY: the handle is open for good.
        unsafe { libc::dlsym(self.handle, symbol.as_ptr()) }
    }
}

/// The libc of the namespace that `handle` belongs to.
pub(crate) fn find_libc(handle: *mut c_void) -> Option<LinkMap> {
    LinkMap::all(handle).into_iter().find(|map| {
        Path::new(OsStr::new(&map.name()))
            .file_name()
            .is_some_and(|name| name.as_bytes().starts_with(b"libc.so"))
    })
}

fn loader_error() -> String {
    // SAFETY: dlerror returns null or a string that is valid until the next loader call of this thread.
    unsafe {
        let message = libc::dlerror();
        if message.is_null() {
            return "unknown error".into();
        }
        CStr::from_ptr(message).to_string_lossy().into_owned()
    }
}
