//! The settings that the book shows for editors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Check;
use crate::shell::{output, root, run, target};
use crate::venv;

/// Reads JSON and TOML: the first argument says which, the second is the file.
const PARSE: &str = "import json, sys
text = open(sys.argv[2], encoding='utf-8').read()
if sys.argv[1] == 'json':
    json.loads(text)
else:
    import tomllib
    tomllib.loads(text)
";

pub fn checks() -> Vec<Check> {
    let missing = match venv::find_python() {
        Ok(python) if output(Command::new(&python).args(["-c", "import tomllib"])).is_some() => None,
        _ => Some("install Python 3.11 or later; WAFERLAB_PYTHON can name it".to_owned()),
    };
    vec![Check { name: "settings in the book are JSON and TOML", missing, run: Box::new(parse) }]
}

fn parse() -> Result<(), String> {
    let python = venv::find_python()?;
    for (language, least) in [("json", 2), ("toml", 3)] {
        let blocks = blocks(language)?;
        if blocks.len() < least {
            return Err(format!("{} has {} blocks of {language}", page().display(), blocks.len()));
        }
        for block in blocks {
            let file = written(&format!("settings.{language}"), &block)?;
            run(Command::new(&python).args(["-c", PARSE, language]).arg(&file))?;
        }
    }
    Ok(())
}

/// The block of a language that begins with this line, in a file of this name.
pub fn settings(language: &str, first: &str, name: &str) -> Result<PathBuf, String> {
    let found = blocks(language)?.into_iter().find(|block| block.starts_with(first));
    let block = found.ok_or_else(|| format!("{} has no settings that begin with {first:?}", page().display()))?;
    written(name, &block)
}

fn page() -> PathBuf {
    root().join("docs/book/src/howto/editors.md")
}

fn blocks(language: &str) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(page()).map_err(|error| format!("{}: {error}", page().display()))?;
    let start = format!("```{language}\n");
    let found = text.split(&start).skip(1).filter_map(|rest| rest.split_once("```"));
    Ok(found.map(|(block, _)| block.to_owned()).collect())
}

/// A file below `target/editors` with this text.
pub fn written(name: &str, text: &str) -> Result<PathBuf, String> {
    let file = target().join("editors").join(name);
    let folder = file.parent().unwrap_or(Path::new("."));
    let made = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
    made.map(|()| file.clone()).map_err(|error| format!("{}: {error}", file.display()))
}
