//! The CPythons of this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// A CPython that comes as a shared library.
pub(crate) struct Found {
    pub(crate) version: String,
    pub(crate) library: PathBuf,
    pub(crate) home: String,
    pub(crate) sys_path: String,
}

const ASK: &str = "
import json, os, sys, sysconfig
names = sysconfig.get_config_vars()
print('%d.%02d' % sys.version_info[:2])
print(os.path.join(names['LIBDIR'] or '', names['INSTSONAME'] or ''))
print(sys.base_prefix)
print(json.dumps([p for p in sys.path if p]))
";

/// One of each version from 3.10 on, of those on `PATH` and those that pyenv keeps.
pub(crate) fn find() -> Vec<Found> {
    let mut commands: Vec<PathBuf> = vec!["python3".into(), "/usr/bin/python3".into()];
    commands.extend((10..=20).map(|minor| PathBuf::from(format!("python3.{minor}"))));
    if let Ok(root) = Command::new("pyenv").arg("root").output() {
        let versions = PathBuf::from(String::from_utf8_lossy(&root.stdout).trim()).join("versions");
        let entries = versions.read_dir().into_iter().flatten().flatten();
        commands.extend(entries.map(|entry| entry.path().join("bin/python3")));
    }
    let found = commands.into_iter().filter_map(|command| {
        let answer = Command::new(command).args(["-c", ASK]).output().ok()?;
        let answer = String::from_utf8(answer.stdout).ok()?;
        let mut lines = answer.lines().map(str::to_owned);
        let found = Found {
            version: lines.next()?,
            library: lines.next()?.into(),
            home: lines.next()?,
            sys_path: lines.next()?,
        };
        (*found.version >= *"3.10" && found.library.is_file()).then_some((found.version.clone(), found))
    });
    found.collect::<BTreeMap<_, _>>().into_values().collect()
}
