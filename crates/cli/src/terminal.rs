//! How to write to a stream: with colours or without, and how wide.

use crate::env_vars;
use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stderr, stdout};

/// Where a stream is no terminal, or none that tells its width.
const DEFAULT_WIDTH: usize = 100;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    pub(crate) color: bool,
    /// Whether what was written can be written over: somebody looks at it.
    pub(crate) live: bool,
    /// Columns.
    pub(crate) width: usize,
}

impl Terminal {
    pub(crate) fn stdout() -> Self {
        Self::of(&stdout(), terminal_size::terminal_size_of(stdout()))
    }

    pub(crate) fn stderr() -> Self {
        Self::of(&stderr(), terminal_size::terminal_size_of(stderr()))
    }

    fn of(stream: &impl IsTerminal, size: Option<(terminal_size::Width, terminal_size::Height)>) -> Self {
        Self { color: color_on(stream), live: live(stream), width: width(size) }
    }
}

fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn live(stream: &impl IsTerminal) -> bool {
    let dumb = set(env_vars::TERM).is_some_and(|value| value == "dumb");
    stream.is_terminal() && !dumb && set(env_vars::CI).is_none()
}

fn color_on(stream: &impl IsTerminal) -> bool {
    if set(env_vars::NO_COLOR).is_some() {
        return false;
    }
    if set(env_vars::CLICOLOR_FORCE).is_some_and(|value| value != "0") {
        return true;
    }
    live(stream)
}

fn width(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    // A terminal that says 0 does not know.
    size.map(|(width, _)| usize::from(width.0)).filter(|width| *width >= 40).unwrap_or(DEFAULT_WIDTH)
}
