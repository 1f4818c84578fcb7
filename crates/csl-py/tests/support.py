"""A program that the tests share, compiled once."""
import atexit
import os
import shutil
import tempfile

import waferlab

LAYOUT = """
param width: u16;
const memcpy = @import_module("<memcpy/get_params>", .{ .width = width, .height = 2 });
layout {
  @set_rectangle(width, 2);
  for (@range(u16, width)) |x| {
    for (@range(u16, 2)) |y| {
      @set_tile_code(x, y, "pe.csl", .{ .memcpy_params = memcpy.get_params(x) });
    }
  }
  @export_name("v", [*]f32, true);
  @export_name("h", [*]f16, true);
  @export_name("fixed", [*]f32, false);
  @export_name("scale", fn(f32)void);
  @export_name("hold", fn()void);
  @export_name("spin", fn()void);
  @export_name("lose", fn()void);
}
"""

PE = """
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
var v = @zeros([4]f32);
var h = @zeros([4]f16);
var turns: u32 = 0;
var v_ptr: [*]f32 = &v;
var h_ptr: [*]f16 = &h;
const fixed_ptr: [*]f32 = &v;
fn scale(factor: f32) void {
  for (@range(i16, 4)) |i| {
    v[i] *= factor;
    h[i] += h[i];
  }
  sys_mod.unblock_cmd_stream();
}
fn hold() void {}
const loop = @get_color(3);
const queue = @get_output_queue(2);
const to_nobody = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = loop, .output_queue = queue });
fn lose() void {
  @mov32(to_nobody, 1);
  sys_mod.unblock_cmd_stream();
}
fn spin() void {
  while (true) {
    turns += 1;
  }
}
comptime {
  @export_symbol(v_ptr, "v");
  @export_symbol(h_ptr, "h");
  @export_symbol(fixed_ptr, "fixed");
  @export_symbol(scale);
  @export_symbol(hold); // waferlab: allow(W0523)
  @export_symbol(spin); // waferlab: allow(W0523)
  @export_symbol(lose);
  @initialize_queue(queue, if (@is_arch("wse3")) .{ .color = loop } else .{});
  @set_local_color_config(loop, .{ .routes = .{ .rx = .{RAMP}, .tx = .{RAMP} } }); // waferlab: allow(W0610)
}
"""

OPTIONS = "layout.csl --fabric-dims=10,4 --fabric-offsets=4,1 --memcpy --channels=1 --params=width:3"

_compiled = {}

# Runs leave files in the folder where they are started.
_scratch = tempfile.mkdtemp(prefix="waferlab-test-")
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
os.chdir(_scratch)


def sources():
    """A new folder with the program's sources, removed at the end."""
    folder = tempfile.mkdtemp(prefix="waferlab-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, text in (("layout.csl", LAYOUT), ("pe.csl", PE)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return folder


def compiled():
    """The output folder of the program for three columns and two rows of PEs."""
    if "out" not in _compiled:
        _compiled["out"] = waferlab.compile_csl(OPTIONS, sources())
    return _compiled["out"]


def running(**options):
    """A run with a folder of its own for its files: not every test stops what it has started."""
    here = os.getcwd()
    os.chdir(tempfile.mkdtemp(dir=_scratch))
    try:
        runner = waferlab.SdkRuntime(compiled(), **options)
        runner.load()
        runner.run()
    finally:
        os.chdir(here)
    return runner
