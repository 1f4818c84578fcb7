//! Tests of single passes: the IR of the small programs in `tests/passes`, one a pass, before and after it.
//!
//! The pass runs alone, after the passes that its program's first line names.

use std::path::Path;

use csl_ir::{Program, dump_program, validate};
use csl_opt::{Pass, Passes, optimise};
use csl_sema::{Options, Resolved, Sources};

const LAYOUT: &str = "layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, \"pe.csl\", .{});\n}\n";

struct OneFile(String);

impl Sources for OneFile {
    fn resolve(&mut self, name: &str, _: Option<&str>) -> Result<Resolved, String> {
        let text = match name {
            "layout.csl" => LAYOUT,
            "pe.csl" => &self.0,
            _ => return Err(format!("there is no file {name}")),
        };
        Ok(Resolved { path: name.to_owned(), text: text.into(), is_library: false })
    }
}

fn program(text: &str) -> Program {
    let options = Options { fabric: Some((20, 20).into()), offsets: (4, 1).into(), ..Options::default() };
    let analysis = csl_sema::analyze("layout.csl", &mut OneFile(text.to_owned()), &options);
    let wafer = analysis.wafer.unwrap_or_else(|_| panic!("{:?}", analysis.diagnostics));
    wafer.programs.into_iter().next().expect("one program")
}

/// The functions of a dump, without the tables.
fn functions(program: &Program) -> String {
    let text = dump_program(program);
    text.find("\nfn ").map_or(String::new(), |start| text[start + 1..].to_owned())
}

#[test]
fn each_pass_by_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/passes");
    for pass in Pass::ALL {
        let name = pass.name();
        let text = std::fs::read_to_string(folder.join(format!("{name}.csl"))).expect("a program for each pass");
        let first = text.lines().next().unwrap_or_default();
        let earlier = first.strip_prefix("//$ after ").map_or(Ok(Passes::NONE), Passes::parse).expect("known passes");
        let mut program = program(&text);
        optimise(std::slice::from_mut(&mut program), earlier, 1);
        let before = functions(&program);
        optimise(std::slice::from_mut(&mut program), Passes::NONE.with(*pass), 1);
        validate(&program).unwrap_or_else(|invalid| panic!("{name}: {invalid:?}"));
        let after = functions(&program);
        assert_ne!(before, after, "{name} changes nothing");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!(name, format!("before\n{before}\nafter\n{after}")));
    }
}
