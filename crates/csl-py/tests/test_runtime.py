"""SdkRuntime: what it moves and what it refuses."""
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
import warnings

try:
    import pty
except ImportError:
    pty = None

import numpy as np

import support
from waferlab import ArgumentError, MemcpyDataType, MemcpyOrder, SdkError, SdkRuntime, SimulationError, compile_csl, get_platform
from waferlab.debug_util import debug_util
from waferlab.enums import SdkTarget
from waferlab.platform import SdkCompileArtifacts, get_simulator

ALL = (0, 0, 3, 2, 4)

PRINTER = """
const prt = @import_module("<simprint>");
task print() void { prt.fmt("seven is {d}", .{ @as(u16, 7) }); }
comptime {
  @bind_local_task(print, @get_local_task_id(9));
  @activate(@get_local_task_id(9));
}
"""


class Copies(unittest.TestCase):
    def setUp(self):
        self.runner = support.running()
        self.v = self.runner.get_id("v")

    def test_data_goes_out_and_comes_back_into_a_view(self):
        data = np.arange(24, dtype=np.float32)
        self.runner.memcpy_h2d(self.v, data, *ALL, streaming=False, order=MemcpyOrder.ROW_MAJOR, nonblock=False)
        self.runner.launch("scale", np.float32(2.0), nonblock=False)
        back = np.zeros((2, 3, 4), dtype=np.float32)
        self.runner.memcpy_d2h(back.ravel(), self.v, *ALL, streaming=False)
        np.testing.assert_array_equal(back.ravel(), data * 2)

    def test_only_the_given_part_of_an_array_is_written(self):
        back = np.full(10, -1.0, dtype=np.float32)
        with self.assertWarns(RuntimeWarning):
            self.runner.memcpy_d2h(back[2:], self.v, 1, 1, 1, 1, 4)
        np.testing.assert_array_equal(back, [-1, -1, 0, 0, 0, 0, -1, -1, -1, -1])

    def test_a_view_with_gaps_is_written_in_place(self):
        self.runner.memcpy_h2d(self.v, np.arange(4, dtype=np.float32), 0, 0, 1, 1, 4)
        back = np.full(8, -1.0, dtype=np.float32)
        self.runner.memcpy_d2h(back[::2], self.v, 0, 0, 1, 1, 4)
        np.testing.assert_array_equal(back, [0, -1, 1, -1, 2, -1, 3, -1])

    def test_the_size_of_an_item_counts_and_not_its_type(self):
        # A program may move bits of f32 as uint32 and as int32.
        bits = np.array([0x3F800000, 0x40000000, 0, 0x80000000], dtype=np.uint32)
        self.runner.memcpy_h2d(self.v, bits, 0, 0, 1, 1, 4)
        back, words = np.zeros(4, dtype=np.float32), np.zeros(4, dtype=np.int32)
        self.runner.memcpy_d2h(back, self.v, 0, 0, 1, 1, 4)
        np.testing.assert_array_equal(back, [1.0, 2.0, 0.0, -0.0])
        self.runner.memcpy_d2h(words, self.v, 0, 0, 1, 1, 4)
        np.testing.assert_array_equal(words.view(np.uint32), bits)

    def test_row_major_is_row_column_element(self):
        self.runner.memcpy_h2d(self.v, np.arange(24, dtype=np.float32), *ALL, order=MemcpyOrder.ROW_MAJOR)
        back = np.zeros(4, dtype=np.float32)
        # PE (2, 1) of 3 x 2 has A[1][2].
        self.runner.memcpy_d2h(back, self.v, 2, 1, 1, 1, 4)
        np.testing.assert_array_equal(back, [20, 21, 22, 23])

    def test_column_major_is_numpy_s_order_f(self):
        data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        self.runner.memcpy_h2d(self.v, data.ravel(order="F"), *ALL, order=MemcpyOrder.COL_MAJOR)
        back = np.zeros(24, dtype=np.float32)
        self.runner.memcpy_d2h(back, self.v, *ALL, order=MemcpyOrder.ROW_MAJOR)
        np.testing.assert_array_equal(back, data.ravel())
        self.runner.memcpy_d2h(back, self.v, *ALL, order=MemcpyOrder.COL_MAJOR)
        np.testing.assert_array_equal(back.reshape((2, 3, 4), order="F"), data)

    def test_sixteen_bit_values_travel_in_words(self):
        from waferlab.sdk_utils import input_array_to_u32, memcpy_view

        h = self.runner.get_id("h")
        values = np.array([0.5, 1.5, -2.0, 4.0], dtype=np.float16)
        narrow = {"data_type": MemcpyDataType.MEMCPY_16BIT}
        self.runner.memcpy_h2d(h, input_array_to_u32(values, None, 4), 0, 0, 1, 1, 4, **narrow)
        self.runner.launch("scale", 1.0)
        words = np.zeros(4, dtype=np.uint32)
        self.runner.memcpy_d2h(words, h, 0, 0, 1, 1, 4, **narrow)
        np.testing.assert_array_equal(memcpy_view(words, np.float16), values * 2)

    def test_symbols_and_functions_go_by_number(self):
        runner, data, back = self.runner, np.ones(24, dtype=np.float32), np.zeros(24, dtype=np.float32)
        self.assertEqual(runner.get_symbol("v"), self.v)
        runner.memcpy_h2d(runner.get_symbol("v"), data, *ALL)
        runner.launch(runner.get_symbol("scale"), 2.0, nonblock=False)
        runner.launch(np.uint16(runner.get_id("scale")), 2.0)
        runner.call(runner.get_id("scale"), np.array([2.0], np.float32))
        runner.memcpy_d2h(back, self.v, *ALL)
        np.testing.assert_array_equal(back, 8 * data)

    def test_nonblocking_tasks_are_done_after_a_wait(self):
        data, back = np.ones(24, dtype=np.float32), np.zeros(24, dtype=np.float32)
        self.runner.memcpy_h2d(self.v, data, *ALL, nonblock=True)
        self.runner.launch("scale", 3.0, nonblock=True)
        task = self.runner.memcpy_d2h(back, self.v, *ALL, nonblock=True)
        self.runner.task_wait(task)
        np.testing.assert_array_equal(back, 3 * data)
        self.assertTrue(self.runner.is_task_done(task))

    def test_asking_whether_a_task_is_done_lets_it_be_done(self):
        back = np.ones(24, dtype=np.float32)
        task = self.runner.memcpy_d2h(back, self.v, *ALL, nonblock=True)
        while not self.runner.is_task_done(task):
            pass
        np.testing.assert_array_equal(back, np.zeros(24))

    def test_stop_completes_what_is_pending(self):
        back = np.ones(24, dtype=np.float32)
        self.runner.memcpy_d2h(back, self.v, *ALL, nonblock=True)
        self.runner.stop()
        np.testing.assert_array_equal(back, np.zeros(24))

    def test_the_positional_form_of_older_releases(self):
        data, back = np.arange(24, dtype=np.float32), np.zeros(24, dtype=np.float32)
        self.runner.memcpy_h2d(self.v, data, False, *ALL, 0, False)
        self.runner.memcpy_d2h(back, self.v, False, *ALL, 0, False)
        np.testing.assert_array_equal(back, data)

    def test_broadcasts_and_strides(self):
        back = np.zeros(6, dtype=np.float32)
        for copy, data, expected in (
            (self.runner.memcpy_h2d_rowbcast, [1, 2], [1, 1, 1, 2, 2, 2]),
            (self.runner.memcpy_h2d_colbcast, [1, 2, 3], [1, 2, 3, 1, 2, 3]),
        ):
            copy(self.v, np.array(data, dtype=np.float32), 0, 0, 3, 2, 1)
            self.runner.memcpy_d2h(back, self.v, 0, 0, 3, 2, 1)
            np.testing.assert_array_equal(back, expected)
        self.runner.memcpy_h2d_stride(self.v, np.array([8, 9], dtype=np.float32), 0, 0, 3, 2, 1, 2, 2)
        self.runner.memcpy_d2h(back, self.v, 0, 0, 3, 2, 1)
        np.testing.assert_array_equal(back, [8, 2, 9, 1, 2, 3])


class Refusals(unittest.TestCase):
    def setUp(self):
        self.runner = support.running()
        self.v = self.runner.get_id("v")
        self.data = np.zeros(24, dtype=np.float32)

    def refused(self, text, method, *args, **kwargs):
        with self.assertRaisesRegex(ArgumentError, text):
            getattr(self.runner, method)(*args, **kwargs)

    def test_symbols(self):
        self.refused("no exported symbol has the number 77", "memcpy_h2d", 77, self.data, *ALL)
        for wrong in ("v", 1.7, np.float32(1.0), True, np.bool_(True), [0]):
            self.refused("neither a symbol's number", "memcpy_h2d", wrong, self.data, *ALL)
            self.refused("neither a symbol's number", "memcpy_d2h", self.data, wrong, *ALL)
            self.refused("neither a symbol's number", "memcpy_h2d", wrong, self.data, *ALL, streaming=True)
        self.runner.memcpy_h2d(np.uint16(self.v), self.data, *ALL)

    def test_numbers_that_are_no_functions(self):
        functions = "the functions that the program exports are scale, hold, spin, lose"
        self.refused(f"no exported function has the number 77; {functions}", "launch", 77)
        self.refused(f"no exported function has the number 0; {functions}", "call", 0)
        self.refused(f"v is data, not a function that can be called; {functions}", "launch", self.v, 1.0)
        self.refused(f"v is data, not a function that can be called; {functions}", "launch", "v", 1.0)

    def test_names_that_do_not_exist(self):
        self.assertIsNone(self.runner.get_id("absent"))
        self.assertIsNone(self.runner.get_symbol("absent"))
        self.assertIsNone(self.runner.get_port_id("nowhere"))
        told = "gave None for 'absent', 'nowhere', which the program does not have; it has v, h, fixed, scale"
        self.refused(told, "memcpy_h2d", None, self.data, *ALL)
        self.refused(told, "memcpy_d2h", self.data, None, *ALL)
        for method in ("memcpy_h2d_rowbcast", "memcpy_h2d_colbcast"):
            self.refused(told, method, None, self.data, *ALL)
        self.refused(told, "memcpy_h2d_stride", None, self.data, *ALL, 1, 1)
        self.refused(told, "launch", None)
        self.refused(told, "call", None, [])
        self.refused(told, "send", None, self.data)
        self.refused(told, "receive", None, self.data, 1)
        self.refused(told, "receive_tofile", None, "file")
        self.refused("gave None for 'absent', 'nowhere', 'gone', which", "send", "gone", self.data)
        with self.assertRaisesRegex(ArgumentError, "launch: None names nothing; it has v, h"):
            support.running().launch(None)

    def test_item_sizes(self):
        self.refused("items of 8 bytes", "memcpy_h2d", self.v, np.zeros(24), *ALL)
        self.refused("items of 2 bytes", "memcpy_d2h", np.zeros(24, np.float16), self.v, *ALL)

    def test_arrays_that_would_be_moved_wrongly(self):
        pairs = np.zeros(24, dtype=[("low", np.uint16), ("high", np.uint16)])
        wrong = {
            "big-endian": np.zeros(24, dtype=">f4"),
            "a masked array": np.ma.masked_array(self.data, mask=[True] * 24),
            "must be numbers": pairs,
            "must be numbers, not .?<U1": np.array(["x"] * 24),
        }
        for text, array in wrong.items():
            self.refused(text, "memcpy_h2d", self.v, array, *ALL)
            self.refused(text, "memcpy_d2h", array, self.v, *ALL)
            self.refused(text, "memcpy_h2d_rowbcast", self.v, array, *ALL)
            self.refused(text, "memcpy_h2d_colbcast", self.v, array, *ALL)
            self.refused(text, "memcpy_h2d_stride", self.v, array, *ALL, 1, 1)
            self.refused(text, "send", 0, array)
            self.refused(text, "receive", 0, array, 1)
            self.refused(text, "call", "scale", array)
        self.refused("a masked array", "launch", "scale", np.ma.masked)

    def test_lists(self):
        self.refused("must be a numpy array, not list", "memcpy_d2h", [0.0] * 24, self.v, *ALL)
        self.refused("must be a numpy array, not tuple", "receive", 0, (0,) * 24, 1)
        for wrong in ([0.5] * 24, [1.0] * 24, [2**32] * 24, [-(2**31) - 1] * 24, [True] * 24, ["1"] * 24, [None] * 24, [[1], [2, 3]]):
            self.refused("a list is taken as whole numbers", "memcpy_h2d", self.v, wrong, *ALL)
            self.refused("a list is taken as whole numbers", "call", "scale", wrong)
        self.runner.memcpy_h2d(self.v, [-1, 0, 1, 2**32 - 1], 0, 0, 1, 1, 4)
        back = np.zeros(4, np.int32)
        self.runner.memcpy_d2h(back, self.v, 0, 0, 1, 1, 4)
        np.testing.assert_array_equal(back, [-1, 0, 1, -1])

    def test_rectangles(self):
        self.refused("outside the program's 3 x 2", "memcpy_h2d", self.v, self.data, 1, 0, 3, 2, 4)
        self.refused("w must not be negative", "memcpy_h2d", self.v, self.data, 0, 0, -1, 2, 4)
        self.refused("24 items, but the host array has 23", "memcpy_h2d", self.v, self.data[1:], *ALL)
        self.refused("24 items, but the host array has 23", "memcpy_d2h", self.data[1:], self.v, *ALL)

    def test_orders_and_arguments(self):
        self.refused("order must be one of MemcpyOrder.ROW_MAJOR", "memcpy_h2d", self.v, self.data, *ALL, order=7)

    def test_writes_what_the_host_is_to_read(self):
        self.warned("fixed is exported for the host to read", "memcpy_h2d", self.runner.get_id("fixed"), self.data, *ALL)

    def warned(self, text, method, *args, **kwargs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            getattr(self.runner, method)(*args, **kwargs)
        self.assertEqual([warning.filename for warning in caught], [__file__])
        self.assertRegex(str(caught[0].message), text)

    def test_keywords_that_are_not_known(self):
        self.warned("memcpy_h2d.. .*'non_block'.* is 'nonblock'", "memcpy_h2d", self.v, self.data, *ALL, non_block=True)
        self.warned("'datatype'.* is 'data_type'", "memcpy_d2h", self.data, self.v, *ALL, datatype=1)
        self.warned("'ordr'.* is 'order'", "memcpy_h2d_rowbcast", self.v, self.data[:8], *ALL, ordr=1)
        self.warned("'ordr'.* is 'order'", "memcpy_h2d_colbcast", self.v, self.data[:12], *ALL, ordr=1)
        self.warned("'steaming'.* is 'streaming'", "memcpy_h2d_stride", self.v, self.data, *ALL, 1, 1, steaming=True)
        self.warned("'unblock'.* is 'nonblock'", "launch", "scale", 1.0, unblock=True)
        self.warned("'factor', which it does not know; known are nonblock$", "launch", "scale", 1.0, factor=2.0)
        self.warned("'unblock'.* is 'nonblock'", "call", "scale", np.zeros(1, np.float32), unblock=True)

    def test_a_longer_array_warns(self):
        longer = np.zeros(25, np.float32)
        self.warned("24 items, the first of the host array's 25", "memcpy_h2d", self.v, longer, *ALL)
        self.warned("24 items, the first of the host array's 25", "memcpy_d2h", longer, self.v, *ALL)
        self.warned("8 items, the first of the host array's 9", "memcpy_h2d_rowbcast", self.v, longer[:9], *ALL)
        self.warned("12 items, the first of the host array's 13", "memcpy_h2d_colbcast", self.v, longer[:13], *ALL)

    def test_an_argument_of_a_wrong_type_is_named_with_its_type(self):
        runner, x = self.runner, np.zeros(24, np.float32)
        for place, name in enumerate(("px", "py", "w", "h", "elem_per_pe")):
            for wrong, told in ((None, "None (NoneType)"), (1.5, "1.5 (float)"), ("a", "'a' (str)")):
                area = [0, 0, 3, 2, 4]
                area[place] = wrong
                self.refused(re.escape(f"{name} must be a whole number, not {told}"), "memcpy_h2d", self.v, x, *area)
            for wrong in (-1, 2**40):
                area = [0, 0, 3, 2, 4]
                area[place] = wrong
                self.refused(re.escape(f"{name} must not be negative or beyond 2^31, but is {wrong}"), "memcpy_h2d", self.v, x, *area)
        self.refused(r"memcpy_h2d: the host array, src, must be a numpy array, not NoneType", "memcpy_h2d", self.v, None, *ALL)
        self.refused(r"items of 8 bytes \(float64\).*give it dtype=np.float32", "memcpy_h2d", self.v, np.zeros(24), *ALL)
        self.refused(r"get_id: symbol must be a str, not 3 \(int\)", "get_id", 3)
        self.refused(r"get_symbol: symbol must be a str, not 3 \(int\)", "get_symbol", 3)
        self.refused(r"launch: symbol must be a function's name, or its number, .*, not 3.0 \(float\)", "launch", 3.0)
        self.refused(r"call: symbol must be a function's name, or its number, .*, not True \(bool\)", "call", True)
        self.refused(r"read_symbol: x must be a whole number, not 'a' \(str\)", "read_symbol", "a", 0, "v")
        self.refused(r"task_handle must be .*, not None \(NoneType\)", "task_wait", None)
        self.refused(r"logical_coords must be \(x, y\), not 3 \(int\)", "coord_logical_to_physical", 3)
        self.refused(r"logical_coords: y must be a whole number, not '1' \(str\)", "coord_logical_to_physical", (0, "1"))
        for x, y in ((3, 0), (0, 2), (9, 9)):
            told = rf"coord_logical_to_physical: the program's 3 x 2 PEs have none at \({x}, {y}\)"
            self.refused(told, "coord_logical_to_physical", (x, y))
        self.refused(r"dump_core: corefile must be a path, not 3 \(int\)", "dump_core", 3)
        self.refused(r"v: the bytes of a PE are no items of \|S0", "read_symbol", 4, 1, "v", "S0")
        self.refused("v: the bytes of a PE are no items of object", "read_symbol", 4, 1, "v", object)
        self.refused(r"v: dtype must be a type of numpy's, .*, not 'f9' \(str\)", "read_symbol", 4, 1, "v", "f9")
        for wrong in ("False", 1.0, None, 2, []):
            of_type = rf"{re.escape(repr(wrong))} \({type(wrong).__name__}\)"
            for name in ("streaming", "nonblock"):
                told = f"memcpy_h2d: {name} must be True or False, not {of_type}"
                self.refused(told, "memcpy_h2d", self.v, self.data, *ALL, **{name: wrong})
            self.refused(f"launch: nonblock must be True or False, not {of_type}", "launch", "scale", 1.0, nonblock=wrong)
        self.runner.memcpy_h2d(self.v, self.data, *ALL, streaming=np.bool_(False), nonblock=0)
        with self.assertRaisesRegex(TypeError, r"bindir must be a path, not 1.5 \(float\)"):
            SdkRuntime(1.5)
        for option, wanted in (("output_folder", "a path"), ("prints", "True or False")):
            with self.assertRaisesRegex(ArgumentError, rf"SdkRuntime: {option} must be {wanted}, not 3 \(int\)"):
                SdkRuntime(support.compiled(), **{option: 3})

    def test_words_beyond_the_parameters_of_a_function_are_a_warning(self):
        with self.assertWarnsRegex(RuntimeWarning, "call: scale takes 1 words, the first of the 3 given"):
            self.runner.call("scale", [0, 2, 3])

    def test_read_only_arrays(self):
        self.data.flags.writeable = False
        self.refused("read-only", "memcpy_d2h", self.data, self.v, *ALL)

    def test_calls(self):
        self.refused("takes 1 argument, 0 given", "launch", "scale")
        self.refused("must be a value of type f32, not 3 .int16", "launch", "scale", np.int16(3))
        self.refused("no function", "launch", "scaled")
        self.refused("takes 1 words, 0 given", "call", "scale", [])

    def test_a_copy_beyond_the_array_warns(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.runner.memcpy_h2d(self.v, np.zeros(5, np.float32), 0, 0, 1, 1, 5)
        self.assertIn("has room for 16 bytes", str(caught[0].message))


class Life(unittest.TestCase):
    def test_the_width_of_items_means_nothing_to_a_stream(self):
        narrow = {"data_type": MemcpyDataType.MEMCPY_16BIT, "nonblock": True}
        runner = support.running()
        with self.assertWarnsRegex(RuntimeWarning, "MEMCPY_16BIT takes the low half"):
            runner.memcpy_h2d(runner.get_id("h"), np.ones(4, np.float32), 0, 0, 1, 1, 4, **narrow)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            runner.memcpy_h2d(3, np.ones(4, np.float32), 0, 0, 1, 1, 4, streaming=True, **narrow)
        self.assertNotIn("MEMCPY_16BIT", "".join(str(warning.message) for warning in caught))

    def test_wavelets_that_are_left_warn_at_the_end(self):
        runner = support.running()
        runner.launch("lose")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            runner.stop()
        self.assertEqual([warning.filename for warning in caught], [__file__])
        self.assertRegex(str(caught[0].message), r"^6 wavelets of color 3 stood on 6 PEs when the run was stopped: ")

    def test_errors_alone_are_told_where_they_are_asked_for(self):
        runner = support.running(msg_level="ERROR")
        runner.launch("lose")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            runner.stop()
        self.assertEqual(caught, [])
        support.running()

    def test_a_traceback_ends_at_the_line_of_the_program(self):
        lines = (
            "from waferlab import SdkRuntime", f"runner = SdkRuntime({str(support.compiled())!r})",
            "runner.load()", "runner.run()", "runner.launch('scaled')",
        )  # fmt: skip
        done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=support.sources(), capture_output=True, text=True)
        frames = [line for line in done.stderr.splitlines() if line.startswith("  File ")]
        self.assertEqual(frames, ['  File "<string>", line 5, in <module>'], done.stderr)

    def checked(self, **options):
        """What a run is told of a copy of five elements out of an array of four."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            runner = support.running(**options)
            back = np.zeros(5, dtype=np.float32)
            runner.memcpy_d2h(back, runner.get_id("v"), 0, 0, 1, 1, 5)
            runner.stop()
        return [str(warning.message) for warning in caught if str(warning.message).startswith("check: ")]

    def test_a_checked_run_tells_what_it_finds(self):
        told = self.checked(check=True)
        self.assertEqual(len(told), 1)
        self.assertIn("a copy of the host reads 20 bytes of `v`, which has 16 bytes: PE (0, 0)", told[0])
        self.assertTrue(told[0].endswith("; copy no more elements a PE than the array has"), told[0])
        self.assertEqual(self.checked(), [])
        os.environ["WAFERLAB_CHECK"] = "1"
        self.addCleanup(os.environ.pop, "WAFERLAB_CHECK")
        self.assertEqual(self.checked(), told)
        with self.assertRaisesRegex(ArgumentError, 'SdkRuntime: check="maybe": True, False or "stop" is wanted'):
            support.running(check="maybe")

    def test_a_checked_script_that_ends_before_stop_is_told_what_was_found(self):
        begin = (
            "import numpy", "from waferlab import SdkRuntime", f"runner = SdkRuntime({str(support.compiled())!r}, check=True)",
            "with runner:", "    back = numpy.zeros(5, numpy.float32)",
            "    runner.memcpy_d2h(back, runner.get_id('v'), 0, 0, 1, 1, 5)",
        )  # fmt: skip
        without = [line.strip() for line in begin]
        without[3] = "runner.load(); runner.run()"
        ends = {
            "an assertion": [*without, "assert back[4] == 7.0"],
            "an assertion within `with`": [*begin, "    assert back[4] == 7.0"],
            "a forgotten stop()": without,
            "a runner that is dropped": [*without, "del runner"],
            "stop()": [*without, "runner.stop()"],
            "the end of `with`": begin,
        }
        for name, lines in ends.items():
            with self.subTest(name):
                script = [sys.executable, "-c", "\n".join(lines)]
                done = subprocess.run(script, cwd=support.sources(), capture_output=True, text=True)
                self.assertEqual(done.stderr.count("check: a copy of the host reads 20 bytes of `v`"), 1, done.stderr)

    def test_a_script_that_ends_without_stop_is_told_what_had_not_ended(self):
        copy = "runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4, nonblock={})"
        begin = [
            "import sys, numpy as np", "from waferlab import SdkRuntime", f"runner = SdkRuntime({str(support.compiled())!r})",
            "x, v = np.zeros(24, np.float32), runner.get_id('v')", "runner.load(); runner.run()",
            "runner.launch('scale', np.float32(2), nonblock=True)",
        ]  # fmt: skip
        left = "SdkRuntime.stop() was not called, and requests had not ended: launch of scale, copy from v; "
        ends = {
            "nothing is waited for": ([copy.format(True)], 0, left),
            "the runner is dropped": ([copy.format(True), "del runner; print('after')"], 0, left),
            "a status of its own": ([copy.format(True), "sys.exit(3)"], 3, left),
            "a later copy has waited": ([copy.format(False)], 0, ""),
            "stop()": ([copy.format(True), "runner.stop()"], 0, ""),
            "another error": ([copy.format(True), "raise ValueError"], 1, ""),
            "a run that has failed": (["runner.launch('spin')", f"try: {copy.format(False)}", "except RuntimeError: pass"], 0, ""),
            "within `with`": (["try:", " with runner: raise ValueError", "except ValueError: pass"], 0, ""),
        }
        for name, (lines, status, text) in ends.items():
            with self.subTest(name):
                script = os.path.join(support.sources(), "run.py")
                with open(script, "w", encoding="utf-8") as file:
                    file.write("\n".join(begin + lines))
                env = {**os.environ, "WAFERLAB_MAX_CYCLES": "100000"}
                done = subprocess.run([sys.executable, script], cwd=os.path.dirname(script), capture_output=True, text=True, env=env)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertEqual(done.stderr.count(f"run.py:3: RuntimeWarning: {left}"), int(bool(text)), done.stderr)
                self.assertEqual("stop()" in done.stderr, bool(text), done.stderr)

    def test_a_script_that_ends_without_stop_is_told_once_what_stands_for_good(self):
        begin = [
            "import numpy as np", "from waferlab import SdkRuntime", f"runner = SdkRuntime({str(support.compiled())!r})",
            "x, v = np.zeros(24, np.float32), runner.get_id('v')",
        ]  # fmt: skip
        steps = ["runner.load(); runner.run()", "runner.launch('lose')", "runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4)"]
        within = ["with runner:", " runner.launch('lose')", " runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4)"]
        ends = {
            "an assertion": [*steps, "assert x[0]"],
            "an assertion within `with`": [*within, " assert x[0]"],
            "a forgotten stop()": steps,
            "stop()": [*steps, "runner.stop()"],
            "the end of `with`": within,
        }
        for name, lines in ends.items():
            with self.subTest(name):
                script = [sys.executable, "-c", "\n".join(begin + lines)]
                done = subprocess.run(script, cwd=support.sources(), capture_output=True, text=True)
                self.assertEqual(done.stderr.count("6 wavelets of color 3 stood on 6 PEs"), 1, done.stderr)
                self.assertNotIn("weakref", done.stderr)

    def test_a_run_without_a_clock_computes_the_same(self):
        def scaled(**options):
            runner = support.running(**options)
            v, back = runner.get_id("v"), np.zeros(4, dtype=np.float32)
            runner.memcpy_h2d(v, np.arange(4, dtype=np.float32), 0, 0, 1, 1, 4)
            runner.launch("scale", np.float32(2.0))
            runner.memcpy_d2h(back, v, 0, 0, 1, 1, 4)
            runner.stop()
            return back

        np.testing.assert_array_equal(scaled(untimed=True), [0, 2, 4, 6])
        np.testing.assert_array_equal(scaled(untimed="own-time"), [0, 2, 4, 6])
        os.environ["WAFERLAB_SCHEDULE"] = "1"
        self.addCleanup(os.environ.pop, "WAFERLAB_SCHEDULE")
        with self.assertRaisesRegex(ValueError, "a run without a clock .* has no "):
            scaled(untimed=True)
        with self.assertRaisesRegex(ArgumentError, "untimed=.maybe.: True, False or .own-time. is wanted"):
            support.running(untimed="maybe")

    def test_constructor_arguments(self):
        out = support.compiled()
        SdkRuntime(out, cmaddr="", suppress_simfab_trace=True, simfab_numthreads=2, msg_level="INFO", simulator=True)
        for wrong in ({"cmaddr": "1.2.3.4:9000"}, {"simfab_numthreads": 65}, {"msg_level": "LOUD"}):
            with self.assertRaises(ArgumentError):
                SdkRuntime(out, **wrong)
        SdkRuntime(artifacts=SdkCompileArtifacts(out), platform=get_simulator(), simfab_numthreads=np.int64(2))
        with self.assertRaisesRegex(TypeError, "one of bindir and artifacts"):
            SdkRuntime()
        with self.assertRaisesRegex(TypeError, "config must be a SimfabConfig, not SdkTarget"):
            get_simulator(SdkTarget.WSE2)
        with self.assertWarnsRegex(RuntimeWarning, r"SdkRuntime\(\) .*'simfab_threads'.* is 'simfab_numthreads'"):
            SdkRuntime(out, simfab_threads=9)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            SdkRuntime(out, mgmt_namespace="n", resource_cpu=1, resource_mem=2, disable_version_check=True)
        with self.assertRaisesRegex(SdkError, "no such folder"):
            SdkRuntime(os.path.join(out, "nowhere"))

    def test_another_target_than_the_program_s_is_told(self):
        wse2 = compile_csl(f"{support.OPTIONS} --arch=wse2", support.sources())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            SdkRuntime(wse2, get_platform(None))
            SdkRuntime(wse2, get_platform(None, target=SdkTarget.WSE2))
        with self.assertWarnsRegex(RuntimeWarning, "target is WSE3, and the program is compiled for wse2: it runs on that chip"):
            SdkRuntime(wse2, get_simulator(target=SdkTarget.WSE3))

    def test_order_of_calls(self):
        runner = SdkRuntime(support.compiled())
        self.assertEqual(runner.get_id("v"), 1)
        with self.assertRaisesRegex(SdkError, r"load\(\)"):
            runner.launch("hold")
        with self.assertRaisesRegex(SdkError, r"after load\(\)"):
            runner.run()

    def test_coordinates_and_symbols_after_the_run(self):
        runner = support.running()
        self.assertEqual(runner.coord_logical_to_physical((2, 1)), (6, 2))
        data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        runner.memcpy_h2d(runner.get_id("v"), data.ravel(), *ALL)
        runner.stop()
        np.testing.assert_array_equal(runner.read_symbol(6, 2, "v", "float32"), data[1, 2])
        # Coordinates of the whole fabric; by column, then row; no dump was asked for.
        debug = debug_util(support.compiled(), cmaddr=None)
        np.testing.assert_array_equal(debug.get_symbol(5, 1, "v", np.float32), data[0, 1])
        rectangle = debug.get_symbol_rect(((4, 1), (3, 2)), "v", np.float32)
        np.testing.assert_array_equal(rectangle, data.transpose(1, 0, 2))

    def test_stop_returns_though_the_command_stream_is_blocked(self):
        runner = support.running()
        runner.launch("hold", nonblock=False)
        with self.assertWarnsRegex(RuntimeWarning, r"hold has not called unblock_cmd_stream\(\) on 6 PEs") as caught:
            runner.stop()
        self.assertEqual(caught.filename, __file__)
        np.testing.assert_array_equal(runner.read_symbol(4, 1, "v", "float32"), np.zeros(4))

    def test_prints_stand_in_sim_log_with_their_cycle(self):
        folder = support.sources()
        with open(os.path.join(folder, "pe.csl"), "a", encoding="utf-8") as file:
            file.write(PRINTER)
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(folder)
        runner = SdkRuntime(compile_csl(support.OPTIONS, folder))
        runner.load()
        runner.run()
        runner.stop()
        with open("sim.log", encoding="utf-8") as log:
            lines = log.read().splitlines()
        self.assertEqual(len(lines), 1 + 6 + 3)
        for line in lines[1:-3]:
            self.assertRegex(line, r"^@\d+ seven is 7$")

    def test_two_simulations_live_side_by_side(self):
        first, second = support.running(), support.running()
        v = first.get_id("v")
        first.memcpy_h2d(v, np.full(24, 1, np.float32), *ALL)
        second.memcpy_h2d(v, np.full(24, 2, np.float32), *ALL)
        back = np.zeros(24, np.float32)
        first.memcpy_d2h(back, v, *ALL)
        np.testing.assert_array_equal(back, np.ones(24))

    def test_calls_of_several_threads_go_one_after_another(self):
        runner = support.running()
        v, errors = runner.get_id("v"), []

        def copy(value):
            try:
                back = np.zeros(24, np.float32)
                for _ in range(20):
                    runner.memcpy_h2d(v, np.full(24, value, np.float32), *ALL, streaming=False, nonblock=True)
                    runner.memcpy_d2h(back, v, *ALL, streaming=False)
                    self.assertIn(back[0], (1, 2, 3))
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=copy, args=(value,)) for value in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])

    def test_words_of_halves_and_halves_of_words(self):
        runner = support.running()
        h, wide, narrow = runner.get_id("h"), np.array([0x00020001, 0x00040003], np.uint32), np.zeros(4, np.uint32)
        for order in MemcpyOrder:
            runner.memcpy_h2d(h, wide, 0, 0, 1, 1, 2, order=order)
            runner.memcpy_d2h(narrow, h, 0, 0, 1, 1, 4, order=order, data_type=MemcpyDataType.MEMCPY_16BIT)
            np.testing.assert_array_equal(narrow, [1, 2, 3, 4])
            runner.memcpy_d2h(narrow[:2], h, 0, 0, 1, 1, 2, order=order)
            np.testing.assert_array_equal(narrow[:2], wide)

    def test_a_deadlock_is_explained(self):
        runner = support.running()
        runner.launch("hold")
        with self.assertRaisesRegex(SimulationError, r"unblock_cmd_stream\(\)"):
            runner.memcpy_d2h(np.zeros(24, np.float32), runner.get_id("v"), *ALL)

    def test_ctrl_c_ends_an_endless_program(self):
        runner = support.running()
        # A test run in the background of a shell inherits an ignored SIGINT, which Python leaves ignored.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        runner.launch("spin")
        with self.assertRaisesRegex(KeyboardInterrupt, "interrupted at cycle"):
            runner.memcpy_d2h(np.zeros(24, np.float32), runner.get_id("v"), *ALL)
        timer.join()

    def endless(self, *before, **options):
        """A script that stops a machine whose PEs never come to an end."""
        lines = (
            "import signal, sys", "from waferlab import SdkRuntime", *before,
            f"runner = SdkRuntime({str(support.compiled())!r})", "runner.load()", "runner.run()", "runner.launch('spin')",
            "print('launched', flush=True)", "try:", "  runner.stop()",
            "finally:", "  print('cleaned up', flush=True)",
        )  # fmt: skip
        options.setdefault("cwd", support.sources())
        environment = {**os.environ, "WAFERLAB_MAX_CYCLES": options.pop("cycles", "1000000000000")}
        return subprocess.Popen([sys.executable, "-c", "\n".join(lines)], env=environment, text=True, **options)

    def test_sigterm_ends_an_endless_program_with_the_report_of_ctrl_c(self):
        script = self.endless(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(script.stdout.readline(), "launched\n")
        time.sleep(0.3)
        script.send_signal(signal.SIGTERM)
        out, errors = script.communicate()
        self.assertEqual((script.returncode, out), (128 + signal.SIGTERM, "cleaned up\n"))
        self.assertRegex(errors, r"^interrupted at cycle \d+\nerror\[E0901\]: the run was interrupted in cycle ")
        self.assertIn("spin has not called unblock_cmd_stream() on 6 PEs", errors)
        self.assertIn("the main thread of 6 PEs", errors)

    def test_a_run_in_a_daemon_thread_ends_with_the_report(self):
        lines = (
            "import signal, sys, threading, time", "from waferlab import SdkRuntime",
            "signal.signal(signal.SIGINT, signal.default_int_handler)",
            f"runner = SdkRuntime({str(support.compiled())!r})", "runner.load()", "runner.run()", "runner.launch('spin')",
            "thread = threading.Thread(target=runner.stop, daemon=True)", "thread.start()", "print('launched', flush=True)",
        )  # fmt: skip
        environment = {**os.environ, "WAFERLAB_MAX_CYCLES": "1000000000000"}
        statuses = ((signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, -signal.SIGINT))
        for (number, status), wait in itertools.product(statuses, ("time.sleep(1000)", "thread.join()")):
            script = subprocess.Popen(
                [sys.executable, "-c", "\n".join((*lines, wait))], env=environment, text=True, cwd=support.sources(),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            self.assertEqual(script.stdout.readline(), "launched\n")
            time.sleep(0.5)
            script.send_signal(number)
            _, errors = script.communicate(timeout=60)
            self.assertEqual(script.returncode, status, errors)
            self.assertIn("the run was interrupted in cycle", errors)
            self.assertNotIn("runtime.py", errors)

    def test_a_stderr_that_is_full_or_closed_changes_no_status(self):
        lines = (
            "import sys", "from waferlab import SdkRuntime", f"runner = SdkRuntime({str(support.compiled())!r})",
            "runner.load()", "runner.run()", "runner.launch('lose')", "runner.stop()", "print('stopped')",
        )  # fmt: skip
        failing = (*lines[:5], "runner.launch('hold')", "runner.launch('scale', 1.0)")
        for stream in ("2>/dev/full", "2>&-"):
            for program, status, said in ((lines, 0, "stopped\n"), (failing, 1, "")):
                command = ["sh", "-c", f"exec \"$0\" -c \"$1\" {stream}", sys.executable, "\n".join(program)]
                done = subprocess.run(command, cwd=support.sources(), capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stdout), (status, said), (stream, done.stderr))

    def test_a_program_that_handles_or_ignores_sigterm_keeps_doing_so(self):
        handler = "signal.signal(signal.SIGTERM, lambda *_: (print('handled', flush=True), sys.exit(7)))"
        script = self.endless(handler, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        script.stdout.readline()
        time.sleep(0.3)
        script.send_signal(signal.SIGTERM)
        self.assertEqual((script.communicate()[0], script.returncode), ("handled\ncleaned up\n", 7))
        ignored = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        script = self.endless(ignored, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cycles="3000000")
        script.stdout.readline()
        script.send_signal(signal.SIGTERM)
        out, errors = script.communicate()
        self.assertEqual((out, script.returncode), ("cleaned up\n", 0))
        self.assertIn("WAFERLAB_MAX_CYCLES=N lets a run take N cycles", errors)

    @unittest.skipIf(pty is None, "there are no terminals of that kind here")
    def test_a_terminal_shows_how_far_a_run_has_come(self):
        ours, theirs = pty.openpty()
        script = self.endless(stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        self.addCleanup(os.close, ours)
        shown = b""
        while not re.search(rb"cycle [1-9]\d*, [1-9]\d* cycles/s, 6 PEs busy", shown):
            shown += os.read(ours, 4096)
        script.send_signal(signal.SIGTERM)
        script.communicate()
        self.assertEqual(script.returncode, 128 + signal.SIGTERM)

    def test_the_limit_of_cycles_ends_an_endless_wait(self):
        os.environ["WAFERLAB_MAX_CYCLES"] = "30000"
        self.addCleanup(os.environ.pop, "WAFERLAB_MAX_CYCLES", None)
        runner = support.running()
        runner.launch("spin")
        with self.assertRaisesRegex(SimulationError, "the run was ended in cycle 30000: it may take no more"):
            runner.memcpy_d2h(np.zeros(24, np.float32), runner.get_id("v"), *ALL)
        os.environ["WAFERLAB_MAX_CYCLES"] = "0"
        with self.assertRaisesRegex(ArgumentError, "WAFERLAB_MAX_CYCLES=0: a number of cycles, 1 or more, is wanted"):
            support.running()


if __name__ == "__main__":
    unittest.main()
