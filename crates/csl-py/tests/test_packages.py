"""The drop-in packages, the helpers and the commands."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import venv
import warnings
from unittest import mock

import numpy as np

import support
from waferlab import ArgumentError, CompileError, SdkError, cs_python, port_map, sdk_utils, trace
from waferlab.appliance import SdkCompiler, SdkLauncher
from waferlab.appliance import SdkRuntime as ApplianceRuntime
from waferlab.runtime import SdkRuntime as LocalRuntime

BIN = os.path.dirname(sys.executable)

IMPORTS = """
from cerebras.sdk.runtime.sdkruntimepybind import SdkRuntime, MemcpyDataType, MemcpyOrder, Task, SdkTarget
from cerebras.sdk.runtime.sdkruntimepybind import SimfabConfig, get_platform, get_simulator, SdkCompileArtifacts
from cerebras.sdk.runtime import runtime_utils
from cerebras.sdk import sdk_utils
from cerebras.sdk.debug.debug_util import debug_util
from cerebras.geometry.geometry import IntRectangle, IntVector
assert (MemcpyDataType.MEMCPY_32BIT.value, MemcpyDataType.MEMCPY_16BIT.value) == (0, 1)
assert (MemcpyOrder.ROW_MAJOR.value, MemcpyOrder.COL_MAJOR.value) == (0, 1)
assert (SdkTarget.WSE2.value, SdkTarget.WSE3.value) == (0, 1)
from cerebras.elf.cs_elf_runner import CSELFRunner
from cerebras.elf.cs_elf_runner.lib.csl_utils import read_trace
from cerebras.elf.cself import ELFMemory
print("imported")
"""

CLIENT = """
from cerebras.sdk.client import SdkCompiler, SdkLauncher, SdkRuntime, Task, sdk_utils
from cerebras.appliance.pb.sdk.sdk_common_pb2 import MemcpyDataType, MemcpyOrder
from cerebras.appliance import logger
from cerebras_appliance.sdk import SdkCompiler, SdkRuntime
from cerebras_appliance.pb.sdk.sdk_common_pb2 import MemcpyDataType, MemcpyOrder
print("client")
"""

# A host that must not find the client, in a script and in a process that it forks.
WITHOUT_CLIENT = """
import importlib, os
def look():
    for name in ("cerebras.sdk.client", "cerebras.sdk.client.sdk_utils", "cerebras.appliance", "cerebras_appliance",
                 "cerebras_appliance.sdk", "cerebras.appliance.pb.sdk.sdk_common_pb2"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            assert name.startswith(error.name), (name, error.name)
        else:
            raise AssertionError(name)
look()
import cerebras.sdk.runtime.sdkruntimepybind
child = os.fork()
if child == 0:
    look()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("hidden")
"""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class Commands(unittest.TestCase):
    def test_cs_python_finds_the_packages(self):
        done = run(os.path.join(BIN, "cs_python"), "-c", IMPORTS)
        self.assertEqual((done.stdout, done.returncode), ("imported\n", 0), done.stderr)

    def test_cs_python_has_no_appliance_client(self):
        done = run(os.path.join(BIN, "cs_python"), "-c", WITHOUT_CLIENT)
        self.assertEqual((done.stdout, done.returncode), ("hidden\n", 0), done.stderr)

    def test_plain_python_has_it(self):
        paths = os.pathsep.join([cs_python.dropins(), os.environ.get("PYTHONPATH", "")])
        done = run(sys.executable, "-c", CLIENT, env={**os.environ, "PYTHONPATH": paths})
        self.assertEqual((done.stdout, done.returncode), ("client\n", 0), done.stderr)

    def test_plain_python_has_it_when_a_script_under_cs_python_starts_it(self):
        script = "import subprocess, sys; sys.exit(subprocess.call([sys.argv[1], '-c', sys.argv[2]]))"
        done = run(os.path.join(BIN, "cs_python"), "-c", script, sys.executable, CLIENT)
        self.assertEqual((done.stdout, done.returncode), ("client\n", 0), done.stderr)

    def test_variables_for_the_inside_of_a_container(self):
        script = "import os; print(*(os.environ.get(name) for name in ('ROWS', 'COLS', 'SET', 'BOTH')))"
        more = {
            "SINGULARITYENV_ROWS": "3", "APPTAINERENV_COLS": "5", "APPTAINERENV_SET": "inside", "SET": "outside",
            "SINGULARITYENV_BOTH": "first", "APPTAINERENV_BOTH": "second",
        }  # fmt: skip
        done = run(os.path.join(BIN, "cs_python"), "-c", script, env={**os.environ, **more})
        self.assertEqual(done.stdout, "3 5 outside first\n", done.stderr)
        with mock.patch.dict(os.environ, APPTAINERENV_PYTHONPATH="/mine"):
            os.environ.pop("PYTHONPATH", None)
            self.assertEqual(cs_python.environment()["PYTHONPATH"], os.pathsep.join([cs_python.dropins(), "/mine"]))

    def test_the_variables_of_the_package_stand_in_the_book(self):
        # Whatever way they are read; the page is made of the table of all variables.
        folder = pathlib.Path(__file__).resolve().parents[3]
        page = (folder / "docs/book/src/reference/environment.md").read_text(encoding="utf-8")
        for file in (folder / "crates/csl-py/python").rglob("*.py"):
            for name in re.findall(r"\b(?:WAFERLAB|CSL)_[A-Z_]+", file.read_text(encoding="utf-8")):
                self.assertIn(f"## `{name}`", page, file)

    def test_cs_python_stands_in_a_first_line(self):
        script = os.path.join(support.sources(), "script")
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!/usr/bin/env cs_python\nimport sys, cerebras.sdk\nprint(sys.argv[1])\n")
        os.chmod(script, 0o755)
        done = run(script, "word", env={**os.environ, "PATH": BIN + os.pathsep + os.environ["PATH"]})
        self.assertEqual(done.stdout, "word\n", done.stderr)

    def test_cslc_ends_with_status_0_or_1(self):
        folder = support.sources()
        cslc = os.path.join(BIN, "cslc")
        done = run(cslc, *support.OPTIONS.split(), "-o", "other", cwd=folder)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(sorted(os.listdir(folder)), ["layout.csl", "other", "pe.csl"])
        done = run(cslc, "nowhere.csl", cwd=folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere.csl", done.stderr)
        self.assertEqual(run(cslc, "--wrong").returncode, 1)
        self.assertEqual(run(cslc, "-h").returncode, 0)

    def test_diagnostics_as_json(self):
        done = run(os.path.join(BIN, "cslc"), "nowhere.csl", "--error-format=json")
        self.assertEqual(json.loads(done.stderr.splitlines()[0])["code"], "E0205")


class Enabling(unittest.TestCase):
    def test_plain_python_of_an_environment_finds_the_packages_while_they_are_enabled(self):
        folder = tempfile.mkdtemp(prefix="waferlab-test-")
        self.addCleanup(shutil.rmtree, folder)
        venv.create(folder, with_pip=False)
        python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")
        packages = os.pathsep.join(path for path in sys.path if path and os.path.isdir(path))
        packages = os.pathsep.join(path for path in packages.split(os.pathsep) if os.path.basename(path) != "dropins")
        plain = {**os.environ, "PYTHONPATH": packages}

        def status(*arguments):
            return subprocess.run([python, *arguments], env=plain, capture_output=True, check=False).returncode

        look = ("-c", "import cerebras.sdk.client")
        self.assertNotEqual(status(*look), 0)
        self.assertEqual(status("-m", "waferlab.enable", "enable"), 0)
        self.assertEqual(status(*look), 0)
        self.assertEqual(status("-m", "waferlab.enable", "disable"), 0)
        self.assertNotEqual(status(*look), 0)
        self.assertNotEqual(status("-m", "waferlab.enable", "enabel"), 0)


class NumPyNote(unittest.TestCase):
    def test_numpy_2_is_told_of_once(self):
        nested = f"import subprocess; subprocess.run([{os.path.join(BIN, 'cs_python')!r}, '-c', 'pass'], check=True)"
        done = run(os.path.join(BIN, "cs_python"), "-c", nested)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("cs_python: NumPy"), int(np.__version__.split(".")[0] >= "2"))


class Appliance(unittest.TestCase):
    FLAGS = "--fabric-dims=10,4 --fabric-offsets=4,1 --memcpy --channels=1 --params=width:3 -o out"

    def test_both_sets_of_arguments(self):
        folder = support.sources()
        new = SdkCompiler().compile(folder, "layout.csl", self.FLAGS, folder)
        with SdkCompiler(disable_version_check=True) as compiler:
            old = compiler.compile(app_path=folder, csl_main="layout.csl", options=self.FLAGS, out_path=folder)
        self.assertEqual(json.loads(json.dumps(new)), old)

    def test_the_runtime_is_a_context(self):
        data, back = np.arange(24, dtype=np.float32), np.zeros(24, dtype=np.float32)
        with ApplianceRuntime(support.compiled(), simulator=True) as runner:
            v = runner.get_id("v")
            runner.memcpy_h2d(v, data, 0, 0, 3, 2, 4)
            runner.memcpy_d2h(back, v, 0, 0, 3, 2, 4, nonblock=True)
        np.testing.assert_array_equal(back, data)

    def test_every_documented_keyword_of_both_classes(self):
        words = dict(
            cmaddr=None, suppress_simfab_trace=True, simfab_numthreads=2, msg_level="INFO", memcpy_required=True,
            simulator=True, disable_version_check=True, mgmt_namespace="n", resource_cpu=24000, resource_mem=64 << 30,
        )  # fmt: skip
        cluster = {name: words[name] for name in ("disable_version_check", "mgmt_namespace", "resource_cpu", "resource_mem")}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ApplianceRuntime(support.compiled(), **words)
            LocalRuntime(support.compiled(), **words)
            SdkCompiler(**cluster)
            SdkLauncher(support.compiled(), simulator=True, **cluster)
        for made in (ApplianceRuntime, LocalRuntime, SdkLauncher):
            with self.assertWarnsRegex(RuntimeWarning, "'simulater'.* is 'simulator'"):
                made(support.compiled(), simulater=True)
        with self.assertWarnsRegex(RuntimeWarning, r"SdkCompiler\(\) .*'ressource_cpu'.* is 'resource_cpu'"):
            SdkCompiler(ressource_cpu=1)

    def test_the_client_has_no_name_that_the_program_does_not_export(self):
        with ApplianceRuntime(support.compiled()) as runner:
            self.assertIsNone(runner.get_id("absent"))
            with self.assertRaisesRegex(SdkError, "gave None for 'absent'"):
                runner.memcpy_d2h(np.zeros(24, np.float32), runner.get_id("absent"), 0, 0, 3, 2, 4)

    def test_the_launcher_runs_in_a_folder_of_its_own(self):
        folder = support.sources()
        extra = os.path.join(folder, "extra.txt")
        with open(extra, "w", encoding="utf-8") as file:
            file.write("hello")
        with SdkLauncher(support.compiled(), simulator=True) as launcher:
            launcher.stage(extra)
            self.assertEqual(launcher.run("cat extra.txt", "test -d out && printf '%s' '!'"), "hello!")
            written = launcher.download_artifact("extra.txt", os.path.join(folder, "copy.txt"))
        self.assertTrue(os.path.exists(written))

    def test_the_address_of_the_system_is_empty_in_every_quoting(self):
        show = "printf '[%s]' a "
        with SdkLauncher(support.compiled(), simulator=True) as launcher:
            for word in ("%CMADDR%", "'%CMADDR%'", '"%CMADDR%"'):
                self.assertEqual(launcher.run(f"{show}{word} b"), "[a][][b]", word)
                self.assertEqual(launcher.run(f"{show}--cmaddr={word}"), "[a][--cmaddr=]", word)
            self.assertEqual(launcher.run(show + '"--cmaddr=%CMADDR%" "\\"%CMADDR%"'), '[a][--cmaddr=]["]')
            # Commands for another shell.
            for command in ("sh -c 'printf \"[%s]\" a %CMADDR% b'", "sh -c \"printf '[%s]' a %CMADDR% b\""):
                self.assertEqual(launcher.run(command), "[a][][b]", command)
            for command in ("sh -c 'printf \"[%s]\" a \"%CMADDR%\"'", "sh -c \"printf '[%s]' a '%CMADDR%'\""):
                self.assertEqual(launcher.run(command), "[a][]", command)

    def test_options_may_stand_in_quotes(self):
        folder = support.sources()
        quoted = self.FLAGS.replace("width:3", '"width:3"').replace("-o out", "-o 'my out'")
        with SdkCompiler() as compiler:
            self.assertEqual(compiler.compile(folder, "layout.csl", quoted, folder), os.path.join(folder, "my out"))
            with self.assertRaisesRegex(ArgumentError, "No closing quotation"):
                compiler.compile(folder, "layout.csl", self.FLAGS + " '", folder)

    def test_a_block_that_stops_the_run_itself(self):
        with ApplianceRuntime(support.compiled()) as runner:
            runner.stop()

    def test_what_lies_in_the_way_stays(self):
        folder = support.sources()
        shelf = os.path.join(folder, "shelf")
        os.makedirs(os.path.join(shelf, "out", "bin"))
        for name in ("data", "out/data", "out/bin/tool"):
            with open(os.path.join(shelf, name), "w", encoding="utf-8") as file:
                file.write("mine")
        with self.assertRaisesRegex(CompileError, "bin: it holds tool"):
            SdkCompiler().compile(folder, "layout.csl", self.FLAGS, shelf)
        os.remove(os.path.join(shelf, "out/bin/tool"))
        artifact = SdkCompiler().compile(folder, "layout.csl", self.FLAGS, shelf)
        self.assertEqual(artifact, os.path.join(shelf, "out"))
        # The artifact as the target: the program is compiled again, and no folder is made in it.
        self.assertEqual(SdkCompiler().compile(folder, "layout.csl", self.FLAGS, artifact), artifact)
        for name in ("data", "out/data"):
            with open(os.path.join(shelf, name), encoding="utf-8") as file:
                self.assertEqual(file.read(), "mine")
        self.assertEqual(sorted(os.listdir(folder)), ["layout.csl", "pe.csl", "shelf"])
        with self.assertRaisesRegex(CompileError, "the source file .*layout.csl lies in it"):
            SdkCompiler().compile(folder, "layout.csl", self.FLAGS.replace("-o out", "-o ."), folder)
        self.assertEqual(sorted(os.listdir(folder)), ["layout.csl", "pe.csl", "shelf"])

    def test_errors_are_told(self):
        with self.assertRaisesRegex(CompileError, "nowhere.csl"):
            SdkCompiler().compile(support.sources(), "nowhere.csl", self.FLAGS, ".")


class Helpers(unittest.TestCase):
    def test_views(self):
        words = np.array([0x00010002, 0xFFFF0003], dtype=np.uint32)
        view = sdk_utils.memcpy_view(words, np.uint16)
        np.testing.assert_array_equal(view, [2, 3])
        view[0] = 9
        self.assertEqual(words[0], 0x00010009)

    def test_arrays_that_would_be_read_wrongly(self):
        for wrong in (np.zeros(4, ">u2"), np.ma.masked_array([1, 2], mask=[0, 1], dtype=np.int16)):
            with self.assertRaises(SdkError):
                sdk_utils.input_array_to_u32(wrong, None, 4)
        with self.assertRaises(SdkError):
            sdk_utils.memcpy_view(np.zeros(4, ">u4"), np.uint16)
        for number in (2**32, 2**40, -(2**31) - 1):
            with self.assertRaisesRegex(ArgumentError, f"cast_uint32: {number} does not fit a word of 32 bits"):
                sdk_utils.cast_uint32(number)
        self.assertEqual((sdk_utils.cast_uint32(2**32 - 1), sdk_utils.cast_uint32(-1)), (2**32 - 1, 2**32 - 1))

    def test_extension_to_words(self):
        items = np.array([-1, 2, 3, 4], dtype=np.int16)
        np.testing.assert_array_equal(sdk_utils.input_array_to_u32(items, None, 4), [0xFFFF, 2, 3, 4])
        np.testing.assert_array_equal(sdk_utils.input_array_to_u32(arr=items, sentinel=None, fast_dim_sz=4), [0xFFFF, 2, 3, 4])
        indexed = sdk_utils.input_array_to_u32(items, 1, 2)
        np.testing.assert_array_equal(indexed, [0xFFFF, 0x10002, 3, 0x10004])

    def test_cycles(self):
        # 0x0000_0001_0002 to 0x0001_0001_0002.
        times = np.array([0x00010002, 0x00020000, 0x00010001], dtype=np.uint32)
        self.assertEqual(sdk_utils.calculate_cycles(times.view(np.float32)), 1 << 32)

    def test_exported_functions(self):
        functions = sdk_utils.get_api_info_dict(support.compiled())
        self.assertEqual(functions["scale"][1], ["f32"])
        self.assertTrue(sdk_utils.check_rpc_api("scale", [1.0], functions))
        self.assertFalse(sdk_utils.check_rpc_api("scale", [1], functions))
        self.assertEqual(sdk_utils.getOutputNameFromCompileOptions(["a.csl", "-o=x"]), "x")
        self.assertEqual(sdk_utils.getOutputNameFromCompileOptions(["a.csl", "-out-routes=r", "-ox"]), "x")

    def test_port_maps(self):
        tensor = np.arange(24, dtype=np.float32).reshape(4, 6)
        text = "{ A[j=0:3][i=0:5] -> [PE[i//3, j//2] -> index[j%2, i%3]] }"
        px, py, w, h, l, data = port_map.convert_input_tensor(text, tensor)
        self.assertEqual((px, py, w, h, l), (0, 0, 2, 2, 6))
        np.testing.assert_array_equal(data.reshape(2, 2, 2, 3)[1, 0], tensor[2:4, 0:3])
        np.testing.assert_array_equal(port_map.format_output_tensor(text, np.float32, data), tensor)

    def test_port_maps_as_programs_write_them(self):
        M, K, Mt, Kt = 4, 6, 2, 3
        text = f"{{ A[j=0:{M-1}][i=0:{K-1}] -> [PE[i//{Kt}, j//{Mt}] -> index[i%{Kt}, j%{Mt}]] }}"
        tensor = np.arange(M * K, dtype=np.float32).reshape(M, K)
        px, py, w, h, l, data = port_map.convert_input_tensor(text, tensor)
        self.assertEqual((px, py, w, h, l), (0, 0, 2, 2, 6))
        # On PE (1, 0) the column within the tile comes first.
        np.testing.assert_array_equal(data.reshape(2, 2, 3, 2)[0, 1], tensor[0:2, 3:6].T)

    def test_recorded_values(self):
        # Its length, then a string of three characters, -1 as i8 and as i16, 1.5 as f32, a time stamp.
        words = [10, 10 | 3 << 8, ord("a") | ord("b") << 8, ord("c"), 3 | 0xFF00, 5, 0xFFFF, 9, 0, 0x3FC0, 1 | 1 << 8, 0, 0]
        self.assertEqual(trace.decode(words), ["abc", -1, -1, 1.5, True])
        self.assertEqual(trace.decode([4, 11, 1, 0, 1]), [(1 << 32) + 1])
        with self.assertRaises(SdkError):
            trace.decode([1, 99])

    def test_the_dropins_come_first(self):
        path = cs_python.environment()["PYTHONPATH"].split(os.pathsep)
        self.assertEqual(path[0], cs_python.dropins())


if __name__ == "__main__":
    unittest.main()
