//! The output folder under kill, full disk, foreign files, links and two writers: 300 compilations and more, nothing lost.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

const LAYOUT: &str = "
param side: u16;
layout {
  @set_rectangle(side, side);
  for (@range(u16, side)) |x| { for (@range(u16, side)) |y| { @set_tile_code(x, y, \"pe.csl\", .{ .n = side }); } }
}
";

const PE: &str = "param n: u16; var v = @constants([100]u16, n); export fn f() u16 { return v[0]; }";

/// Two programs of different size.
const SIDES: [u32; 2] = [5, 12];

/// A folder with the sources in `src`.
struct Field {
    folder: TempDir,
    /// The contents of a whole `bin/program.wafer`, by program.
    programs: [Vec<u8>; 2],
}

impl Field {
    fn new() -> Field {
        let folder = TempDir::new().expect("a temporary folder");
        fs::create_dir(folder.path().join("src")).expect("the folder is writable");
        fs::write(folder.path().join("src/layout.csl"), LAYOUT).expect("the folder is writable");
        fs::write(folder.path().join("src/pe.csl"), PE).expect("the folder is writable");
        let mut field = Field { folder, programs: Default::default() };
        for which in 0..2 {
            field.compile(which, "whole");
            field.programs[which] = fs::read(field.at("whole/bin/program.wafer")).expect("it was written");
        }
        fs::remove_dir_all(field.at("whole")).expect("it is ours");
        field
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, which: usize, output: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cslc"));
        command.args(["src/layout.csl", &format!("--params=side:{}", SIDES[which]), "-o", output]);
        command.current_dir(self.folder.path()).stdout(Stdio::null());
        command
    }

    fn output(&self, which: usize, output: &str) -> Output {
        self.command(which, output).output().expect("cslc runs")
    }

    fn compile(&self, which: usize, output: &str) {
        let done = self.output(which, output);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn spawn(&self, which: usize, output: &str) -> Child {
        self.command(which, output).stderr(Stdio::null()).spawn().expect("cslc starts")
    }

    /// The number of the program in a folder, which must be whole.
    fn program(&self, output: &str) -> Option<usize> {
        let bytes = fs::read(self.at(output).join("bin/program.wafer")).ok()?;
        let which = self.programs.iter().position(|whole| *whole == bytes);
        Some(which.expect("a program is the old or the new one, whole"))
    }

    /// Asserts that all files of a compilation of a program are there, and no others but `others`.
    fn assert_complete(&self, which: usize, output: &str, others: &[&str]) {
        let side = SIDES[which];
        let tiles = (0..side * side).map(|tile| format!("bin/out_{}_{}.elf", tile % side, tile / side));
        let files = ["bin", "bin/out_rpc.json", "bin/program.wafer", "east", "generated", "out.json", "west"];
        let mut expected: Vec<String> =
            tiles.chain(files.into_iter().chain(others.iter().copied()).map(str::to_owned)).collect();
        expected.sort();
        let root = self.at(output);
        let found = tree(&root);
        let mut found: Vec<String> = found.keys().map(|path| path.to_string_lossy().into_owned()).collect();
        found.sort();
        assert_eq!(found, expected);
        let values = fs::read_to_string(root.join("out.json")).expect("it is there");
        assert!(values.contains(&format!("\"side\": \"{side}\"")), "{values}");
    }
}

#[derive(Debug, PartialEq)]
enum Entry {
    Folder,
    Link(PathBuf),
    File(Vec<u8>, SystemTime),
}

/// Everything below a folder, by path.
fn tree(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let data = fs::symlink_metadata(&path).expect("it is there");
            let entry = if data.is_symlink() {
                Entry::Link(fs::read_link(&path).expect("a link"))
            } else if data.is_dir() {
                folders.push(path.clone());
                Entry::Folder
            } else {
                Entry::File(fs::read(&path).expect("a readable file"), data.modified().expect("a time"))
            };
            all.insert(path.strip_prefix(root).expect("it is below").to_owned(), entry);
        }
    }
    all
}

/// Pseudo-random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }
}

#[test]
fn a_killed_compiler_leaves_the_old_program_or_the_new_one() {
    const TRIES: u64 = 150;
    let field = Field::new();
    fs::create_dir_all(field.at("out/results/deep")).expect("the folder is writable");
    fs::write(field.at("out/data.npy"), "input").expect("the folder is writable");
    fs::write(field.at("out/results/deep/r.txt"), "output").expect("the folder is writable");
    let others = ["data.npy", "results", "results/deep", "results/deep/r.txt"];
    let foreign = |out: &Path| {
        let mut entries = tree(out);
        entries.retain(|path, _| others.iter().any(|other| path == Path::new(other)));
        entries
    };
    let (out, before) = (field.at("out"), foreign(&field.at("out")));
    let start = Instant::now();
    field.compile(1, "out");
    let whole = start.elapsed().as_micros() as u64;
    let (mut dice, mut old, mut changed) = (Dice(1), 1, 0);
    for attempt in 0..TRIES {
        // Every fifth attempt starts without a program.
        let is_first = attempt % 5 == 0;
        if is_first {
            ["bin", "out.json", "east", "west", "generated"].iter().map(|name| out.join(name)).for_each(|path| {
                let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            });
        }
        let new = 1 - old;
        let mut compiler = field.spawn(new, "out");
        std::thread::sleep(Duration::from_micros(dice.below(whole * 3 / 2)));
        compiler.kill().expect("it is a child");
        compiler.wait().expect("it ends");
        match field.program("out") {
            Some(found) => (old, changed) = (found, changed + u64::from(found != old)),
            None => assert!(is_first || attempt % 5 != 0, "the program is gone"),
        }
        assert_eq!(foreign(&out), before, "try {attempt}");
        assert_eq!(fs::read_dir(field.folder.path()).expect("it is readable").count(), 2, "something lies beside out");
    }
    assert!((1..TRIES).contains(&changed), "some compilers are killed before the change, and some behind it");
    field.compile(old, "out");
    field.assert_complete(old, "out", &others);
    assert_eq!(foreign(&out), before);
}

#[test]
fn two_compilers_and_a_reader_see_whole_programs() {
    const ROUNDS: usize = 50;
    let field = Field::new();
    let mut seen = [0; 2];
    for round in 0..ROUNDS {
        // Every tenth round starts without a compilation.
        if round % 10 == 0 {
            let _ = fs::remove_dir_all(field.at("out"));
        }
        let mut compilers = [field.spawn(0, "out"), field.spawn(1, "out")];
        while compilers.iter_mut().any(|compiler| compiler.try_wait().expect("it is a child").is_none()) {
            assert!(field.program("out").is_some() || round % 10 == 0, "a program was there before");
        }
        for mut compiler in compilers {
            assert!(compiler.wait().expect("it ends").success(), "round {round}");
        }
        let last = field.program("out").expect("both have written one");
        seen[last] += 1;
        field.assert_complete(last, "out", &[]);
    }
    eprintln!("{} times the one was last, {} times the other", seen[0], seen[1]);
}

/// A small file system in memory, unmounted when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: PathBuf, kilobytes: u32) -> Option<SmallDisk> {
        fs::create_dir_all(&folder).ok()?;
        let size = format!("size={kilobytes}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Compiles the larger program over the smaller one, which may fail: then the folder must be unchanged.
fn replaced_or_as_before(field: &Field, output: &str, mut command: Command) -> bool {
    let root = field.at(output);
    let before = tree(&root);
    let done = command.output().expect("it starts");
    if done.status.success() {
        assert_eq!(field.program(output), Some(1));
        return true;
    }
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(text.contains("cannot write"), "{text}");
    assert_eq!(done.status.code(), Some(1), "{text}");
    assert_eq!(tree(&root), before, "{text}");
    false
}

#[test]
fn on_a_full_disk_nothing_changes() {
    const TRIES: u64 = 50;
    let field = Field::new();
    let Some(disk) = SmallDisk::mount(field.at("disk"), 2048) else {
        eprintln!("mounting is not allowed here: the limit on the size of files stands for the full disk");
        return file_size_limit(&field, TRIES);
    };
    let (mut failed, filler) = (0, disk.0.join("filler"));
    for attempt in 0..TRIES {
        field.compile(0, "disk/out");
        fs::write(disk.0.join("out/data"), "input").expect("there is room");
        // The larger program takes some 150 pages; from none to all of them are free.
        let _ = fs::write(&filler, vec![0; 4 << 20]);
        let full = fs::metadata(&filler).expect("it is there").len();
        let file = fs::OpenOptions::new().write(true).open(&filler).expect("it is there");
        file.set_len(full.saturating_sub(attempt * 4 * 4096)).expect("it is made smaller");
        drop(file);
        failed += u64::from(!replaced_or_as_before(&field, "disk/out", field.command(1, "disk/out")));
        fs::remove_file(&filler).expect("it is there");
        assert_eq!(fs::read(disk.0.join("out/data")).expect("it stays"), b"input");
    }
    assert!((10..TRIES).contains(&failed), "{failed} of {TRIES} compilations failed");
}

#[test]
fn beyond_the_limit_on_the_size_of_files_nothing_changes() {
    file_size_limit(&Field::new(), 20);
}

/// The limit is in blocks of 1,024 bytes, of which the larger program takes several.
fn file_size_limit(field: &Field, tries: u64) {
    let mut failed = 0;
    for attempt in 0..tries {
        field.compile(0, "out");
        let mut command = Command::new("bash");
        let script = format!("ulimit -f {}; exec \"$0\" \"$@\"", attempt % 4);
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_cslc"));
        command.args(field.command(1, "out").get_args()).current_dir(field.folder.path());
        failed += u64::from(!replaced_or_as_before(field, "out", command));
    }
    assert!((1..tries).contains(&failed), "{failed} of {tries} compilations failed");
}

/// A refusal to test: the preparation of the folder, the output folder, and the entry that the error names.
type Refusal = (&'static str, fn(&Field), &'static str, &'static str);

fn file(field: &Field, name: &str) {
    let path = field.at(name);
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the folder is writable");
    fs::write(path, "mine").expect("the folder is writable");
}

fn link(field: &Field, to: &str, name: &str) {
    let path = field.at(name);
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the folder is writable");
    symlink(to, path).expect("the folder is writable");
}

#[test]
fn what_is_not_ours_is_named_and_kept() {
    let refusals: [Refusal; 19] = [
        ("the folder of the sources", |_| {}, "src", "src: the source file src/layout.csl lies in it"),
        ("the folder above", |_| {}, ".", ".: the source file"),
        ("by another way", |_| {}, "src/../src/", "src/../src/: the source file"),
        ("a link to the sources", |f| link(f, "src", "out"), "out", "out: the source file"),
        ("a file", |f| file(f, "out"), "out", "out: it is no folder"),
        ("a link to a file", |f| (file(f, "a"), link(f, "a", "out")).1, "out", "out: it is no folder"),
        ("a link to nothing", |f| link(f, "nowhere", "out"), "out", "out: it is a link to something that is not there"),
        ("below a file", |f| file(f, "a"), "a/out", "a/out"),
        ("bin/ with other files", |f| file(f, "out/bin/tool"), "out", "out/bin: it holds tool"),
        ("bin/ with our names", |f| file(f, "out/bin/out_0_0.elf"), "out", "out/bin: it holds out_0_0.elf"),
        ("bin/ with a list", |f| file(f, "out/bin/out_rpc.json"), "out", "out/bin: it holds out_rpc.json"),
        ("a program of others", |f| file(f, "out/bin/program.wafer"), "out", "out/bin/program.wafer: it is no program"),
        ("bin is a file", |f| file(f, "out/bin"), "out", "out/bin: it is no folder"),
        ("bin is a link", |f| (file(f, "a/tool"), link(f, "../a", "out/bin")).1, "out", "out/bin: it is no folder"),
        ("east is a file", |f| file(f, "out/east"), "out", "out/east: it is no folder"),
        ("out.json", |f| file(f, "out/out.json"), "out", "out/out.json: it is not of an earlier compilation"),
        ("out.json is a link", |f| (file(f, "a"), link(f, "../a", "out/out.json")).1, "out", "out/out.json: it is not"),
        (
            "a tile's file that was changed",
            |f| (f.compile(0, "out"), file(f, "out/bin/out_1_1.elf")).1,
            "out",
            "out/bin/out_1_1.elf: it is not of an earlier compilation",
        ),
        (
            "a program that is a link",
            |f| {
                f.compile(0, "out");
                fs::rename(f.at("out/bin/program.wafer"), f.at("kept")).expect("it is there");
                link(f, "../../kept", "out/bin/program.wafer");
            },
            "out",
            "out/bin/program.wafer: it is no program",
        ),
    ];
    for (what, prepare, output, named) in refusals {
        let field = Field::new();
        prepare(&field);
        let before = tree(field.folder.path());
        let done = field.output(1, output);
        let text = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{what}: {text}");
        assert!(text.contains(named), "{what}: {text}");
        assert_eq!(tree(field.folder.path()), before, "{what}");
    }
}

#[test]
fn what_is_not_in_the_way_stays() {
    let field = Field::new();
    for name in ["real/notes.txt", "real/east/map.txt", "real/.waferlab", "real/colors.json"] {
        file(&field, name);
    }
    link(&field, "real", "out");
    link(&field, "/etc/hostname", "real/host");
    let before = tree(&field.at("real"));
    for which in [1, 0, 1, 0] {
        field.compile(which, "out");
        // The second program has fewer tiles: the files of the others go.
        let others = ["notes.txt", "east/map.txt", ".waferlab", "colors.json", "host"];
        field.assert_complete(which, "real", &others);
        let after = tree(&field.at("real"));
        let kept = before
            .iter()
            .filter(|(path, _)| !path.ends_with("east"))
            .all(|(path, entry)| after.get(path) == Some(entry));
        assert!(kept, "{after:?}");
    }
    assert!(field.at("out").is_symlink());
    // A second name of the program keeps what it stands for.
    fs::hard_link(field.at("out/bin/program.wafer"), field.at("saved")).expect("the folder is writable");
    file(&field, "real/bin/notes");
    field.compile(1, "out");
    assert_eq!(fs::read(field.at("saved")).expect("it is there"), field.programs[0]);
    assert_eq!(fs::read(field.at("real/bin/notes")).expect("it is there"), b"mine");
}

#[test]
fn a_failure_takes_back_the_folders_that_it_made() {
    let field = Field::new();
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -f 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_cslc")]);
    command.args(field.command(0, "new/deep/out").get_args()).current_dir(field.folder.path());
    assert_eq!(command.output().expect("it starts").status.code(), Some(1));
    assert!(!field.at("new").exists());
}

#[test]
fn files_that_are_named_are_replaced_as_a_whole() {
    let field = Field::new();
    let done = |options: &[&str]| field.command(0, "out").args(options).output().expect("cslc runs");
    for name in ["values.json", "routes.txt"] {
        file(&field, name);
    }
    assert!(done(&["--output-json=values.json", "--out-routes=routes.txt"]).status.success());
    let read = |name: &str| fs::read_to_string(field.at(name)).expect("it is there");
    assert_eq!(read("values.json"), read("out/out.json"));
    assert!(read("routes.txt").starts_with("0 routes"));
    let sources = tree(&field.at("src"));
    let refused = done(&["--output-json=src/pe.csl"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("src/pe.csl: it is a source file"));
    assert_eq!(tree(&field.at("src")), sources);
    let program = tree(&field.at("out"));
    for (options, part) in [
        (
            ["--out-routes=out/bin/program.wafer", ""],
            "out/bin/program.wafer: it stands among the files of the compiled program",
        ),
        (["--output-json=out/out.json", ""], "out/out.json: it stands among"),
        (["--output-json=both", "--out-routes=./both"], "--output-json and --out-routes name the same file"),
    ] {
        let options: Vec<&str> = options.into_iter().filter(|option| !option.is_empty()).collect();
        let refused = done(&options);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && text.contains(part), "{text}");
    }
    assert_eq!(tree(&field.at("out")), program);
}
