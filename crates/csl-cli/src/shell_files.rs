//! `waferlab completions` and `waferlab man`: files for shells and for `man`, made of the commands' own arguments.

use std::path::Path;

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::CslcArgs;
use crate::csdb::CsdbArgs;
use crate::debug_shell::ShellArgs;
use crate::output::print;
use crate::readelf::ReadelfArgs;

/// The first line of a manual page made here: a page without it is left alone.
const MARK: &str = ".\\\" Made by `waferlab man`.\n";

/// All commands, under the names by which they are installed.
fn commands(waferlab: Command) -> Vec<Command> {
    let named = |name| Command::new(name).version(env!("CARGO_PKG_VERSION"));
    vec![
        waferlab,
        CslcArgs::command(),
        CsdbArgs::augment_args(named("csdb")).about("Look into the core file of a run"),
        ReadelfArgs::augment_args(named("cs_readelf")).about("Answer what scripts ask of ELF files"),
        ShellArgs::augment_args(named("sdk_debug_shell")).about("Run smoke tests, say how to look at a run"),
    ]
}

/// The command without its hidden arguments and parts, which completions would offer.
fn shown(command: &Command) -> Command {
    // Names of commands live as long as the program, which ends behind the completions.
    let name: &'static str = command.get_name().to_owned().leak();
    let mut without = Command::new(name)
        .disable_help_flag(command.is_disable_help_flag_set())
        .disable_help_subcommand(command.is_disable_help_subcommand_set())
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|part| !part.is_hide_set()).map(shown));
    if command.get_version().is_some() {
        without = without.version(env!("CARGO_PKG_VERSION"));
    }
    if let Some(about) = command.get_about() {
        without = without.about(about.clone());
    }
    without
}

/// Prints the completions of all commands for a shell.
pub fn completions(waferlab: Command, shell: Shell) -> Result<(), String> {
    let mut script = Vec::new();
    for command in commands(waferlab) {
        let mut command = shown(&command);
        let name = command.get_name().to_owned();
        clap_complete::generate(shell, &mut command, name, &mut script);
    }
    print(&String::from_utf8_lossy(&script))
}

/// Writes the manual pages of all commands and their parts into a folder, and tells where. Nothing is written where a file
/// by the name of a page is not one of ours.
pub fn manual(waferlab: Command, folder: &Path) -> Result<(), String> {
    let mut pages = Vec::new();
    for command in commands(waferlab) {
        let mut command = command.disable_help_subcommand(true);
        command.build();
        collect(&command, &mut pages)?;
    }
    let failed = |path: &Path, error: &std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for (name, _) in &pages {
        let path = folder.join(name);
        match std::fs::read(&path) {
            Ok(bytes) if !bytes.starts_with(MARK.as_bytes()) => {
                return Err(format!("{}: this file is not from `waferlab man`; nothing is written", path.display()));
            }
            _ => {}
        }
    }
    for (name, text) in &pages {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    print(&format!("{} pages in {}\n", pages.len(), folder.display()))
}

/// The file name and the text of the page of a command and of each of its parts.
fn collect(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), String> {
    let page = Man::new(command.clone());
    let mut text = MARK.as_bytes().to_vec();
    page.render(&mut text).map_err(|error| format!("{}: {error}", page.get_filename()))?;
    pages.push((page.get_filename(), text));
    command.get_subcommands().filter(|part| !part.is_hide_set()).try_for_each(|part| collect(part, pages))
}
