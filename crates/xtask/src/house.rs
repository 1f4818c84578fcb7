//! Figures on the house: `as` casts by crate, and type names that several crates define. A test limits the casts.
//!
//! Tests do not count: neither `tests/` and the crate for tests, nor what a file has from its first `#[cfg(test)]` on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::root;

/// The types that can follow `as` in a numeric cast.
const NUMBERS: [&str; 16] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "char", "_"];

/// The crate that only tests use.
const TESTKIT: &str = "csl-testkit";

/// The figures of one crate.
#[derive(Default)]
struct Figures {
    lines: usize,
    casts: usize,
}

impl Figures {
    /// Casts per 1,000 lines.
    fn density(&self) -> f64 {
        1000.0 * self.casts as f64 / self.lines as f64
    }
}

/// Where a type name is defined: `crate/src/file.rs:line`.
type Definitions = BTreeMap<String, Vec<(String, String)>>;

/// The figures of every crate, and the types that they make public.
fn measure() -> Result<(BTreeMap<String, Figures>, Definitions), String> {
    let mut figures = BTreeMap::<String, Figures>::new();
    let mut types = Definitions::new();
    for file in sources(&root().join("crates"))? {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let place = file.strip_prefix(root().join("crates")).unwrap_or(&file).display().to_string();
        let name = place.split('/').next().unwrap_or_default().to_owned();
        let figures = figures.entry(name.clone()).or_default();
        let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        for (number, line) in (1..).zip(lines) {
            let code = line.split("//").next().unwrap_or_default();
            figures.lines += 1;
            figures.casts += casts(code);
            if let Some(defined) = public_type(code) {
                types.entry(defined.to_owned()).or_default().push((name.clone(), format!("{place}:{number}")));
            }
        }
    }
    Ok((figures, types))
}

/// Prints the figures of every crate, and the names that more than one crate makes public.
pub fn report() -> Result<(), String> {
    let (figures, types) = measure()?;
    println!("{:14}{:>8}{:>8}{:>10}", "crate", "lines", "casts", "per 1,000");
    for (name, of_crate) in &figures {
        println!("{name:14}{:>8}{:>8}{:>10.1}", of_crate.lines, of_crate.casts, of_crate.density());
    }
    let several =
        |places: &&Vec<(String, String)>| places.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() > 1;
    println!("\npublic types in more than one crate: {}", types.values().filter(several).count());
    for (name, places) in types.iter().filter(|(_, places)| several(places)) {
        let places: Vec<&str> = places.iter().map(|(_, place)| place.as_str()).collect();
        println!("{name:16}{}", places.join("  "));
    }
    Ok(())
}

/// The Rust files under the `src` folders of the crates, in order.
fn sources(crates: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for folder in entries(crates)?.iter().filter(|folder| !folder.ends_with(TESTKIT)) {
        collect(&folder.join("src"), &mut files)?;
    }
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in entries(folder)? {
        if entry.is_dir() {
            collect(&entry, files)?;
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let at = |error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(at)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(at)?;
    paths.sort();
    Ok(paths)
}

/// Numeric `as` casts of a line of code.
fn casts(code: &str) -> usize {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    let words: Vec<&str> = code.split(word).filter(|word| !word.is_empty()).collect();
    words.windows(2).filter(|pair| pair[0] == "as" && NUMBERS.contains(&pair[1])).count()
}

/// The name of the type or trait that a line makes public, be it within its crate alone.
fn public_type(code: &str) -> Option<&str> {
    let code = code.trim_start();
    let code = match code.strip_prefix("pub(") {
        Some(rest) => rest.split_once(')')?.1,
        None => code.strip_prefix("pub")?,
    };
    let (keyword, rest) = code.trim_start().split_once(' ')?;
    let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
    ["struct", "enum", "type", "trait", "union"].contains(&keyword).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Casts per 1,000 lines that a crate may have.
    fn most(name: &str) -> f64 {
        if name == "csl-pe" { 25.0 } else { 15.0 }
    }

    #[test]
    fn casts_are_few() {
        let (figures, _) = measure().expect("the sources are readable");
        assert!(figures["csl-pe"].casts > 0, "the count finds casts");
        for (name, of_crate) in &figures {
            let (density, most) = (of_crate.density(), most(name));
            assert!(density <= most, "{name} has {density:.1} casts per 1,000 lines, and may have {most}");
        }
    }
}
