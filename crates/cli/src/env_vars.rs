//! Every environment variable that the command reads.

/// Like `--python`.
pub(crate) const PYTHON: &str = "FAASTLANE_PYTHON";
/// Like `--isolation`.
pub(crate) const ISOLATION: &str = "FAASTLANE_ISOLATION";
/// Like `--max-payload`.
pub(crate) const MAX_PAYLOAD: &str = "FAASTLANE_MAX_PAYLOAD";

/// Where Python is looked for.
pub(crate) const PATH: &str = "PATH";
/// The active virtual environment.
pub(crate) const VIRTUAL_ENV: &str = "VIRTUAL_ENV";
/// By which the wrappers of pyenv, asdf and mise pick a version.
pub(crate) const WRAPPER_VARIABLES: [&str; 4] =
    ["PYENV_VERSION", "PYENV_ROOT", "ASDF_PYTHON_VERSION", "MISE_PYTHON_VERSION"];

/// Where requirements are installed, under `faastlane/`; default `~/.cache`.
pub(crate) const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// Where the user's own settings are, in `faastlane/config.toml`; default `~/.config`.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
pub(crate) const HOME: &str = "HOME";

/// No colours when set to anything (<https://no-color.org>).
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// Colours even without a terminal when set to anything but `0` (<https://bixense.com/clicolors>).
pub(crate) const CLICOLOR_FORCE: &str = "CLICOLOR_FORCE";
/// Set on build machines, whose logs are no terminals even where they look like one.
pub(crate) const CI: &str = "CI";
/// `dumb` has no colours.
pub(crate) const TERM: &str = "TERM";
