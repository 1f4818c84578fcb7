"""sim.log, sim_stats.json, core files, debug_util and the commands for them."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import support
from waferlab import ArgumentError, SdkError, SdkRuntime, SimfabConfig, get_platform
from waferlab import debug_util as debugging
from waferlab.debug_util import debug_util

BIN = os.path.dirname(sys.executable)
ALL = (0, 0, 3, 2, 4)


class InAFolder(unittest.TestCase):
    """Each test has a working directory of its own."""

    def setUp(self):
        self.out = support.compiled()
        before, folder = os.getcwd(), tempfile.TemporaryDirectory(prefix="waferlab-test-")
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, before)
        os.chdir(folder.name)

    def run_with(self, debug=None, **options):
        """A run that scales ones by two; `debug` is SIMFABRIC_DEBUG."""
        if debug is not None:
            os.environ["SIMFABRIC_DEBUG"] = debug
            self.addCleanup(os.environ.pop, "SIMFABRIC_DEBUG", None)
        runner = SdkRuntime(self.out, **options)
        runner.load()
        runner.run()
        runner.memcpy_h2d(runner.get_id("v"), np.ones(24, dtype=np.float32), *ALL)
        runner.launch("scale", 2.0)
        return runner


class Logs(InAFolder):
    def test_a_run_leaves_its_statistics(self):
        self.run_with().stop()
        self.assertEqual(sorted(os.listdir()), ["sim.log", "sim_stats.json", "simfab_traces"])
        self.assertEqual(os.listdir("simfab_traces"), [])
        with open("sim_stats.json", encoding="utf-8") as file:
            statistics = json.load(file)
        self.assertEqual((statistics["dimX"], statistics["dimY"], statistics["tiles"]), (10, 4, 6))
        self.assertGreater(statistics["cycles"], 0)
        # The names that ten published files of the vendor's simulator have, each in all of them.
        names = (
            "cycle_count cycles_per_second fabric_x fabric_y hwtile_count idle_ce_cycles idle_wavelet_cycles init_time "
            "iotile_count nodes nultile_count sim_stop_cause sim_time simulated_tile_count sunset_count threads tile_count "
            "tile_cycles_per_second tile_cycles_per_second_per_thread total_time"
        )
        self.assertLessEqual(set(names.split()), set(statistics))
        self.assertEqual((statistics["fabric_x"], statistics["fabric_y"]), (10, 4))
        self.assertEqual((statistics["tile_count"], statistics["hwtile_count"], statistics["nultile_count"]), (40, 6, 34))
        self.assertEqual(statistics["cycle_count"], statistics["cycles"])
        self.assertEqual(statistics["sim_stop_cause"], "Stopping due to user request")
        with open("sim.log", encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[0], "@0 dimX=10, dimY=4")
        idle = f"{statistics['idle_ce_cycles']} cycles since an instruction was executed, "
        self.assertIn(idle + f"{statistics['idle_wavelet_cycles']} cycles since a wavelet landed", lines[-2])
        self.assertRegex(lines[-1], rf" Simulation used [0-9.]+ seconds, .* cycles={statistics['cycles']}, ")

    def test_traces_can_be_suppressed(self):
        for options in (
            {"suppress_simfab_trace": True},
            {"platform": get_platform(None, SimfabConfig(suppress_trace=True))},
        ):
            self.run_with(**options).stop()
            self.assertEqual(sorted(os.listdir()), ["sim.log", "sim_stats.json"])
        os.environ["CSL_SUPPRESS_SIMFAB_TRACE"] = "1"
        self.addCleanup(os.environ.pop, "CSL_SUPPRESS_SIMFAB_TRACE", None)
        self.run_with().stop()
        self.assertFalse(os.path.exists("simfab_traces"))
        del os.environ["CSL_SUPPRESS_SIMFAB_TRACE"]
        os.mkdir("simfab_traces")
        with open("simfab_traces/mine", "w", encoding="utf-8") as file:
            file.write("kept")
        self.run_with().stop()
        self.assertEqual(os.listdir("simfab_traces"), ["mine"])

    def test_instructions_are_logged(self):
        self.run_with("inst_trace").stop()
        with open("sim.log", encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[0], "@0 dimX=10, dimY=4")
        form = r"^@\d+ P\d+\.\d+: Id: \d+, (Instr: \d+, Seq: \d+, Pipe: \d+, )?Msg: \[(IS|EX) OP\] "
        for line in lines[1:-3]:
            self.assertRegex(line, form)
        self.assertRegex(lines[-3], "Stopping due to user request")

    def test_other_words_are_a_warning(self):
        with self.assertWarnsRegex(RuntimeWarning, "`everything` is left out: it is not one of landing, inst_trace, router"):
            self.run_with("everything,landing").stop()


class Cores(InAFolder):
    def test_debug_util_reads_the_core_of_an_earlier_process(self):
        runner = self.run_with()
        runner.dump_core("corefile.cs1")
        runner.stop()
        debugging._last_runs.clear()
        np.testing.assert_array_equal(debug_util(self.out).get_symbol(6, 2, "v", np.float32), [2, 2, 2, 2])
        with self.assertRaisesRegex(ArgumentError, "no symbol w"):
            debug_util(self.out).get_symbol(6, 2, "w", np.float32)
        os.remove("corefile.cs1")
        with self.assertRaisesRegex(SdkError, "has not run the program"):
            debug_util(self.out)

    def test_debug_util_reads_the_run_that_was_loaded_last(self):
        self.run_with().stop()
        waiting = SdkRuntime(self.out)
        np.testing.assert_array_equal(debug_util(self.out).get_symbol(6, 2, "v", np.float32), [2, 2, 2, 2])
        waiting.load()
        np.testing.assert_array_equal(debug_util(self.out).get_symbol(6, 2, "v", np.float32), [0, 0, 0, 0])

    def test_places_outside_are_refused_with_words(self):
        self.run_with().stop()
        with self.assertRaisesRegex(ArgumentError, "debug_util: col must not be negative or beyond 2.31, but is -1"):
            debug_util(self.out).get_symbol(-1, 2, "v", np.float32)
        with self.assertRaisesRegex(ArgumentError, "debug_util: row must not be negative"):
            debug_util(self.out).get_symbol_rect(((4, -2), (2, 2)), "v", np.float32)

    def test_arguments_of_other_types_are_refused_with_words(self):
        self.run_with().stop()
        debug = debug_util(self.out)
        for told, method, *arguments in [
            (r"debug_util: col must be a whole number, not 4.7 \(float\)", debug.get_symbol, 4.7, 1, "v", "f4"),
            (r"debug_util: col must be a whole number, not 'a' \(str\)", debug.get_symbol, "a", 1, "v", "f4"),
            (r"debug_util: symbol must be a str, not None", debug.get_symbol, 4, 1, None, "f4"),
            (r"debug_util: a rectangle must be \(\(col, row\), .*, not \(4, 1\)", debug.get_symbol_rect, (4, 1), "v", "f4"),
            (r"debug_util: width must be a whole number, not 1.5", debug.get_symbol_rect, ((4, 1), (1.5, 1)), "v", "f4"),
            (r"get_symbol_rect: a rectangle of 0 x 1 PEs", debug.get_symbol_rect, ((4, 1), (0, 1)), "v", "f4"),
        ]:
            with self.subTest(told), self.assertRaisesRegex(ArgumentError, told):
                method(*arguments)

    def test_an_output_folder_that_has_gone_is_named_at_the_end(self):
        runner = self.run_with(output_folder="mine")
        shutil.rmtree("mine")
        with self.assertRaisesRegex(SdkError, "stop: .*sim_stats.json cannot be written: No such file"):
            runner.stop()
        self.assertRaisesRegex(SdkError, "has been stopped", runner.launch, "scale", 2.0)

    def test_simfab_config_asks_for_a_core_at_the_end(self):
        self.run_with(platform=get_platform(None, SimfabConfig(dump_core=True))).stop()
        self.assertTrue(os.path.exists("out.core"))
        named = SimfabConfig(dump_core=True, core_path="mine.core")
        self.run_with(platform=get_platform(None, named)).stop()
        self.assertTrue(os.path.exists("mine.core"))

    def test_a_core_needs_a_loaded_program(self):
        with self.assertRaisesRegex(SdkError, r"load\(\)"):
            SdkRuntime(self.out).dump_core("corefile.cs1")

    def test_the_vendor_s_trace_readers_name_what_to_use(self):
        done = self.command("cs_python", "-c", "import cerebras.sdk.debug.lib.symbol.csldebugpybind")
        self.assertIn("sim.log", done.stderr)

    def test_the_commands_under_the_vendor_s_names(self):
        runner = self.run_with()
        runner.dump_core("corefile.cs1")
        commands = f"context select {self.out}\ntarget create --core-file=corefile.cs1\nsymbol v\nexit\n"
        self.assertIn("(4,1) v: 0000 4000", self.command("csdb", ".", input=commands).stdout)
        elf = os.path.join(self.out, "bin", "out_0_0.elf")
        self.assertRegex(self.command("cs_readelf", "--sym", elf).stdout, r"\n +\d+: [0-9a-f]{8} +16 OBJECT GLOBAL +\d v\n")
        self.assertIn("waferlab inspect", self.command("sdk_debug_shell", "visualize").stdout)

    def command(self, name, *arguments, **options):
        return subprocess.run(
            [os.path.join(BIN, name), *arguments], capture_output=True, text=True, check=False, **options
        )


if __name__ == "__main__":
    unittest.main()
