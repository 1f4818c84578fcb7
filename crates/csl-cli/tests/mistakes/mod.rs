//! Mistakes of people who write CSL for the first time: `tests/mistakes/SUBJECT/NAME.csl`, a file each. A snapshot beside
//! it has all that `cslc` and `waferlab run` say. `tests/mistakes/table.snap` lists all, with the average of the marks.
//!
//! The first line names the mistake. The file is the program of every PE of a small rectangle, and [`FRAME`] is appended
//! unless it declares `memcpy_params` itself. The text after a line `//> file: NAME` is another file; a `layout.csl`
//! among these stands in for [`LAYOUT`]. Lines `//> key: value` say
//!
//! - `told by`: `compiler`, `run`, `check` (`waferlab run --check`), or `silent`: none of them says a word,
//! - `mark`: 0 silent or wrong, 1 misleads, 2 right, 3 right, with the place and what to do; then what is missing,
//! - `size`: columns and rows, `2x1` (`1x1`),
//! - `cslc`: the arguments behind the layout (`--arch=wse3 --memcpy`),
//! - `line`: the whole line of arguments of `cslc`, the layout too,
//! - `run`: the arguments of `waferlab run` (`out --launch main`).
//!
//! Mistakes in host programs are `tests/mistakes/host/NAME.py`, run by `crates/csl-py/tests/test_mistakes.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use tempfile::TempDir;

const LAYOUT: &str = "
param width: u16;
param height: u16;
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = width, .height = height });
layout {
  @set_rectangle(width, height);
  for (@range(u16, height)) |y| {
    for (@range(u16, width)) |x| {
      @set_tile_code(x, y, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(x), .column = x });
    }
  }
  @export_name(\"main\", fn()void);
}
";

/// Appended, so that the lines of a program keep their numbers.
const FRAME: &str = "
param memcpy_params;
param column: u16;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
comptime { @export_symbol(main); }
";

struct Mistake {
    /// Below `tests/mistakes`, without its ending.
    name: String,
    text: String,
    title: String,
    keys: BTreeMap<String, String>,
}

impl Mistake {
    /// `sign` begins a comment of its language.
    fn read(path: &Path, sign: &str) -> Mistake {
        let text = fs::read_to_string(path).expect("a mistake is readable text");
        let head = format!("{sign}> ");
        let pairs = text.lines().filter_map(|line| line.strip_prefix(&head)?.split_once(": "));
        let keys = pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
        let title = text.lines().next().unwrap_or_default().trim_start_matches(sign).trim().to_owned();
        let name = path.strip_prefix(folder()).expect("it lies there").with_extension("");
        Mistake { name: name.to_string_lossy().into_owned(), text, title, keys }
    }

    fn key(&self, key: &str) -> Option<&str> {
        self.keys.get(key).map(String::as_str)
    }

    fn told_by(&self) -> &str {
        self.key("told by").unwrap_or("(not said)")
    }

    fn mark(&self) -> u32 {
        let mark = self.key("mark").and_then(|mark| mark.chars().next()?.to_digit(10));
        mark.unwrap_or_else(|| panic!("{}: a mark is 0 to 3", self.name))
    }

    /// Writes the files of the program.
    fn write(&self, folder: &Path) {
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("the folder is writable");
        write("layout.csl", LAYOUT);
        let mut parts = self.text.split("//> file: ");
        let pe = parts.next().unwrap_or_default();
        let is_whole = pe.contains("param memcpy_params");
        write("pe.csl", &format!("{pe}{}", if is_whole { "" } else { FRAME }));
        for part in parts {
            let (name, text) = part.split_once('\n').expect("a file has a name and a text");
            write(name.trim(), text);
        }
    }

    /// The arguments of `cslc`.
    fn line(&self) -> String {
        if let Some(line) = self.key("line") {
            return line.to_owned();
        }
        let (width, height) = self.key("size").unwrap_or("1x1").split_once('x').expect("size: WIDTHxHEIGHT");
        let given = self.key("cslc").unwrap_or("--arch=wse3 --memcpy");
        let is_usual = !self.text.contains("//> file: layout.csl");
        let params = if is_usual { format!(" --params=width:{width},height:{height}") } else { String::new() };
        format!("layout.csl {given}{params}")
    }

    /// Which tool tells the mistake, and all that the tools say.
    fn said(&self) -> (&'static str, String) {
        let folder = TempDir::new().expect("a temporary folder");
        self.write(folder.path());
        let mut text = String::new();
        let mut says = |program: &str, line: &str| {
            let mut command = Command::new(if program == "cslc" { CSLC } else { WAFERLAB });
            command
                .args(line.split_whitespace())
                .current_dir(folder.path())
                .env_remove("SIMFABRIC_DEBUG")
                .env_remove("WAFERLAB_CHECK");
            let Output { status, stdout, stderr } = command.output().expect("the command runs");
            text += &format!("$ {program} {line}\n");
            for part in [stdout, stderr] {
                text += &without_cycles(&String::from_utf8_lossy(&part));
            }
            if !status.success() {
                text += &format!("(status {})\n", status.code().unwrap_or(-1));
            }
            let lines = text.rsplit_once("\n$ ").map_or(text.as_str(), |(_, last)| last).lines().count();
            (status.success(), lines > 1)
        };
        let (compiled, is_told) = says("cslc", &self.line());
        if is_told {
            if compiled && self.key("run").is_some() {
                says("waferlab", &format!("run {} --quiet", self.run()));
            }
            return ("compiler", text);
        }
        let run = self.run();
        let (_, is_told) = says("waferlab", &format!("run {run} --quiet"));
        if is_told {
            return ("run", text);
        }
        let is_told = says("waferlab", &format!("run {run} {CHECK} --quiet")).1;
        (if is_told { "check" } else { "silent" }, text)
    }

    fn run(&self) -> &str {
        self.key("run").unwrap_or("out --launch main")
    }
}

/// The option of `waferlab run` that looks closer.
const CHECK: &str = "--check";

const CSLC: &str = env!("CARGO_BIN_EXE_cslc");
const WAFERLAB: &str = env!("CARGO_BIN_EXE_waferlab");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mistakes")
}

/// The text without cycles, which are the subject of other tests and would only make snapshots change.
fn without_cycles(text: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut parts = text.split("cycle ");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(is_digit);
        text + "cycle " + if rest.len() < part.len() { "N" } else { "" } + rest
    });
    let mut parts = text.rsplit(" cycles after");
    let last = parts.next().unwrap_or_default().to_owned();
    parts.fold(last, |text, part| {
        let rest = part.trim_end_matches(is_digit);
        rest.to_owned() + if rest.len() < part.len() { "N" } else { "" } + " cycles after" + &text
    })
}

/// All mistakes of a language, by name.
fn mistakes(ending: &str, sign: &str) -> Vec<Mistake> {
    let subjects =
        fs::read_dir(folder()).expect("there are mistakes").map(|entry| entry.expect("it is readable").path());
    let files = subjects.filter(|path| path.is_dir()).flat_map(|path| fs::read_dir(path).expect("a folder"));
    let paths = files.map(|entry| entry.expect("it is readable").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    paths.sort();
    paths.iter().map(|path| Mistake::read(path, sign)).collect()
}

fn assert_snapshot(folder: &Path, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Every mistake is told by the tool that its head names, in the words of its snapshot. One that is silent is told to be
/// so by its head: that a tool learns to tell it is a change of the head.
#[test]
fn every_mistake_is_told_as_its_head_says() {
    let all = mistakes("csl", "//");
    let next = Mutex::new(0..all.len());
    let results: Mutex<BTreeMap<usize, (&str, String)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(at) = { next.lock().expect("no thread panics").next() } {
                    let said = all[at].said();
                    results.lock().expect("no thread panics").insert(at, said);
                }
            });
        }
    });
    let results = results.into_inner().expect("no thread panics");
    let mut wrong = Vec::new();
    for (mistake, (teller, text)) in all.iter().zip(results.values()) {
        if mistake.told_by() != *teller {
            wrong.push(format!("{}: told by {teller}, its head says {}\n{text}", mistake.name, mistake.told_by()));
        }
        let path = folder().join(&mistake.name);
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        assert_snapshot(path.parent().expect("it lies in a folder"), &name, text);
    }
    assert!(wrong.is_empty(), "{} mistakes are told otherwise\n\n{}", wrong.len(), wrong.join("\n"));
}

/// The table of all mistakes, those of host programs too.
#[test]
fn the_table_of_marks() {
    let mut all = mistakes("csl", "//");
    all.extend(mistakes("py", "#"));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let wide = all.iter().map(|mistake| mistake.name.len()).max().unwrap_or(0);
    let row = |m: &Mistake| format!("{:wide$}  {:8}  {}  {}\n", m.name, m.told_by(), m.mark(), m.title);
    let mut table: String = all.iter().map(row).collect();
    let sum: u32 = all.iter().map(Mistake::mark).sum();
    let silent = all.iter().filter(|mistake| mistake.told_by() == "silent");
    table += &format!(
        "\n{} mistakes, {} of them silent; average mark {:.2}\n",
        all.len(),
        silent.count(),
        f64::from(sum) / all.len().max(1) as f64
    );
    assert_snapshot(&folder(), "table", &table);
}
