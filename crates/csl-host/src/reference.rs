//! The reference: a page on each builtin, name of the library, environment variable and diagnostic code, made of the tables that
//! the compiler and the runtime read. The command line adds its options.

use csl_diag::Code;
pub use csl_sema::closest;
use csl_std::{Declaration, Kind};

use crate::environment;

/// Pages on one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// Its file in the book, without the ending.
    pub file: String,
    /// Its title, which is also the name of a library or a command.
    pub title: String,
    /// What holds for all of its pages, in Markdown.
    pub text: String,
    /// The pages, in the order of the tables.
    pub pages: Vec<Page>,
}

/// A page of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it is on: `@fmacs`, `<math>.sqrt`, `E0301`.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// Its text, in Markdown.
    pub text: String,
}

impl Page {
    /// A page whose heading is its name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Page {
        let (name, text) = (name.into(), text.into());
        Page { title: format!("`{name}`"), name, text }
    }
}

/// Every chapter, by kinds of names.
pub fn chapters() -> Vec<Chapter> {
    let mut all: Vec<Chapter> = csl_sema::builtin_pages().iter().map(builtins).collect();
    all.extend(csl_std::names().map(library));
    all.push(variables());
    all.extend(FAMILIES.iter().map(codes));
    all
}

fn builtins(group: &csl_sema::BuiltinGroup) -> Chapter {
    let page = |page: &csl_sema::BuiltinPage| {
        let forms: Vec<String> = page.forms.iter().map(|form| format!("    {form}")).collect();
        let place = format!("It stands {}.", page.place);
        let text = match page.text.trim().split_once("\n```") {
            Some((text, program)) => format!("{}\n\n{place}\n\n```{program}", text.trim()),
            None => format!("{}\n\n{place}", page.text.trim()),
        };
        Page::new(format!("@{}", page.name), format!("{}\n\n{text}", forms.join("\n")))
    };
    Chapter {
        file: format!("builtins/{}", file_name(group.title)),
        title: group.title.to_owned(),
        text: group.text.trim().to_owned(),
        pages: group.pages.iter().map(page).collect(),
    }
}

fn library(name: &'static str) -> Chapter {
    let page = |declared: &Declaration| {
        let kind = if declared.kind == Kind::Param { "\n\nA param, to be given at the import." } else { "" };
        let text = format!("{}\n\n{}{kind}", indented(&declared.head), escaped(&declared.about));
        Page::new(format!("<{name}>.{}", declared.name), text)
    };
    Chapter {
        file: format!("library/{}", file_name(name)),
        title: format!("<{name}>"),
        text: escaped(&csl_std::about(name).unwrap_or_default()),
        pages: csl_std::declarations(name).iter().map(page).collect(),
    }
}

fn variables() -> Chapter {
    Chapter {
        file: "environment".to_owned(),
        title: "Environment variables".to_owned(),
        text: "What the commands, the runtime and the Python packages read of the environment.".to_owned(),
        pages: environment::ALL.iter().map(|variable| Page::new(variable.name, variable.about)).collect(),
    }
}

/// Chapters of codes, by the two digits that their numbers begin with.
const FAMILIES: &[(&str, &str)] = &[
    ("00", "Text and tokens"),
    ("01", "Syntax"),
    ("02", "Names and modules"),
    ("03", "Types"),
    ("04", "Comptime"),
    ("05", "Builtins, tasks and limits of the chip"),
    ("06", "Layout and exports"),
    ("07", "Memory"),
    ("08", "Command line"),
    ("09", "Runs, and faults of the compiler"),
    ("10", "Lints"),
];

fn codes((digits, title): &(&str, &str)) -> Chapter {
    let page = |code: &Code| {
        let (heading, text) = code.page().split_once('\n').unwrap_or_default();
        let text = text.trim().replace("\n## ", "\n### ");
        Page { name: code.text().to_owned(), title: heading.trim_start_matches("# ").to_owned(), text }
    };
    let is_member = |code: &&Code| code.text()[1..].starts_with(digits);
    Chapter {
        file: format!("diagnostics/{}", file_name(title)),
        title: format!("{title} (x{digits}xx)"),
        text: "E is an error, W a warning, N a note. `--allow CODE` allows a warning, and so does a comment `// waferlab: allow(CODE)`.".to_owned(),
        pages: Code::ALL.iter().filter(is_member).map(page).collect(),
    }
}

/// A title as the name of a file.
fn file_name(title: &str) -> String {
    title.to_lowercase().replace(',', "").replace([' ', '/'], "-")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Plain text as Markdown: names in angle brackets are no tags.
pub fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 0 { part.replace('<', "\\<") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_page() {
        let all = chapters();
        let count = |folder: &str| -> usize {
            all.iter().filter(|chapter| chapter.file.starts_with(folder)).map(|chapter| chapter.pages.len()).sum()
        };
        let builtins = csl_sema::builtin_names().filter(|name| !name.starts_with("wl_")).count();
        assert_eq!(count("builtins/"), builtins);
        let declared: usize = csl_std::names().map(|name| csl_std::declarations(name).len()).sum();
        assert_eq!(count("library/"), declared);
        assert_eq!(count("diagnostics/"), Code::ALL.len());
        assert_eq!(count("environment"), environment::ALL.len());
    }
}
