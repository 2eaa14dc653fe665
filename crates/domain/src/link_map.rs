//! The loader's description of one loaded object: where it is, and what its tables say.

use std::ffi::{CStr, c_char, c_int, c_void};

#[repr(C)]
struct RawLinkMap {
    l_addr: usize,
    l_name: *const c_char,
    l_ld: *const Dynamic,
    l_next: *const RawLinkMap,
    l_prev: *const RawLinkMap,
}

#[repr(C)]
struct Dynamic {
    tag: i64,
    value: usize,
}

#[repr(C)]
struct Relocation {
    offset: usize,
    info: u64,
    addend: i64,
}

#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: usize,
    size: u64,
}

const RTLD_DI_LINKMAP: c_int = 2;
const RTLD_DL_SYMENT: c_int = 1;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const R_X86_64_GLOB_DAT: u64 = 6;

unsafe extern "C" {
    fn dlinfo(handle: *mut c_void, request: c_int, info: *mut c_void) -> c_int;
    fn dladdr1(
        address: *const c_void,
        info: *mut libc::Dl_info,
        extra: *mut *mut c_void,
        flags: c_int,
    ) -> c_int;
}

/// An object of a namespace that is never closed.
#[derive(Clone, Copy)]
pub(crate) struct LinkMap(*const RawLinkMap);

impl LinkMap {
    /// All objects of the namespace that `handle` belongs to, in load order.
    pub(crate) fn all(handle: *mut c_void) -> Vec<Self> {
        let mut map: *const RawLinkMap = std::ptr::null();
        // SAFETY: the handle came from dlopen or dlmopen; RTLD_DI_LINKMAP stores one pointer.
        if unsafe { dlinfo(handle, RTLD_DI_LINKMAP, (&raw mut map).cast()) } != 0 {
            return Vec::new();
        }
        // SAFETY: the loader's list is well formed, and no other thread loads or unloads in this namespace now.
        unsafe {
            while !(*map).l_prev.is_null() {
                map = (*map).l_prev;
            }
            let mut all = Vec::new();
            while !map.is_null() {
                all.push(Self(map));
                map = (*map).l_next;
            }
            all
        }
    }

    /// The path, as the loader found it. Empty for the executable.
    pub(crate) fn name(&self) -> String {
        // SAFETY: the loader's entry and its name live as long as the namespace.
        unsafe { CStr::from_ptr((*self.0).l_name) }.to_string_lossy().into_owned()
    }

    fn dynamic(&self, tag: i64) -> Option<usize> {
        // SAFETY: the dynamic section ends with a zero tag.
        unsafe {
            let mut entry = (*self.0).l_ld;
            while (*entry).tag != 0 {
                if (*entry).tag == tag {
                    return Some((*entry).value);
                }
                entry = entry.add(1);
            }
        }
        None
    }

    /// The address of the offset-table slot through which this object finds the data symbol `name`.
    pub(crate) fn offset_table_slot(&self, name: &CStr) -> Option<usize> {
        let symbols = self.dynamic(DT_SYMTAB)? as *const Symbol;
        let strings = self.dynamic(DT_STRTAB)? as *const c_char;
        let relocations = self.dynamic(DT_RELA)? as *const Relocation;
        let count = self.dynamic(DT_RELASZ)? / size_of::<Relocation>();
        // SAFETY: the tables are the loader's, relocated and as long as they say.
        unsafe {
            (0..count)
                .map(|i| &*relocations.add(i))
                .filter(|relocation| relocation.info & 0xffff_ffff == R_X86_64_GLOB_DAT)
                .find(|relocation| {
                    let symbol = &*symbols.add((relocation.info >> 32) as usize);
                    CStr::from_ptr(strings.add(symbol.name as usize)) == name
                })
                .map(|relocation| (*self.0).l_addr + relocation.offset)
        }
    }
}

/// The size in bytes of the data symbol at `address`.
pub(crate) fn symbol_size(address: usize) -> Option<usize> {
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    let mut symbol: *mut c_void = std::ptr::null_mut();
    // SAFETY: both out-pointers are to locals; RTLD_DL_SYMENT stores a pointer to the symbol.
    let found = unsafe { dladdr1(address as *const c_void, &mut info, &mut symbol, RTLD_DL_SYMENT) };
    if found == 0 || symbol.is_null() {
        return None;
    }
    // SAFETY: the loader gave a symbol of a loaded object.
    Some(unsafe { (*symbol.cast::<Symbol>()).size } as usize)
}
