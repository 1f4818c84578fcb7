//! A program of one PE that compares values itself: the number of differences and the first of them.

use csl_host::{Arch, HostError, Options, Rect};
use csl_num::FloatKind;
use tempfile::TempDir;

use crate::program;

const LAYOUT: &str = "
const memcpy = @import_module(\"<memcpy/get_params>\", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, \"pe.csl\", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name(\"verdict\", [*]u32, true);
  @export_name(\"run\", fn()void);
}
";

/// The PE program around the generated functions: `verdict` is the number of differences and the first of them.
pub const FRAME: &str = "
param memcpy_params;
const sys_mod = @import_module(\"<memcpy/memcpy>\", memcpy_params);
var verdict = @zeros([2]u32);
var verdict_ptr: [*]u32 = &verdict;
fn check(agrees: bool, number: u32) void {
  if (!agrees) {
    if (verdict[0] == 0) { verdict[1] = number; }
    verdict[0] += 1;
  }
}
comptime {
  @export_symbol(verdict_ptr, \"verdict\");
  @export_symbol(run);
}
";

/// The program's `verdict` after `run`, or how the run ended.
pub fn verdict(source: &str, arch: Arch, fp16: FloatKind) -> Result<Vec<u32>, HostError> {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("layout.csl"), LAYOUT).expect("the folder is writable");
    std::fs::write(folder.path().join("pe.csl"), source).expect("the folder is writable");
    let options = Options {
        folder: folder.path().to_owned(),
        output: folder.path().join("out"),
        arch,
        fp16,
        memcpy: true,
        ..Options::new("layout.csl")
    };
    let mut runtime = program::started(&options);
    program::call(&mut runtime, "run", &[])?;
    program::read(&mut runtime, "verdict", Rect::new(0, 0, 1, 1), 2)
}
