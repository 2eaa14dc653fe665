//! Shows what the composer does while it takes time.

use faastlane_compose::Progress;
use std::io::{self, Write};

/// Writes a line to stderr for each thing that happens; a stderr that is gone stops nothing.
pub(crate) fn show(progress: Progress) {
    let line = match progress {
        Progress::Installing { functions, python } => {
            format!("installing requirements of {} for Python {python}", functions.join(", "))
        }
        Progress::WaitingForOther { functions } => {
            format!("another run is installing requirements of {}: waiting for it", functions.join(", "))
        }
        Progress::PipLine(line) => format!("  {line}"),
        Progress::Installed { functions } => format!("installed requirements of {}", functions.join(", ")),
    };
    let _ = writeln!(io::stderr(), "{line}");
}
