//! Helpers that the tests share: programs held in one text, compiled without a file system.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csl_diag::Rendering;
use csl_sema::{Analysis, Options, Resolved, Sources};

/// A layout of one tile, for programs without a layout.
const ONE_TILE: &str = "layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, \"pe.csl\", .{});\n}\n";

/// Files by path, and the standard library.
pub struct MemorySources {
    files: HashMap<String, Arc<str>>,
}

impl Sources for MemorySources {
    fn resolve(&mut self, name: &str, importer: Option<&str>) -> Result<Resolved, String> {
        if let Some(library) = name.strip_prefix('<').and_then(|n| n.strip_suffix('>')) {
            let text = csl_std::lookup(library).ok_or_else(|| format!("there is no library <{library}>"))?;
            return Ok(Resolved { path: name.to_string(), text: text.into(), is_library: true });
        }
        let folder = importer.and_then(|path| path.rsplit_once('/')).map(|(folder, _)| format!("{folder}/"));
        let path = format!("{}{name}", folder.unwrap_or_default());
        match self.files.get(&path) {
            Some(text) => Ok(Resolved { path, text: text.clone(), is_library: false }),
            None => Err(format!("there is no file {path}")),
        }
    }
}

/// A program as the tests write it: `//- name` begins a file, and `//$ key=value` lines are options. Without any
/// `//- ` line the text is `layout.csl` when it has a layout block, and else `pe.csl`, which runs on one tile.
pub struct Case {
    pub files: Vec<(String, String)>,
    pub options: Options,
}

impl Case {
    pub fn new(text: &str) -> Case {
        Case { files: files_of(text), options: options_of(text) }
    }

    /// A case with default options, for texts that may be garbled.
    pub fn tolerant(text: &str) -> Case {
        Case { files: files_of(text), options: options_of("") }
    }

    pub fn analyze(&self) -> Analysis {
        let files = self.files.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        csl_sema::analyze("layout.csl", &mut MemorySources { files }, &self.options)
    }
}

fn files_of(text: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("//- ") {
            Some(name) => files.push((name.trim().to_string(), String::new())),
            None => {
                if files.is_empty() {
                    let name = if text.contains("\nlayout {") || text.starts_with("layout {") {
                        "layout.csl"
                    } else {
                        "pe.csl"
                    };
                    files.push((name.to_string(), String::new()));
                }
                files.last_mut().expect("a file has begun").1.push_str(line);
            }
        }
    }
    // Options before the first `//- ` line are no file.
    if files.len() > 1 && files[0].1.lines().all(|line| line.starts_with("//$")) {
        files.remove(0);
    }
    if !files.iter().any(|f| f.0 == "layout.csl") {
        files.push(("layout.csl".to_string(), ONE_TILE.to_string()));
    }
    files
}

fn options_of(text: &str) -> Options {
    let mut options = Options { fabric: Some((20, 20).into()), offsets: (4, 1).into(), ..Options::default() };
    let words = text.lines().filter_map(|line| line.strip_prefix("//$")).flat_map(str::split_whitespace);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or_else(|| panic!("no key=value: {word}"));
        match key {
            "arch" => options.arch = csl_machine::Arch::from_name(value).expect("a known architecture"),
            "param" => options.params.push(pair(value)),
            "color" => options.colors.push(pair(value)),
            "memcpy" => options.memcpy = value == "true",
            "check" => options.check_all = value == "all",
            "iterations" => options.max_inlined_iterations = Some(value.parse().expect("a number")),
            "steps" => options.most_steps = value.parse().expect("a number"),
            _ => panic!("unknown option {key}"),
        }
    }
    options
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once(':').expect("name:value");
    (name.to_string(), value.to_string())
}

/// The errors that the IR's validator finds in the programs.
pub fn invalid(analysis: &Analysis) -> Vec<String> {
    let programs = analysis.wafer.iter().flat_map(|wafer| &wafer.programs);
    programs.filter_map(|program| csl_ir::validate(program).err()).map(|invalid| format!("{invalid:?}")).collect()
}

pub fn rendered(analysis: &Analysis) -> String {
    csl_diag::render(&analysis.sources, &analysis.diagnostics, &Rendering::default())
}

/// The folder `tests/name` at the top of the repository.
pub fn test_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(name)
}

/// Every `.csl` file below `folder`, by path, with its text.
pub fn programs(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    collect(folder, &mut all);
    all.sort();
    all
}

fn collect(folder: &Path, all: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, all);
        } else if path.extension().is_some_and(|e| e == "csl") {
            let text = fs::read_to_string(&path).expect("it is text");
            all.push((path, text));
        }
    }
}

/// Compares `text` with the snapshot beside `path`.
pub fn assert_snapshot_beside(path: &Path, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().expect("it lies in a folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
    settings.bind(|| insta::assert_snapshot!(name, text));
}
