//! How `cslc` shows what it finds, and the options that choose what is shown.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    folder
}

fn cslc(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cslc"));
    command.args(line.split_whitespace()).current_dir(folder);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CSL_IMPORT_PATH"] {
        command.env_remove(name);
    }
    command.output().expect("cslc runs")
}

/// What was written to standard error.
fn said(folder: &Path, line: &str) -> String {
    String::from_utf8(cslc(folder, line).stderr).expect("it writes UTF-8")
}

const LAYOUT: (&str, &str) =
    ("layout.csl", "layout {\n  @set_rectangle(1, 1);\n  @set_tile_code(0, 0, \"pe.csl\");\n}\n");

/// A program whose comptime block prints the same line three times and has four errors and two warnings.
const MANY: &str = "
task t() void {
  1 + 1;
  2 + 2;
  a();
  b();
  c();
  d();
}
comptime {
  @bind_local_task(t, @get_local_task_id(8));
  @comptime_print(1);
  @comptime_print(1);
  @comptime_print(1);
}
";

#[test]
fn a_line_each_and_as_many_as_are_asked_for() {
    let folder = folder(&[LAYOUT, ("pe.csl", MANY)]);
    let said = said(folder.path(), "layout.csl --error-format=short --error-limit=1");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.contains(&"pe.csl:3:3: warning[W0102]: the value of this expression is not used"), "{said}");
    assert!(lines.contains(&"pe.csl:5:3: error[E0201]: use of undeclared identifier `a`"), "{said}");
    assert_eq!(lines.iter().filter(|line| line.ends_with("note[N0408]: 1")).count(), 3, "{said}");
    assert_eq!(lines.last(), Some(&"3 more errors and 1 more warning: `--error-limit=0` shows all"), "{said}");
}

#[test]
fn tools_get_all_findings_and_the_edits() {
    let folder = folder(&[LAYOUT, ("pe.csl", "export fn f() i16 { return 1 }\n")]);
    let json = said(folder.path(), "layout.csl --error-format=json");
    assert!(json.contains(r#""edits":[{"file":"pe.csl","line":1,"column":29,"#), "{json}");
    assert!(json.contains(r#""replacement":";""#), "{json}");
    let sarif = said(folder.path(), "layout.csl --error-format=sarif");
    let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("one document");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "E0100");
}

/// Compiles, makes the first edit of the first finding, and returns the file's name and its text then.
fn mended(folder: &Path) -> (String, String) {
    let said = said(folder, "layout.csl --arch=wse3 --error-format=json");
    let first: serde_json::Value = serde_json::from_str(said.lines().next().unwrap_or_default()).expect(&said);
    let edit = &first["edits"][0];
    let number = |key: &str| edit[key].as_u64().unwrap_or_else(|| panic!("no {key}: {said}")) as usize;
    let name = edit["file"].as_str().expect("a file").to_owned();
    let text = std::fs::read_to_string(folder.join(&name)).expect("the file is there");
    let at = |line: usize, column: usize| {
        text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>() + column - 1
    };
    let range = at(number("line"), number("column"))..at(number("end_line"), number("end_column"));
    let mut text = text.clone();
    text.replace_range(range, edit["replacement"].as_str().expect("a text"));
    std::fs::write(folder.join(&name), &text).expect("the folder is writable");
    (name, text)
}

#[test]
fn edits_add_exports_where_they_are_missing() {
    let layout = "layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, \"pe.csl\");
  @export_name(\"v\", [*]f32, true);
  @export_name(\"go\", fn()void);
}
";
    let program = "var v = @zeros([2]f32);\nvar v_ptr: [*]f32 = &v;\nfn go() void {}\n";
    let folder = folder(&[("layout.csl", layout), ("pe.csl", program)]);
    mended(folder.path());
    let (name, text) = mended(folder.path());
    assert_eq!(name, "pe.csl");
    let block = "comptime {\n  @export_symbol(v_ptr, \"v\");\n  @export_symbol(go);\n}\n";
    assert_eq!(text, format!("{program}{block}"));
    assert_eq!(said(folder.path(), "layout.csl --error-format=json"), "");

    std::fs::write(folder.path().join("layout.csl"), layout.replace("  @export_name(\"v\", [*]f32, true);\n", ""))
        .expect("the folder is writable");
    let (name, text) = mended(folder.path());
    assert_eq!(name, "layout.csl");
    assert!(text.ends_with("fn()void);\n  @export_name(\"v\", [*]f32, true);\n}\n"), "{text}");
    assert_eq!(said(folder.path(), "layout.csl --error-format=json"), "");
}

#[test]
fn an_edit_initializes_a_queue() {
    let program = "const to = @get_dsd(fabout_dsd, .{
  .extent = 1, .fabric_color = @get_color(5), .output_queue = @get_output_queue(3) });
task send() void { @mov32(to, @as(u32, 1)); }
comptime {
  @bind_local_task(send, @get_local_task_id(8));
}
";
    let folder = folder(&[LAYOUT, ("pe.csl", program)]);
    let (name, text) = mended(folder.path());
    assert_eq!(name, "pe.csl");
    let statement = "  @initialize_queue(@get_output_queue(3), .{ .color = @get_color(5) });\n}\n";
    assert!(text.ends_with(statement), "{text}");
    let said = said(folder.path(), "layout.csl --arch=wse3 --error-format=json");
    assert!(!said.contains("W0511"), "{said}");
}

#[test]
fn a_code_is_explained() {
    let folder = folder(&[]);
    let done = cslc(folder.path(), "--explain e0902");
    assert!(done.status.success());
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("# E0902: "));
    assert!(said(folder.path(), "--explain E9999").contains("there is no such code"));
}

#[test]
fn colors_are_as_asked() {
    let folder = folder(&[LAYOUT, ("pe.csl", "export fn f() void { a(); }\n")]);
    assert!(said(folder.path(), "layout.csl --color=always").contains('\u{1b}'));
    assert!(!said(folder.path(), "layout.csl").contains('\u{1b}'));
}

const OFF_EDGE: &str = "layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, \"pe.csl\");
  @set_color_config(0, 0, @get_color(1), .{ .routes = .{ .rx = .{RAMP}, .tx = .{EAST} } });
}
";

#[test]
fn a_warning_can_be_allowed() {
    let with_comment = OFF_EDGE.replace("} });", "} }); // waferlab: allow(W0604)");
    let folder = folder(&[("layout.csl", OFF_EDGE), ("quiet.csl", &with_comment), ("pe.csl", "task t() void {}\n")]);
    assert!(said(folder.path(), "layout.csl").contains("warning[W0604]"));
    assert_eq!(said(folder.path(), "layout.csl --allow W0604"), "");
    assert!(cslc(folder.path(), "layout.csl --allow W0604 --warnings-as-errors").status.success());
    assert_eq!(said(folder.path(), "quiet.csl"), "");
    assert!(said(folder.path(), "layout.csl --allow E0301").contains("only warnings can be allowed"));
}

#[test]
fn options_that_name_nothing_are_told() {
    let folder = folder(&[LAYOUT, ("pe.csl", "task t() void {}\n")]);
    let line = "layout.csl --import-path=gone --link-section-start-address-bytes=.gone:0x8000";
    let told = said(folder.path(), line);
    assert!(told.contains("--import-path=gone: there is no such folder"), "{told}");
    assert!(told.contains("nothing is in the link section .gone"), "{told}");
    assert!(cslc(folder.path(), line).status.success());
    assert!(
        said(folder.path(), "layout.csl --sdk=9.9")
            .contains("the newest release of the SDK that Waferlab knows is 2.10")
    );
}

#[test]
fn the_program_of_a_pe_leads_to_its_layout() {
    let folder = folder(&[LAYOUT, ("pe.csl", "param n: u16;\nexport fn f() u16 { return n; }\n")]);
    let told = said(folder.path(), "pe.csl");
    assert!(told.contains("error[E0607]: pe.csl has no `layout` block"), "{told}");
    assert!(told.contains("cslc layout.csl"), "{told}");
}

/// How `cslc` refuses a program of a PE.
fn refusal(pe: &str, line: &str) -> String {
    let folder = folder(&[LAYOUT, ("pe.csl", pe)]);
    let done = cslc(folder.path(), &format!("layout.csl --error-format=short {line}"));
    assert!(!done.status.success());
    String::from_utf8(done.stderr).expect("it writes UTF-8")
}

/// Each program would take the compiler hours or all memory; the diagnostic names the limit that ended it.
#[test]
fn work_without_end_meets_a_limit() {
    let task = |body: &str| {
        format!("task t() void {{ {body} }}\ncomptime {{ @bind_local_task(t, @get_local_task_id(8)); }}\n")
    };
    let depth = "fn f(n: i32) i32 { if (n == 0) { return 1; } return f(n - 1) + 1; }\nconst r = f(100000);\n";
    let told = refusal(&format!("{depth}{}", task("const z = r;")), "--comptime-func-depth-limit=1000000");
    assert!(told.contains("E0407") && told.contains("deeper than 10000"), "{told}");
    let copies = "fn f() i16 {
        var a = @zeros([30000]i16);
        var i: i16 = 0;
        while (i < 30000) : (i += 1) { var b = a; b[0] = i; a = b; }
        return a[0];
    }
    const r = f();\n";
    let told = refusal(&format!("{copies}{}", task("const z = r;")), "");
    assert!(told.contains("within 10000000 steps"), "{told}");
    let calls = "fn f(n: i16, m: i32) i16 {
        if (n == 0) { return 1; }
        return f(n - 1, 2 * m) + f(n - 1, 2 * m + 1);
    }
    const r = f(28, 1);\n";
    let told = refusal(&format!("{calls}{}", task("const z = r;")), "");
    assert!(told.contains("within 10000000 steps"), "{told}");
    let nested: String = (1..41).map(|n| format!("const a{n} = .{{ .x = a{0}, .y = a{0} }};\n", n - 1)).collect();
    let told = refusal(&format!("const a0 = .{{ .x = 1, .y = 1 }};\n{nested}{}", task("@comptime_print(a40);")), "");
    assert!(told.contains("a type can have 1048576 fields at most"), "{told}");
    let told = refusal(&format!("const x = {};\n", "7".repeat(1_000_000)), "");
    assert!(told.contains("a number can have 65536 digits at most"), "{told}");
    let told = refusal("", "--memcpy --width-west-buf=4294967295");
    assert!(told.contains("--width-west-buf") && told.contains("65535"), "{told}");
}
