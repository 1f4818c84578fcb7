//! Tiles that share a program have the same program as by an analysis of each alone.

use csl_diag::Rendering;
use csl_ir::{Program, Wafer};
use csl_machine::Arch;

use crate::support::Case;

/// A layout of 6 by 4 tiles with their coordinates; the tests differ in the code of a PE.
fn wafer(pe: &str, share: bool, threads: usize) -> Wafer {
    let layout = "layout {
  @set_rectangle(6, 4);
  for (@range(i16, 6)) |x| {
    for (@range(i16, 4)) |y| {
      @set_tile_code(x, y, \"pe.csl\", .{ .x = x, .y = y, .weight = @as(f32, x) * 0.25, .place = .{ .x = x, .y = y, .last = 5 } });
    }
  }
}
";
    let text = format!(
        "//- layout.csl\n{layout}//- other.csl\nparam n: i16;\nconst big = n > 3;\nfn twice() i16 {{ return if (big) n else n + n; }}\n\
         //- pe.csl\nparam x: i16;\nparam y: i16;\nparam place;\nparam weight: f32;\n\
         var sink: i16;\nvar wide: i32;\nvar real: f32;\nvar half: f16;\n{pe}"
    );
    let mut case = Case::new(&text);
    (case.options.share_programs, case.options.threads) = (share, threads);
    let analysis = case.analyze();
    let found: Vec<String> = analysis.diagnostics.iter().map(|d| d.message.clone()).collect();
    analysis.wafer.unwrap_or_else(|_| panic!("{found:?}"))
}

/// The program of each tile, row by row, with the tile's constants inserted.
pub fn tiles(wafer: &Wafer) -> Vec<String> {
    let mut rest: Vec<&[u64]> = wafer.tile_consts.iter().map(Vec::as_slice).collect();
    let mut texts = Vec::new();
    for run in &wafer.tiles {
        let program = &wafer.programs[run.program];
        for _ in 0..run.len {
            let (own, behind) = rest[run.program].split_at(program.tile_consts.len());
            rest[run.program] = behind;
            texts.push(text(program, own));
        }
    }
    texts
}

fn text(program: &Program, consts: &[u64]) -> String {
    let mut program = program.clone();
    for global in &mut program.globals {
        for part in std::mem::take(&mut global.varying) {
            let (at, bytes) = (part.at as usize, usize::from(part.bytes));
            let index = program.tile_consts.get_index_of(&part.tile_const).expect("the program lists its constants");
            let value = consts[index].to_le_bytes();
            global.init[at..at + bytes].copy_from_slice(&value[..bytes]);
        }
    }
    let mut text = csl_ir::dump_program(&program);
    // A number may begin with another one's digits.
    let mut values: Vec<_> = program.tile_consts.keys().zip(consts).collect();
    values.sort_unstable_by_key(|value| std::cmp::Reverse(value.0));
    for (number, value) in values {
        // As the dump shows an immediate value.
        let shown = match *value as i64 {
            small if small.unsigned_abs() < 1 << 16 => small.to_string(),
            _ => format!("{value:#x}"),
        };
        text = text.replace(&format!("tile{number}"), &shown);
    }
    text
}

/// All of a wafer that an analysis decides, with the numbers of types and constants.
fn whole(wafer: &Wafer) -> String {
    let programs: Vec<String> = wafer.programs.iter().map(csl_ir::dump_program).collect();
    let types = wafer.types.extent();
    format!("{}\n{:?}\n{:?}\n{types:?}", programs.join("\n"), wafer.tiles, wafer.tile_consts)
}

/// Checks that neither sharing nor several threads change a tile's program, and the number of programs.
fn check(pe: &str, programs: usize) {
    let [shared, alone] = [true, false].map(|share| {
        let wafers = [1, 3].map(|threads| wafer(pe, share, threads));
        assert_eq!(whole(&wafers[0]), whole(&wafers[1]), "{pe}");
        wafers.into_iter().next().expect("there are two")
    });
    assert_eq!(alone.programs.len(), 24, "every tile has params of its own");
    assert_eq!(tiles(&shared), tiles(&alone));
    assert_eq!(shared.programs.len(), programs, "{pe}");
}

#[test]
fn a_value_that_only_reaches_code_or_data_is_a_constant_of_the_tile() {
    check("var data = [3]i16{ x, y, x - y };\nexport fn f() void { sink = x * 100 + y; wide = @as(i32, x) << 4; }", 1);
}

#[test]
fn params_of_imports_and_fields_of_structs_stay_open() {
    check(
        "const m = @import_module(\"other.csl\", .{ .n = place.y });\nexport fn f() void { sink = place.x + m.twice(); }",
        1,
    );
    check("const m = @import_module(\"other.csl\", .{ .n = x });\nexport fn f() void { sink = m.twice(); }", 2);
}

#[test]
fn a_branch_counts_by_its_outcome() {
    check(
        "export fn f() void { if (x == 0) { sink = 1; } else if (x == place.last) { sink = 2; } else { sink = x; } }",
        3,
    );
    check("export fn f() void { sink = if (x % 2 == 0 and y < 2) x else -y; }", 3);
    check("export fn f() void { sink = switch (y) { 0 => 5, 1, 2 => x, else => 7 }; }", 4);
    check(
        "const kind = if (x > y) @as(i16, 1) else if (x == y) @as(i16, 2) else x;\nexport fn f() void { sink = kind; }",
        3,
    );
}

#[test]
fn a_value_that_decides_a_size_counts_by_itself() {
    check("var data: [x + 1]i16;\nexport fn f() void { sink = data[0] + y; }", 6);
    check(
        "const c = @get_color(y);\nconst d = @get_dsd(fabout_dsd, .{ .extent = 4, .fabric_color = c, .output_queue = @get_output_queue(2) });\n\
           export fn f() void { @fmovs(d, 1.0, .{ .async = true }); sink = x; }",
        4,
    );
    check("export fn f() void { for (@range(i16, y)) |i| { sink += i; } }", 4);
    check("export fn f() void { wide = @as(i32, @as(f32, x)); }", 6);
}

#[test]
fn comptime_functions_and_loops_keep_a_value_open() {
    check(
        "fn sum(a: i16) i16 { var s: i16 = 0; var i: i16 = 0; while (i < 3) : (i += 1) { s += a * i; } return s; }\n\
           const total = sum(x);\nexport fn f() void { sink = total; }",
        1,
    );
    check(
        "fn low(comptime a: i16, b: i16) i16 { return if (a < 3) b else a; }\nexport fn f() void { sink = low(x, sink); }",
        2,
    );
}

#[test]
fn arithmetic_wraps_for_every_tile_as_for_the_first() {
    check("const far: i16 = 32765;\nexport fn f() void { sink = far + x; wide = @as(i32, ~x) - 7; sink += -y; }", 1);
    check("const far: u8 = 252;\nexport fn f() void { sink = @as(i16, far + @as(u8, x)); }", 1);
}

#[test]
fn floats_stay_open_too() {
    check("export fn f() void { real = @as(f32, x) * 0.5 + weight; half = @as(f16, y); }", 1);
    check(
        "var data = [3]f32{ weight, -weight, 1.0 / @as(f32, x + 1) };\nexport fn f() void { real = data[y - y]; }",
        1,
    );
    check("const step = @as(comptime_float, x) * 0.1;\nexport fn f() void { real = step + 1.0; half = step; }", 1);
    check("const n: comptime_int = y;\nexport fn f() void { real = n; real += weight - n; }", 1);
}

#[test]
fn a_float_that_comptime_code_reads_counts_by_itself() {
    check("export fn f() void { real = if (weight > 0.3) 1.0 else 2.0; }", 6);
    check("const n = @as(i16, weight * 4.0);\nexport fn f() void { sink = n; }", 6);
    // 1 / x has no value for x = 0 alone.
    check(
        "const inverse = if (x == 0) 0.0 else 1.0 / @as(comptime_float, x);\nexport fn f() void { real = inverse; }",
        2,
    );
}

#[test]
fn an_error_is_told_once_for_all_tiles_that_have_it() {
    let text = "//- layout.csl\nlayout {\n  @set_rectangle(8, 1);\n  for (@range(i16, 8)) |x| { @set_tile_code(x, 0, \"pe.csl\", .{ .x = x }); }\n}\n\
                //- pe.csl\nparam x: i16;\nvar sink: i16;\nexport fn f() void { if (x > 2) { sink = nothing; } else { sink = x; } }\n";
    let analysis = Case::new(text).analyze();
    assert!(analysis.wafer.is_err());
    let found: Vec<_> = analysis.diagnostics.iter().collect();
    assert_eq!(found.len(), 1);
    assert!(
        found[0].trace.iter().any(|step| step.text == "as the code of PE (3, 0) and on 4 more tiles"),
        "{:?}",
        found[0].trace
    );
}

#[test]
fn an_error_is_told_beside_tiles_with_fewer_numbers() {
    let text = "//- layout.csl\nlayout {\n  @set_rectangle(4, 1);\n  for (@range(i16, 3)) |x| { @set_tile_code(x, 0, \"pe.csl\", .{ .a = 1, .x = x }); }\n  \
                @set_tile_code(3, 0, \"last.csl\", .{});\n}\n//- last.csl\nexport fn f() void {}\n\
                //- pe.csl\nparam a: i16;\nparam x: i16;\nexport fn f() void { nothing = a + x; }\n";
    let analysis = Case::new(text).analyze();
    assert!(analysis.wafer.is_err());
    let steps: Vec<&str> =
        analysis.diagnostics.iter().flat_map(|found| &found.trace).map(|step| step.text.as_str()).collect();
    assert_eq!(steps, ["as the code of PE (0, 0) and on 2 more tiles"]);
}

/// Tiles with files, types and constants of their own, warnings, and errors that some of them have.
#[test]
fn several_threads_find_and_make_the_same() {
    let layout = "layout {
  @set_rectangle(40, 3);
  for (@range(i16, 40)) |x| {
    for (@range(i16, 3)) |y| {
      @set_tile_code(x, y, if (y == 2) \"late.csl\" else \"pe.csl\", .{ .x = x, .y = y });
    }
  }
}
";
    let pe = "param x: i16;\nparam y: i16;\n\
              const own = if (x % 7 == 5) @import_module(\"other.csl\", .{ .n = x }) else .{ .n = y };\n\
              var data = @zeros([if (x < 20) 4 else x]i16);\nvar sink: i16;\n\
              const half = (x + 3) / 2;\nconst color = @get_color(if (x == 30) 40 else 2);\n\
              const out = @get_dsd(fabout_dsd, .{ .extent = 4, .fabric_color = color, .output_queue = @get_output_queue(3) });\n\
              comptime { @comptime_print(x); if (x == 18) { @initialize_queue(@get_output_queue(3), .{ .color = @get_color(3) }); } }\n\
              export fn f() void { @mov16(out, half); data[0] = own.n; sink = if (x == 33) missing else x * y; }\n";
    let text = format!(
        "//- layout.csl\n{layout}\n//- other.csl\nparam n: i16;\n//- pe.csl\n{pe}\n\
         //- late.csl\nparam x: i16;\nparam y: i16;\nvar sink: [x + 1]i16;\nexport fn f() void {{ sink[0] = y; }}\n"
    );
    for (has_errors, share) in [(true, true), (true, false), (false, true), (false, false)] {
        let of = |threads| {
            let text =
                if has_errors { text.clone() } else { text.replace("40 else 2", "1 else 2").replace("missing", "7") };
            let mut case = Case::new(&text);
            (case.options.share_programs, case.options.threads, case.options.arch) = (share, threads, Arch::Wse3);
            case.options.fabric = Some((60, 10).into());
            let analysis = case.analyze();
            let found = csl_diag::render(&analysis.sources, &analysis.diagnostics, &Rendering::default());
            (found, analysis.wafer.map(|wafer| whole(&wafer)).unwrap_or_default(), analysis.imports)
        };
        let one = of(1);
        assert!(one.0.contains("note[N0408]: 29\n") && one.0.contains("error[E0201]") == has_errors, "{}", one.0);
        assert_eq!(one.1.is_empty(), has_errors, "{}", one.0);
        for threads in [2, 5] {
            assert_eq!(of(threads), one);
        }
    }
}
