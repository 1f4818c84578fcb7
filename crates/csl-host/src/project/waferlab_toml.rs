//! Reads a folder's `waferlab.toml`.

use std::fs;
use std::path::{Path, PathBuf};

use csl_diag::{Code, Diagnostic, FileId, SourceMap, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::CslcLine;
use super::shell::words_of;
use crate::compile::Compilation;
use crate::options::{Level, parse_warning};

/// The name of the file that describes the programs of a folder.
pub const PROJECT_FILE: &str = "waferlab.toml";

/// A folder's `waferlab.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The folder that holds it.
    pub folder: PathBuf,
    /// `programs`: the words of `cslc` for each; the folder is the project's.
    pub programs: Vec<CslcLine>,
    /// `commands`: scripts whose `cslc` lines are programs of the project, too.
    pub commands: Vec<PathBuf>,
    /// `[lint]`: levels by code.
    pub levels: Vec<(Code, Level)>,
}

impl Project {
    /// The `waferlab.toml` of the folder or of the nearest folder above it that has one.
    ///
    /// # Errors
    /// The file cannot be read, or holds what it may not; the compilation shows where.
    pub fn find(folder: &Path) -> Result<Option<Project>, Box<Compilation>> {
        // A relative folder has parents that its text does not show.
        let absolute = fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let above = absolute.unwrap_or_else(|_| folder.to_owned());
        match above.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file()) {
            // A path as it was given is shown in messages.
            Some(found) if *found == above => Project::read(folder).map(Some),
            Some(found) => Project::read(found).map(Some),
            None => Ok(None),
        }
    }

    fn read(folder: &Path) -> Result<Project, Box<Compilation>> {
        let path = folder.join(PROJECT_FILE);
        let name = path.display().to_string();
        match fs::read_to_string(&path) {
            Ok(text) => Project::of(folder, &name, &text),
            Err(error) => Err(Compilation::refused(
                SourceMap::new(),
                vec![Diagnostic::unplaced(Code::BadArgument, format!("{name}: {error}"))],
            )),
        }
    }

    /// The project with this text, whose file is called `name` in messages.
    ///
    /// # Errors
    /// The text holds what it may not; the compilation shows where.
    pub fn of(folder: &Path, name: &str, text: &str) -> Result<Project, Box<Compilation>> {
        let mut sources = SourceMap::new();
        let file = sources.add(name, text);
        let mut reader = Reader { file, wrong: Vec::new() };
        let mut project = Project { folder: folder.to_owned(), ..Project::default() };
        match DeTable::parse(text) {
            Ok(table) => reader.project(table.get_ref(), &mut project),
            Err(error) => {
                let range = error.span().unwrap_or(0..0);
                reader.wrong.push(Diagnostic::new(
                    Code::BadArgument,
                    Span::new(file, range.start, range.end),
                    format!("this is not TOML: {}", error.message().trim_end()),
                ));
            }
        }
        if reader.wrong.is_empty() { Ok(project) } else { Err(Compilation::refused(sources, reader.wrong)) }
    }
}

/// Reads the tables of a `waferlab.toml` and keeps what is wrong with them.
struct Reader {
    file: FileId,
    wrong: Vec<Diagnostic>,
}

impl Reader {
    fn project(&mut self, table: &DeTable<'_>, project: &mut Project) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "programs" => {
                    for (text, span) in self.texts(value, "a list of command lines of cslc without `cslc`") {
                        match words_of(&text) {
                            Some(words) => {
                                let folder = project.folder.clone();
                                project.programs.push(CslcLine { words, folder, script: None });
                            }
                            None => {
                                self.fail(span, "variables and commands are for scripts; name one under `commands`")
                            }
                        }
                    }
                }
                "commands" => {
                    let texts = self.texts(value, "a list of scripts that call cslc");
                    project.commands.extend(texts.into_iter().map(|(text, _)| project.folder.join(text)));
                }
                "lint" => match value.get_ref() {
                    DeValue::Table(table) => self.levels(table, project),
                    _ => self.fail(value.span(), "`lint` is a table of codes: `[lint]`, and lines `W0000 = \"allow\"`"),
                },
                other => {
                    let message =
                        format!("`{other}` is not a key of {PROJECT_FILE}; there are programs, commands and lint");
                    self.fail(key.span(), message);
                }
            }
        }
    }

    fn levels(&mut self, table: &DeTable<'_>, project: &mut Project) {
        for (key, value) in table {
            let code = match parse_warning(key.get_ref()) {
                Ok(code) => Some(code),
                Err(why) => {
                    self.fail(key.span(), format!("`{}`: {why}", key.get_ref()));
                    None
                }
            };
            let level = value.get_ref().as_str().and_then(Level::from_name);
            match (code, level) {
                (Some(code), Some(level)) => project.levels.push((code, level)),
                (_, None) => self.fail(value.span(), "a level is \"allow\", \"warn\" or \"deny\""),
                (None, _) => {}
            }
        }
    }

    fn texts(&mut self, value: &Spanned<DeValue<'_>>, what: &str) -> Vec<(String, std::ops::Range<usize>)> {
        let mut texts = Vec::new();
        match value.get_ref() {
            DeValue::Array(list) => {
                for item in list.iter() {
                    match item.get_ref().as_str() {
                        Some(text) => texts.push((text.to_owned(), item.span())),
                        None => self.fail(item.span(), format!("this is {what}, each a text")),
                    }
                }
            }
            _ => self.fail(value.span(), format!("this is {what}")),
        }
        texts
    }

    fn fail(&mut self, range: std::ops::Range<usize>, message: impl Into<String>) {
        let span = Span::new(self.file, range.start, range.end);
        self.wrong.push(Diagnostic::new(Code::BadArgument, span, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_names_programs_scripts_and_levels() {
        let text = "programs = ['layout.csl --arch=wse3']\ncommands = [\"commands.sh\"]\n[lint]\nW0604 = \"deny\"\n";
        let project = Project::of(Path::new("p"), "p/waferlab.toml", text).expect("the text is right");
        assert_eq!(project.programs[0].words, ["layout.csl", "--arch=wse3"]);
        assert_eq!(project.commands, [Path::new("p/commands.sh")]);
        assert_eq!(project.levels, [(Code::RouteOffEdge, Level::Deny)]);
    }

    #[test]
    fn a_wrong_project_shows_its_line() {
        let told = |text: &str| {
            let wrong = Project::of(Path::new(""), "waferlab.toml", text).expect_err("the text is wrong");
            wrong.render(&csl_diag::Rendering { format: csl_diag::ErrorFormat::Short, ..Default::default() })
        };
        for (text, expected) in [
            ("programs = [", "waferlab.toml:1:"),
            ("x = 1", "waferlab.toml:1:1: error[E0801]: `x` is not a key"),
            ("\n[lint]\nW9999 = \"allow\"", "waferlab.toml:3:1: error[E0801]: `W9999`: there is no such code"),
            ("[lint]\nE0301 = \"allow\"", "only warnings"),
            ("[lint]\nW0604 = \"silent\"", "waferlab.toml:2:9: error[E0801]: a level is"),
            ("lint = 3", "waferlab.toml:1:8"),
            ("programs = [3]", "each a text"),
            ("programs = ['a.csl $N']", "variables"),
        ] {
            assert!(told(text).contains(expected), "{text}: {}", told(text));
        }
    }
}
