//! What some peers need that does not come with Python: installed by one command, at fixed versions, where nothing else is.

use crate::outside::Outside;
use faastlane_compose::PythonInstall;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// A virtual environment.
    Python,
    /// A folder of modules.
    Node,
    /// A folder of programs that `cargo install` builds.
    Cargo,
}

const REQUIREMENTS: &str = include_str!("../../peers/requirements.txt");
const PACKAGE: &str = include_str!("../../peers/package.json");
/// A server of S3 for one machine; the newest version that this project's toolchain builds.
const S3_SERVER: &str = "s3s-fs@0.14.1";

/// The file that says what is installed. It is written last.
const INSTALLED: &str = "installed";

/// Where the environments of peers are.
pub(crate) fn folder(outside: &Outside<'_>) -> PathBuf {
    outside.surroundings.cache_directory.join("peers")
}

impl Environment {
    pub const ALL: [Self; 3] = [Self::Python, Self::Node, Self::Cargo];

    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Cargo => "cargo",
        }
    }

    pub(crate) fn within(self, folder: &Path) -> PathBuf {
        folder.join(self.name())
    }

    /// What is to be installed, and for what.
    fn wanted(self, python: &PythonInstall) -> String {
        match self {
            Self::Python => format!("{}\n{REQUIREMENTS}", python.version_text()),
            Self::Node => PACKAGE.to_owned(),
            Self::Cargo => S3_SERVER.to_owned(),
        }
    }

    /// Why it is of no use; none if it is there as it should be.
    pub(crate) fn missing(self, folder: &Path, python: &PythonInstall) -> Option<String> {
        let why = match fs::read_to_string(self.within(folder).join(INSTALLED)) {
            Ok(installed) if installed == self.wanted(python) => return None,
            Ok(_) => "other versions are installed",
            Err(_) => "not installed",
        };
        Some(format!("{why}: faastlane bench peers --install"))
    }

    /// Installs it anew. What the tools say goes to stderr.
    ///
    /// # Errors
    /// A tool is not there, or fails.
    pub(crate) fn install(self, folder: &Path, python: &PythonInstall) -> io::Result<()> {
        let here = self.within(folder);
        if here.exists() {
            fs::remove_dir_all(&here)?;
        }
        fs::create_dir_all(&here)?;
        match self {
            Self::Python => {
                let file = here.join("requirements.txt");
                fs::write(&file, REQUIREMENTS)?;
                run(Command::new(&python.executable).args(["-m", "venv"]).arg(&here))?;
                let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--requirement"];
                run(Command::new(here.join("bin/python3")).args(pip).arg(&file))?;
            }
            Self::Node => {
                fs::write(here.join("package.json"), PACKAGE)?;
                let options = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"];
                run(Command::new("npm").args(options).current_dir(&here))?;
            }
            Self::Cargo => {
                let build = tempfile::tempdir()?;
                let mut cargo = Command::new("cargo");
                cargo.args(["install", "--locked", "--quiet", "--features", "binary", S3_SERVER, "--root"]);
                run(cargo.arg(&here).env("CARGO_TARGET_DIR", build.path()).current_dir(build.path()))?;
            }
        }
        fs::write(here.join(INSTALLED), self.wanted(python))
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let stderr =
        File::options().write(true).open("/proc/self/fd/2").map_or_else(|_| Stdio::null(), Stdio::from);
    let status = command.stdin(Stdio::null()).stdout(stderr).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(io::Error::other(format!("{program}: {status}"))),
        Err(error) => Err(io::Error::other(format!("cannot run {program}: {error}"))),
    }
}
