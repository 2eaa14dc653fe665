//! A started interpreter, and what goes to descriptor 1 meanwhile.

use std::ffi::{CString, c_void};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use faastlane_payload::Payload;
use faastlane_python::{Api, Call, InRun, Interpreter, Outcome, Output, Returned, StartFailure};
use serde_json::{Value, json};

use crate::heap;

pub(crate) struct World {
    pub(crate) interpreter: Interpreter<'static>,
    names: Vec<String>,
    out: Vec<u8>,
    printed: File,
}

/// Room for a result, as large as any case needs.
const OUT_BYTES: usize = 4 << 20;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interpreters/functions")
}

/// A function's part of the configuration. `place` is `FILE:HANDLER`, the file without its ending.
pub(crate) fn function(place: &str) -> Value {
    let (file, handler) = place.split_once(':').unwrap_or((place, ""));
    let module = Path::new(file).file_name().unwrap().to_str().unwrap();
    let handler = if handler.is_empty() { Value::Null } else { json!(handler) };
    json!({"name": place, "module": module, "file": folder().join(format!("{file}.py")), "handler": handler})
}

/// Bytes of this process that are in memory.
pub(crate) fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0))
}

/// Starts the interpreter of this process.
pub(crate) fn start(functions: Vec<Value>) -> Result<World, (StartFailure, Value)> {
    let sys_path: Value = serde_json::from_str(&std::env::var("FAASTLANE_TEST_SYS_PATH").unwrap()).unwrap();
    start_with(json!({"sys_path": sys_path, "functions": functions}))
}

pub(crate) fn start_with(config: Value) -> Result<World, (StartFailure, Value)> {
    let printed = catch_output();
    let api: &'static Api = Box::leak(Box::new(resolve(&mut |_| false).unwrap()));
    let functions = config["functions"].as_array().cloned().unwrap_or_default();
    let names = functions.iter().map(|function| function["name"].as_str().unwrap().to_owned()).collect();
    let config = Payload::from_value(config);
    let config = config.flat();
    let mut out = vec![0; OUT_BYTES];
    // SAFETY: this process has started no other CPython, and its environment leads to the right one.
    let started =
        heap::closed(|| unsafe { Interpreter::start(api, config, now_ns, Output::from(&mut out[..])) });
    match started {
        Ok(interpreter) => Ok(World { interpreter, names, out, printed }),
        Err(failure) => {
            let error = Payload::from_flat(Box::new(out[..failure.written].to_vec()));
            Err((failure, error.value().unwrap().clone()))
        }
    }
}

/// Resolves the table in this process's libpython, without the symbols that are `hidden`.
pub(crate) fn resolve(hidden: &mut dyn FnMut(&str) -> bool) -> Result<Api, &'static std::ffi::CStr> {
    let library = CString::new(std::env::var("FAASTLANE_TEST_LIBPYTHON").unwrap()).unwrap();
    // SAFETY: libpython's initialisers may run anywhere. Global, since extension modules look for its
    // symbols.
    let library = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    assert!(!library.is_null(), "libpython loads");
    let mut lookup = |name: &std::ffi::CStr| -> *mut c_void {
        if hidden(name.to_str().unwrap()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the library is loaded and the name ends in zero.
        unsafe { libc::dlsym(library, name.as_ptr()) }
    };
    // SAFETY: the symbols are those of one libpython, which is never unloaded, and of its libc.
    unsafe { Api::resolve(&mut lookup) }
}

/// Puts a file of memory in the place of descriptor 1.
fn catch_output() -> File {
    // SAFETY: the name ends in zero; the new descriptor is ours alone.
    unsafe {
        let file = File::from_raw_fd(libc::memfd_create(c"printed".as_ptr(), 0));
        assert_eq!(libc::dup2(file.as_raw_fd(), 1), 1);
        file
    }
}

impl World {
    /// The index of the function at `place`.
    pub(crate) fn index(&self, place: &str) -> u32 {
        let index = self.names.iter().position(|name| name == place);
        u32::try_from(index.unwrap_or_else(|| panic!("{place} is configured"))).unwrap()
    }

    /// Calls the function at `place`; its result, or its error object.
    pub(crate) fn call(&mut self, place: &str, event: &Value) -> Result<Payload, Value> {
        self.call_flat(place, Payload::from_value(event.clone()).flat())
    }

    pub(crate) fn call_flat(&mut self, place: &str, event: &[u8]) -> Result<Payload, Value> {
        let call = Call {
            function: self.index(place),
            event,
            request_id: "request-1",
            deadline_ms: 0,
            in_run: InRun::default(),
        };
        match self.call_into(&call, OUT_BYTES).outcome {
            Outcome::Ok(length) => Ok(self.read(length)),
            Outcome::Error(length) => Err(self.read(length).value().unwrap().clone()),
            Outcome::TooLarge(needed) => panic!("{needed} bytes are enough"),
        }
    }

    pub(crate) fn call_into(&mut self, call: &Call<'_>, capacity: usize) -> Returned {
        let World { interpreter, out, .. } = self;
        heap::closed(|| interpreter.call(call, Output::from(&mut out[..capacity])))
    }

    pub(crate) fn read(&self, length: usize) -> Payload {
        Payload::from_flat(Box::new(self.out[..length].to_vec()))
    }

    /// What was printed since the last time.
    pub(crate) fn printed(&mut self) -> String {
        let mut text = String::new();
        self.printed.seek(SeekFrom::Start(0)).unwrap();
        self.printed.read_to_string(&mut text).unwrap();
        self.printed.set_len(0).unwrap();
        self.printed.seek(SeekFrom::Start(0)).unwrap(); // shared with descriptor 1
        text
    }
}
