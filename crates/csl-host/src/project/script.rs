//! Reads the `cslc` lines of a script, which is never run.
//!
//! `cd`, subshells, and variables that the script itself sets or that loop over words are followed. A line that depends on more,
//! such as the output of a command, is left out, with the reason.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::CslcLine;
use super::shell::{Event, OWN_FOLDER, events};
use super::words::{Piece, expanded, first_text};

/// The `cslc` lines of a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The lines that can be read.
    pub lines: Vec<CslcLine>,
    /// The others, by the number of the line, each with the reason.
    pub left_out: Vec<(usize, String)>,
}

impl Script {
    /// Reads a script; relative folders are relative to the script's.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> Result<Script, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Script::of(path, &text))
    }

    /// The script with this text.
    pub fn of(path: &Path, text: &str) -> Script {
        let mut reader = ScriptReader::of(path);
        for event in events(text) {
            match event {
                Event::Open => reader.open(),
                Event::Close => reader.close(),
                Event::Loop => reader.enter(String::new(), Vec::new()),
                Event::Command { line, words } => reader.command(line, &words),
            }
        }
        reader.script
    }
}

/// What is known between two commands of a script.
struct ScriptReader<'a> {
    path: &'a Path,
    script: Script,
    /// The working folder, or the reason why it is not known.
    folder: Result<PathBuf, String>,
    variables: HashMap<String, String>,
    loops: Vec<Loop>,
    /// What was known where the subshells around began.
    shells: Vec<Shell>,
    /// `case`s in this shell that have not ended: a `)` behind a pattern ends no subshell.
    cases: usize,
}

struct Shell {
    folder: Result<PathBuf, String>,
    variables: HashMap<String, String>,
    cases: usize,
}

/// A loop, over words or with a number of rounds that is not known: then it has no words.
struct Loop {
    variable: String,
    words: Vec<String>,
    /// The working folder before the loop, and the lines that had been read.
    folder: Result<PathBuf, String>,
    lines: usize,
}

impl ScriptReader<'_> {
    fn of(path: &Path) -> ScriptReader<'_> {
        let own = path.parent().unwrap_or(Path::new(""));
        let absolute = std::path::absolute(Path::new(".").join(own)).unwrap_or_else(|_| own.to_owned());
        let names = [OWN_FOLDER, "0%/*", "BASH_SOURCE%/*"];
        ScriptReader {
            path,
            script: Script::default(),
            folder: Ok(own.to_owned()),
            variables: names.map(|name| (name.to_owned(), absolute.display().to_string())).into(),
            loops: Vec::new(),
            shells: Vec::new(),
            cases: 0,
        }
    }

    fn open(&mut self) {
        let (folder, variables) = (self.folder.clone(), self.variables.clone());
        self.shells.push(Shell { folder, variables, cases: std::mem::take(&mut self.cases) });
    }

    fn close(&mut self) {
        if self.cases > 0 {
            return;
        }
        if let Some(Shell { folder, variables, cases }) = self.shells.pop() {
            (self.folder, self.variables, self.cases) = (folder, variables, cases);
        }
    }

    fn enter(&mut self, variable: String, words: Vec<String>) {
        self.loops.push(Loop { variable, words, folder: self.folder.clone(), lines: self.script.lines.len() });
    }

    /// The end of a loop. One that ends in another folder than it began in has other folders in its later rounds.
    fn leave(&mut self) {
        let Some(Loop { words, folder, lines, .. }) = self.loops.pop() else { return };
        if words.len() == 1 || folder == self.folder {
            return;
        }
        let reason = "its folder is another one in each round of a loop";
        let wrong = self.script.lines.drain(lines.min(self.script.lines.len())..);
        let mut left_out: Vec<(usize, String)> =
            wrong.filter_map(|line| Some((line.script?.1, reason.to_owned()))).collect();
        left_out.dedup();
        self.script.left_out.extend(left_out);
        self.folder = Err(reason.to_owned());
    }

    fn command(&mut self, line: usize, words: &[Vec<Piece>]) {
        match first_text(words) {
            Some("case") => self.cases += 1,
            Some("esac") => self.cases = self.cases.saturating_sub(1),
            _ => {}
        }
        // A command within loops stands for one with each of their words.
        let all = rounds(&self.loops);
        let mut is_call = false;
        for round in 0..all.min(MOST_ROUNDS) {
            set_words(&self.loops, round, &mut self.variables);
            let expanded = match expanded(words, &mut self.variables) {
                Ok(words) => words,
                Err(name) => return self.unknown(line, words, &name),
            };
            match expanded.split_first() {
                Some((command, rest)) if is_cslc(command) => {
                    is_call = true;
                    match &self.folder {
                        Ok(folder) => self.script.lines.push(CslcLine {
                            words: rest.to_vec(),
                            folder: folder.clone(),
                            script: Some((self.path.to_owned(), line)),
                        }),
                        Err(reason) => return self.script.left_out.push((line, reason.clone())),
                    }
                }
                Some((command, rest)) if is_cd(command) => return self.change_folder(line, words, rest),
                Some((command, rest)) if command == "for" || command == "select" => {
                    let (variable, words) =
                        rest.split_first().map_or((String::new(), &[][..]), |(v, w)| (v.clone(), w));
                    // Words behind `select` are chosen from; without `in` they are those of the script's own call.
                    let words = words.strip_prefix(&["in".to_owned()]).filter(|_| command == "for");
                    return self.enter(variable, words.unwrap_or_default().to_vec());
                }
                Some((command, _)) if command == "done" => return self.leave(),
                _ => {}
            }
        }
        if is_call && all > MOST_ROUNDS {
            let rest = all - MOST_ROUNDS;
            let reason = format!("in {rest} of the {all} rounds of its loops, of which {MOST_ROUNDS} are read");
            self.script.left_out.push((line, reason));
        }
    }

    /// A command with a variable that has no known value.
    fn unknown(&mut self, line: usize, words: &[Vec<Piece>], name: &str) {
        let reason = format!("`${name}` has no value that the script gives it");
        if calls_cslc(words) {
            self.script.left_out.push((line, reason));
            return;
        }
        match (first_text(words), words.get(1).map(Vec::as_slice)) {
            (Some("for" | "select"), Some([Piece::Text(variable, _)])) => self.enter(variable.clone(), Vec::new()),
            (Some("for" | "select"), _) => self.enter(String::new(), Vec::new()),
            (Some("done"), _) => self.leave(),
            (Some(command), _) if is_cd(command) => self.folder = Err(not_followed(line, &reason)),
            _ => {}
        }
    }

    /// `cd` with these words behind it, which are those of the first round of the loops around it.
    fn change_folder(&mut self, line: usize, words: &[Vec<Piece>], rest: &[String]) {
        let is_alike = (0..rounds(&self.loops).min(MOST_ROUNDS)).all(|round| {
            set_words(&self.loops, round, &mut self.variables);
            expanded(words, &mut self.variables).is_ok_and(|words| words.get(1..) == Some(rest))
        });
        let own = self.path.parent().unwrap_or(Path::new(""));
        let is_cd = first_text(words) == Some("cd");
        self.folder = match rest {
            [target] if is_cd && is_alike && !target.starts_with('-') => match &self.folder {
                _ if self.variables.get(OWN_FOLDER) == Some(target) => Ok(own.to_owned()),
                Ok(folder) => Ok(below(folder, Path::new(target))),
                Err(_) if Path::new(target).is_absolute() => Ok(target.into()),
                Err(reason) => Err(reason.clone()),
            },
            _ if !is_alike => Err(not_followed(line, "it differs between the rounds of a loop")),
            _ => Err(not_followed(line, "it does not name the folder")),
        };
    }
}

/// The reason why a folder is not known behind a `cd`.
fn not_followed(line: usize, why: &str) -> String {
    format!("its folder is not known behind the change of folder in line {line}: {why}")
}

/// Where `cd` leads: `..` takes off a part of the path, as a shell does.
fn below(folder: &Path, target: &Path) -> PathBuf {
    let mut found = folder.to_owned();
    for part in target.components() {
        match (part, found.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(found.pop()),
            _ => found.push(part),
        }
    }
    found
}

/// The most rounds of nested loops that are looked at.
const MOST_ROUNDS: usize = 64;

/// The rounds of all loops together.
fn rounds(loops: &[Loop]) -> usize {
    loops.iter().fold(1usize, |rounds, all| rounds.saturating_mul(all.words.len().max(1)))
}

/// Gives the variables of loops their values in a round.
fn set_words(loops: &[Loop], mut round: usize, variables: &mut HashMap<String, String>) {
    for Loop { variable, words, .. } in loops.iter().rev() {
        let count = words.len().max(1);
        match words.get(round % count) {
            Some(word) => variables.insert(variable.clone(), word.clone()),
            None => variables.remove(variable),
        };
        round /= count;
    }
}

/// The scripts of a folder: its `commands*.sh`, in alphabetical order.
pub fn scripts_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let names = entries.into_iter().flatten().flatten().map(|entry| folder.join(entry.file_name()));
    let mut scripts: Vec<PathBuf> = names.filter(|path| is_script(path)).collect();
    scripts.sort();
    scripts
}

/// Whether a file is named as a script that compiles and runs: `commands*.sh`.
pub fn is_script(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.starts_with("commands") && name.ends_with(".sh")
}

fn is_cslc(word: &str) -> bool {
    word == "cslc" || word.ends_with("/cslc")
}

fn is_cd(word: &str) -> bool {
    matches!(word, "cd" | "pushd" | "popd")
}

fn calls_cslc(words: &[Vec<Piece>]) -> bool {
    words.iter().any(|word| matches!(&word[..], [Piece::Text(text, _)] if is_cslc(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(usize, String, String)> {
        let shown = |line: CslcLine| {
            (line.script.expect("a script").1, line.folder.display().to_string(), line.words.join(" "))
        };
        Script::of(Path::new("demo/commands.sh"), text).lines.into_iter().map(shown).collect()
    }

    fn one(text: &str) -> String {
        let mut found = lines(text);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0).2
    }

    #[test]
    fn a_line_goes_on_behind_a_backslash() {
        let text = "#!/usr/bin/env bash\nset -e\n\ncslc --arch=wse3 ./layout.csl \\\n  --params=N:4 -o out # all\ncs_python run.py";
        assert_eq!(lines(text), [(4, "demo".into(), "--arch=wse3 ./layout.csl --params=N:4 -o out".into())]);
        assert_eq!(one("cslc a.csl \\\r\n -o x\r\n"), "a.csl -o x");
    }

    #[test]
    fn quotes_and_variables_are_replaced() {
        assert_eq!(one("cslc 'a b.csl' \"-o\" 'o'ut"), "a b.csl -o out");
        assert_eq!(one("N=4\nexport M=\"$N\"\ncslc a.csl --params=n:${N},m:$M"), "a.csl --params=n:4,m:4");
        assert_eq!(one("cslc a.csl --params=n:${1:-8}"), "a.csl --params=n:8");
        assert_eq!(one("ARGS='--memcpy --channels=1'\ncslc a.csl $ARGS"), "a.csl --memcpy --channels=1");
        assert_eq!(one("FLAG=\ncslc a.csl $FLAG -o out"), "a.csl -o out");
        assert_eq!(one("SDK=/opt\n$SDK/bin/cslc a.csl"), "a.csl");
    }

    #[test]
    fn other_commands_of_a_line_are_left_alone() {
        assert_eq!(one("cd src && time cslc a.csl > log.txt 2>&1; cs_python run.py"), "a.csl");
        assert_eq!(lines("cd src && cslc a.csl")[0].1, "demo/src");
        assert_eq!(one("if true; then\n  cslc a.csl || exit 1\nfi"), "a.csl");
        assert_eq!(lines("echo cslc a.csl\n# cslc b.csl\nalias c='cslc c.csl'"), []);
    }

    #[test]
    fn a_loop_over_words_is_a_line_for_each() {
        let text = "for a in wse2 wse3; do\n  for n in 1 2; do\n    cslc --arch=$a x.csl --params=n:$n\n  done\n  cslc $a.csl\ndone\ncslc y.csl";
        let words: Vec<String> = lines(text).into_iter().map(|line| line.2).collect();
        let x = |a: &str, n: u8| format!("--arch={a} x.csl --params=n:{n}");
        assert_eq!(words[..4], [x("wse2", 1), x("wse2", 2), x("wse3", 1), x("wse3", 2)]);
        assert_eq!(words[4..], ["wse2.csl", "wse3.csl", "y.csl"]);
        assert_eq!(lines("for a in *.csl $FILES; do cslc $a; done"), []);
    }

    #[test]
    fn a_line_that_depends_on_more_is_left_out() {
        let text = "for n in $(seq 2); do\n  cslc a.csl --params=n:$n\ndone\ncslc b.csl";
        let script = Script::of(Path::new("commands.sh"), text);
        assert_eq!(script.left_out, [(2, "`$n` has no value that the script gives it".to_owned())]);
        assert_eq!(script.lines.len(), 1);
        let script = Script::of(Path::new("commands.sh"), "cslc a.csl --params=n:$(nproc)");
        assert_eq!((script.lines.len(), script.left_out.len()), (0, 1));
    }

    type LeftOut = Vec<(usize, String)>;

    /// The lines, each with its folder, and what is left out.
    fn read(text: &str) -> (Vec<(String, String)>, LeftOut) {
        let script = Script::of(Path::new("demo/commands.sh"), text);
        let shown = |line: CslcLine| (line.folder.display().to_string(), line.words.join(" "));
        (script.lines.into_iter().map(shown).collect(), script.left_out)
    }

    fn folders(text: &str) -> Vec<String> {
        let (lines, left_out) = read(text);
        assert_eq!(left_out, [], "{text}");
        lines.into_iter().map(|line| line.0).collect()
    }

    #[test]
    fn a_subshell_leaves_its_folder_behind() {
        assert_eq!(
            folders("(cd a && cslc x.csl)\n(cd b; (cd c; cslc x.csl); cslc x.csl)\ncslc x.csl"),
            ["demo/a", "demo/b/c", "demo/b", "demo"]
        );
        assert_eq!(
            folders("(cd a && cslc x.csl >log.txt)\n(cd b; cslc x.csl 2>&1)\ncslc x.csl"),
            ["demo/a", "demo/b", "demo"]
        );
        assert_eq!(folders("f() {\n  echo\n}\ncd ..\ncd b/../c\ncslc x.csl"), ["c"]);
        assert_eq!(folders("(cd a\ncase $1 in\n  x) echo;;\nesac\ncslc x.csl)\ncslc x.csl"), ["demo/a", "demo"]);
        assert_eq!(
            folders("for a in 1 2; do (cd a; cslc $a.csl); cd b; cd ..; done; cslc x.csl"),
            ["demo/a", "demo/a", "demo"]
        );
        assert_eq!(read("N=1\n(N=2)\ncslc $N.csl").0, [("demo".to_owned(), "1.csl".to_owned())]);
    }

    #[test]
    fn a_folder_that_is_not_known_leaves_lines_out() {
        for change in ["cd $X", "cd a; cd -", "cd", "pushd a", "cd $(pwd)/a", "for a in 1 2; do\n cd $a; done"] {
            let (lines, left_out) = read(&format!("{change}\ncslc x.csl\ncd a\ncslc x.csl\n(cd /b; cslc x.csl)\n"));
            assert_eq!(lines, [("/b".to_owned(), "x.csl".to_owned())], "{change}");
            assert_eq!(left_out.len(), 2, "{change}: {left_out:?}");
            assert!(left_out.iter().all(|(_, reason)| reason.starts_with("its folder is")), "{left_out:?}");
        }
        let (lines, left_out) = read("for a in 1 2; do\n  cslc x.csl\n  cd a\ndone\ncslc y.csl");
        assert_eq!((lines.len(), left_out.iter().map(|(line, _)| *line).collect::<Vec<_>>()), (0, vec![2, 5]));
    }

    #[test]
    fn the_folder_of_the_script_is_known() {
        for change in [
            "cd \"$(dirname \"$0\")\"",
            "cd `dirname $0`",
            "cd ${0%/*}",
            "D=\"$( cd -- \"$( dirname -- \"${BASH_SOURCE[0]}\" )\" &> /dev/null && pwd )\"\ncd a\ncd \"$D\"",
        ] {
            assert_eq!(folders(&format!("{change}\ncslc x.csl")), ["demo"], "{change}");
        }
    }

    #[test]
    fn rounds_that_are_not_read_are_told() {
        let (lines, left_out) =
            read("for a in 1 2 3 4 5 6 7 8 9; do for b in 1 2 3 4 5 6 7 8; do\ncslc $a$b\ndone; done");
        assert_eq!(lines.len(), MOST_ROUNDS);
        let told = "in 8 of the 72 rounds of its loops, of which 64 are read";
        assert_eq!(left_out, [(2, told.to_owned())]);
    }

    #[test]
    fn every_loop_has_its_own_end() {
        for inner in [
            "while false; do echo; done",
            "until true; do echo; done",
            "for ((i=0; i<(4); i++)); do echo; done",
            "for b; do echo; done",
            "for b in $X; do echo; done",
            "for b in $(seq 2); do echo; done",
            "select b in x y; do echo; done",
        ] {
            let words = read(&format!("for a in 1 2; do\n{inner}\ncslc $a.csl\ndone\ncslc x.csl")).0;
            assert_eq!(
                words.into_iter().map(|line| line.1).collect::<Vec<_>>(),
                ["1.csl", "2.csl", "x.csl"],
                "{inner}"
            );
        }
        let (lines, left_out) = read("for ((i=0; i<4; i++)); do\ncslc x.csl --params=n:$i\ndone");
        assert_eq!((lines.len(), left_out.len()), (0, 1));
    }

    #[test]
    fn a_here_document_is_no_command() {
        for (begin, end) in [("<<EOF", "EOF"), ("<< 'E F'", "E F"), ("<<-\"END\"", "\t\tEND"), ("<<\\X >out", "X\r")] {
            let text = format!("cat > x.txt {begin}\ncslc wrong.csl\n cd a\n{end}\ncslc x.csl");
            assert_eq!(read(&text).0, [("demo".to_owned(), "x.csl".to_owned())], "{begin}");
        }
        assert_eq!(one("cslc a.csl <<< 'cslc b.csl'\n").split(' ').next(), Some("a.csl"));
    }
}
