//! Code that nothing uses: looked at where that is asked for, and only looked at.

use csl_ir::Wafer;

use crate::support::{Case, programs, test_folder};

fn dump(wafer: &Wafer) -> String {
    wafer.programs.iter().map(csl_ir::dump_program).chain([csl_ir::dump_layout(wafer)]).collect()
}

/// The snapshot of this program shows what is found.
#[test]
fn unused_code_is_checked_where_it_is_asked_for() {
    let path = test_folder("ui").join("names/check-all.csl");
    let text = std::fs::read_to_string(path).expect("the program is there");
    let mut case = Case::new(&text);
    assert!(case.options.check_all && case.analyze().diagnostics.has_errors());
    case.options.check_all = false;
    let analysis = case.analyze();
    assert!(analysis.diagnostics.is_empty() && analysis.wafer.is_ok());
}

#[test]
fn unused_code_leaves_the_wafer_as_it_is() {
    let mut all = programs(&test_folder("golden"));
    let unused = "\nvar wl_unused = @zeros([4]f32);\nfn wl_uses() f32 { return wl_unused[0]; }\n";
    all.push(("unused.csl".into(), format!("export fn f() u16 {{ return 1; }}\n{unused}")));
    for (path, text) in all {
        let mut case = Case::new(&text);
        let plain = case.analyze();
        case.options.check_all = true;
        let checked = case.analyze();
        let (Ok(before), Ok(after)) = (&plain.wafer, &checked.wafer) else { panic!("{}", path.display()) };
        assert_eq!(dump(before), dump(after), "{}", path.display());
    }
}

/// Every tile has a program of its own here, analysed with the number open that the programs ask about.
#[test]
fn unused_code_of_many_programs_is_told_of_once() {
    let text = "//- layout.csl\nlayout {\n  @set_rectangle(5, 1);\n  for (@range(i16, 5)) |x| { @set_tile_code(x, 0, \"pe.csl\", .{ .x = x }); }\n}\n\
                //- pe.csl\nparam x: i16;\nvar sink: [x + 1]i16;\nexport fn f() void { sink[0] = x; }\n\
                fn idle() void { nothing = x; }\nfn right() i16 { return sink[0] + x; }\n";
    let mut case = Case::new(text);
    case.options.check_all = true;
    let analysis = case.analyze();
    let told: Vec<&str> = analysis.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(told, ["use of undeclared identifier `nothing`"]);
}
