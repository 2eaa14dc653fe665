//! What the environment tells the composer.

use crate::env_vars;
use faastlane_compose::{Overrides, Surroundings};
use std::env;
use std::path::PathBuf;

pub(crate) fn surroundings(overrides: Overrides) -> Surroundings {
    let wrapper_variables =
        env_vars::WRAPPER_VARIABLES.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
    Surroundings {
        overrides,
        search_path: env::var_os(env_vars::PATH).unwrap_or_default(),
        virtual_environment: absolute_path(env_vars::VIRTUAL_ENV),
        wrapper_variables: wrapper_variables.collect(),
        cache_directory: base_directory(env_vars::XDG_CACHE_HOME, ".cache")
            .unwrap_or_else(|| PathBuf::from(".faastlane/cache")),
        user_file: base_directory(env_vars::XDG_CONFIG_HOME, ".config")
            .map(|folder| folder.join("config.toml")),
        mocks: None,
    }
}

/// The folder `faastlane` in one of the XDG base directories; relative ones are to be ignored, says the specification.
fn base_directory(variable: &str, below_home: &str) -> Option<PathBuf> {
    let base = absolute_path(variable).or_else(|| Some(absolute_path(env_vars::HOME)?.join(below_home)))?;
    Some(base.join("faastlane"))
}

fn absolute_path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}
