//! `faastlane schema`: what editors need to complete and check a definition while it is written.

use crate::exit::Exit;
use std::io::{self, Write};

pub(crate) fn execute() -> anyhow::Result<Exit> {
    writeln!(io::stdout(), "{:#}", faastlane_asl::schema::schema())?;
    Ok(Exit::Succeeded)
}
