use std::ffi::{CStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr;

use faastlane_payload::flat::tag;

use crate::api::Api;
use crate::binary::Binary;
use crate::decode::decode;
use crate::encode::{Fail, encode, encode_and_look};
use crate::keys::Keys;
use crate::object::{Kind, Object, Python, Raised};
use crate::output::{Full, Output};

const BOOTSTRAP: &CStr =
    match CStr::from_bytes_with_nul(concat!(include_str!("bootstrap.py"), "\0").as_bytes()) {
        Ok(source) => source,
        Err(_) => panic!("the bootstrap has no zero in it"),
    };
const ON_DEMAND: &str = include_str!("on_demand.py");

/// One CPython with the functions of a domain loaded, on the thread that started it. It is never finalised:
/// its process or namespace ends with it.
pub struct Interpreter<'a> {
    api: &'a Api,
    clock: fn() -> u64,
    /// What `PyEval_SaveThread` gave, null while this thread holds the interpreter's lock.
    released: *mut c_void,
    // Dropping what follows would need the lock.
    parts: ManuallyDrop<Parts<'a>>,
    keys: ManuallyDrop<Keys<'a>>,
    /// The result of the last call, if the next one is to have it.
    kept: ManuallyDrop<Option<Object<'a>>>,
}

/// What `bootstrap.py` defines for us, under the same names.
struct Parts<'a> {
    now: Object<'a>,
    functions: Object<'a>,
    restored: Object<'a>,
    flush: Object<'a>,
    on_demand: Object<'a>,
    aws_request_id: Object<'a>,
    deadline: Object<'a>,
    /// If the functions may send each other bytes and arrays.
    binary: Option<Binary<'a>>,
}

/// One invocation of a function.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Index in the list of functions that the interpreter was started with.
    pub function: u32,
    /// The event in the flat form. It may be damaged: the invocation fails then.
    pub event: &'a [u8],
    /// What the context shows as `aws_request_id`.
    pub request_id: &'a str,
    /// Unix time in milliseconds at which the invocation is to have ended, 0 for none. Only shown to the
    /// function.
    pub deadline_ms: u64,
    pub in_run: InRun,
}

/// Where an invocation is among those that follow each other without anything in between.
#[derive(Debug, Clone, Copy, Default)]
pub struct InRun {
    /// The event is the last invocation's result: it need not be decoded where that can be handed on itself.
    pub event_is_last_result: bool,
    /// The result may be the next invocation's event.
    pub result_is_next_event: bool,
}

/// What came of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    pub outcome: Outcome,
    /// The clock when the handler was called; 0 if it was not.
    pub called_ns: u64,
    /// The clock when it returned or raised; 0 if it was not called.
    pub returned_ns: u64,
}

/// What lies in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The result, of this many bytes.
    Ok(usize),
    /// An object with `errorMessage`, `errorType`, `requestId` and `stackTrace` as AWS Lambda's Python
    /// runtime reports them, of this many bytes.
    Error(usize),
    /// Nothing: the result takes at least this many bytes.
    TooLarge(usize),
}

/// Why a domain's functions cannot be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartFailure {
    /// Which function could not be loaded; none if it was the interpreter.
    pub function: Option<u32>,
    /// Length of the error object in the output, as [`Outcome::Error`]; 0 if the output is too small for one.
    pub written: usize,
}

impl<'a> Interpreter<'a> {
    /// Starts CPython and loads the functions that `config` names. The thread holds the interpreter's lock
    /// after.
    ///
    /// `config` is the flat form of an object: `sys_path` (array of strings, exactly what `sys.path`
    /// becomes), `executable` and `prefix` (strings or absent), and `functions`, an array of objects with
    /// `name`, `module`, `file` (an absolute path), `handler` (or null: the first of `handler`,
    /// `lambda_handler`, `main`), `memory_mb` (or null) and `env` (object of strings); and `binary`, true if
    /// functions may send each other bytes and numpy's arrays. `clock` gives nanoseconds from any fixed moment.
    ///
    /// What functions print goes to descriptor 1, in front of it a line `\x1eINDEX REQUEST_ID` whenever
    /// another invocation begins to print. The request id is empty while a function is loaded.
    ///
    /// # Errors
    /// The error object is in `output`.
    ///
    /// # Safety
    /// `api` was resolved in a namespace whose CPython has not been started. This thread, started by that
    /// namespace's libc, is the only one that uses the interpreter through this crate. The environment that
    /// CPython reads (`PYTHONHOME`) leads it to its library: it ends the process otherwise.
    pub unsafe fn start(
        api: &'a Api,
        config: &[u8],
        clock: fn() -> u64,
        output: Output<'_>,
    ) -> Result<Interpreter<'a>, StartFailure> {
        const LINE_BUFFERED: c_int = 1;
        // SAFETY: the caller promises a namespace of its own, so nothing has used the stream yet, and a
        // CPython that has not been started. After that this thread holds its lock.
        let python = unsafe {
            // What native code prints comes out in the order of what Python code prints.
            (api.setvbuf)(*api.stdout.cast::<*mut c_void>(), ptr::null_mut(), LINE_BUFFERED, 0);
            // In a virtual environment it would take that of the installation below. See `bootstrap.py`.
            if let Some(no_site) = api.no_site.as_mut() {
                *no_site = 1;
            }
            (api.Py_InitializeEx)(0);
            Python::new(api)
        };
        if !python.layout_is_known() {
            let message = "this CPython is a free-threaded build, which has no stable ABI";
            let written = plain_error(output, message, "Runtime.Unsupported", "").unwrap_or(0);
            return Err(StartFailure { function: None, written });
        }
        let mut keys = Keys::new();
        match Parts::start(python, config, &mut keys, output) {
            Ok(Ok(parts)) => Ok(Interpreter {
                api,
                clock,
                released: ptr::null_mut(),
                parts: ManuallyDrop::new(parts),
                keys: ManuallyDrop::new(keys),
                kept: ManuallyDrop::new(None),
            }),
            Ok(Err(failure)) => Err(failure),
            Err(Raised) => {
                python.clear_exception();
                let message = "the domain's interpreter could not be set up";
                let written = plain_error(output, message, "Runtime.StartFailed", "").unwrap_or(0);
                Err(StartFailure { function: None, written })
            }
        }
    }

    /// To be called before the process is copied, on this thread, which holds the lock; [`Self::after_fork`] undoes it. Runs the
    /// hooks of `os.register_at_fork`.
    pub fn before_fork(&mut self) {
        // SAFETY: the interpreter is started, and this thread holds its lock.
        unsafe { (self.api.PyOS_BeforeFork)() };
    }

    /// On the same thread, in the copy or (`false`) in the original.
    pub fn after_fork(&mut self, in_copy: bool) {
        // SAFETY: `before_fork` was called on this thread.
        unsafe { (if in_copy { self.api.PyOS_AfterFork_Child } else { self.api.PyOS_AfterFork_Parent })() };
    }

    /// Makes the interpreter one of an instance: new random numbers, the environment it has there, and what functions want done
    /// after a restore. `news` is the flat form of an object with `env` (object of strings), or nothing.
    ///
    /// # Errors
    /// The error object of a function's own code is in `output`.
    pub fn restored(&mut self, news: &[u8], output: Output<'_>) -> Result<(), StartFailure> {
        // SAFETY: the interpreter is started, and this thread holds its lock.
        let python = unsafe { Python::new(self.api) };
        let parts = &*self.parts;
        let arguments = if news.is_empty() {
            python.tuple([])
        } else {
            decode(python, &mut self.keys, None, news).and_then(|news| python.tuple([news]))
        };
        let result = arguments.and_then(|arguments| parts.restored.call_with(&arguments));
        parts.up(python, result, output).unwrap_or_else(|Raised| {
            python.clear_exception();
            Err(StartFailure { function: None, written: 0 })
        })
    }

    /// Lets the function's other threads run while this one waits for its next invocation.
    pub fn release(&mut self) {
        if self.released.is_null() {
            // SAFETY: this thread holds the lock, as `released` says.
            self.released = unsafe { (self.api.PyEval_SaveThread)() };
        }
    }

    /// Takes the interpreter's lock back; [`Interpreter::call`] does so by itself.
    pub fn acquire(&mut self) {
        if !self.released.is_null() {
            // SAFETY: `released` is what `PyEval_SaveThread` gave, and is used once.
            unsafe { (self.api.PyEval_RestoreThread)(self.released) };
            self.released = ptr::null_mut();
        }
    }

    /// Invokes a function, and writes its result or its error to `output`. Whatever the function printed has
    /// been written to descriptor 1 when this returns.
    pub fn call(&mut self, call: &Call<'_>, output: Output<'_>) -> Returned {
        self.acquire();
        // SAFETY: the interpreter is started, and this thread holds its lock.
        let python = unsafe { Python::new(self.api) };
        let mut returned = Returned { outcome: Outcome::Error(0), called_ns: 0, returned_ns: 0 };
        returned.outcome = match self.invoke(python, call, output, &mut returned) {
            Ok(length) => Outcome::Ok(length),
            Err(Failed::TooLarge(needed)) => Outcome::TooLarge(needed),
            Err(Failed::In(stage)) => self.parts.write_error(python, stage, call.request_id, output),
        };
        if self.parts.now.list_element(2).is_ok_and(|wrote| wrote.is_true())
            && self.parts.flush.call_bare().is_err()
        {
            python.clear_exception();
        }
        returned
    }

    fn invoke(
        &mut self,
        python: Python<'a>,
        call: &Call<'_>,
        output: Output<'_>,
        returned: &mut Returned,
    ) -> Result<usize, Failed> {
        let setup = |_| Failed::In(Stage::Handler);
        let parts = &*self.parts;
        let request_id = python.text(call.request_id.as_bytes()).map_err(setup)?;
        parts.announce(python, call.function, &request_id).map_err(setup)?;
        let function = parts.functions.list_element(call.function as usize).map_err(setup)?;
        let handler = function.tuple_element(0).map_err(setup)?;
        let context_class = function.tuple_element(1).map_err(setup)?;
        let kept = self.kept.take().filter(|_| call.in_run.event_is_last_result);
        let event = match kept {
            Some(result) => result,
            None => decode(python, &mut self.keys, parts.binary.as_ref(), call.event)
                .map_err(|_| Failed::In(Stage::Event))?,
        };
        let arguments = if context_class.is_none() {
            python.tuple([event])
        } else {
            let context =
                parts.context(python, &context_class, &request_id, call.deadline_ms).map_err(setup)?;
            python.tuple([event, context])
        };
        let arguments = arguments.map_err(setup)?;

        returned.called_ns = (self.clock)();
        let result = handler.call_with(&arguments);
        returned.returned_ns = (self.clock)();

        let result = result.map_err(|_| Failed::In(Stage::Handler))?;
        let result = parts.response(python, result).map_err(|_| Failed::In(Stage::Result))?;
        // They may hold the result, or parts of it.
        drop(arguments);
        let encoded = encode_and_look(python, &result, &parts.on_demand, parts.binary.as_ref(), output)
            .map_err(|fail| match fail {
                Fail::Raised => Failed::In(Stage::Result),
                Fail::Full { needed } => Failed::TooLarge(needed),
            })?;
        if call.in_run.result_is_next_event && encoded.can_move {
            *self.kept = Some(result);
        }
        Ok(encoded.len)
    }
}

/// Where an invocation ended; unless it was too large, a Python exception is set.
enum Failed {
    In(Stage),
    TooLarge(usize),
}

#[derive(Clone, Copy)]
enum Stage {
    Event,
    Handler,
    Result,
}

impl<'a> Parts<'a> {
    /// Runs the bootstrap and loads the functions. Raises when the bootstrap itself fails.
    fn start(
        python: Python<'a>,
        config: &[u8],
        keys: &mut Keys<'a>,
        output: Output<'_>,
    ) -> Result<Result<Parts<'a>, StartFailure>, Raised> {
        let names = python.run(BOOTSTRAP, c"<faastlane>", c"_faastlane")?;
        names.set_member(&python.text(b"on_demand_source")?, &python.text(ON_DEMAND.as_bytes())?)?;
        let mut parts = Parts {
            now: names.named(c"now")?,
            functions: names.named(c"functions")?,
            restored: names.named(c"restored")?,
            flush: names.named(c"flush")?,
            on_demand: names.named(c"on_demand")?,
            aws_request_id: python.text(b"aws_request_id")?,
            deadline: python.text(b"_epoch_deadline_time_in_ms")?,
            binary: None,
        };
        let start = names.named(c"start")?;
        let started = decode(python, keys, None, config).and_then(|config| {
            if config.member(c"binary").is_some_and(|binary| binary.is_true()) {
                parts.binary = Some(Binary::load(python)?);
            }
            start.call([config])
        });
        Ok(parts.up(python, started, output)?.map(|()| parts))
    }

    /// What came of bringing the functions up: the bootstrap gave None, or which function failed, and how.
    fn up(
        &self,
        python: Python<'a>,
        result: Result<Object<'a>, Raised>,
        output: Output<'_>,
    ) -> Result<Result<(), StartFailure>, Raised> {
        let failure = match result {
            Ok(failure) if failure.is_none() => return Ok(Ok(())),
            Ok(failure) => failure,
            Err(Raised) => {
                let written = match self.write_error(python, Stage::Handler, "", output) {
                    Outcome::Error(written) => written,
                    _ => 0,
                };
                return Ok(Err(StartFailure { function: None, written }));
            }
        };
        let function = failure.tuple_element(0)?.as_i64()?.and_then(|index| u32::try_from(index).ok());
        let error = failure.tuple_element(1)?;
        let written = encode(python, &error, &self.on_demand, output).unwrap_or_else(|_| {
            python.clear_exception();
            let message = "the function cannot be loaded, and the error is larger than the outbox";
            plain_error(output, message, "Runtime.StartFailed", "").unwrap_or(0)
        });
        Ok(Err(StartFailure { function, written }))
    }

    /// Tells the bootstrap what is running.
    fn announce(&self, python: Python<'a>, function: u32, request_id: &Object<'a>) -> Result<(), Raised> {
        self.now.set_element(0, python.integer(i64::from(function))?)?;
        self.now.set_element(1, request_id.clone())
    }

    fn context(
        &self,
        python: Python<'a>,
        class: &Object<'a>,
        request_id: &Object<'a>,
        deadline_ms: u64,
    ) -> Result<Object<'a>, Raised> {
        let context = class.call_bare()?;
        context.set_attribute(&self.aws_request_id, request_id)?;
        let deadline = python.integer(i64::try_from(deadline_ms).unwrap_or(i64::MAX))?;
        context.set_attribute(&self.deadline, &deadline)?;
        Ok(context)
    }

    /// What a handler's result stands for: bytes are the text of the response, unless they may be sent as they are.
    fn response(&self, python: Python<'a>, result: Object<'a>) -> Result<Object<'a>, Raised> {
        match result.kind() {
            Kind::Bytes if self.binary.is_none() => {
                self.on_demand.call([python.text(b"read_response")?, result])
            }
            _ => Ok(result),
        }
    }

    /// Writes the exception that is set.
    #[cold]
    fn write_error(&self, python: Python<'a>, stage: Stage, request_id: &str, output: Output<'_>) -> Outcome {
        let describe = match stage {
            Stage::Event => "not_read",
            Stage::Handler => "failed",
            Stage::Result => "not_written",
        };
        let described = python.take_exception().map(|exception| {
            let arguments =
                [python.text(describe.as_bytes())?, exception, python.text(request_id.as_bytes())?];
            self.on_demand.call(arguments)
        });
        let described = described.and_then(Result::ok);
        let written = described.and_then(|error| encode(python, &error, &self.on_demand, output).ok());
        let written = written.map_or_else(
            || {
                python.clear_exception();
                let message = "the function failed, and its error could not be described";
                plain_error(output, message, "Runtime.Error", request_id)
            },
            Ok,
        );
        match written {
            Ok(length) => Outcome::Error(length),
            Err(Full { needed }) => Outcome::TooLarge(needed),
        }
    }
}

/// Writes an error object without Python's help, for when Python cannot give it.
fn plain_error(output: Output<'_>, message: &str, kind: &str, request_id: &str) -> Result<usize, Full> {
    let mut out = output.writer();
    let error = out.open(tag::OBJECT)?;
    for (key, value) in [("errorMessage", message), ("errorType", kind), ("requestId", request_id)] {
        out.text(key.as_bytes())?;
        out.tag(tag::STRING)?;
        out.text(value.as_bytes())?;
    }
    out.text(b"stackTrace")?;
    let trace = out.open(tag::ARRAY)?;
    out.close(&trace, 0)?;
    out.close(&error, 4)?;
    Ok(out.len())
}
