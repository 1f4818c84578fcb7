//! Printing that ends quietly when the reader is gone, as behind `| head`, and how diagnostics are shown.

use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal, Write};

use clap::ValueEnum;
use csl_host::Rendering;
use csl_host::environment::{self, Variable};

pub(crate) fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// The result of printing: a reader that is gone has seen enough.
pub(crate) fn printed(result: std::io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| format!("cannot print: {error}")),
    }
}

/// Prints errors, warnings and messages beside a result, to standard error.
pub(crate) fn tell(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints a warning of a run: its parts, which semicolons part, stand on lines of their own.
pub(crate) fn warn(text: &str) {
    let width = terminal_width().unwrap_or(USUAL_WIDTH).max(2 * USUAL_WIDTH / 5);
    let mut parts = text.split("; ").map(|part| broken(part, width));
    let head = parts.next().unwrap_or_default();
    let rest: String = parts.map(|part| format!(";\n    {part}")).collect();
    tell(&format!("waferlab: warning: {head}{rest}\n"));
}

/// The columns of text that is not shown on a terminal.
const USUAL_WIDTH: usize = 120;

fn terminal_width() -> Option<usize> {
    let err = std::io::stderr();
    let size = err.is_terminal().then(|| terminal_size::terminal_size_of(err)).flatten();
    size.map(|(width, _)| usize::from(width.0))
}

/// The text with line feeds in place of blanks, so that no line is much wider than `width`; later lines are indented.
fn broken(text: &str, width: usize) -> String {
    const INDENT: &str = "\n    ";
    const HEAD: usize = "waferlab: warning: ".len();
    let (mut out, mut column) = (String::new(), HEAD);
    for word in text.split(' ') {
        let length = word.chars().count();
        if !out.is_empty() && column + 1 + length > width {
            out += INDENT;
            column = INDENT.len() - 1;
        } else if !out.is_empty() {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += length;
    }
    out
}

/// When text for people is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Diagnostics for people on standard error.
    pub(crate) fn rendering(self) -> Rendering {
        let color = self.is_wanted(std::io::stderr().is_terminal(), |variable| variable.value());
        Rendering { color, width: terminal_width(), ..Rendering::default() }
    }

    /// The option goes before `NO_COLOR`, that before `CLICOLOR_FORCE`, and that before what the terminal can do.
    fn is_wanted(self, is_terminal: bool, value: impl Fn(&Variable) -> Option<OsString>) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if value(&environment::NO_COLOR).is_some_and(|value| !value.is_empty()) => false,
            Color::Auto if value(&environment::FORCE_COLOR).is_some_and(|value| !value.is_empty() && value != "0") => {
                true
            }
            Color::Auto => is_terminal && value(&environment::TERMINAL).is_none_or(|value| value != "dumb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decides_on_colors() {
        let wanted = |color: Color, is_terminal, set: &[(&str, &str)]| {
            color.is_wanted(is_terminal, |variable| {
                set.iter().find(|(known, _)| *known == variable.name).map(|(_, value)| OsString::from(value))
            })
        };
        assert!(wanted(Color::Auto, true, &[]) && !wanted(Color::Auto, false, &[]));
        assert!(!wanted(Color::Auto, true, &[("TERM", "dumb")]) && wanted(Color::Auto, true, &[("TERM", "xterm")]));
        assert!(!wanted(Color::Auto, true, &[("NO_COLOR", "1")]) && wanted(Color::Auto, true, &[("NO_COLOR", "")]));
        assert!(wanted(Color::Auto, false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]));
        assert!(!wanted(Color::Auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!wanted(Color::Auto, true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(wanted(Color::Always, false, &[("NO_COLOR", "1")]));
        assert!(!wanted(Color::Never, true, &[("CLICOLOR_FORCE", "1")]));
    }
}
