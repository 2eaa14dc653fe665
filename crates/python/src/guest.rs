//! CPython as a domain's guest.

use crate::api::Api;
use crate::interpreter::{self, InRun, Interpreter, Outcome};
use crate::output::Output;
use faastlane_domain::{Answer, Call, Guest, Namespace, Woken, Written, monotonic_nanos};
use std::ffi::CStr;

/// An interpreter to be started in a domain.
pub struct PythonGuest {
    api: Api,
    interpreter: Option<Interpreter<'static>>,
}

// SAFETY: until the domain's thread starts it, this is a table of addresses; after that only that thread uses it.
unsafe impl Send for PythonGuest {}

impl PythonGuest {
    /// For a namespace that was opened with a libpython, which nobody else starts.
    ///
    /// # Errors
    /// The name of a symbol that it lacks.
    pub fn new(namespace: &Namespace) -> Result<Self, &'static CStr> {
        // SAFETY: a namespace stays loaded for good; its symbols are a libpython's, or there is an error.
        let api = unsafe { Api::resolve(&mut |symbol| namespace.lookup(symbol))? };
        Ok(Self { api, interpreter: None })
    }
}

impl Guest for PythonGuest {
    fn start(&mut self, config: &[u8], error: &mut [u8]) -> Result<(), usize> {
        // SAFETY: a domain's guest is never moved or dropped once its thread runs.
        let api: &'static Api = unsafe { &*std::ptr::from_ref(&self.api) };
        // SAFETY: this is the domain's first thread, made by its libc; `new` resolved the table in its namespace.
        let started = unsafe { Interpreter::start(api, config, monotonic_nanos, Output::from(error)) };
        match started {
            Ok(interpreter) => {
                self.interpreter = Some(interpreter);
                Ok(())
            }
            Err(failure) => Err(failure.written),
        }
    }

    fn before_parking(&mut self) {
        if let Some(interpreter) = &mut self.interpreter {
            interpreter.before_fork();
        }
    }

    fn after_parking(&mut self, woken: Woken, news: &[u8], error: &mut [u8]) -> Result<(), usize> {
        let Some(interpreter) = &mut self.interpreter else { return Err(0) };
        interpreter.after_fork(woken == Woken::InCopy);
        interpreter.restored(news, Output::from(error)).map_err(|failure| failure.written)
    }

    fn call(&mut self, call: &Call<'_>, out: &mut [u8]) -> Answer {
        let Some(interpreter) = &mut self.interpreter else {
            return Answer { outcome: Written::Error(0), called_ns: 0, returned_ns: 0 };
        };
        let call = interpreter::Call {
            function: call.function,
            event: call.event,
            request_id: call.request_id,
            deadline_ms: call.deadline_ms,
            in_run: InRun {
                event_is_last_result: call.event_is_last_result,
                result_is_next_event: call.result_is_next_event,
            },
        };
        let returned = interpreter.call(&call, Output::from(out));
        let outcome = match returned.outcome {
            Outcome::Ok(len) => Written::Ok(len),
            Outcome::Error(len) => Written::Error(len),
            Outcome::TooLarge(_) => Written::TooLarge,
        };
        Answer { outcome, called_ns: returned.called_ns, returned_ns: returned.returned_ns }
    }

    fn pause(&mut self) {
        if let Some(interpreter) = &mut self.interpreter {
            interpreter.release();
        }
    }

    fn resume(&mut self) {
        if let Some(interpreter) = &mut self.interpreter {
            interpreter.acquire();
        }
    }
}
