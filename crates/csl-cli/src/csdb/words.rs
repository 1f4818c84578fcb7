//! The words behind a command of `csdb`: options with their values, and bare words. A word that the command does not take is
//! refused by its name.

use std::collections::BTreeMap;

/// What a command takes.
pub(super) struct Takes {
    /// Its options, with whether a value belongs to each.
    pub options: &'static [(&'static str, bool)],
    /// The bare words that it takes at most.
    pub bare: usize,
    /// What stands in messages and in `help`.
    pub usage: &'static str,
}

/// The words of a command, sorted.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    options: BTreeMap<&'static str, &'a str>,
    pub bare: Vec<&'a str>,
}

impl<'a> Given<'a> {
    /// Sorts the words behind a command. A value stands behind its option with a blank, with `=`, or with both, as the guide
    /// prints it.
    pub fn of(command: &str, words: &'a [String], takes: &Takes) -> Result<Given<'a>, String> {
        let mut given = Given::default();
        let mut words = words.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            if !word.starts_with('-') {
                if given.bare.len() == takes.bare {
                    return Err(refused(command, word, takes));
                }
                given.bare.push(word);
                continue;
            }
            let (name, inner) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let Some((name, takes_value)) = takes.options.iter().find(|(option, _)| *option == name) else {
                return Err(refused(command, word, takes));
            };
            let value = match (*takes_value, inner) {
                (false, None) => "",
                (false, Some(_)) => return Err(format!("{name} takes no value")),
                (true, Some(value)) if !value.is_empty() => value,
                (true, _) => {
                    if inner.is_none() {
                        words.next_if_eq(&"=");
                    }
                    let next = words.next_if(|next| !next.starts_with("--"));
                    next.ok_or_else(|| format!("{name} needs a value: {}", takes.usage))?
                }
            };
            if given.options.insert(name, value).is_some() {
                return Err(format!("{name} is given twice"));
            }
        }
        Ok(given)
    }

    pub fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.options.get(name).copied()
    }
}

fn refused(command: &str, word: &str, takes: &Takes) -> String {
    format!("{command} does not take `{word}`; usage: {}", takes.usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKES: Takes =
        Takes { options: &[("--address", true), ("--all", false)], bare: 1, usage: "see [--address A]" };

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_value_stands_behind_its_option_in_every_form() {
        for text in ["--address 7 --all x", "x --address=7 --all", "--all --address = 7 x", "--address= 7 --all x"] {
            let words = words(text);
            let given = Given::of("see", &words, &TAKES).expect(text);
            assert_eq!((given.value("--address"), given.has("--all"), &given.bare[..]), (Some("7"), true, &["x"][..]));
        }
    }

    #[test]
    fn what_a_command_does_not_take_is_named() {
        for (text, message) in [
            ("x y", "see does not take `y`; usage: see [--address A]"),
            ("--addres=7", "see does not take `--addres=7`; usage: see [--address A]"),
            ("--address", "--address needs a value: see [--address A]"),
            ("--address --all", "--address needs a value: see [--address A]"),
            ("--all=1", "--all takes no value"),
            ("--all --all", "--all is given twice"),
        ] {
            assert_eq!(Given::of("see", &words(text), &TAKES).expect_err(text), message);
        }
    }
}
