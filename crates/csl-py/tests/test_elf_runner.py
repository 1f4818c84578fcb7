"""CSELFRunner: words enter and leave by the places around the program, or by memcpy in batches."""
import os
import tempfile
import unittest
from glob import glob
from unittest import mock

import numpy as np

from waferlab import ArgumentError, SdkError, SimulationError, compile_csl

from cerebras.elf.cs_elf_runner import CSELFRunner
from cerebras.elf.cself import ELFMemory

# Two columns and rows. 32-bit words come from the west and go on to the east, doubled in each column and with the PE's bias added;
# 16-bit words come from the north with their positions, and behind them the sentinel, at which the column's sum leaves
# to the south.
LAYOUT = """
param words: color;
param doubled: color;
param halves: color;
param total: color;
param sentinel: color;
layout {
  @set_rectangle(2, 2);
  for (@range(u16, 2)) |x| {
    for (@range(u16, 2)) |y| {
      const into = if (x == 0) words else doubled;
      const out = if (x == 0) doubled else words;
      @set_tile_code(x, y, "pe.csl", .{
        .into = into, .out = out, .halves = halves, .total = total, .sentinel = sentinel, .is_last = y == 1,
      });
      @set_color_config(x, y, into, .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } });
      @set_color_config(x, y, out, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
      if (y == 0) {
        @set_color_config(x, y, halves, .{ .routes = .{ .rx = .{ NORTH }, .tx = .{ SOUTH } } });
      } else {
        @set_color_config(x, y, halves, .{ .routes = .{ .rx = .{ NORTH }, .tx = .{ RAMP } } });
        @set_color_config(x, y, total, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ SOUTH } } });
      }
    }
  }
}
"""

PE = """
param into: color;
param out: color;
param halves: color;
param total: color;
param sentinel: color;
param is_last: bool;
var bias: u32 = 0;
var weights = @zeros([3]i16);
var seen = @zeros([3]i16);
var sum = @zeros([1]i16);
const to_east = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = out });
const to_south = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = total });
task double(word: u32) void { @mov32(to_east, 2 * word + bias); }
task take(value: i16, position: u16) void {
  seen[position] = value;
  sum[0] += value * weights[position];
}
task end() void { @mov16(to_south, sum[0]); }
comptime {
  @bind_task(double, into);
  if (is_last) {
    @bind_task(take, halves);
    @bind_task(end, sentinel);
  }
}
"""


def compile_for(cls, layout, pe, options):
    """Compiles a program for a class of tests: `folder`, and the files `elfs` that its hosts name."""
    cls.folder = tempfile.TemporaryDirectory(prefix="waferlab-test-")
    cls.addClassCleanup(cls.folder.cleanup)
    # Runs that are given up keep their logs: those of other tests are to lie elsewhere.
    folder = mock.patch.dict(os.environ, WAFERLAB_OUTPUT_FOLDER=cls.folder.name)
    folder.start()
    cls.addClassCleanup(folder.stop)
    for name, text in (("layout.csl", layout), ("pe.csl", pe)):
        with open(os.path.join(cls.folder.name, name), "w", encoding="utf-8") as file:
            file.write(text)
    compile_csl(f"layout.csl --arch=wse2 {options}", cls.folder.name)
    cls.elfs = sorted(glob(os.path.join(cls.folder.name, "out", "bin", "out_[0-9]*.elf")))


class Hosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        colors = "--colors=words:1,doubled:2,halves:3,total:4,sentinel:43"
        compile_for(cls, LAYOUT, PE, f"--fabric-dims=4,4 --fabric-offsets=1,1 {colors}")

    def test_streams_by_port_maps(self):
        runner = CSELFRunner(self.elfs, cmaddr=None)
        x = np.arange(6, dtype=np.uint32).reshape(2, 3)
        runner.add_input_tensor(1, "{ x[j=0:1, i=0:3-1] -> [PE[-1, j] -> index[i]] }", x)
        runner.add_output_tensor(1, "{ y[j=0:1][i=0:2] -> [PE[2, j] -> index[i]] }", np.uint32)
        runner.connect_and_run()
        np.testing.assert_array_equal(runner.out_tensor_dict["y"], 4 * x)

    def test_symbols_are_written_before_the_run(self):
        runner = CSELFRunner(ELFMemory(*self.elfs))
        # By column, then row; columns and rows are those of the whole fabric.
        runner.set_symbol_rect("bias", np.array([[1, 2], [10, 20]], np.uint32), offset=(1, 1))
        runner.add_input_tensor(1, ("WEST", 1), np.array([5], np.uint32))
        runner.add_output_tensor(1, "{ y[i=0:0] -> [PE[2, 1] -> index[i]] }", np.uint32)
        runner.connect_and_run()
        np.testing.assert_array_equal(runner.out_tensor_dict["y"], [2 * (2 * 5 + 2) + 20])
        np.testing.assert_array_equal(
            runner.get_symbol_rect(((1, 1), (2, 2)), "bias", np.uint32).reshape(2, 2), [[1, 2], [10, 20]]
        )

    def test_halves_have_their_positions_and_a_sentinel(self):
        runner = CSELFRunner(self.elfs)
        for column in (1, 2):
            runner.set_symbol(column, 2, "weights", np.array([1, 10, 100], np.int16))
        halves = np.array([[1, 2, 3], [-4, 5, -6]], np.int16)
        runner.add_input_array("halves", 3, "N", halves, sentinel=43)
        totals = np.zeros((2, 1), np.int16)
        runner.add_output_array("total", 4, "S", totals)
        runner.connect_and_run()
        np.testing.assert_array_equal(totals, [[321], [-554]])
        np.testing.assert_array_equal(runner.out_tensor_dict["total"], totals)
        np.testing.assert_array_equal(runner.get_symbol(2, 2, "seen", np.int16), halves[1])

    def test_two_outputs_at_one_place_share_what_comes(self):
        runner = CSELFRunner(self.elfs)
        runner.add_input_tensor(1, "{ x[i=0:3] -> [PE[-1, 0] -> index[i]] }", np.arange(4, dtype=">u4"))
        runner.add_output_tensor(1, "{ a[i=0:0] -> [PE[2, 0] -> index[i]] }", np.uint32)
        runner.add_output_tensor(1, "{ b[i=0:2, 0] -> [PE[2, 0] -> index[i mod 3]] }", np.uint32)
        runner.connect_and_run(os.path.join(self.folder.name, "out.core"))
        np.testing.assert_array_equal(runner.out_tensor_dict["a"], [0])
        np.testing.assert_array_equal(runner.out_tensor_dict["b"], [[4], [8], [12]])
        self.assertTrue(os.path.isfile(os.path.join(self.folder.name, "out.core")))

    def test_words_that_do_not_come_in_are_told(self):
        runner = CSELFRunner(self.elfs)
        # Nothing takes them there: the color comes from the west.
        runner.add_input_tensor(1, ("EAST", 0), np.arange(100, dtype=np.uint32))
        with self.assertWarnsRegex(RuntimeWarning, r"\d+ words of color 1 have not come in from PE\[2, 0\]"):
            runner.connect_and_run()

    def test_a_runner_runs_once(self):
        runner = CSELFRunner(self.elfs)
        self.assertEqual(runner.get_symbol(1, 1, "bias", np.uint32), [0])
        runner.connect_and_run()
        with self.assertRaisesRegex(SdkError, "runs once"):
            runner.connect_and_run()
        with self.assertRaisesRegex(SdkError, "has run"):
            runner.set_symbol(1, 1, "bias", np.uint32(1))

    def test_files_tell_coordinates(self):
        self.assertEqual(list(ELFMemory(*self.elfs).iter_coordinates()), [(0, 0), (0, 1), (1, 0), (1, 1)])

    def test_an_output_that_does_not_come(self):
        runner = CSELFRunner(self.elfs)
        runner.add_input_tensor(1, ("WEST", 0), np.array([5], np.uint32))
        runner.add_output_tensor(1, "{ y[i=0:2] -> [PE[2, 0] -> index[i]] }", np.uint32)
        with self.assertRaisesRegex(SimulationError, "y has got 1 of 3 words of color 1"):
            runner.connect_and_run()

    def test_what_is_wrong_is_told(self):
        word = np.array([5], np.uint32)

        def running(act):
            runner = CSELFRunner(self.elfs)
            act(runner)
            runner.connect_and_run()

        inside = "{ x[i=0:0] -> [PE[0, 0] -> index[i]] }"
        wrong = (
            (lambda runner: runner.add_input_tensor(1, inside, word), "no place beside the program"),
            (lambda runner: runner.add_input_tensor(7, ("WEST", 0), word), "no route for color 7"),
            (lambda runner: runner.add_input_tensor(1, ("UP", 0), word), '"N", "E", "S" or "W"'),
            (lambda runner: runner.add_input_tensor(1, ("WEST", 0), np.array([5])), "16 or 32 bits"),
            (lambda runner: runner.add_input_tensor(1, inside, np.zeros(2, np.uint32)), "1 elements, the tensor has 2"),
            (lambda runner: runner.add_output_tensor(1, inside, np.float64), "16 or 32 bits, not float64"),
            (lambda runner: runner.add_input_tensor(1.5, ("WEST", 0), word), "color must be a whole number, not 1.5"),
            (lambda runner: runner.add_input_tensor(-1, ("WEST", 0), word), "color: there is no -1"),
            (lambda runner: runner.add_input_tensor(1, ("WEST", 0), word, sentinel=64), "sentinel 64: .* end at 63"),
            (lambda runner: runner.add_input_array("x", 1, "W", word[0]), r"shape \(\) has nothing for a side"),
            (lambda runner: runner.add_input_array("x", 1, "W", word[:0]), r"shape \(0,\) has nothing for a side"),
            (lambda runner: runner.add_output_array("x", 1, "W", [0]), "must be a numpy array, not list"),
            (lambda runner: runner.add_input_tensor(1, "{ x[i=0:0] -> [PE[-1, 0] -> index[2.i]] }", word), r"'\.' has no meaning here"),
            (lambda runner: runner.add_input_tensor(1, "{ x[i=0:0] -> [PE[-1, k] -> index[i]] }", word), "no dimension k"),
            (lambda runner: runner.add_input_tensor(1, "{ x[i=0:0] -> [PE[1] -> index[i]] }", word), "a column and a row"),
            (lambda runner: runner.add_input_tensor(1, "{ x[i=0:0, junk] -> [PE[-1, 0] -> index[i]] }", word), "junk has no bounds"),
            (lambda runner: runner.set_symbol(1, 1, "bias", 5), "items of up to 32 bits, not int64"),
            (lambda runner: runner.set_symbol_rect("bias", word), r"by column and row, not one of shape \(1,\)"),
            (lambda runner: runner.set_symbol(1, 1, "bias", np.zeros(9, np.uint32)), "bias has 4 bytes, and 36 are given"),
            (lambda runner: runner.set_symbol(1, 1, "missing", word), "missing"),
            (lambda runner: runner.set_symbol(0, 0, "bias", word), "0"),
        )
        for act, message in wrong:
            with self.subTest(message), self.assertRaisesRegex(ArgumentError, message):
                running(act)
        runner = CSELFRunner(self.elfs)
        for method, arguments in (
            ("load", ()), ("start", ()), ("stop", ()), ("run_batch", ([1],)),
            ("prepare_input_array", (1, 0, word)), ("prepare_input_tensor", (1, inside, word)),
        ):
            with self.subTest(method), self.assertRaisesRegex(SdkError, f"{method}: batches are those of memcpy"):
                getattr(runner, method)(*arguments)
        with self.assertRaisesRegex(ArgumentError, "add_output_array: offset is 2"):
            runner.add_output_array("x", 1, "W", word, offset=2)
        with self.assertRaisesRegex(ArgumentError, "height is 3, and the program has 2x2 PEs"):
            CSELFRunner(self.elfs, width=2, height=3)
        twice = CSELFRunner(self.elfs)
        twice.add_output_tensor(1, "{ y[i=0:0] -> [PE[2, 0] -> index[i]] }", np.uint32)
        with self.assertRaisesRegex(ArgumentError, "two outputs y"):
            twice.add_output_tensor(1, "{ y[i=0:0] -> [PE[2, 1] -> index[i]] }", np.uint32)
        with self.assertWarnsRegex(RuntimeWarning, "sentinal"):
            twice.add_input_tensor(1, ("WEST", 0), word, sentinal=43)
        with self.assertRaisesRegex(ArgumentError, "no ELF files"):
            CSELFRunner([])
        for paths, told in (
            (None, "elf_paths must be a list, not None .*out_X_Y.elf"),
            (3, "elf_paths must be a list, not 3"),
            ([3], r"elf_paths must be a list of str or PathLike, and has 3 \(int\)"),
            (["nosuch.elf"], "there is no file 'nosuch.elf'; `cslc -o out` writes them to out/bin/out_X_Y.elf"),
            (os.path.dirname(self.elfs[0]), "there is no file '.*bin'"),
        ):
            with self.subTest(told), self.assertRaisesRegex(ArgumentError, f"CSELFRunner: {told}"):
                CSELFRunner(paths)
        for colors in (3, [True], ["a"]):
            with self.subTest(colors), self.assertRaisesRegex(ArgumentError, "input_colors must be a"):
                CSELFRunner(self.elfs, input_colors=colors)
        for call in (
            lambda: twice.add_input_tensor(1, ("WEST", 0), word), lambda: twice.add_input_array("x", 1, "W", word),
            lambda: twice.add_output_tensor(1, "{ z[i=0:0] -> [PE[2, 0] -> index[i]] }", "f4"),
            lambda: twice.add_output_array("z", 1, "E", word),
        ):
            twice._has_run = True
            with self.assertRaisesRegex(SdkError, r"^add_\w+: the program has run; tensors are given before connect_and_run"):
                call()

    def test_port_maps_that_cannot_be_are_told(self):
        runner, words = CSELFRunner(self.elfs), np.zeros(2, np.uint32)
        for text, told in (
            (None, "a port map must be a str, or a side"),
            (3, "a port map must be a str, or a side"),
            (b"x", "a port map must be a str, or a side"),
            ("{ x[i=0:99999999999] -> [PE[-1, 0] -> index[i]] }", "describes 100000000000 elements, the tensor has 2"),
            ("{ x[i=0:1] -> [PE[-1, 0] -> index[i//0]] }", "'i//0' divides by 0"),
            ("{ x[i=0:1] -> [PE[-1, 0] -> index[i%0]] }", "'i%0' divides by 0"),
            ("{ x[i=0:1] -> [PE[-1, 0] -> index[i-1]] }", "an index is negative"),
            ("{ x[i=0:1] -> [PE[-1, 99999999999999999999] -> index[i]] }", "99999999999999999999 is beyond 64 bits"),
            ("{ x[i=0:0][i=0:1] -> [PE[-1, 0] -> index[i]] }", "there are two dimensions i"),
        ):
            with self.subTest(text), self.assertRaisesRegex(ArgumentError, told):
                runner.add_input_tensor(1, text, words)
        for text, told in (
            (None, "a port map must be a str, not None"),
            ("{ y[i=0:99999999999] -> [PE[2, 0] -> index[i]] }", "its 100000000000 elements are too many; a tensor has up to"),
        ):
            with self.subTest(text), self.assertRaisesRegex(ArgumentError, told):
                runner.add_output_tensor(1, text, np.uint32)
        with self.assertWarnsRegex(RuntimeWarning, r"x\[0\]\[0\] and x\[1\]\[0\] both have PE\[-1, 0\] -> index\[1\]; they pass in the order"):
            runner.add_input_tensor(1, "{ x[j=0:1, i=1:1] -> [PE[-1, 0] -> index[i]] }", words)

    def test_values_that_cannot_be_are_told(self):
        runner, masked = CSELFRunner(self.elfs), np.ma.masked_array(np.zeros(1, np.uint32), [True])
        column = "{ y[i=0:0] -> [PE[2, 0] -> index[i]] }"
        for told, method, *arguments in (
            ("get_symbol: name must be a str, not None", "get_symbol", 1, 1, None, np.uint32),
            ("bias: dtype must be a type of numpy's, .*'qq'", "get_symbol", 1, 1, "bias", "qq"),
            (r"get_symbol_rect: a rectangle must be .*, not \(1, 1\)", "get_symbol_rect", (1, 1), "bias", np.uint32),
            ("set_symbol_rect: offset must be", "set_symbol_rect", "bias", np.zeros((1, 1), np.uint32), 3),
            ("set_symbol: a masked array would lose its mask", "set_symbol", 1, 1, "bias", masked),
            ("add_input_tensor: a masked array would lose its mask", "add_input_tensor", 1, ("W", 0), masked),
            ("add_output_array: a masked array would lose its mask", "add_output_array", "y", 1, "E", masked),
            ("add_input_tensor: a numpy array is needed", "add_input_tensor", 1, ("W", 0), [[1], [2, 3]]),
            ("color must be a whole number, not True", "add_output_tensor", True, column, np.uint32),
            ("16 or 32 bits, not float64; give one such as np.float32", "add_output_tensor", 1, column, "f8"),
            ("add_output_tensor: dtype must be a type of numpy's, not 'qq'", "add_output_tensor", 1, column, "qq"),
        ):
            with self.subTest(told), self.assertRaisesRegex(ArgumentError, told):
                getattr(runner, method)(*arguments)


if __name__ == "__main__":
    unittest.main()


# Two columns, three rows. Each PE sends two of the words that it gets back, times a factor that the host sends.
BATCH_LAYOUT = """
param width: i16;
param height: i16;
const memcpy = @import_module("<memcpy/get_params>", .{ .width = width, .height = height });
layout {
  @set_rectangle(width, height);
  for (@range(i16, width)) |x| {
    for (@range(i16, height)) |y| {
      @set_tile_code(x, y, "pe.csl", .{ .memcpy_params = memcpy.get_params(x) });
    }
  }
}
"""

BATCH_PE = """
param memcpy_params: comptime_struct;
const words = @get_color(1);
const factors = @get_color(2);
const products = @get_color(3);
const sys_mod = @import_module("<memcpy/memcpy>", .{ .MEMCPYH2D_1 = words, .MEMCPYH2D_2 = factors, .MEMCPYD2H_1 = products });
var factor: u32 = 1;
const out = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = products, .output_queue = 3 });
task take(word: u32) void { @mov32(out, factor * word); }
task set(value: u32) void { factor = value; }
comptime {
  @bind_task(take, words);
  @bind_task(set, factors);
}
"""


class Batches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        options = "--fabric-dims=9,5 --fabric-offsets=4,1 --params=width:2,height:3 --memcpy"
        compile_for(cls, BATCH_LAYOUT, BATCH_PE, options)

    def runner(self):
        return CSELFRunner(self.elfs, width=2, height=3, input_colors={1, 2}, output_colors=[3])

    # Column i, row j; the closing braces are as a program of 0.6 has them, an f-string but for its last part.
    WORDS = "{ x[i=0:1, j=0:2, k=0:1] -> [PE[i, j] -> index[k]]}}"
    PRODUCTS = "{ y[i=0:1, j=0:2, k=0:1] -> [PE[i, j] -> index[k]] }"

    def test_all_tensors_at_once(self):
        runner, x = self.runner(), np.arange(12, dtype=np.uint32).reshape(2, 3, 2)
        runner.add_input_tensor(1, self.WORDS, x)
        runner.add_output_tensor(3, self.PRODUCTS, np.uint32)
        runner.connect_and_run(os.path.join(self.folder.name, "out.core"))
        np.testing.assert_array_equal(runner.out_tensor_dict["y"], x)
        self.assertTrue(os.path.isfile(os.path.join(self.folder.name, "out.core")))
        with self.assertRaisesRegex(SdkError, "runs once"):
            runner.start()

    def test_batches_move_some_of_the_tensors(self):
        runner, x = self.runner(), np.arange(12, dtype=np.int16).reshape(2, 3, 2) - 6
        runner.add_input_tensor(1, self.WORDS, None, reusable=True)
        runner.add_input_array("factors", 2, "W", None, reusable=True)
        runner.add_output_tensor(3, self.PRODUCTS, np.int16)
        runner.load()
        runner.start()
        runner.prepare_input_tensor(1, self.WORDS, x)
        runner.run_batch([1, 3])
        np.testing.assert_array_equal(runner.out_tensor_dict["y"], x)
        # By row, then column.
        factors = np.arange(6, dtype=np.uint32).reshape(3, 2, 1)
        runner.prepare_input_array(2, 0, factors)
        runner.run_batch([2])
        # What was prepared stays.
        runner.run_batch([1, 3])
        np.testing.assert_array_equal(runner.out_tensor_dict["y"], x * factors.swapaxes(0, 1).astype(np.int16))
        runner.stop()
        # Column 1, row 2 of the program, which begins at (4, 1).
        np.testing.assert_array_equal(runner.get_symbol(5, 3, "factor", np.uint32), [5])

    def test_arrays_by_a_side(self):
        runner, x = self.runner(), np.arange(12, dtype=np.float32).reshape(2, 6)
        products = np.zeros((3, 4), np.float32)
        # The first axis counts columns, each of which has three PEs with two words.
        runner.add_input_array("x", 1, "N", x)
        runner.add_output_array("y", 3, "EAST", products)
        runner.connect_and_run()
        np.testing.assert_array_equal(products, np.hstack([x[0].reshape(3, 2), x[1].reshape(3, 2)]))
        self.assertIs(runner.out_tensor_dict["y"], products)

    def test_what_is_wrong_is_told(self):
        word = np.zeros(12, np.uint32)
        wrong = (
            (lambda runner: runner.add_input_tensor(3, self.WORDS, word), "color 3 is not among input_colors"),
            (lambda runner: runner.add_output_tensor(1, self.PRODUCTS, np.uint32), "color 1 is not among output_colors"),
            (lambda runner: runner.add_input_tensor(1, self.WORDS, word[:2]), "12 elements, the tensor has 2"),
            (lambda runner: runner.add_input_tensor(1, ("W", 0), word), "a port map is a text"),
            (lambda runner: runner.add_input_tensor(1, self.WORDS.replace("[k]", "[0]"), word),
             r"x\[0\]\[0\]\[0\] and x\[0\]\[0\]\[1\] both have PE\[0, 0\] -> index\[0\], and one would be lost"),
            (lambda runner: runner.add_input_tensor(1, self.WORDS, word, sentinel=43), "no sentinel"),
            (lambda runner: runner.add_input_array("x", 1, "W", word[:7]), "7 items are no equal shares for 2x3 PEs"),
            (lambda runner: runner.prepare_input_array(1, 0, word), "color 1 has no array of add_input_array"),
            (lambda runner: runner.prepare_input_array(1, 4, word), "prepare_input_array: offset is 4"),
            (lambda runner: [runner.add_input_tensor(1, self.WORDS, word) for _ in range(2)], "color 1 has an input"),
            (lambda runner: [runner.add_output_tensor(3, text + self.PRODUCTS[3:], np.uint32) for text in ("{ a", "{ b")],
             "color 3 has an output, a"),
            (lambda runner: runner.run_batch([1]), r"start\(\) comes first"),
        )
        for act, message in wrong:
            with self.subTest(message), self.assertRaisesRegex(SdkError, message):
                act(self.runner())
        runner = self.runner()
        runner.add_input_tensor(1, self.WORDS, None)
        runner.add_output_tensor(3, self.PRODUCTS, np.uint32)
        runner.start()
        with self.assertRaisesRegex(SdkError, "there is no tensor of color 1"):
            runner.run_batch([1])
        # The PEs send nothing by themselves.
        with self.assertRaisesRegex(SimulationError, "can move"):
            runner.run_batch([3])
