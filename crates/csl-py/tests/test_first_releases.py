"""Host calls that only the first releases with memcpy have."""
import os
import tempfile
import unittest

import numpy as np

import support  # noqa: F401 (runs leave their files in its folder)
from waferlab import SdkError, SdkRuntime, compile_csl

LAYOUT = """
param LAUNCH_ID: i16;
const memcpy = @import_module("<memcpy_multi/get_params>", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  for (@range(u16, 2)) |x| {
    @set_tile_code(x, 0, "pe.csl", .{
      .memcpy_params = memcpy.get_params(x), .LAUNCH = @get_color(LAUNCH_ID), .STEP = @get_color(12),
    });
  }
  @export_name("v", [*]i32, true);
}
"""

# A launch sends the number of arguments, the arguments and the number of a function; the function takes many tasks.
PE = """
param memcpy_params: comptime_struct;
param LAUNCH: color;
param STEP: color;
const sys_mod = @import_module("<memcpy_multi/memcpy>", @concat_structs(memcpy_params, .{ .LAUNCH = LAUNCH }));
var v = @zeros([1]i32);
var v_ptr: [*]i32 = &v;
var words = @zeros([3]i32);
var taken: u16 = 0;
var steps: u16 = 0;
task decode(word: i32) void {
  words[taken] = word;
  taken += 1;
  if (taken == 3 and words[0] == 1 and word == 7) {
    taken = 0;
    steps = 1000;
    @activate(STEP);
  }
}
task step() void {
  steps -= 1;
  if (steps > 0) {
    @activate(STEP);
  } else {
    v[0] = v[0] * words[1];
    sys_mod.unblock_cmd_stream();
  }
}
comptime {
  @bind_task(decode, LAUNCH);
  @bind_task(step, STEP);
  @export_symbol(v_ptr, "v");
}
"""


class Launches(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory(prefix="waferlab-test-") as folder:
            for name, text in (("layout.csl", LAYOUT), ("pe.csl", PE)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            flags = "--fabric-dims=9,3 --fabric-offsets=4,1 --memcpy --channels=1 --params=LAUNCH_ID:4 --arch=wse2"
            self.runner = SdkRuntime(compile_csl(f"layout.csl {flags}", folder))
        self.v = self.runner.get_id("v")

    def test_words_for_a_task_of_the_program_s_own(self):
        self.runner.load()
        self.runner.run()
        data, back = np.array([5, -6], dtype=np.int32), np.zeros(2, dtype=np.int32)
        self.runner.memcpy_h2d(self.v, data, False, 0, 0, 2, 1, 1, 0, True)
        for nonblock in (False, True):
            self.runner.memcpy_launch(4, np.array([1, 3, 7], dtype=np.uint32), nonblock)
        self.runner.memcpy_d2h(back, self.v, False, 0, 0, 2, 1, 1, 0, False)
        self.runner.stop()
        np.testing.assert_array_equal(back, data * 9)

    def test_before_the_run_and_with_a_wrong_array(self):
        with self.assertRaisesRegex(SdkError, r"memcpy_launch: call load\(\) and run\(\) first"):
            self.runner.memcpy_launch(4, [1, 3, 7], False)
        with self.assertRaisesRegex(SdkError, "memcpy_launch: the host array, params, must be a numpy array"):
            self.runner.memcpy_launch(4, "go", False)


if __name__ == "__main__":
    unittest.main()
