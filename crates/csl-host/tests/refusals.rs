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
fn options_of_memcpy_without_memcpy_are_told() {
    let folder = TempDir::new().expect("a temporary folder");
    let layout = "layout { @set_rectangle(1, 1); @set_tile_code(0, 0, \"pe.csl\", .{}); }";
    std::fs::write(folder.path().join("layout.csl"), layout).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), "export fn f() void {}").expect("the folder is writable");
    let plain = Options { folder: folder.path().to_owned(), ..Options::new("layout.csl") };
    let told = |options: Options| {
        let done = compile(&options);
        assert!(done.succeeded());
        program::text(&done)
    };
    let given = Options { channels: 4, west_buffer: 2, east_buffer: 1, warnings_as_errors: true, ..plain.clone() };
    insta::assert_snapshot!(told(given.clone()));
    assert_eq!(told(Options { memcpy: true, ..given }), "");
    assert_eq!(told(plain), "");
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

/// A loop keeps its constants in registers, and a function has a bounded number of both.
#[test]
fn more_constants_in_a_loop_than_a_function_can_hold() {
    let folder = program::folder();
    let terms: String = (0..17_000u32).map(|i| format!("s = (s ^ {}) + s;\n", 0x10000 + 0x10007 * i)).collect();
    let function = format!("var s: u32 = 1;\nfn spin() void {{ for (@range(u16, 2)) |i| {{\n{terms} }}");
    let source = std::fs::read_to_string(folder.path().join("pe.csl")).expect("the program is there");
    std::fs::write(folder.path().join("pe.csl"), source.replace("fn spin() void {", &function))
        .expect("it is writable");
    let text = rendered(&program::options(folder.path()), &folder);
    assert!(text.contains("function 'spin' is too large for the simulated machine"), "{text}");
}

/// Address 0 is a place like any other, though nothing is put there unasked.
#[test]
fn a_link_section_lies_where_the_command_line_says() {
    let folder = program::folder();
    let source = std::fs::read_to_string(folder.path().join("pe.csl")).expect("the program is there");
    let source = source + "\nexport var low: u32 linksection(\".low\") = 7;\n";
    std::fs::write(folder.path().join("pe.csl"), source).expect("the folder is writable");
    for start in [0, 2, 0x4000] {
        let link_sections = vec![(".low".to_owned(), start)];
        let done = compile(&Options { link_sections, ..program::options(folder.path()) });
        assert!(done.succeeded(), "{}", program::text(&done));
        let image = csl_host::read_image(&folder.path().join("out")).expect("it was written");
        let symbol = image.programs[0].symbol("low").expect("it is exported");
        assert_eq!(symbol.addr, start.next_multiple_of(4));
    }
}
