//! Refusals of the compiler after the analysis, as rendered: the command line and the memory of a PE.

use csl_host::{Options, compile};
use tempfile::TempDir;

use crate::program;

/// The rendering, without the name of the temporary folder.
fn rendered(options: &Options, folder: &TempDir) -> String {
    let compiled = compile(options);
    assert!(!compiled.succeeded());
    program::text(&compiled).replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn output_below_a_file() {
    let folder = program::folder();
    std::fs::write(folder.path().join("taken"), "").expect("the folder is writable");
    let options = Options { output: folder.path().join("taken/out"), ..program::options(folder.path()) };
    // The operating system's message comes last; it differs.
    let text = rendered(&options, &folder);
    insta::assert_snapshot!(text.rsplit_once(": ").expect("it gives a reason").0);
}

/// An ignored option is no error, not even where warnings are: the program is not at fault.
#[test]
fn an_option_without_effect_is_no_error() {
    let folder = program::folder();
    let ignored = vec!["--dump-graph=3".to_owned()];
    let done = compile(&Options { ignored, warnings_as_errors: true, ..program::options(folder.path()) });
    assert!(done.succeeded());
    insta::assert_snapshot!(program::text(&done));
}

#[test]
fn more_than_a_pe_holds() {
    let folder = program::folder();
    let path = folder.path().join("pe.csl");
    let source = std::fs::read_to_string(&path).expect("the program is there");
    let larger = source.replace("@zeros([4]f32)", "@zeros([12000]f32)").replace("v[i] *=", "v[i + 10000] *=");
    std::fs::write(&path, larger).expect("the folder is writable");
    insta::assert_snapshot!(rendered(&program::options(folder.path()), &folder));
}
