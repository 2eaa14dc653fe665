//! Writes the table of error pages that `faastlane explain` prints, from `docs/errors/`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest_folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let pages_folder = Path::new(&manifest_folder).join("../../docs/errors").canonicalize()?;
    let mut pages: Vec<PathBuf> =
        fs::read_dir(&pages_folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut table = String::from("&[\n");
    for page in &pages {
        let code = page.file_stem().unwrap_or_default();
        writeln!(table, "    ({code:?}, include_str!({page:?})),").map_err(io::Error::other)?;
    }
    table.push(']');
    let out_folder = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out_folder).join("error_pages.rs"), table)?;
    println!("cargo::rerun-if-changed={}", pages_folder.display());
    Ok(())
}
