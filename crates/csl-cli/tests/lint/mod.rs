//! Tests of `waferlab lint`.
//!
//! A program of `tests/lint` has its files behind lines `//- NAME`, and in its first line, behind `//$`, the words of the command.
//! `//~ CODE: text` expects a finding of this code on its line whose message begins with the text; there are no others. A
//! snapshot beside it has what is printed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const LAYOUT: &str = "layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, \"pe.csl\", .{});\n}\n";
/// A program with three findings: an import and a constant, which can be removed, and a function.
const PE: &str = "const math = @import_module(\"<math>\");\n\nconst unused = math.PI;\nexport fn f() u16 {\n  return 1;\n}\n\
                  fn g() void {}\n";
const FIXED: &str = "\nexport fn f() u16 {\n  return 1;\n}\nfn g() void {}\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder is writable");
    fs::write(path, text).expect("the folder is writable");
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("the file is there")
}

/// A folder with a layout and [`PE`].
fn usual() -> TempDir {
    folder(&[("layout.csl", LAYOUT), ("pe.csl", PE)])
}

fn lint(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waferlab"));
    command.arg("lint").args(line.split_whitespace()).current_dir(folder);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CSL_IMPORT_PATH"] {
        command.env_remove(name);
    }
    command.output().expect("it runs")
}

/// The status, and what was written to standard error, a line a finding.
fn said(folder: &TempDir, line: &str) -> (i32, String) {
    let done = lint(folder.path(), &format!("--error-format=short {line}"));
    (done.status.code().expect("it ends"), String::from_utf8(done.stderr).expect("it writes UTF-8"))
}

/// The codes of findings in what was said.
fn codes(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.split_once('[')?.1.split_once(']')).map(|(code, _)| code).collect()
}

#[test]
fn programs_have_the_findings_that_they_name() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lint");
    let entries = fs::read_dir(tests).expect("the folder is there").map(|entry| entry.expect("it is readable").path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "csl")).collect();
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    let mut wrong = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a program is text");
        let mut parts = text.split("//- ");
        let words = parts.next().and_then(|head| head.trim().strip_prefix("//$ ")).expect("words of the command");
        let (mut files, mut expected) = (Vec::new(), Vec::new());
        for part in parts {
            let (name, text) = part.split_once('\n').expect("a file has a text");
            for (number, line) in (1..).zip(text.lines()) {
                let mark = line.split_once("//~ ").and_then(|(_, mark)| mark.split_once(": "));
                expected.extend(mark.map(|(code, said)| format!("{name}:{number}: {code}: {said}")));
            }
            files.push((name, text));
        }
        let folder = folder(&files);
        let mut found = Vec::new();
        for line in said(&folder, words).1.lines() {
            let mut fields = line.splitn(4, ':').map(str::trim);
            let (name, number) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            let rest = fields.nth(1).unwrap_or_default();
            let (code, said) = rest.trim_start_matches("warning[").split_once("]: ").unwrap_or(("", rest));
            found.push(format!("{name}:{number}: {code}: {said}"));
        }
        let is_told = |mark: &String| found.iter().any(|line| line.starts_with(mark));
        let missing: Vec<String> = expected.iter().filter(|mark| !is_told(mark)).cloned().collect();
        let is_expected = |line: &String| expected.iter().any(|mark| line.starts_with(mark));
        let unexpected: Vec<String> = found.iter().filter(|line| !is_expected(line)).cloned().collect();
        if !missing.is_empty() || !unexpected.is_empty() {
            wrong.push(format!("{}: missing {missing:#?}, unexpected {unexpected:#?}", path.display()));
        }
        let shown = String::from_utf8(lint(folder.path(), words).stderr).expect("it writes UTF-8");
        let name = path.file_stem().expect("a program has a name").to_string_lossy();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(path.parent().expect("it has a folder"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(&*name, shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_status_tells_of_warnings_and_errors() {
    let folder = usual();
    let (status, text) = said(&folder, "layout.csl");
    assert_eq!((status, codes(&text)), (1, vec!["W1003", "W1002"]), "{text}");
    write(folder.path(), "pe.csl", "export fn f() u16 { return 1; }\n");
    assert_eq!(said(&folder, "layout.csl"), (0, String::new()));
    write(folder.path(), "pe.csl", "export fn f() u16 { return 1; }\ncomptime { @comptime_print(1); }\n");
    let (status, text) = said(&folder, "layout.csl");
    assert_eq!((status, codes(&text)), (0, vec!["N0408"]), "what a program prints is no warning: {text}");
    write(folder.path(), "pe.csl", "export fn f() u16 { return x; }\n");
    let (status, text) = said(&folder, "layout.csl");
    assert_eq!((status, codes(&text)), (2, vec!["E0201"]), "{text}");
    for line in [
        "nowhere.csl",
        "nowhere.sh",
        "layout.csl --arch=wse9",
        "layout.csl --allow=W9999",
        "--fix --diff",
        "--fix layout.csl --diff",
    ] {
        assert_eq!(said(&folder, line).0, 2, "{line}");
    }
}

#[test]
fn options_of_cslc_without_effect_are_refused_but_in_scripts() {
    let folder = usual();
    for (line, option) in [
        ("layout.csl -o out", "-o has"),
        ("layout.csl --emit=ir", "--emit has"),
        ("--output-json=x.json layout.csl", "--output-json has"),
        ("layout.csl --out-routes", "--out-routes has"),
        ("layout.csl --verbose", "--verbose has"),
        ("layout.csl --explain=W1001", "the argument '--explain <CODE>' cannot be used with"),
        ("layout.csl --dump-ir", "--dump-ir has"),
        ("layout.csl -o=out -emit=ir", "-o and --emit have"),
    ] {
        let (status, text) = said(&folder, line);
        assert_eq!((status, text.contains(option)), (2, true), "{line}: {text}");
        assert!(option.contains(' ') && !folder.path().join("out").exists(), "{line}");
    }
    write(folder.path(), "commands.sh", "cslc layout.csl -o out --emit=ir --verbose --dump-ir\n");
    let (status, text) = said(&folder, "commands.sh");
    assert_eq!((status, codes(&text)), (1, vec!["W1003", "W1002"]), "{text}");
}

#[test]
fn warnings_are_errors_where_they_are_to_be() {
    let folder = usual();
    for line in ["--warnings-as-errors layout.csl", "layout.csl --warnings-as-errors", "layout.csl -warnings-as-errors"]
    {
        let (status, text) = said(&folder, line);
        assert_eq!((status, codes(&text), text.matches("error[").count()), (2, vec!["W1003", "W1002"], 2), "{text}");
    }
    let (status, text) = said(&folder, "layout.csl --warnings-as-errors --allow=W1003 --allow=W1002");
    assert_eq!(status, 0, "{text}");
    // A line of a script is strict about what cslc warns of.
    write(folder.path(), "pe.csl", "const unused = 1;\nexport fn f() void {\n  1 + 1;\n}\n");
    write(folder.path(), "commands.sh", "cslc layout.csl --warnings-as-errors\n");
    let (status, text) = said(&folder, "commands.sh");
    assert!(status == 2 && text.contains("error[W0102]") && text.contains("warning[W1003]"), "{text}");
    let (status, text) = said(&folder, "commands.sh --allow=W0102");
    assert_eq!((status, codes(&text)), (1, vec!["W1003"]), "{text}");
}

#[test]
fn errors_of_code_generation_are_told() {
    let pe = "var big = @zeros([40000]u32);\nexport fn f() void {\n  big[0] = 1;\n}\n";
    let folder = folder(&[("layout.csl", LAYOUT), ("pe.csl", pe)]);
    let (status, text) = said(&folder, "layout.csl");
    assert_eq!((status, codes(&text)), (2, vec!["E0701"]), "{text}");
    assert_eq!(fs::read_dir(folder.path()).expect("it is readable").count(), 2, "nothing is written");
}

#[test]
fn options_without_effect_on_the_program_are_told() {
    let folder = usual();
    for (line, status, told) in [
        ("layout.csl --channels=2", 1, true),
        ("layout.csl --import-path=nowhere", 1, true),
        ("layout.csl --channels=2 --allow=W0802", 1, false),
        ("layout.csl --channels=2 --deny=W0802", 2, true),
    ] {
        let (found, said) = said(&folder, line);
        assert_eq!((found, codes(&said).contains(&"W0802")), (status, told), "{line}: {said}");
    }
}

#[test]
fn code_that_nothing_calls_is_analysed() {
    let folder = folder(&[("layout.csl", LAYOUT), ("pe.csl", "fn g() u16 { return x; }\nexport fn f() void {}\n")]);
    let (status, text) = said(&folder, "layout.csl");
    assert_eq!((status, codes(&text)), (2, vec!["E0201"]), "{text}");
}

#[test]
fn safe_edits_are_made_until_none_is_left() {
    let folder = usual();
    let diff = lint(folder.path(), "layout.csl --diff");
    assert_eq!(diff.status.code(), Some(1));
    let shown = String::from_utf8(diff.stdout).expect("it writes UTF-8");
    assert!(shown.starts_with("--- pe.csl\n+++ pe.csl (fixed)\n") && shown.contains("\n-const math"), "{shown}");
    assert_eq!(read(&folder, "pe.csl"), PE, "--diff writes nothing");

    fs::set_permissions(folder.path().join("pe.csl"), fs::Permissions::from_mode(0o640)).expect("the file is ours");
    let (status, text) = said(&folder, "layout.csl --fix");
    // The import is only unused when the constant is gone.
    assert!(text.contains("waferlab: pe.csl: 2 findings fixed\n"), "{text}");
    assert_eq!((status, codes(&text)), (1, vec!["W1002"]), "{text}");
    assert_eq!(read(&folder, "pe.csl"), FIXED);
    let mode = fs::metadata(folder.path().join("pe.csl")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path()).expect("it is readable").count(), 2, "nothing else is left");

    let (status, text) = said(&folder, "--fix layout.csl");
    assert_eq!((status, codes(&text), text.contains("fixed")), (1, vec!["W1002"], false), "{text}");
    assert_eq!(read(&folder, "pe.csl"), FIXED);
}

#[test]
fn nothing_is_removed_with_a_comment_that_may_belong_to_it() {
    let text = "// The answer.\nconst answer = 42;\nconst both = 1; const sides = 2;\nexport fn f() void {}\n";
    let folder = folder(&[("layout.csl", LAYOUT), ("pe.csl", text)]);
    let (status, said) = said(&folder, "layout.csl --fix");
    assert_eq!((status, codes(&said)), (1, vec!["W1003", "W1003", "W1003"]), "{said}");
    assert_eq!(read(&folder, "pe.csl"), text);
}

#[test]
fn values_that_are_computed_for_an_effect_stay() {
    let text = "var calls: u16 = 0;\nfn g() u16 {\n  calls += 1;\n  return calls;\n}\nexport fn f() void {\n  const x = g();\n}\n";
    let folder = folder(&[("layout.csl", LAYOUT), ("pe.csl", text)]);
    assert_eq!(codes(&said(&folder, "layout.csl --fix").1), ["W1003"]);
    assert_eq!(read(&folder, "pe.csl"), text);
}

#[test]
fn findings_that_are_allowed_are_not_fixed() {
    let folder = usual();
    assert_eq!(said(&folder, "layout.csl --fix --allow=W1001 --allow W1002 --allow W1003"), (0, String::new()));
    assert_eq!(read(&folder, "pe.csl"), PE);
}

#[test]
fn files_of_others_and_what_cannot_be_written_stay() {
    let pe = "const lib = @import_module(\"<lib.csl>\");\nconst link = @import_module(\"link.csl\");\nexport fn f() void {\n  lib.g();\n  link.g();\n}\n";
    let outside = folder(&[
        ("lib/lib.csl", "fn g() void {\n  const unused = 1;\n}\n"),
        ("link.csl", "fn g() void {\n  const unused = 1;\n}\n"),
    ]);
    let folder = folder(&[("layout.csl", LAYOUT), ("pe.csl", pe)]);
    symlink(outside.path().join("link.csl"), folder.path().join("link.csl")).expect("links can be made");
    let line = format!("layout.csl --fix --import-path={}", outside.path().join("lib").display());
    let (status, text) = said(&folder, &line);
    assert_eq!((status, codes(&text)), (1, vec!["W1003", "W1003"]), "{text}");
    assert_eq!(text.matches("left as it is, since it lies outside").count(), 2, "{text}");
    assert!(read(&outside, "lib/lib.csl").contains("unused") && read(&outside, "link.csl").contains("unused"));

    let folder = usual();
    fs::set_permissions(folder.path().join("pe.csl"), fs::Permissions::from_mode(0o440)).expect("the file is ours");
    let (status, text) = said(&folder, "layout.csl --fix");
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("pe.csl: this file is not to be written"), "{text}");
    assert_eq!(read(&folder, "pe.csl"), PE);
}

#[test]
fn unused_is_what_no_program_uses() {
    let folder = usual();
    write(folder.path(), "other.csl", LAYOUT);
    write(
        folder.path(),
        "commands.sh",
        "cslc layout.csl -o a\ncslc other.csl --arch=wse3 -o b\nread n; cslc x.csl --params=n:$n\n",
    );
    let (status, text) = said(&folder, "commands.sh");
    assert_eq!((status, codes(&text)), (1, vec!["W1003", "W1002"]), "{text}");
    assert!(text.contains("commands.sh:3: this call of cslc is left out: `$n` has no value"), "{text}");
    // One of two programs has the other branch.
    write(
        folder.path(),
        "pe.csl",
        "const q = @get_output_queue(2);\ncomptime {\n  @initialize_queue(q, .{ .color = @get_color(3) });\n}\nparam n: u16 = 0;\nconst out = @get_dsd(fabout_dsd, .{ .extent = 1, .output_queue = q });\nexport fn f() void {\n  if (n == 1) { @fmovs(out, 1.0, .{ .async = true }); }\n}\n",
    );
    write(folder.path(), "other.csl", &LAYOUT.replace(".{}", ".{ .n = 1 }"));
    write(folder.path(), "commands.sh", "cslc layout.csl --arch=wse3 -o a\ncslc other.csl --arch=wse3 -o b\n");
    assert_eq!(said(&folder, "commands.sh"), (0, String::new()));
    assert_eq!(codes(&said(&folder, "layout.csl --arch=wse3").1), ["W1005"]);
    // A program with errors may use it, too.
    write(folder.path(), "other.csl", &LAYOUT.replace(".{}", ".{ .n = nothing }"));
    let (status, text) = said(&folder, "commands.sh");
    assert_eq!((status, codes(&text)), (2, vec!["E0201", "W1005"]), "{text}");
}

#[test]
fn without_arguments_the_project_tells_the_programs() {
    let folder = usual();
    let (status, text) = said(&folder, "");
    assert_eq!(status, 2);
    assert!(text.contains("name a layout or a script, or write a waferlab.toml"), "{text}");
    write(folder.path(), "commands_wse3.sh", "cslc --arch=wse3 layout.csl\n");
    assert_eq!(codes(&said(&folder, "").1), ["W1003", "W1002"]);
    write(
        folder.path(),
        "waferlab.toml",
        "programs = [\"layout.csl --arch=wse2\"]\n[lint]\nW1003 = \"allow\"\nW1002 = \"deny\"\n",
    );
    let (status, text) = said(&folder, "");
    assert_eq!((status, codes(&text)), (2, vec!["W1002"]), "{text}");
    // The command line goes before the file.
    let (status, text) = said(&folder, "--warn=W1002 --warn=W1003");
    assert_eq!((status, codes(&text)), (1, vec!["W1003", "W1002"]), "{text}");
    // The levels hold for programs that are named, and below the folder.
    assert_eq!(codes(&said(&folder, "layout.csl").1), ["W1002"]);
    write(folder.path(), "below/layout.csl", LAYOUT);
    write(folder.path(), "below/pe.csl", PE);
    assert_eq!(codes(&said(&folder, "below/layout.csl").1), ["W1002"]);
    write(folder.path(), "waferlab.toml", "commands = [\"commands_wse3.sh\"]\n");
    assert_eq!(codes(&said(&folder, "").1), ["W1003", "W1002"]);
}

#[test]
fn levels_hold_for_warnings_of_the_compiler_too() {
    let text = "export fn f() void {\n  1 + 1;\n}\n";
    let folder = folder(&[("layout.csl", LAYOUT), ("pe.csl", text), ("waferlab.toml", "[lint]\nW0102 = \"deny\"\n")]);
    let (status, found) = said(&folder, "layout.csl");
    assert_eq!((status, codes(&found)), (2, vec!["W0102"]), "{found}");
    assert_eq!(said(&folder, "layout.csl --allow=W0102"), (0, String::new()));
    write(folder.path(), "pe.csl", &text.replace(";\n}", "; // waferlab: allow(W0102)\n}"));
    assert_eq!(said(&folder, "layout.csl"), (0, String::new()));
}

#[test]
fn a_broken_project_shows_its_line() {
    let folder = usual();
    for (text, expected) in [
        ("[lint]\nW1003 = \"quiet\"\n", "waferlab.toml:2:9: error[E0801]: a level is"),
        ("[lint]\nW1099 = \"allow\"\n", "waferlab.toml:2:1: error[E0801]: `W1099`: there is no such code"),
        ("[lints]\n", "waferlab.toml:1:2: error[E0801]: `lints` is not a key of waferlab.toml"),
        ("programs = [\n", "error[E0801]: this is not TOML"),
    ] {
        write(folder.path(), "waferlab.toml", text);
        for line in ["layout.csl", "", "layout.csl --fix"] {
            let (status, said) = said(&folder, line);
            assert!(status == 2 && said.contains(expected), "{text}: {said}");
        }
    }
    assert_eq!(read(&folder, "pe.csl"), PE);
}

#[test]
fn findings_are_printed_for_tools_too() {
    let folder = usual();
    let json = lint(folder.path(), "layout.csl --error-format=json");
    let text = String::from_utf8(json.stderr).expect("it writes UTF-8");
    assert!(text.lines().all(|line| line.starts_with("{\"code\":\"W100")), "{text}");
    assert!(text.contains("\"replacement\":\"\",\"safe\":true}"), "{text}");
    let sarif = lint(folder.path(), "--error-format sarif layout.csl");
    assert!(String::from_utf8(sarif.stderr).expect("it writes UTF-8").contains("\"ruleId\": \"W1002\""));
}
