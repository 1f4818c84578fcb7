//! The style, by example.

/// Formats both; `before` becomes `after`, which stays.
fn becomes(before: &str, after: &str) {
    let format = |text: &str| csl_fmt::format("a.csl", text).unwrap_or_else(|_| panic!("this does not parse:\n{text}"));
    assert_eq!(format(before), after, "from\n{before}");
    assert_eq!(format(after), after);
}

/// Nothing changes.
fn stays(text: &str) {
    becomes(text, text);
}

#[test]
fn where_published_programs_agree_there_is_one_form() {
    becomes("param width :u16 ;\n", "param width: u16;\n");
    becomes("param   a:u16=1;\n", "param a: u16 = 1;\n");
    becomes(
        "fn f ( a :u16,b : f32 )void{\n    if(a==1){\n        g( a,b );\n    }else{\n        return ;\n    }\n}\n",
        "fn f(a: u16, b: f32) void {\n  if (a == 1) {\n    g(a, b);\n  } else {\n    return;\n  }\n}\n",
    );
    becomes(
        "fn f() void\n{\n  if (a)\n  {\n  }\n  else\n  {\n  }\n}\n",
        "fn f() void {\n  if (a) {\n  } else {\n  }\n}\n",
    );
    becomes(
        "const d = @get_dsd(mem1d_dsd, .{ .tensor_access = | i,j | {2,3}->a [ i,j ] });\n",
        "const d = @get_dsd(mem1d_dsd, .{ .tensor_access = |i, j|{2, 3} -> a[i, j] });\n",
    );
    becomes(
        "fn f() void { for(@range(i16,4))|i|{ x+=i; } }\n",
        "fn f() void { for (@range(i16, 4)) |i| { x += i; } }\n",
    );
    becomes("fn f() void { while(i<n):(i+=1){ } }\n", "fn f() void { while (i < n) : (i += 1) {} }\n");
    becomes("layout{ @export_name(\"f\", fn ( u16 ) void ); }\n", "layout { @export_name(\"f\", fn(u16)void); }\n");
    becomes("const a = [ 2 ] u16 { 1,2 };\n", "const a = [2]u16{ 1, 2 };\n");
    becomes(
        "fn f(x: T) u16 { switch(x){ 0,1=>{ return 1; }, else=>return - 1, } }\n",
        "fn f(x: T) u16 { switch (x) { 0, 1 => { return 1; }, else => return -1, } }\n",
    );
    becomes("const E = enum ( u16 ) {A=1 ,B};\n", "const E = enum(u16) { A = 1, B };\n");
    becomes("var a align ( 16 ) = 1;\n", "var a align(16) = 1;\n");
    becomes("fn f() void { blk :{ break : blk; } }\n", "fn f() void { blk: { break :blk; } }\n");
}

#[test]
fn operators_of_one_operand_touch_it() {
    becomes(
        "const a = - b + ~ c;\nconst p: * const [ * ] f32 = & x;\n",
        "const a = -b + ~c;\nconst p: *const [*]f32 = &x;\n",
    );
    becomes("const a = ! b and - c == p .* ;\n", "const a = !b and -c == p.*;\n");
    becomes("fn f(p: [ 4 ] * u16) * u16 { return a[0] * b; }\n", "fn f(p: [4]*u16) *u16 { return a[0] * b; }\n");
    becomes("fn f() void { x = if (a) - b else - c; }\n", "fn f() void { x = if (a) -b else -c; }\n");
    // Without the space the two would be one token.
    stays("const p = & &x;\n");
}

#[test]
fn where_they_do_not_agree_the_author_decides() {
    stays("const a = b*c + d/e;\nconst f = b * c;\n");
    becomes("const a = b *c;\nconst d = b* c;\n", "const a = b * c;\nconst d = b * c;\n");
    stays("const a = .{ .x = 1 };\nconst b = .{.x = 1};\n");
    becomes("const a = .{ .x = 1};\nconst b = .{.x = 1 };\n", "const a = .{ .x = 1 };\nconst b = .{.x = 1};\n");
    stays("const a = 1;\n\nconst b = 2;\nfn f() void {\n\n  g();\n\n}\n");
    stays("fn f() void { g(); h(); }\n");
    stays("const a = .{\n  .x = 1, .y = 2,\n  .z = 3\n};\n");
}

#[test]
fn lines_go_on_as_far_in_as_they_did() {
    becomes(
        "fn f() void {\n    const a = b +\n        c;\n    g(x,\n      y);\n}\n",
        "fn f() void {\n  const a = b +\n      c;\n  g(x,\n    y);\n}\n",
    );
    // Aligned with the first argument, also where that moves.
    becomes(
        "const d = @get_dsd( fabin_dsd, .{.extent= n,\n                                 .input_queue = q});\n",
        "const d = @get_dsd(fabin_dsd, .{.extent = n,\n                                .input_queue = q});\n",
    );
    becomes("const a =\nb;\n", "const a =\n  b;\n");
    becomes("fn f(a: u16,\n     b: u16) void {\n      g();\n}\n", "fn f(a: u16,\n     b: u16) void {\n  g();\n}\n");
    becomes(
        "const d = @get_dsd(fabout_dsd, if (a) .{\n    .x = 1\n    } else .{\n    .x = 2\n});\n",
        "const d = @get_dsd(fabout_dsd, if (a) .{\n  .x = 1\n} else .{\n  .x = 2\n});\n",
    );
}

#[test]
fn columns_stay() {
    stays("const a   = 1; // one\nconst bcd = 2; // two\n");
    becomes("const a   =1;  // one\nconst bcd =2;  // two\n", "const a   = 1;  // one\nconst bcd = 2;  // two\n");
    becomes("param x:  u16; // a\nparam yz: f32; // b\n", "param x:  u16; // a\nparam yz: f32; // b\n");
    becomes("param x :u16;  // a\nparam yz:f32;  // b\n", "param x: u16;   // a\nparam yz: f32;  // b\n");
    // No column, only a space too many.
    becomes("const a =  f(x,  y);\n", "const a = f(x, y);\n");
}

#[test]
fn comments_stay() {
    becomes(
        "//! head\n\n\n\n// one  \n  // two\nfn f() void { // three\n// four\n  g( // five\n    a); // six\n    // seven\n}\n// eight",
        "//! head\n\n// one\n// two\nfn f() void { // three\n  // four\n  g( // five\n    a); // six\n  // seven\n}\n// eight\n",
    );
    stays("fn f() void {\n  if (a) {\n  }\n  // why\n  else {\n  }\n}\n");
    stays("fn f() void\n// why\n{\n}\n");
    stays("// nothing else\n");
}

#[test]
fn the_form_of_a_file_stays() {
    assert_eq!(
        csl_fmt::format("a.csl", "const a=1;\r\nconst b=2;\r\n").expect("it parses"),
        "const a = 1;\r\nconst b = 2;\r\n"
    );
    assert_eq!(csl_fmt::format("a.csl", "\u{feff}const a=1;").expect("it parses"), "\u{feff}const a = 1;\n");
    assert_eq!(csl_fmt::format("a.csl", "\n \n").expect("it parses"), "");
    assert_eq!(
        csl_fmt::format("a.csl", "fn f() void {\n\tg();\n}\n").expect("it parses"),
        "fn f() void {\n  g();\n}\n"
    );
}

#[test]
fn keywords_may_be_names() {
    becomes("const a = .{ . align=1, .const = x . fn };\n", "const a = .{ .align = 1, .const = x.fn };\n");
    becomes("const S = struct { align :u16,for: u16 };\n", "const S = struct { align: u16, for: u16 };\n");
}

#[test]
fn what_does_not_parse_is_refused() {
    let refusal = csl_fmt::format("a.csl", "const a = ;\n").expect_err("it does not parse");
    let text = refusal.render(&csl_diag::Rendering::default());
    assert!(text.contains("a.csl:1:11"), "{text}");
}

#[test]
fn some_lines_alone() {
    let some = |text: &str, lines| csl_fmt::format_lines("a.csl", text, lines).expect("it parses");
    let text = "const a=1; \nconst b=2; \nconst c=3; \nfn f() void {\n      g() ;\n}\n";
    assert_eq!(some(text, 2..=2), "const a=1; \nconst b = 2;\nconst c=3; \nfn f() void {\n      g() ;\n}\n");
    assert_eq!(some(text, 5..=9), "const a=1; \nconst b=2; \nconst c=3; \nfn f() void {\n  g();\n}\n");
    assert_eq!(some(text, 1..=99), csl_fmt::format("a.csl", text).expect("it parses"));
    assert_eq!(some(text, 99..=99), text);
}

#[test]
fn the_other_language_of_that_name_is_known() {
    assert!(csl_fmt::is_citation_style("\u{feff}<?xml version=\"1.0\"?>\n<style/>"));
    assert!(!csl_fmt::is_citation_style("// <style>\nparam a: u16;\n"));
}
