//! `faastlane explain`: the page of an error code.

use crate::args::ExplainArguments;
use crate::exit::Exit;
use faastlane_asl::nearest;
use std::io::{self, Write};

/// Code and page, in the order of the codes; made by `build.rs` from `docs/errors/`.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

pub(crate) fn execute(arguments: &ExplainArguments) -> anyhow::Result<Exit> {
    let code = arguments.code.to_uppercase();
    if let Some((_, page)) = PAGES.iter().find(|(known, _)| *known == code) {
        io::stdout().write_all(page.as_bytes())?;
        return Ok(Exit::Succeeded);
    }
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "error: there is no code `{}`", arguments.code)?;
    match nearest(&code, PAGES.iter().map(|(known, _)| *known)) {
        Some(near) => writeln!(stderr, "hint: Did you mean `{near}`?")?,
        None => writeln!(stderr, "hint: Codes look like FL0204; an error shows its code in its first line.")?,
    }
    Ok(Exit::Usage)
}
