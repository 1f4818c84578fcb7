//! Tests the search for the files of imports.

use std::path::Path;

use csl_host::{FileSources, Options};
use csl_sema::Sources;
use tempfile::TempDir;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder is writable");
        std::fs::write(path, text).expect("the folder is writable");
    }
    folder
}

fn sources(folder: &Path, import_paths: &[&str]) -> FileSources {
    let import_paths = import_paths.iter().map(Into::into).collect();
    FileSources::new(&Options { folder: folder.to_owned(), import_paths, ..Options::new("a.csl") })
}

#[test]
fn a_path_is_relative_to_the_file_that_names_it() {
    let folder = tree(&[("src/a.csl", "a"), ("src/b.csl", "beside"), ("b.csl", "elsewhere")]);
    let mut sources = sources(folder.path(), &[]);
    let found = sources.resolve("b.csl", Some("src/a.csl")).expect("the file is there");
    assert_eq!((found.path.as_str(), &*found.text), ("src/b.csl", "beside"));
    let found = sources.resolve("../b.csl", Some("src/a.csl")).expect("the file is there");
    assert_eq!((found.path.as_str(), &*found.text), ("b.csl", "elsewhere"));
}

#[test]
fn an_import_path_comes_before_the_library() {
    let folder = tree(&[("lib/math.csl", "mine")]);
    let found = sources(folder.path(), &["lib"]).resolve("<math>", Some("a.csl")).expect("the library is there");
    assert!(!found.is_library);
    assert_eq!(&*found.text, "mine");
    let found = sources(folder.path(), &[]).resolve("<math>", Some("a.csl")).expect("the library is there");
    assert!(found.is_library);
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tree(&[]);
    let missing =
        |name| sources(folder.path(), &["lib"]).resolve(name, Some("src/a.csl")).expect_err("nothing is there");
    assert_eq!(missing("b.csl"), "there is no file src/b.csl");
    assert_eq!(missing("<maths>"), "there is no library <maths>, nor a file of that name in lib");
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let folder = tree(&[]);
    std::fs::write(folder.path().join("b.csl"), b"const a = 1;\n// caf\xe9").expect("the folder is writable");
    let refused = sources(folder.path(), &[]).resolve("b.csl", None).expect_err("the file is no text");
    assert_eq!(refused, "b.csl is not UTF-8 text: line 2 has the byte 0xe9");
}
