//! `waferlab doc`: a page of the reference in the terminal. The book holds the same pages.

use clap::{Arg, Args, Command, CommandFactory};
use csl_host::reference::{Chapter, Page, chapters, closest, escaped};

use crate::args::CslcArgs;
use crate::output::print;
use crate::waferlab;

#[derive(Debug, Args)]
pub struct DocArgs {
    /// A builtin (@fmacs), a library or a name of it (math.sqrt), a command (lint, csdb) or an option (--arch), a diagnostic's
    /// code (E0301), an environment variable, or a chapter; without one, all chapters are listed
    #[arg(value_name = "NAME", trailing_var_arg = true, allow_hyphen_values = true)]
    name: Vec<String>,
}

/// Prints the pages of a name.
pub fn run(args: &DocArgs) -> Result<(), String> {
    let reference = reference();
    match args.name.join(" ") {
        name if name.is_empty() => print(&contents(&reference)),
        name => print(&find(&reference, &name)?),
    }
}

/// The whole reference: what `csl-host` knows, and the options of the commands.
pub fn reference() -> Vec<Chapter> {
    let mut all = chapters();
    let at = all.iter().position(|chapter| chapter.file == "environment").unwrap_or(all.len());
    all.splice(at..at, commands());
    all
}

/// The chapter as a file of the book.
pub fn markdown(chapter: &Chapter) -> String {
    let title = escaped(&chapter.title);
    let mut out =
        format!("<!-- Made of the compiler's tables by `cargo xtask book`. -->\n# {title}\n\n{}\n", chapter.text);
    for page in &chapter.pages {
        out += &format!("\n## {}\n\n{}\n", page.title, page.text);
    }
    out
}

/// The reference in the table of contents of the book.
pub fn summary() -> String {
    const PARTS: [&str; 5] = ["builtins", "library", "commands", "environment", "diagnostics"];
    let reference = reference();
    let part = |part: &&str| {
        let chapters = reference.iter().filter(|chapter| chapter.file.starts_with(part));
        let line = |chapter: &Chapter| format!("- [{}](reference/{}.md)\n", escaped(&chapter.title), chapter.file);
        format!("# Reference: {part}\n\n{}", chapters.map(line).collect::<String>())
    };
    PARTS.iter().map(part).collect::<Vec<_>>().join("\n")
}

fn contents(reference: &[Chapter]) -> String {
    let lines = reference.iter().map(|chapter| format!("{:4}  {}\n", chapter.pages.len(), chapter.title));
    format!(
        "waferlab doc NAME prints a page, and lists the pages of a chapter. Chapters, and the number of their pages:\n\n{}",
        lines.collect::<String>()
    )
}

/// The pages of a name, one behind the other where several libraries have it.
fn find(reference: &[Chapter], name: &str) -> Result<String, String> {
    let name = &by_own_name(name);
    let wanted = name.to_lowercase();
    let pages = reference.iter().flat_map(|chapter| &chapter.pages);
    let found = |is_it: &dyn Fn(&str) -> bool| -> Vec<String> {
        let chapters =
            reference.iter().filter(|chapter| chapter_keys(&chapter.title).any(|key| is_it(&key))).map(listed);
        let pages = pages.clone().filter(|page| keys(&page.name).any(|key| is_it(&key))).map(printed);
        chapters.chain(pages).collect()
    };
    let mut texts = found(&|key| key == name);
    if texts.is_empty() {
        texts = found(&|key| key.to_lowercase() == wanted);
    }
    if texts.is_empty() {
        let all: Vec<String> = reference
            .iter()
            .flat_map(|chapter| chapter_keys(&chapter.title))
            .chain(pages.flat_map(|page| keys(&page.name)))
            .chain(INSTALLED.map(|(installed, _)| installed.to_owned()))
            .collect();
        let close = closest(name, all.iter().map(String::as_str));
        let hint = match close.as_slice() {
            [] => "`waferlab doc` lists the chapters".to_owned(),
            close => format!("did you mean {}?", close.join(" or ")),
        };
        return Err(format!("the reference has no page on `{name}`; {hint}"));
    }
    Ok(texts.join("\n"))
}

fn printed(page: &Page) -> String {
    format!("# {}\n\n{}\n", page.title.trim_matches('`'), plain(&page.text))
}

/// A chapter's text and the names of its pages.
fn listed(chapter: &Chapter) -> String {
    let names: String = chapter.pages.iter().map(|page| format!("    {}\n", page.name)).collect();
    let names = if names.is_empty() { names } else { format!("\n{names}") };
    format!("# {}\n\n{}\n{names}", chapter.title, plain(&chapter.text))
}

/// Markdown as it is read in a terminal.
fn plain(text: &str) -> String {
    text.replace("\\<", "<")
}

/// The words by which something is found: `<math>.sqrt` is also `math.sqrt` and `sqrt`, `@map` also `map`, `cslc --arch` also
/// `--arch`.
fn keys(name: &str) -> impl Iterator<Item = String> {
    let plain = name.trim_start_matches('@').replace(['<', '>'], "");
    let last = match name.split_once(">.") {
        Some((_, last)) => last,
        None => name.split_once(" -").map_or("", |(command, _)| &name[command.len() + 1..]),
    };
    [name.to_owned(), plain, last.to_owned()].into_iter().filter(|key| !key.is_empty())
}

/// The words by which a chapter is found: `waferlab lint` is also `lint`.
fn chapter_keys(title: &str) -> impl Iterator<Item = String> {
    keys(title).chain(title.strip_prefix("waferlab ").map(str::to_owned))
}

/// Commands of `waferlab` that are also installed by names of their own.
const INSTALLED: [(&str, &str); 3] =
    [("csdb", "waferlab csdb"), ("cs_readelf", "waferlab readelf"), ("sdk_debug_shell", "waferlab debug-shell")];

/// A name that begins with an installed command, by the command of `waferlab`: `cs_readelf --tile` is `waferlab readelf --tile`.
fn by_own_name(name: &str) -> String {
    let (command, rest) = name.split_once(' ').map_or((name, ""), |(command, _)| (command, &name[command.len()..]));
    let own = INSTALLED.iter().find(|(installed, _)| *installed == command);
    own.map_or(name.to_owned(), |(_, own)| format!("{own}{rest}"))
}

const CS_PYTHON: &str = "\
Run a host program: this environment's Python with the drop-in `cerebras` packages on its path.

```text
cs_python run.py --name out
```

All options are Python's own, so that `cs_python -c TEXT` and `cs_python -m MODULE` are there, too. Programs that a script starts find the \
packages by `PYTHONPATH`, and `cslc` and `waferlab` by `PATH`. As in the vendor's container `SINGULARITYENV_X` and `APPTAINERENV_X` count as \
`X` where that is not set, and the appliance client (`cerebras.sdk.client`) cannot be imported. With NumPy 2, in which numbers of 16 bits \
stay 16 bits wide, it says so first.

`waferlab enable` puts the packages on the path of the plain `python` of a virtual environment.";

/// A chapter on `cslc`, on `waferlab`, and on each of its commands.
fn commands() -> Vec<Chapter> {
    let mut cslc = CslcArgs::command();
    cslc.build();
    let mut waferlab = waferlab::command();
    waferlab.build();
    let cs_python = Chapter {
        file: "commands/cs_python".to_owned(),
        title: "cs_python".to_owned(),
        text: CS_PYTHON.to_owned(),
        pages: Vec::new(),
    };
    let mut all = vec![command("cslc", &cslc), cs_python];
    below("waferlab", &waferlab, &mut all);
    all
}

fn below(name: &str, of: &Command, all: &mut Vec<Chapter>) {
    let inner = || of.get_subcommands().filter(|inner| inner.get_name() != "help");
    let mut chapter = command(name, of);
    if of.has_subcommands() {
        let about = |inner: &Command| inner.get_about().map(ToString::to_string).unwrap_or_default();
        let lines = inner().map(|inner| format!("- `{name} {}`: {}", inner.get_name(), escaped(&about(inner))));
        chapter.text += &format!("\n\n{}", lines.collect::<Vec<_>>().join("\n"));
    }
    all.push(chapter);
    for inner in inner() {
        below(&format!("{name} {}", inner.get_name()), inner, all);
    }
}

fn command(name: &str, of: &Command) -> Chapter {
    let about = of.get_about().map(ToString::to_string).unwrap_or_default();
    let more = of.get_after_help().map(|help| format!("\n\n{}", notes(&help.to_string()))).unwrap_or_default();
    let is_shown = |arg: &&Arg| !arg.is_hide_set() && arg.get_id() != "help" && arg.get_id() != "version";
    Chapter {
        file: format!("commands/{}", name.replace(' ', "-")),
        title: name.to_owned(),
        text: format!("{about}.{more}").replace("..", "."),
        pages: of.get_arguments().filter(is_shown).map(|arg| option(name, arg)).collect(),
    }
}

/// The text after the options as Markdown: its indented lines are examples.
fn notes(help: &str) -> String {
    let parts = help.split("\n\n").map(|part| match part.starts_with("  ") {
        true => format!("```text\n{part}\n```"),
        false => escaped(part),
    });
    parts.collect::<Vec<_>>().join("\n\n")
}

fn option(command: &str, arg: &Arg) -> Page {
    let value = arg.get_value_names().map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    let takes_value = arg.get_action().takes_values();
    let value = value.filter(|_| takes_value).unwrap_or_default();
    let (name, form) = match (arg.get_long(), arg.get_short()) {
        (Some(long), short) => {
            let form = if takes_value { format!("--{long}={value}") } else { format!("--{long}") };
            let short = short.map(|short| format!("-{short}, ")).unwrap_or_default();
            (format!("{command} --{long}"), short + &form)
        }
        (None, Some(short)) => (format!("{command} -{short}"), format!("-{short} {value}")),
        (None, None) => (format!("{command} {value}"), value),
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> =
        arg.get_possible_values().iter().map(|choice| format!("`{}`", choice.get_name())).collect();
    let choices =
        if takes_value && !choices.is_empty() { format!(" One of {}.", choices.join(", ")) } else { String::new() };
    let default: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let default =
        if takes_value && !default.is_empty() { format!(" Left out: `{}`.", default.join(" ")) } else { String::new() };
    Page::new(name, format!("    {form}\n\n{}.{choices}{default}", escaped(help.trim_end_matches('.'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str) -> String {
        find(&reference(), name).expect("there is a page")
    }

    #[test]
    fn names_are_found_in_every_form() {
        for names in [
            ["@fmacs", "fmacs"],
            ["<math>.sqrt", "math.sqrt"],
            ["math.sqrt", "sqrt"],
            ["cslc --arch", "--arch"],
            ["E0301", "e0301"],
            ["<simprint>", "simprint"],
        ] {
            assert_eq!(page(names[0]), page(names[1]));
        }
        for names in [
            ["csdb", "waferlab csdb"],
            ["cs_readelf", "readelf"],
            ["sdk_debug_shell", "debug-shell"],
            ["sdk_debug_shell smoke", "waferlab debug-shell smoke"],
            ["cs_readelf --tile", "waferlab readelf --tile"],
            ["lint", "waferlab lint"],
        ] {
            assert_eq!(page(names[0]), page(names[1]));
        }
        assert!(
            page("csdb").contains("```text\n  context list")
                && page("csdb").contains("  memory read --name NAME [--stdoutput]")
        );
        assert!(page("cs_python").contains("cs_python run.py --name out"));
        assert!(page("cslc").contains("    cslc --fabric-dims\n"));
        assert!(page("waferlab").contains("- `waferlab sweep`: "));
        assert!(page("sdk_debug_shell").contains("- `waferlab debug-shell smoke`: "));
        assert!(page("@fmacs").contains("@fmacs(dsd, source, source, factor, options)"));
        assert!(page("--max-cycles").contains("--max-cycles=N"));
        assert!(page("SIMFABRIC_DEBUG").contains("`landing`"));
        assert!(page("<tile_config/teardown>").contains("<tile_config/teardown>.exit"));
        assert!(page("exit").matches("# <").count() > 1, "several libraries have the name");
    }

    #[test]
    fn an_unknown_name_gives_the_nearest() {
        let told = |name| find(&reference(), name).expect_err("there is no page");
        assert_eq!(told("@fmacz"), "the reference has no page on `@fmacz`; did you mean @fmach or @fmacs?");
        assert!(told("no such thing").ends_with("lists the chapters"));
    }

    #[test]
    fn every_option_has_a_page() {
        let (mut count, reference) = (0, reference());
        let mut commands = vec![CslcArgs::command(), waferlab::command()];
        while let Some(mut command) = commands.pop() {
            command.build();
            commands.extend(command.get_subcommands().filter(|inner| inner.get_name() != "help").cloned());
            let ids = command.get_arguments().filter(|arg| !arg.is_hide_set()).map(|arg| arg.get_id().as_str());
            count += ids.filter(|id| !["help", "version"].contains(id)).count();
        }
        let pages = reference.iter().filter(|chapter| chapter.file.starts_with("commands/"));
        assert_eq!(pages.map(|chapter| chapter.pages.len()).sum::<usize>(), count);
    }
}
