//! A layout whose loops repeat what earlier iterations did is the same as by an evaluation of each.

use csl_diag::Rendering;
use proptest::prelude::*;

use crate::sharing::tiles;
use crate::support::Case;

/// The code of a PE with two numbers.
const PE: &str =
    "param a: i16 = 0;\nparam b: i16 = 0;\nparam c = {};\nvar first = a;\nexport fn f() void { first = b; }";

const OTHER: &str = "//- other.csl\nparam n: i16;\nfn twice() i16 { return n + n; }\n";

/// The findings on a layout of 40 by 2 tiles, and its tiles, routes and places of routes, as one text each.
fn evaluate(layout: &str, pe: &str, share: bool) -> [String; 2] {
    let mut case = Case::new(&format!("//- layout.csl\n{layout}\n//- pe.csl\n{pe}\n{OTHER}"));
    case.options.share_programs = share;
    case.options.fabric = Some((60, 10).into());
    let analysis = case.analyze();
    let found = csl_diag::render(&analysis.sources, &analysis.diagnostics, &Rendering::default());
    let made = analysis.wafer.map(|wafer| format!("{:#?}\n{:?}\n{:?}", tiles(&wafer), wafer.routes, analysis.routes));
    [found, made.unwrap_or_default()]
}

/// Checks that a layout is the same by repeated iterations, and has these words in its findings.
fn check_with(layout: &str, pe: &str, says: &str) {
    let [(found, made), (found_alone, made_alone)] = [true, false].map(|share| evaluate(layout, pe, share).into());
    assert_eq!(found, found_alone, "{layout}");
    assert_eq!(made, made_alone, "{layout}");
    assert!(found.contains(says), "{layout}\n{found}");
    assert_eq!(made.is_empty(), found.contains("error"), "{layout}\n{found}");
    assert_eq!(says.is_empty(), found.is_empty(), "{layout}\n{found}");
}

fn check(layout: &str, says: &str) {
    check_with(layout, PE, says);
}

/// A layout of two rows with this in the loop over the columns.
fn row(body: &str) -> String {
    format!(
        "const red = @get_color(1);\nconst blue = @get_color(2);\n\
         layout {{\n  @set_rectangle(40, 2);\n  var n: i16 = 0;\n  for (@range(i16, 2)) |y| {{\n    for (@range(i16, 40)) |x, i| {{\n{body}\n    }}\n  }}\n}}"
    )
}

#[test]
fn tiles_follow_from_the_variable_of_a_loop() {
    let check = |params: &str, pe: &str| {
        check_with(&row(&format!("@set_tile_code(x, y, \"pe.csl\", .{{ {params} }});")), pe, "")
    };
    check(".a = x, .b = y", PE);
    check(".a = if (x > 30) x else y, .b = x * x - 3 + @as(i16, i)", PE);
    check(".a = switch (x % 4) { 0 => 7, 1, 2 => 8, else => 9 }", PE);
    check(
        ".a = x, .c = .{ .at = x, .deep = .{ x, y } }",
        "param a: i16;\nparam c;\nvar first = [3]i16{ c.at, c.deep[0], c.deep[1] };\nexport fn f() void { first[0] = a; }",
    );
    check(
        ".a = @as(f32, x) * 0.25, .b = @as(f16, 3), .c = \"text\"",
        "param a: f32;\nparam b: f16;\nparam c;\nvar first = a;\nvar second = b;\nexport fn f() void { first = a + a; }",
    );
    let flag = "param b: bool;\nvar first: i16;\nexport fn f() void { first = if (b) 1 else 2; }";
    check(".b = x == 0", flag);
    check(".b = @as(comptime_int, x) * 4000000000 * 4000000000 > 5", flag);
    let array = "param a;\nvar first = a;\nexport fn f() void { first[0] = a[1]; }";
    check(".a = [3]i16{ x, y, x % 3 }", array);
    check(".a = @constants([300]i16, x)", array);
    check_with(&row("@set_tile_code(39 - x, y, \"pe.csl\", .{ .a = x });"), PE, "");
}

#[test]
fn so_do_routes() {
    check(
        &row("@set_tile_code(x, y, \"pe.csl\", .{});
              if (x > 0) { @set_color_config(x, y, red, .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } }); }
              if (x < 39) { @set_color_config(x, y, blue, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ if (x % 2 == 0) EAST else WEST } } }); }"),
        "",
    );
    check(
        &row("@set_tile_code(x, y, \"pe.csl\", .{});
              @set_color_config(x, y, @get_color(x % 3), .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });"),
        "routed EAST, off the program's rectangle",
    );
}

#[test]
fn what_outlives_an_iteration_counts_for_the_next() {
    check(&row("n += x;\n@set_tile_code(x, y, \"pe.csl\", .{ .a = n });"), "");
    check(
        &row("if (x == 20) { n = x; }\n@set_tile_code(x, y, \"pe.csl\", .{ .a = n, .b = if (n > 0) 1 else 2 });"),
        "",
    );
    check(
        &row(
            "if (x % 7 == 3) { n = x; }\nif (n > 9) { @set_tile_code(x, y, \"pe.csl\"); } else { @set_tile_code(x, y, \"pe.csl\", .{ .a = n }); }",
        ),
        "",
    );
    check(&row("if (x == 5) { continue; }\n@set_tile_code(x, y, \"pe.csl\", .{});"), "has no code, nor do 1 more");
    check(
        &row(
            "const m = @import_module(\"other.csl\", .{ .n = x });\n@set_tile_code(x, y, \"pe.csl\", .{ .a = m.twice() });",
        ),
        "",
    );
    check(&row("@set_tile_code(x, y, \"pe.csl\", .{});\nif (x == 17) { @comptime_print(x, y); }"), "17 1");
}

#[test]
fn what_is_wrong_with_a_tile_is_told_where_it_is_met() {
    check(&row("@set_tile_code(x + 1, y, \"pe.csl\", .{});"), "tile (40, 0) lies outside the rectangle of 40 by 2 PEs");
    check(&row("@set_tile_code(x, y, \"pe.csl\", .{});\n@comptime_assert(x < 30, \"too far\");"), "too far");
    check(&row("@set_tile_code(if (x < 30) x else x - 10, y, \"pe.csl\", .{});"), "tile (20, 0) is given code twice");
    check(&row("@set_tile_code(x, y, \"pe.csl\", .{});\nconst one = 1 / (x - 25);"), "division by zero");
    check(
        "const red = @get_color(1);
         const route = .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } };
         fn set(x: i16, y: i16) void { @set_tile_code(x, y, \"pe.csl\", .{ .a = x }); @set_color_config(x, y, red, route); }
         layout {
           @set_rectangle(40, 2);
           @set_color_config(33, 0, red, route);
           for (@range(i16, 40)) |x| { set(x, 0); }
         }",
        "color 1 is configured twice at PE (33, 0)",
    );
    let memcpy = "const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 40, .height = 2 });\n";
    let column = |column: &str| {
        let code = format!("@set_tile_code(x, y, \"pe.csl\", .{{ .a = x, .c = memcpy.get_params({column}) }});");
        format!("{memcpy}{}", row(&code))
    };
    check(&column("@as(u16, x)"), "");
    check(&column("if (x == 30) 3 else x"), "tile column 30 is given memcpy's params of column 3");
    check(&column("7"), "tile column 0 is given memcpy's params of column 7");
}

/// A number of a loop's body.
fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        4 => Just("x".to_owned()),
        1 => Just("y".to_owned()),
        1 => Just("n".to_owned()),
        1 => Just("@as(i16, i)".to_owned()),
        3 => (-3i16..45).prop_map(|number| format!("@as(i16, {number})")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%", "&", "|", "^", ">>", "<<"]);
        prop_oneof![
            6 => (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            1 => inner.clone().prop_map(|a| format!("@as(i16, @as(u8, {a}))")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
            1 => inner.clone().prop_map(|a| format!("memory[{a}]")),
            1 => inner.clone().prop_map(|a| format!("twice({a})")),
            2 => (condition_of(inner.clone().boxed()), inner.clone(), inner)
                .prop_map(|(condition, a, b)| format!("(if ({condition}) {a} else {b})")),
        ]
    })
    .boxed()
}

fn condition_of(number: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let comparison = prop::sample::select(vec!["<", "<=", "==", "!=", ">=", ">"]);
    (number.clone(), comparison, number).prop_map(|(a, comparison, b)| format!("{a} {comparison} {b}")).boxed()
}

/// A statement of a loop's body.
fn statement() -> impl Strategy<Value = String> {
    let condition = || condition_of(number());
    let route = "@set_color_config";
    prop_oneof![
        2 => number().prop_map(|value| format!("{{ const kept: i16 = {value}; }}")),
        1 => (condition(), number()).prop_map(|(condition, value)| format!("if ({condition}) {{ n = {value}; }}")),
        1 => condition().prop_map(|condition| format!("if ({condition}) {{ @comptime_print(x); }}")),
        1 => condition().prop_map(|condition| format!("if ({condition}) {{ continue; }}")),
        1 => (condition(), number()).prop_map(|(condition, column)| format!("if ({condition}) {{ extra({column}); }}")),
        3 => condition().prop_map(move |condition| {
            format!("if ({condition}) {{ {route}(x, y, @get_color(x & 1), .{{ .routes = .{{ .rx = .{{ RAMP }}, .tx = .{{ EAST }} }} }}); }}")
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_loops_are_as_by_evaluation_of_each_iteration(
        before in prop::collection::vec(statement(), 0..3),
        (a, b) in (number(), number()),
        after in prop::collection::vec(statement(), 0..3),
    ) {
        let code = format!("@set_tile_code(x, y, \"pe.csl\", .{{ .a = {a}, .b = {b} }});");
        let body = before.iter().chain([&code]).chain(&after).cloned().collect::<Vec<_>>().join("\n");
        let extra = "fn extra(column: i16) void { @set_color_config(column, 1, @get_color(5), .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } }); }";
        let layout = format!("const memory = [4]i16{{ 5, -1, 40, 7 }};\nfn twice(a: i16) i16 {{ return a + a; }}\n{extra}\n{}", row(&body));
        let [(found, made), (found_alone, made_alone)] = [true, false].map(|share| evaluate(&layout, PE, share).into());
        prop_assert_eq!(found, found_alone, "{}", &layout);
        prop_assert_eq!(made, made_alone, "{}", &layout);
    }
}
