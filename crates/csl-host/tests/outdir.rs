//! The output folder.

use std::path::{Path, PathBuf};

use csl_host::{Options, compile};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable entry").path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect();
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the file is there");
    serde_json::from_str(&text).expect("the file is JSON")
}

#[test]
fn it_holds_what_programs_look_for() {
    let folder = program::folder();
    let done = compile(&program::options(folder.path()));
    assert!(done.succeeded(), "{}", program::text(&done));
    let out = folder.path().join("out");
    for name in ["bin", "east", "west", "generated"] {
        assert!(out.join(name).is_dir(), "{name}");
    }
    for tile in ["0_0", "1_0", "2_0", "0_1", "1_1", "2_1"] {
        assert!(out.join(format!("bin/out_{tile}.elf")).is_file(), "{tile}");
    }
    assert_eq!(read(&out.join("out.json")), json!({ "params": { "width": "3" }, "colors": {} }));
    let rpc = read(&out.join("bin/out_rpc.json"));
    // The form of such files that were published with programs; the guide gives the names.
    let symbols = rpc["rpc_symbols"].as_array().expect("a list");
    assert_eq!(
        symbols[0],
        json!({ "id": 1, "name": "v", "sym_name": "v_ptr", "kind": "Var", "type": "[*]f32", "immutable": 0 })
    );
    assert_eq!(symbols[2]["immutable"], 1);
    let inputs = json!([{ "name": "arg0", "type": "f32" }, { "name": "arg1", "type": "i16" }]);
    let scale =
        json!({ "id": 4, "name": "scale", "sym_name": "scale", "kind": "Func", "type": "void", "inputs": inputs });
    assert_eq!(symbols[3], scale);
    assert_eq!(symbols[5], json!({ "id": 6, "name": "hold", "sym_name": "hold", "kind": "Func", "type": "void" }));
    let image = csl_host::read_image(&out).expect("it was compiled");
    assert!(image.exports.iter().zip(symbols).all(|(export, symbol)| symbol["id"] == export.id), "get_id gives these");
}

/// Neighbours have different programs: no run of tiles is longer than one.
#[test]
fn files_for_tiles_are_bounded() {
    let folder = TempDir::new().expect("a temporary folder");
    let layout = "layout {
          @set_rectangle(90, 90);
          for (@range(u16, 90)) |y| { for (@range(u16, 90)) |x| { @set_tile_code(x, y, \"pe.csl\", .{ .n = y * 90 + x }); } }
        }";
    std::fs::write(folder.path().join("layout.csl"), layout).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), "param n: u16; export var v: [n % 7 + 1]u16;")
        .expect("the folder is writable");
    let done = compile(&Options { folder: folder.path().to_owned(), ..Options::new("layout.csl") });
    assert!(done.succeeded(), "{}", program::text(&done));
    assert_eq!(files(&folder.path().join("out/bin")).len(), 4096 + 2);
}

#[test]
fn a_second_compilation_replaces_the_first() {
    let folder = program::folder();
    let options = program::options(folder.path());
    assert!(compile(&options).succeeded());
    let before = files(&folder.path().join("out"));
    assert!(compile(&Options { params: vec![("width".to_owned(), "2".to_owned())], ..options.clone() }).succeeded());
    assert_eq!(files(&folder.path().join("out")).len(), before.len() - 2, "the third column is gone");
    assert!(compile(&options).succeeded());
    assert_eq!(files(&folder.path().join("out")), before);
}

/// The first format of images did not say what lay beside them.
#[test]
fn a_program_of_an_earlier_version_is_replaced() {
    let folder = program::folder();
    let options = program::options(folder.path());
    assert!(compile(&options).succeeded());
    let before = files(&folder.path().join("out"));
    let mut bytes = b"WAFERLAB".to_vec();
    bytes.extend(1u32.to_le_bytes());
    let out = folder.path().join("out");
    std::fs::write(out.join("bin/program.wafer"), bytes).expect("the folder is writable");
    std::fs::write(out.join("generated/source_folder"), "/home/me").expect("the folder is writable");
    std::fs::write(out.join("colors.json"), "mine").expect("the folder is writable");
    let done = compile(&options);
    assert!(done.succeeded(), "{}", program::text(&done));
    std::fs::remove_file(out.join("colors.json")).expect("it stays");
    assert_eq!(files(&out), before);
}

/// Later formats name the files beside them, also where the rest cannot be read any more.
#[test]
fn what_an_image_of_an_earlier_version_names_is_ours() {
    let folder = program::folder();
    let options = program::options(folder.path());
    assert!(compile(&options).succeeded());
    let out = folder.path().join("out");
    let before = files(&out);
    // An image of format 3, as far as it is looked at: the folder of the sources, the files beside it.
    let image = |beside: &[&str]| {
        let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        let names: Vec<u8> = beside.iter().flat_map(|name| text(name)).collect();
        [b"WAFERLAB".as_slice(), &3u32.to_le_bytes(), &text("/home/me"), &[beside.len() as u8], &names, b"..."].concat()
    };
    let usual = ["out.json", "bin/out_rpc.json"];
    let with = |beside: &[&str]| {
        std::fs::write(out.join("bin/program.wafer"), image(beside)).expect("the folder is writable");
        std::fs::write(out.join("colors.json"), "{}").expect("the folder is writable");
        compile(&options)
    };
    let done = with(&[usual[0], usual[1], "colors.json", "../layout.csl"]);
    assert!(done.succeeded(), "{}", program::text(&done));
    assert_eq!(files(&out), before, "the file that the image names is gone");
    assert!(folder.path().join("layout.csl").is_file(), "an image is not trusted");
    assert!(with(&usual).succeeded());
    assert_eq!(std::fs::read_to_string(out.join("colors.json")).expect("a file of others stays"), "{}");
}

#[test]
fn a_folder_or_a_program_of_a_pe_is_no_layout() {
    let folder = program::folder();
    std::fs::create_dir(folder.path().join("src")).expect("the folder is writable");
    std::fs::write(folder.path().join("src/my_layout.csl"), "").expect("the folder is writable");
    let told = |root: &str| program::text(&compile(&Options { root: root.into(), ..program::options(folder.path()) }));
    assert!(told("src").contains("src is a folder; did you mean src/my_layout.csl?"), "{}", told("src"));
    assert!(told(".").contains(". is a folder; did you mean ./layout.csl?"), "{}", told("."));
    let pe = told("pe.csl");
    assert!(pe.contains("E0607") && pe.contains("@set_tile_code") && !pe.contains("memcpy_params"), "{pe}");
}

#[test]
fn a_failure_leaves_everything_as_it_was() {
    let folder = program::folder();
    let options = program::options(folder.path());
    assert!(compile(&options).succeeded());
    let before = files(folder.path());
    let wrong = Options { fabric_dims: Some((9, 4).into()), ..options };
    assert!(!compile(&wrong).succeeded());
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_missing_file_is_an_error() {
    let folder = program::folder();
    let done = compile(&Options { root: "nowhere.csl".into(), ..program::options(folder.path()) });
    assert!(program::text(&done).contains("there is no file nowhere.csl"), "{}", program::text(&done));
    assert!(!folder.path().join("out").exists());
}
