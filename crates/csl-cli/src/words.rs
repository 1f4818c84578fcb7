//! Rewrites the words of a `cslc` command line, as existing scripts write them, into those that [`crate::args`]
//! declares.

use std::ffi::OsString;

use clap::CommandFactory;

use crate::args::CslcArgs;

/// Options whose value may be left out. The word after such an option is its value, unless it is the program.
const WITH_OPTIONAL_VALUE: [&str; 2] = ["--out-routes", "--output-json"];

/// The words of a command line, and the options without meaning here that were taken out of it.
pub struct Words {
    pub words: Vec<OsString>,
    pub ignored: Vec<String>,
}

impl Words {
    /// Rewrites the words: `-arch=wse3` is `--arch=wse3`, `--g0` is `-g0`, `--dump-...` has no meaning here.
    pub fn of(given: impl IntoIterator<Item = OsString>) -> Words {
        let mut command = CslcArgs::command();
        // Building adds --help and --version to the options.
        command.build();
        let names: Vec<String> = command
            .get_arguments()
            .flat_map(|arg| {
                arg.get_long_and_visible_aliases()
                    .into_iter()
                    .flatten()
                    .chain(arg.get_all_aliases().into_iter().flatten())
            })
            .map(str::to_owned)
            .collect();
        let (mut words, mut ignored) = (Vec::new(), Vec::new());
        let mut given = given.into_iter().peekable();
        while let Some(word) = given.next() {
            if word == "--" {
                words.push(word);
                words.extend(given);
                break;
            }
            let Some(text) = word.to_str() else {
                words.push(word);
                continue;
            };
            match respelled(text, &names) {
                text if text.starts_with("--dump-") => ignored.push(text),
                text if WITH_OPTIONAL_VALUE.contains(&text.as_str()) => {
                    let value = given.next_if(|next| next.to_str().is_none_or(is_value));
                    words.push(value.map_or(text.clone().into(), |value| {
                        let mut word = OsString::from(text + "=");
                        word.push(value);
                        word
                    }));
                }
                text => words.push(text.into()),
            }
        }
        Words { words, ignored }
    }
}

fn is_value(word: &str) -> bool {
    (word == "-" || !word.starts_with('-')) && !word.ends_with(".csl")
}

fn respelled(word: &str, names: &[String]) -> String {
    let level = word.strip_prefix("--g").filter(|rest| rest.trim_start_matches('=').parse::<u8>().is_ok());
    if let Some(level) = level {
        return format!("-g{level}");
    }
    let name = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')).unwrap_or_default();
    let (name, _) = name.split_once('=').unwrap_or((name, ""));
    let is_long = name.len() > 1 && (name.starts_with("dump-") || names.iter().any(|known| known == name));
    if is_long { format!("-{word}") } else { word.to_owned() }
}
