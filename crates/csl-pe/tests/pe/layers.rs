//! The modules of this crate depend on each other one way: by the paths that they name, and by the methods of a type
//! whose `impl` blocks stand in several files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A file's code without comments, by module: `sched::vector`, and `sched` for the folder's `mod.rs`.
type Files = BTreeMap<String, String>;
/// The modules that each module needs.
type Needs = BTreeMap<String, BTreeSet<String>>;

/// The parts that each part may name, from the bottom up. The files beside them are below all of them, and `pe` above.
const PARTS: [(&str, &[&str]); 4] = [
    ("scalar", &[]),
    ("datapath", &["scalar"]),
    ("check", &["scalar", "datapath"]),
    ("sched", &["scalar", "datapath", "check"]),
];

fn files() -> Files {
    let mut files = Files::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for part in ["", "scalar", "datapath", "check", "sched"] {
        for entry in fs::read_dir(src.join(part)).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("names are plain").to_owned();
            if path.extension().is_some_and(|extension| extension == "rs") && name != "lib" {
                let text = fs::read_to_string(&path).expect("it can be read");
                let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
                let module = match (part, name.as_str()) {
                    ("", name) => name.to_owned(),
                    (part, "mod") => part.to_owned(),
                    (part, name) => format!("{part}::{name}"),
                };
                files.insert(module, code.join("\n"));
            }
        }
    }
    files
}

fn part(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

fn word(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// The modules that the paths in a file name.
fn named(module: &str, code: &str, files: &Files) -> BTreeSet<String> {
    let of_crate = code.split("crate::").skip(1).map(|rest| word(rest).to_owned());
    let of_parent = code.split("super::").skip(1).map(|rest| format!("{}::{}", part(module), word(rest)));
    let children = files.keys().filter(|other| !module.contains("::") && part(other) == module && *other != module);
    of_crate.chain(of_parent).chain(children.cloned()).filter(|name| files.contains_key(name)).collect()
}

/// The text of the `impl` blocks of a type.
fn impls<'a>(code: &'a str, ty: &str) -> Vec<&'a str> {
    let blocks = code.split(&format!("\nimpl {ty} {{")).skip(1).collect::<Vec<_>>();
    blocks.into_iter().map(|block| block.split("\n}").next().unwrap_or_default()).collect()
}

/// The files whose methods of `ty` the methods in other files call.
fn called(ty: &str, files: &Files) -> Needs {
    let mut homes = BTreeMap::new();
    for (module, code) in files {
        for block in impls(code, ty) {
            homes.extend(block.split("fn ").skip(1).map(|rest| (word(rest).to_owned(), module.clone())));
        }
    }
    let calls = |code: &str| -> BTreeSet<String> {
        let blocks = impls(code, ty);
        let names = blocks.iter().flat_map(|block| block.split("self.").skip(1)).map(word);
        names.filter_map(|name| homes.get(name).cloned()).collect()
    };
    files.iter().map(|(module, code)| (module.clone(), calls(code))).collect()
}

/// The modules on a circle, in order, if there is one.
fn circle(needs: &Needs) -> Option<Vec<String>> {
    fn visit(module: &str, needs: &Needs, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<Vec<String>> {
        if let Some(first) = way.iter().position(|on_way| on_way == module) {
            return Some(way[first..].to_vec());
        }
        if !done.insert(module.to_owned()) {
            return None;
        }
        way.push(module.to_owned());
        let found =
            needs[module].iter().filter(|other| *other != module).find_map(|other| visit(other, needs, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    needs.keys().find_map(|module| visit(module, needs, &mut Vec::new(), &mut done))
}

fn all_named(files: &Files) -> Needs {
    files.iter().map(|(module, code)| (module.clone(), named(module, code, files))).collect()
}

#[test]
fn the_parts_of_a_pe_know_each_other_one_way() {
    let files = files();
    for (module, needs) in all_named(&files) {
        let Some((own, below)) = PARTS.iter().find(|(name, _)| *name == part(&module)) else { continue };
        for other in needs.iter().map(|other| part(other)).filter(|other| other != own) {
            let is_part = other == "pe" || PARTS.iter().any(|(name, _)| *name == other);
            assert!(!is_part || below.contains(&other), "{module} names {other}");
        }
    }
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    assert_eq!(circle(&all_named(&files())), None);
}

#[test]
fn no_files_call_each_other_in_a_circle() {
    let files = files();
    for ty in ["Sched", "Datapath", "Operation", "Setup<'_>", "Pe"] {
        let called = called(ty, &files);
        assert!(called.values().any(|needs| !needs.is_empty()), "methods of {ty} are found");
        assert_eq!(circle(&called), None, "methods of {ty}");
    }
}

#[test]
fn a_circle_is_found() {
    let needs = |pairs: &[(&str, &str)]| {
        let mut needs: Needs = pairs.iter().map(|(from, to)| ((*from).into(), [(*to).into()].into())).collect();
        for (_, to) in pairs {
            needs.entry((*to).into()).or_default();
        }
        circle(&needs)
    };
    assert_eq!(needs(&[("a", "b"), ("b", "c")]), None);
    assert_eq!(needs(&[("a", "b"), ("b", "c"), ("c", "b")]), Some(vec!["b".into(), "c".into()]));
}
