//! What the composer tells while it does something that takes time.

/// One thing to show. Installing requirements is the only work that takes longer than a blink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Requirements of these functions are about to be installed; the files are as the user knows them.
    Installing {
        functions: Vec<String>,
        python: String,
    },
    /// Another run installs the same requirements; this one waits for it.
    WaitingForOther {
        functions: Vec<String>,
    },
    /// A line that pip printed.
    PipLine(String),
    Installed {
        functions: Vec<String>,
    },
}
