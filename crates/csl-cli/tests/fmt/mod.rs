//! Tests of `waferlab fmt`: what it does with files, and that the examples compile to the same image.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use csl_host::{Compilation, Image, Options, build};
use tempfile::TempDir;

const BEFORE: &str = "fn f( ) void{\n    x=1 ;\n}\n";
const AFTER: &str = "fn f() void {\n  x = 1;\n}\n";
const BROKEN: &str = "const a = ;\n";

fn fmt(arguments: &[&str], folder: &Path, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waferlab"));
    command.arg("fmt").args(arguments).current_dir(folder);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // A command that refuses its arguments reads no input.
    let _ = child.stdin.take().expect("there is a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("output is UTF-8")
}

/// A folder with `a.csl` (not formatted), `b.csl` (formatted) and `broken.csl`.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in [("a.csl", BEFORE), ("b.csl", AFTER), ("broken.csl", BROKEN)] {
        fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    folder
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("the file is there")
}

#[test]
fn files_are_formatted_in_place_and_keep_their_mode() {
    let folder = folder();
    let path = folder.path().join("a.csl");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("the file is ours");
    let done = fmt(&["a.csl"], folder.path(), "");
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(read(&folder, "a.csl"), AFTER);
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o640);
    let names = fs::read_dir(folder.path()).expect("it is readable").count();
    assert_eq!(names, 3, "nothing else is left");
}

#[test]
fn a_formatted_file_is_not_written() {
    let folder = folder();
    let inode =
        || fs::metadata(folder.path().join("b.csl")).map(|data| (data.ino(), data.mtime_nsec())).expect("it is there");
    let before = inode();
    assert!(fmt(&["b.csl"], folder.path(), "").status.success());
    assert_eq!(inode(), before);
}

#[test]
fn a_file_that_does_not_parse_is_left_with_its_error_and_the_others_are_formatted() {
    let folder = folder();
    let done = fmt(&["broken.csl", "a.csl"], folder.path(), "");
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("broken.csl:1:"), "{}", text(&done.stderr));
    assert!(text(&done.stderr).contains("broken.csl: not formatted, since it does not parse"));
    assert_eq!(read(&folder, "broken.csl"), BROKEN);
    assert_eq!(read(&folder, "a.csl"), AFTER);
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let folder = folder();
    fs::write(folder.path().join("latin.csl"), b"// \xe9\n").expect("the folder is writable");
    fs::write(folder.path().join("style.csl"), "<?xml version=\"1.0\"?>\n").expect("the folder is writable");
    fs::set_permissions(folder.path().join("a.csl"), fs::Permissions::from_mode(0o440)).expect("the file is ours");
    for (name, part) in [
        ("none.csl", "No such file"),
        ("latin.csl", "not text in UTF-8"),
        ("style.csl", "this is XML"),
        ("a.csl", "not to be written"),
    ] {
        let done = fmt(&[name], folder.path(), "");
        assert_eq!(done.status.code(), Some(1), "{name}");
        assert!(text(&done.stderr).contains(part), "{name}: {}", text(&done.stderr));
    }
    assert_eq!(read(&folder, "a.csl"), BEFORE);
}

#[test]
fn check_names_files_and_diff_shows_lines() {
    let folder = folder();
    let done = fmt(&["--check", "a.csl", "b.csl"], folder.path(), "");
    assert_eq!((done.status.code(), text(&done.stdout)), (Some(1), "a.csl\n"));
    assert!(fmt(&["--check", "b.csl"], folder.path(), "").status.success());
    let done = fmt(&["--diff", "a.csl"], folder.path(), "");
    assert!(done.status.success());
    assert!(text(&done.stdout).contains("\n-    x=1 ;\n+fn f() void {\n+  x = 1;\n"), "{}", text(&done.stdout));
    assert_eq!(fmt(&["--diff", "--check", "a.csl"], folder.path(), "").status.code(), Some(1));
    assert_eq!(read(&folder, "a.csl"), BEFORE, "neither writes");
}

#[test]
fn a_folder_stands_for_its_programs() {
    let folder = folder();
    fs::remove_file(folder.path().join("broken.csl")).expect("it is ours");
    for (name, text) in
        [("in/c.csl", BEFORE), (".hidden/d.csl", BEFORE), ("in/e.txt", BEFORE), ("style.csl", "<style/>\n")]
    {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder is writable");
        fs::write(path, text).expect("the folder is writable");
    }
    let done = fmt(&["."], folder.path(), "");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let texts = ["a.csl", "in/c.csl", ".hidden/d.csl", "in/e.txt", "style.csl"].map(|name| read(&folder, name));
    assert_eq!(texts, [AFTER, AFTER, BEFORE, BEFORE, "<style/>\n"]);
}

#[test]
fn a_link_stays_and_its_file_is_formatted() {
    let folder = folder();
    let link = folder.path().join("link.csl");
    symlink("a.csl", &link).expect("the folder is writable");
    assert!(fmt(&["link.csl"], folder.path(), "").status.success());
    assert!(link.is_symlink());
    assert_eq!(read(&folder, "a.csl"), AFTER);
}

#[test]
fn the_standard_input_goes_to_the_standard_output() {
    let folder = folder();
    let run = |arguments: &[&str], input: &str| {
        let done = fmt(arguments, folder.path(), input);
        (done.status.code(), text(&done.stdout).to_owned())
    };
    assert_eq!(run(&["--stdin"], BEFORE), (Some(0), AFTER.to_owned()));
    assert_eq!(run(&["--stdin", "--range=2:2"], BEFORE), (Some(0), "fn f( ) void{\n  x = 1;\n}\n".to_owned()));
    assert_eq!(run(&["--stdin", "--check"], BEFORE), (Some(1), "<stdin>\n".to_owned()));
    assert_eq!(run(&["--stdin", "--check"], AFTER), (Some(0), String::new()));
    assert_eq!(run(&["--stdin"], BROKEN), (Some(1), String::new()));
}

#[test]
fn wrong_arguments_are_refused() {
    let folder = folder();
    for arguments in
        [&[][..], &["--stdin", "a.csl"], &["--range=3", "a.csl"], &["--range=0:2", "a.csl"], &["--range=3:2", "a.csl"]]
    {
        assert_eq!(fmt(arguments, folder.path(), "").status.code(), Some(1), "{arguments:?}");
    }
    assert_eq!(fmt(&["--range=1:2", "a.csl", "b.csl"], folder.path(), "").status.code(), Some(1));
    assert_eq!(read(&folder, "a.csl"), BEFORE);
}

/// The `cslc` command lines of an example's script, on both chips where it leaves the chip open.
fn compilations(script: &str) -> Vec<Options> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.trim().strip_prefix("cslc "));
    let lines = lines.flat_map(|line| ["wse2", "wse3"].map(|chip| line.replace("$arch", chip)));
    lines
        .map(|line| csl_cli::parse(line.split_whitespace().map(str::to_owned).collect()).expect("a right command line"))
        .collect()
}

/// Line tables aside: they name lines and columns of the text, which formatting moves.
fn image(options: &Options) -> Image {
    let mut done = Compilation::default();
    build(options, &mut done).expect("an example compiles").without_lines()
}

#[test]
fn the_examples_compile_to_the_same_image() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut compared = 0;
    for example in fs::read_dir(examples).expect("the examples are there") {
        let example = example.expect("the examples are there").path();
        let copy = TempDir::new().expect("a temporary folder");
        let is_program = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "csl");
        let files: Vec<PathBuf> =
            fs::read_dir(&example).expect("it is readable").flatten().map(|entry| entry.path()).collect();
        for file in files.iter().filter(|path| is_program(path)) {
            fs::copy(file, copy.path().join(file.file_name().expect("it has a name"))).expect("the folder is writable");
        }
        // The notebook has no script.
        let Ok(script) = fs::read_to_string(example.join("commands.sh")) else { continue };
        let compilations: Vec<Options> = compilations(&script)
            .into_iter()
            .map(|options| Options { folder: copy.path().to_owned(), ..options })
            .collect();
        let before: Vec<Image> = compilations.iter().map(image).collect();
        let done = fmt(&["."], copy.path(), "");
        assert!(done.status.success(), "{}", text(&done.stderr));
        for (options, before) in compilations.iter().zip(before) {
            assert!(image(options) == before, "{}", example.display());
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared} compilations compared");
}
