"""What the package has beyond the vendor's API: compiling by keywords, `with`, output folders, prints, cycles, grids."""
import contextlib
import io
import json
import logging
import os
import re
import select
import subprocess
import sys
import unittest

try:
    import pty
except ImportError:
    pty = None

import numpy as np

import support
import waferlab
from waferlab import (
    ArgumentError,
    Artifact,
    CompileError,
    MemcpyOrder,
    SdkError,
    SdkRuntime,
    SdkTarget,
    SimulationError,
    from_grid,
    to_grid,
)

PLACE = {"fabric_dims": (10, 4), "fabric_offsets": (4, 1), "memcpy": True}

PRINTING = """
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
const prt = @import_module("<simprint>");
fn tell(number: i16) void {
  prt.fmt("number {d}", .{number});
  sys_mod.unblock_cmd_stream();
}
comptime { @export_symbol(tell); }
"""

PRINTING_LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("tell", fn(i16)void);
}
"""

# A file that does not compile, and one that does with a warning.
WRONG = "layout { @set_rectangle(1, 1); @set_tile_code(0, 0, nowhere, .{}); }"


class InFolder(unittest.TestCase):
    """Tests in a folder of their own with the shared program."""

    def setUp(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        self.folder = support.sources()
        os.chdir(self.folder)

    def write(self, name, text):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)


class Names(unittest.TestCase):
    def test_tab_knows_all_names_before_they_are_loaded(self):
        script = "import waferlab; print(set(waferlab.__all__) - set(dir(waferlab)), '__version__' in dir(waferlab))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "set() True\n")


class Compiling(InFolder):
    def test_keywords_are_options_of_cslc(self):
        artifact = waferlab.compile("layout.csl", output="mine", arch="wse3", params={"width": 3}, **PLACE)
        self.assertEqual(os.path.realpath(artifact), os.path.realpath("mine"))
        about = artifact.summary()
        self.assertEqual(
            (about["arch"], about["program"], about["fabric"], about["params"]),
            ("wse3", {"width": 3, "height": 2}, {"width": 10, "height": 4}, {"width": "3"}),
        )
        self.assertEqual(waferlab.compile("layout.csl", params={"width": 3}, arch=SdkTarget.WSE3, **PLACE).summary(), about)

    def test_every_option_of_cslc_that_changes_the_program_has_a_keyword(self):
        cslc = os.path.join(os.path.dirname(sys.executable), "cslc")
        shown = subprocess.run([cslc, "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"^ +(?:-\w, )?--([a-z0-9-]+)", shown, re.M))
        # These say what cslc looks at and how it prints, and what it writes beside the program; or do nothing.
        others = {"emit", "error-format", "error-limit", "color", "explain", "verbose", "help", "version"}
        others |= {"output-json", "out-routes", "max-parallelism"}
        keywords = set(waferlab.compile.__kwdefaults__) - {"output"}
        self.assertEqual(sorted(word.replace("_", "-") for word in keywords), sorted(options - others))

    def test_code_that_nothing_uses_is_looked_into_where_that_is_asked_for(self):
        self.write("pe.csl", support.PE + "fn unused() void { nowhere(); }")
        waferlab.compile("layout.csl", params={"width": 3}, **PLACE)
        with self.assertRaisesRegex(CompileError, "nowhere"):
            waferlab.compile("layout.csl", params={"width": 3}, check_all=True, **PLACE)

    def test_an_error_has_the_diagnostics(self):
        self.write("wrong.csl", WRONG)
        with self.assertRaisesRegex(CompileError, "nowhere"):
            waferlab.compile("wrong.csl", **PLACE)
        self.assertFalse(os.path.exists("out"))

    def test_values_that_no_option_can_have_are_refused(self):
        for options, text in (
            ({"fabric_dims": 8}, "fabric_dims must be two whole numbers"),
            ({"fabric_dims": (8, 3, 1)}, "fabric_dims must be two whole numbers"),
            ({"params": "width:3"}, "params must map names to values"),
            ({"params": {"width": "3,height:2"}}, "params: the value of 'width'"),
        ):
            with self.subTest(options), self.assertRaisesRegex(ArgumentError, text):
                waferlab.compile("layout.csl", **options)
        for name in ("memcpy", "warnings_as_errors", "check_all"):
            with self.assertRaisesRegex(ArgumentError, f"{name} must be True or False, not 'yes'"):
                waferlab.compile("layout.csl", **{name: "yes"})
        with self.assertRaisesRegex(CompileError, "arch.*`wse4` is not one of wse2, wse3") as told:
            waferlab.compile("layout.csl", arch="wse4")
        # Python has neither the option nor the usage of the command.
        self.assertNotRegex(str(told.exception), "--help|Usage")

    def test_warnings_are_logged_and_kept(self):
        with self.assertLogs(logging.getLogger("waferlab"), "WARNING") as logs:
            artifact = waferlab.compile("layout.csl", params={"width": 3}, import_path=["nowhere"], **PLACE)
        self.assertIn("nowhere", artifact.messages)
        self.assertIn("nowhere", logs.output[0])

    def test_an_artifact_shows_itself_in_a_notebook(self):
        artifact = waferlab.compile("layout.csl", arch="wse2", params={"width": 3}, **PLACE)
        page = artifact._repr_html_()
        for text in ("<td>wse2</td>", "<td>3 x 2 PEs at (4, 1)</td>", "<td>pe.csl</td><td>6</td>", "<td>scale</td>", "width = 3"):
            self.assertIn(text, page)
        self.assertEqual(page.count("<table>"), page.count("</table>"))
        artifact.messages = "a < b"
        self.assertIn("<pre>a &lt; b</pre>", artifact._repr_html_())

    def test_an_artifact_that_is_gone_says_so(self):
        with self.assertRaises(SdkError):
            Artifact("nowhere").summary()


class Running(InFolder):
    def test_a_with_statement_loads_starts_and_stops(self):
        data = np.arange(24, dtype=np.float32)
        back = np.zeros_like(data)
        with SdkRuntime(support.compiled()) as runner:
            v = runner.get_id("v")
            runner.memcpy_h2d(v, data, 0, 0, 3, 2, 4)
            runner.launch("scale", np.float32(2.0))
            runner.memcpy_d2h(back, v, 0, 0, 3, 2, 4)
        np.testing.assert_array_equal(back, 2 * data)
        with self.assertRaisesRegex(SdkError, "stop"):
            runner.launch("scale", np.float32(2.0))
        with open("sim_stats.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file)["cycles"], runner.cycles.total)

    def test_load_run_and_stop_may_still_be_called(self):
        runner = SdkRuntime(support.compiled())
        runner.load()
        with runner:
            runner.launch("scale", np.float32(2.0))
            runner.stop()

    def test_a_block_that_raises_leaves_its_files_and_its_error(self):
        with self.assertRaises(ZeroDivisionError), SdkRuntime(support.compiled(), output_folder="here") as runner:
            # It would wait for ever for this one.
            runner.launch("spin", nonblock=True)
            1 / 0
        self.assertEqual(sorted(os.listdir("here")), ["sim.log", "sim_stats.json", "simfab_traces"])

    def test_a_run_that_fails_raises_its_report_once(self):
        report = "hold has not called unblock_cmd_stream"
        with self.assertRaisesRegex(SimulationError, report) as caught, SdkRuntime(support.compiled()) as runner:
            runner.launch("hold")
            runner.launch("spin")
        self.assertIsNone(caught.exception.__context__)

    def test_files_go_to_the_output_folder(self):
        with SdkRuntime(support.compiled(), output_folder="results/first") as runner:
            pass
        self.assertEqual(runner.output_folder, os.path.join(os.getcwd(), "results", "first"))
        self.assertEqual(sorted(os.listdir("results/first")), ["sim.log", "sim_stats.json", "simfab_traces"])
        self.assertFalse(os.path.exists("sim.log"))

    def test_so_they_do_to_that_of_the_environment(self):
        os.environ["WAFERLAB_OUTPUT_FOLDER"] = "asked"
        self.addCleanup(os.environ.pop, "WAFERLAB_OUTPUT_FOLDER")
        with SdkRuntime(support.compiled()):
            pass
        with SdkRuntime(support.compiled(), output_folder="given"):
            pass
        self.assertTrue(os.path.exists("asked/sim_stats.json") and os.path.exists("given/sim_stats.json"))
        waferlab_run = [os.path.join(os.path.dirname(sys.executable), "waferlab"), "run", support.compiled(), "--quiet"]
        subprocess.run([*waferlab_run, "--output-folder=by-command"], check=True)
        os.remove("asked/sim_stats.json")
        subprocess.run(waferlab_run, check=True)
        self.assertTrue(os.path.exists("asked/sim_stats.json") and os.path.exists("by-command/sim_stats.json"))
        self.assertFalse(os.path.exists("sim.log"))

    def test_a_folder_that_cannot_be_made_is_an_error(self):
        self.write("taken", "a file")
        with self.assertRaisesRegex(SdkError, "taken"):
            SdkRuntime(support.compiled(), output_folder="taken")


class Prints(InFolder):
    def setUp(self):
        super().setUp()
        self.write("layout.csl", PRINTING_LAYOUT)
        self.write("pe.csl", PRINTING)
        self.artifact = waferlab.compile("layout.csl", fabric_dims=(8, 3), fabric_offsets=(4, 1), memcpy=True)

    def printed(self, **options):
        with contextlib.redirect_stdout(io.StringIO()) as shown, SdkRuntime(self.artifact, **options) as runner:
            runner.launch("tell", np.int16(7))
            # The second call waits for the end of the first.
            runner.launch("tell", np.int16(8))
            first = shown.getvalue()
        with open("sim.log", encoding="utf-8") as file:
            log = [line for line in file if "number" in line]
        return first, shown.getvalue(), log

    def test_lines_of_programs_come_to_standard_output(self):
        first, shown, log = self.printed(prints=True)
        self.assertEqual([re.sub(r"@\d+", "@", text).strip() for text in (first, shown[len(first) :])], ["@ number 7", "@ number 8"])
        self.assertEqual([line for line in shown.splitlines(keepends=True) if line.strip()], log)

    def test_lines_go_nowhere_where_standard_output_is_closed(self):
        # `python run.py >&-` starts so.
        with contextlib.redirect_stdout(None), SdkRuntime(self.artifact, prints=True) as runner:
            runner.launch("tell", np.int16(7))
            runner.launch("tell", np.int16(8))

    def test_but_only_where_they_are_wanted(self):
        for options in ({}, {"prints": False}):
            with self.subTest(options):
                _, shown, log = self.printed(**options)
                self.assertEqual((shown, len(log)), ("", 2))


class Cycles(InFolder):
    def test_cycles_by_launch_and_copy(self):
        data = np.ones(24, dtype=np.float32)
        with SdkRuntime(support.compiled()) as runner:
            v = runner.get_id("v")
            runner.memcpy_h2d(v, data, 0, 0, 3, 2, 4)
            runner.launch("scale", np.float32(2.0))
            runner.launch("scale", np.float32(3.0))
            runner.memcpy_d2h(data, v, 0, 0, 3, 2, 4)
        cycles = runner.cycles
        self.assertEqual([(r.kind, r.name) for r in cycles.requests], [("h2d", "v"), ("launch", "scale"), ("launch", "scale"), ("d2h", "v")])
        first, second = cycles.launches
        # The column of the PE is the only thing that differs between two calls.
        self.assertEqual(first.cycles, second.cycles)
        self.assertTrue(0 < first.first < first.last <= second.first < second.last, cycles)
        self.assertEqual(cycles.launched, first.cycles + second.cycles)
        self.assertEqual(cycles.copied, sum(copy.cycles for copy in cycles.copies))
        self.assertEqual(cycles.total, cycles.launched + cycles.copied + cycles.host)
        self.assertEqual(cycles.total, runner._machine.cycle())
        self.assertRegex(repr(cycles), rf"launch scale +{first.cycles}  {first.first} to {first.last}\n")
        self.assertIn(f"<td>{first.first} to {first.last}</td>", cycles._repr_html_())

    def test_a_launch_spans_the_first_pe_to_the_last(self):
        with SdkRuntime(support.compiled()) as runner:
            runner.launch("scale", np.float32(2.0))
        wide = runner.cycles.launches[0].cycles
        narrow = waferlab.compile("layout.csl", arch="wse2", params={"width": 1}, output="narrow", **PLACE)
        with SdkRuntime(narrow) as runner:
            runner.launch("scale", np.float32(2.0))
        # A call gets to each column a hop after the one before; a hop takes a cycle or two.
        self.assertIn(wide - runner.cycles.launches[0].cycles, (2, 4))

    def test_what_has_not_ended_is_under_way(self):
        os.environ["WAFERLAB_MAX_CYCLES"] = "20000"
        self.addCleanup(os.environ.pop, "WAFERLAB_MAX_CYCLES")
        with self.assertWarnsRegex(RuntimeWarning, "spin"), SdkRuntime(support.compiled()) as runner:
            runner.launch("spin")
        (launch,) = runner.cycles.launches
        self.assertEqual((launch.last, launch.cycles), (None, None))
        self.assertEqual(runner.cycles.launched, runner.cycles.total - launch.first)
        self.assertIn("under way", repr(runner.cycles))


@unittest.skipIf(pty is None, "there are no terminals here")
class Debugger(InFolder):
    def session(self, *keys):
        """What csdb shows on a terminal while these keys are pressed, each when it waits for one."""
        environment = {**os.environ, "XDG_STATE_HOME": os.path.join(self.folder, "state"), "TERM": "xterm"}
        child, terminal = pty.fork()
        if child == 0:
            os.execve(os.path.join(os.path.dirname(sys.executable), "csdb"), ["csdb", "."], environment)
        shown = ""
        for key in keys:
            shown += self.until_it_waits(terminal)
            os.write(terminal, key)
        shown += self.until_it_waits(terminal)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        os.close(terminal)
        return shown

    def until_it_waits(self, terminal):
        shown = b""
        # The first prompt may take its time; behind it, silence means that the program waits.
        while select.select([terminal], [], [], 0.5 if b"(csdb)" in shown or shown else 20.0)[0]:
            try:
                more = os.read(terminal, 4096)
            except OSError:
                break
            if not more:
                break
            shown += more
        return shown.decode()

    def test_tab_completes_and_history_stays(self):
        waferlab.compile("layout.csl", params={"width": 3}, **PLACE)
        shown = self.session(b"conte\t", b" li\t", b"\r", b"exit\r")
        self.assertIn("INFO:csdb: [0] ./out", shown)
        shown = self.session(b"\x1b[A", b"\x1b[A", b"\r", b"\x03", b"\x04")
        self.assertIn("INFO:csdb: [0] ./out", shown)


class Grids(unittest.TestCase):
    def test_a_grid_is_what_a_copy_brought(self):
        for order in MemcpyOrder:
            runner = support.running()
            data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
            back = np.zeros(24, dtype=np.float32)
            v = runner.get_id("v")
            runner.memcpy_h2d(v, from_grid(data, order=order), 0, 0, 3, 2, 4, order=order)
            np.testing.assert_array_equal(runner.read_symbol(*runner.coord_logical_to_physical((2, 1)), "v", np.float32), data[1, 2])
            runner.memcpy_d2h(back, v, 0, 0, 3, 2, 4, order=order)
            np.testing.assert_array_equal(to_grid(back, 3, 2, order=order), data)
            runner.stop()

    def test_one_element_a_pe_needs_no_third_dimension(self):
        np.testing.assert_array_equal(from_grid(np.array([[1, 2], [3, 4]])), [1, 2, 3, 4])
        np.testing.assert_array_equal(from_grid(np.array([[1, 2], [3, 4]]), order=MemcpyOrder.COL_MAJOR), [1, 3, 2, 4])

    def test_a_grid_shares_the_memory_of_its_array(self):
        array = np.zeros(6)
        to_grid(array, 3, 2)[1, 2, 0] = 1.0
        self.assertEqual(array[5], 1.0)

    def test_what_is_no_grid_is_refused(self):
        for call in (
            lambda: to_grid(np.zeros(7), 3, 2),
            lambda: to_grid(np.zeros(6), 0, 2),
            lambda: to_grid([1, 2], 1, 1),
            lambda: from_grid(np.zeros(6)),
        ):
            with self.assertRaises(ArgumentError):
                call()


if __name__ == "__main__":
    unittest.main()
