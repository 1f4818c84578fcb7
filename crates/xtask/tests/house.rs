//! The invariants of ARCHITECTURE.md that a text search can hold: who imports whom, what stays out of the lower crates, and
//! that the tests, files and decisions that documents and comments name are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates of this workspace that each crate may import, dev-dependencies aside.
const IMPORTS: &[(&str, &[&str])] = &[
    ("csl-diag", &[]),
    ("csl-num", &[]),
    ("csl-machine", &[]),
    ("csl-std", &[]),
    ("csl-syntax", &["csl-diag"]),
    ("csl-fmt", &["csl-syntax", "csl-diag"]),
    ("csl-ir", &["csl-num", "csl-diag", "csl-machine"]),
    ("csl-sema", &["csl-syntax", "csl-ir", "csl-machine", "csl-num", "csl-diag"]),
    ("csl-lint", &["csl-sema", "csl-syntax", "csl-ir", "csl-machine", "csl-diag"]),
    ("csl-opt", &["csl-ir", "csl-num"]),
    ("csl-isa", &["csl-machine", "csl-num"]),
    ("csl-image", &["csl-isa", "csl-machine", "csl-num"]),
    ("csl-codegen", &["csl-ir", "csl-isa", "csl-image", "csl-machine", "csl-num", "csl-diag"]),
    ("csl-fabric", &["csl-machine"]),
    ("csl-jit", &["csl-isa", "csl-image", "csl-num"]),
    ("csl-pe", &["csl-isa", "csl-image", "csl-num", "csl-machine", "csl-jit"]),
    ("csl-sim", &["csl-pe", "csl-jit", "csl-fabric", "csl-image", "csl-isa", "csl-machine"]),
    ("csl-lsp", &["csl-host", "csl-sema", "csl-fmt", "csl-syntax", "csl-ir", "csl-machine", "csl-std", "csl-diag"]),
    ("csl-cli", &["csl-host", "csl-fmt", "csl-lsp"]),
    ("csl-py", &["csl-host", "csl-cli"]),
    ("csl-web", &["csl-host", "csl-num"]),
    ("waferlab", &["csl-host"]),
    ("csl-c", &["waferlab"]),
    ("csl-testkit", &["csl-image", "csl-isa", "csl-machine"]),
];

/// Crates below csl-host: they read no file, clock, environment or number of threads.
const PURE: &[&str] = &[
    "csl-diag",
    "csl-num",
    "csl-machine",
    "csl-std",
    "csl-syntax",
    "csl-fmt",
    "csl-ir",
    "csl-sema",
    "csl-lint",
    "csl-opt",
    "csl-isa",
    "csl-image",
    "csl-codegen",
    "csl-fabric",
    "csl-jit",
    "csl-pe",
    "csl-sim",
];

const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::time",
    "std::net",
    "std::process",
    "available_parallelism",
    "SystemTime",
    "Instant::now",
];

/// Crates that may hold unsafe code, each with a reason where it is allowed: the interfaces to C and to
/// browsers; native code that is made at run time; a loop for processors that have an instruction more; the Python extension, once it
/// needs it.
const UNSAFE: &[&str] = &["csl-c", "csl-jit", "csl-num", "csl-web"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn imports_run_one_way() {
    let packages = packages();
    for &(name, allowed) in IMPORTS {
        let package = packages.iter().find(|p| folder(&p["manifest_path"]) == name);
        let package = package.unwrap_or_else(|| panic!("no crate {name}"));
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let ours = dependency["path"].is_string() && dependency["kind"].is_null();
            let to = code_name(dependency);
            assert!(!ours || allowed.contains(&to), "{name} imports {to}");
        }
    }
    for package in &packages {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let is_for_tests = dependency["rename"] != "csl-testkit" || dependency["kind"] == "dev";
            assert!(is_for_tests, "{} imports csl-testkit outside of its tests", package["name"]);
        }
    }
}

/// The packages of the workspace as `cargo metadata` tells them.
fn packages() -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let mut metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array_mut().map(std::mem::take).expect("there are packages")
}

/// The name by which code knows a dependency.
fn code_name(dependency: &serde_json::Value) -> &str {
    dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap_or_default()
}

/// The name of the folder of a manifest: `csl-sema`.
fn folder(manifest: &serde_json::Value) -> &str {
    let path = Path::new(manifest.as_str().unwrap_or_default());
    path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default()
}

/// Packages say whose they are, folders what they are: `waferlab-sema` in `crates/csl-sema`, which code writes `csl_sema`.
#[test]
fn packages_are_named_after_their_folders() {
    for package in packages().iter().filter(|package| package["name"] != "xtask") {
        let folder = folder(&package["manifest_path"]);
        let name = folder.replacen("csl-", "waferlab-", 1);
        assert_eq!(package["name"].as_str(), Some(name.as_str()), "{folder}");
        assert!(package["description"].is_string(), "{folder} has no description");
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(path) = dependency["path"].as_str() else { continue };
            let named = Path::new(path).file_name().and_then(|name| name.to_str());
            assert_eq!(Some(code_name(dependency)), named, "{folder} renames {path}");
        }
    }
}

/// `unsafe_code` is denied for the workspace, every crate takes the workspace's lints, and only crates of the list allow it.
#[test]
fn unsafe_code_stands_where_it_is_listed() {
    let manifest = |path: &Path| fs::read_to_string(path).expect("a manifest is readable");
    assert!(manifest(&root().join("Cargo.toml")).contains("\nunsafe_code = \"deny\"\n"));
    let mut allowing = Vec::new();
    for package in packages() {
        let path = Path::new(package["manifest_path"].as_str().expect("a package has a manifest"));
        assert!(manifest(path).contains("\n[lints]\nworkspace = true\n"), "{} has lints of its own", path.display());
        let name = folder(&package["manifest_path"]);
        for file in sources(path.parent().expect("a manifest lies in a folder")) {
            let text = fs::read_to_string(&file).expect("a source file is readable");
            for allowed in attributes_on(&text, concat!("unsafe", "_code")) {
                assert!(allowed.contains("reason = "), "{}: {allowed} gives no reason", file.display());
                allowing.push(name.to_owned());
            }
        }
    }
    allowing.sort();
    allowing.dedup();
    assert_eq!(allowing, UNSAFE, "crates that allow unsafe code");
}

/// The attributes of a source that name a lint.
fn attributes_on<'a>(text: &'a str, lint: &str) -> Vec<&'a str> {
    let starts = text.match_indices("#[").chain(text.match_indices("#!["));
    let attributes = starts.filter_map(|(start, _)| text[start..].split_once(']'));
    attributes.map(|(attribute, _)| attribute).filter(|attribute| attribute.contains(lint)).collect()
}

#[test]
fn lower_crates_touch_nothing_outside() {
    for name in PURE {
        for file in sources(&root().join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&file).expect("a source file is readable");
            for word in IMPURE {
                assert!(!text.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

/// The table of environment variables, of which the reference is made.
const ENVIRONMENT: &str = "crates/csl-host/src/environment.rs";

/// Variables that are only handed on to other programs.
const HANDED_ON: [&str; 1] = ["\"PATH\""];

#[test]
fn environment_variables_stand_in_the_table() {
    let table = root().join(ENVIRONMENT);
    let known = fs::read_to_string(&table).expect("the table is readable");
    for name in ["csl-host", "csl-cli", "csl-py"] {
        for file in sources(&root().join("crates").join(name).join("src")).iter().filter(|file| **file != table) {
            let text = fs::read_to_string(file).expect("a source file is readable");
            let reads = text.lines().filter(|line| line.contains("env::var"));
            let told: Vec<&str> = reads.filter(|line| !HANDED_ON.iter().any(|name| line.contains(name))).collect();
            assert!(told.is_empty(), "{} reads a variable past {ENVIRONMENT}: {told:?}", file.display());
        }
    }
    for file in files(&root().join("crates/csl-py/python"), &["py"]) {
        let text = fs::read_to_string(&file).expect("a source file is readable");
        for read in text.split("os.environ.get(").skip(1) {
            let name = read.split([',', ')']).next().unwrap_or_default();
            // A constant of the file stands for its text.
            let set = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            let name = set.unwrap_or(name);
            let is_told = HANDED_ON.contains(&name) || known.contains(name);
            assert!(is_told, "{} reads {name}, which {ENVIRONMENT} does not have", file.display());
        }
    }
}

/// The number of rules in `tests/semantics.md`.
const RULES: u32 = 37;

#[test]
fn every_rule_names_tests_that_are_there() {
    let index = fs::read_to_string(root().join("tests/semantics.md")).expect("the index is readable");
    let rows: Vec<(u32, &str)> = index.lines().filter_map(row).collect();
    for rule in 1..=RULES {
        assert!(rows.iter().any(|row| row.0 == rule), "rule {rule} has no row");
    }
    for (rule, tests) in rows {
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a row of rule {rule} names no test");
        for name in names {
            assert!(is_there(name), "rule {rule} names {name}, which is not there");
        }
    }
}

/// Columns of the book's table of features, and the chips and releases by which programs of `tests/run` name them.
const COLUMNS: [(&str, &str, &[&str]); 5] = [
    ("WSE-2", "chips", &["wse2"]),
    ("WSE-3", "chips", &["wse3"]),
    ("0.6 to 0.9", "sdk", &["0.6", "0.7", "0.8", "0.9"]),
    ("1.0 to 1.4", "sdk", &["1.0", "1.1", "1.2", "1.3", "1.4"]),
    ("2.10", "sdk", &["2.10"]),
];

#[test]
fn every_cell_of_what_runs_names_tests_that_are_there() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("it is readable");
    let (page, index) = (read("docs/book/src/what-runs.md"), read("tests/what-runs.md"));
    let table = page.split("\n## Features\n").nth(1).expect("the page has the section");
    let features: Vec<Vec<&str>> =
        table.lines().skip_while(|line| !line.starts_with("| feature")).skip(2).map_while(cells).collect();
    let shown: Vec<Vec<&str>> = index.lines().filter_map(cells).skip(1).collect();
    for feature in &features {
        let rows: Vec<&Vec<&str>> = shown.iter().filter(|row| row[0] == feature[0]).collect();
        for (column, &(name, ..)) in COLUMNS.iter().enumerate().filter(|(column, _)| feature[column + 1] != "-") {
            let of_cell = rows.iter().filter(|row| row[1] == "all" || row[1].split(", ").any(|named| named == name));
            let tests: Vec<&str> = of_cell.flat_map(|row| row[2].split('`').skip(1).step_by(2)).collect();
            assert!(!tests.is_empty(), "{}, {name}: no test shows it", feature[0]);
            for test in tests {
                assert!(is_of_others(test) || is_there(test), "{} names {test}, which is not there", feature[0]);
                assert!(concerns(test, column), "{}: {test} is not for {name}", feature[0]);
            }
        }
    }
    for row in &shown {
        assert!(features.iter().any(|feature| feature[0] == row[0]), "the book has no feature {}", row[0]);
    }
}

fn cells(line: &str) -> Option<Vec<&str>> {
    Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect())
}

/// Whether a name is a folder of the vendor's examples, `v1.4.0/...`, or the repository of xDSL's: those are not in
/// this repository.
fn is_of_others(name: &str) -> bool {
    let is_release = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('/');
    name == "xdslproject/wse-stencil" || name.strip_prefix('v').is_some_and(is_release)
}

/// Whether a program of `tests/run` runs on the chip, or by the rules of the releases, of a column. Other tests concern
/// every column.
fn concerns(test: &str, column: usize) -> bool {
    let Ok(text) = fs::read_to_string(root().join("tests").join(format!("{test}.csl"))) else { return true };
    let (_, key, values) = COLUMNS[column];
    let default = if key == "chips" { "wse2 wse3" } else { "2.10" };
    let named = text.lines().find_map(|line| line.strip_prefix("//> ")?.strip_prefix(key)?.strip_prefix(": "));
    !test.starts_with("run/") || named.unwrap_or(default).split_whitespace().any(|value| values.contains(&value))
}

/// The rule's number and the column of its tests.
fn row(line: &str) -> Option<(u32, &str)> {
    let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let (rule, rest) = line.split_once(" | ")?;
    Some((rule.parse().ok()?, rest.rsplit_once(" | ")?.1))
}

/// Whether a test or file exists: `CRATE::name` is a test in that crate, any other name a file of `tests/`, without its
/// ending.
fn is_there(name: &str) -> bool {
    match name.split_once("::") {
        Some((package, test)) => has_test(package, test),
        None => ["csl", "scene"].iter().any(|ending| root().join("tests").join(format!("{name}.{ending}")).is_file()),
    }
}

fn has_test(package: &str, name: &str) -> bool {
    let declared = [format!("fn {name}("), format!("def {name}(")];
    let folders = ["tests", "src"].map(|part| root().join("crates").join(package).join(part));
    folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| files(folder, &["rs", "py"])).any(|file| {
        let text = fs::read_to_string(file).expect("a test is readable");
        declared.iter().any(|declaration| text.contains(declaration))
    })
}

/// The files of `docs/decisions` and the letter that their numbers begin with.
const DECISIONS: [(&str, char); 5] =
    [("language", 'L'), ("machine", 'M'), ("memcpy-and-host", 'H'), ("debugging", 'D'), ("tools", 'T')];

fn decisions(name: &str) -> String {
    fs::read_to_string(root().join(format!("docs/decisions/{name}.md"))).expect("the decisions are readable")
}

/// The number of a heading such as `## M45. A register write ...`.
fn heading(line: &str, letter: char) -> Option<u32> {
    line.strip_prefix("## ")?.strip_prefix(letter)?.split_once(". ")?.0.parse().ok()
}

#[test]
fn every_decision_has_a_number_a_source_and_tests_that_are_there() {
    for (file, letter) in DECISIONS {
        let text = decisions(file);
        let numbers: Vec<u32> = text.lines().filter_map(|line| heading(line, letter)).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{file}: {numbers:?}");
        for block in text.split("\n\n").filter(|block| block.starts_with("## ")) {
            let name = block.lines().next().unwrap_or_default();
            assert!(block.contains("\n- Source: "), "{file}: {name} has no source");
            let (_, tests) = block.split_once("\n- Test: ").unwrap_or_else(|| panic!("{file}: {name} has no test"));
            let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty() || tests.starts_with("no test"), "{file}: {name} names no test");
            for test in names {
                assert!(is_there(test), "{file}: {name} names {test}, which is not there");
            }
        }
    }
}

/// Comments and documents cite what is in this repository: decisions by file and number, rules by `tests/semantics.md`.
#[test]
fn citations_lead_somewhere() {
    let known: Vec<(String, Vec<String>)> = DECISIONS
        .iter()
        .map(|&(file, letter)| {
            let text = decisions(file);
            let numbers = text.lines().filter_map(|line| heading(line, letter));
            (format!("{file}.md"), numbers.map(|number| format!("{letter}{number}")).collect())
        })
        .collect();
    for (path, text) in prose() {
        for (file, numbers) in &known {
            for cited in text.split(file.as_str()).skip(1).filter_map(cited) {
                assert!(numbers.contains(&cited), "{} cites {file} {cited}, which is not there", path.display());
            }
        }
        let outside = |name: &str| text.replace("tests/semantics.md", "").contains(name);
        for name in [concat!("timing", ".md"), concat!("semantics", ".md"), concat!("cycles", ".md")] {
            assert!(!outside(name), "{} cites {name}, which is not in this repository", path.display());
        }
    }
}

/// The number behind the name of a file of decisions.
fn cited(rest: &str) -> Option<String> {
    let rest = rest.strip_prefix('`').unwrap_or(rest).strip_prefix(' ')?;
    let number: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let (letter, digits) = number.split_at_checked(1)?;
    let is_number = letter.chars().all(|c| c.is_ascii_uppercase()) && !digits.is_empty();
    (is_number && digits.chars().all(|c| c.is_ascii_digit())).then_some(number)
}

/// Files and folders that documents name in backquotes, by their path from the root or from `crates/`, and tests.
#[test]
fn what_documents_name_is_there() {
    let guides = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"].map(|name| root().join(name));
    let decided = DECISIONS.map(|(file, _)| root().join(format!("docs/decisions/{file}.md")));
    let book = files(&root().join("docs/book/src"), &["md"]);
    for path in guides.iter().chain(&decided).chain(&book) {
        let text = fs::read_to_string(path).expect("a document is readable");
        for name in text.split('`').skip(1).step_by(2).filter(|name| is_path(name)) {
            let there = [root(), root().join("crates")].iter().any(|base| base.join(name).exists());
            assert!(there, "{} names {name}, which is not there", path.display());
        }
        let is_test = |name: &&str| name.contains("::") && (name.starts_with("csl-") || name.starts_with("xtask"));
        for name in text.split('`').skip(1).step_by(2).filter(is_test) {
            assert!(is_there(name), "{} names the test {name}, which is not there", path.display());
        }
    }
}

/// Functions that ARCHITECTURE.md names with their file: `` `stall` in `PATH` ``, `` `why` and `look` in `PATH` ``, and in its
/// walks `` `PATH` `stall` ``. A path may be shortened to what follows the folder, or the `src`, of the one named last.
#[test]
fn functions_that_the_architecture_names_are_in_their_files() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it is readable");
    let parts: Vec<&str> = text.split('`').collect();
    let is_file =
        |at: usize| parts.get(at).is_some_and(|name| name.ends_with(".rs") && *name != "lib.rs" && !name.contains(' '));
    let mut bases = vec![root(), root().join("crates")];
    let (mut checked, mut missing) = (0, Vec::new());
    for at in (1..parts.len()).step_by(2).filter(|at| is_file(*at)) {
        let file = bases.iter().map(|base| base.join(parts[at])).find(|path| path.is_file());
        let Some(file) = file else {
            missing.push(parts[at].to_owned());
            continue;
        };
        let source = fs::read_to_string(&file).expect("a source is readable");
        bases.truncate(2);
        bases.extend(file.ancestors().skip(1).take_while(|folder| !folder.ends_with("crates")).map(Path::to_owned));
        let mut names = Vec::new();
        let mut before = at;
        while before > 1 && names_go_on(parts[before - 1], before == at) && !is_file(before - 2) {
            before -= 2;
            names.push(parts[before]);
        }
        if parts.get(at + 1).is_some_and(|between| between.trim().is_empty()) && !is_file(at + 2) {
            names.extend(parts.get(at + 2));
        }
        for name in names {
            let name = name.rsplit([':', '.']).next().unwrap_or(name);
            let is_known =
                ["fn ", "const ", "struct ", "enum "].iter().any(|kind| source.contains(&format!("{kind}{name}")))
                    || source.contains(&format!("{name}:"));
            if !is_known {
                missing.push(format!("`{name}` in {}", parts[at]));
            }
            checked += 1;
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md names {missing:?}, which are not there");
    assert!(checked > 40, "the walks and the questions name more than {checked}");
}

/// Whether what stands between two names joins the first to the file behind them.
fn names_go_on(between: &str, is_last: bool) -> bool {
    if is_last { between.trim() == "in" } else { [",", "and", "or"].contains(&between.trim()) }
}

/// The recipes for continuous integration build the package from a clone, `./waferlab`, of this repository.
#[test]
fn recipes_build_from_a_folder_that_holds_a_package() {
    let page = fs::read_to_string(root().join("docs/book/src/howto/ci.md")).expect("the page is there");
    let folders: Vec<&str> = page
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("./waferlab"))
        .map(|rest| rest.trim_end_matches(';').trim_start_matches('/'))
        .collect();
    assert_eq!(folders.len(), 2, "one in each recipe");
    for folder in folders {
        assert!(root().join(folder).join("pyproject.toml").is_file(), "`./waferlab/{folder}` holds no pyproject.toml");
    }
}

fn is_path(name: &str) -> bool {
    let starts = ["crates/", "csl-", "docs/", "tests/", "grammar/", "examples/"];
    name.contains('/') && !name.contains([' ', '*', '<', '{']) && starts.iter().any(|start| name.starts_with(start))
}

/// Sources, programs and documents.
fn prose() -> Vec<(PathBuf, String)> {
    let folders = ["crates", "tests", "examples", "grammar", "docs"].map(|name| root().join(name));
    let mut paths: Vec<PathBuf> =
        folders.iter().flat_map(|folder| files(folder, &["rs", "csl", "py", "md", "tsv", "lalrpop"])).collect();
    paths.extend(["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"].map(|name| root().join(name)));
    // Build output, and the table that lists old names.
    let skipped = |part: &std::ffi::OsStr| part == "build" || part == "moved.md";
    paths.retain(|path| !path.components().any(|part| skipped(part.as_os_str())));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap_or_default())).collect()
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    files(dir, &["rs"])
}

fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a source folder is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
            found.push(path);
        }
    }
    found
}
