"""The plug-in of pytest: tests of tests. `cargo xtask test --all` has pytest; where it is missing, these are skipped."""
import importlib.util
import os
import subprocess
import sys
import unittest

import support

TESTS = '''
import numpy as np
import pytest

PLACE = {"params": {"width": 3}, "fabric_dims": (10, 4), "fabric_offsets": (4, 1), "memcpy": True}

def test_scales(csl):
    artifact = csl.compile("layout.csl", **PLACE)
    back = np.zeros(4, dtype=np.float32)
    with csl.run(artifact) as runner:
        v = runner.get_id("v")
        runner.memcpy_h2d(v, np.arange(4, dtype=np.float32), 0, 0, 1, 1, 4)
        runner.launch("scale", np.float32(2.0))
        runner.memcpy_d2h(back, v, 0, 0, 1, 1, 4)
    assert artifact.summary()["arch"] == csl.arch
    np.testing.assert_array_equal(back, [0, 2, 4, 6])

@pytest.mark.csl_arch("wse3")
def test_deadlocks(csl):
    with csl.run(csl.compile("layout.csl", **PLACE)) as runner:
        runner.launch("hold")
        runner.launch("scale", np.float32(2.0))

@pytest.mark.csl_arch("wse2")
def test_is_wrong(csl):
    with csl.run(csl.compile("layout.csl", **PLACE)) as runner:
        runner.launch("scale", np.float32(2.0))
    assert csl.arch == "wse3"
'''


@unittest.skipUnless(importlib.util.find_spec("pytest"), "pytest is not installed")
class Plugin(unittest.TestCase):
    def setUp(self):
        self.folder = support.sources()
        self.write("test_program.py", TESTS)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def pytest(self, *words):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, env=environment)

    def test_a_test_runs_for_each_chip_and_leaves_nothing_beside_it(self):
        before = sorted(os.listdir(self.folder))
        done = self.pytest("-v", "-k", "scales")
        self.assertIn("test_scales[wse2] PASSED", done.stdout)
        self.assertIn("test_scales[wse3] PASSED", done.stdout)
        self.assertEqual((sorted(os.listdir(self.folder)), done.returncode), (before, 0), done.stdout)

    def test_marks_and_options_choose_chips(self):
        done = self.pytest("-v", "-k", "scales", "--csl-arch=wse3")
        self.assertNotIn("wse2", done.stdout)
        done = self.pytest("--collect-only", "-k", "deadlocks or wrong")
        self.assertIn("test_deadlocks[wse3]", done.stdout)
        self.assertNotIn("test_deadlocks[wse2]", done.stdout)
        self.write("test_program.py", "import pytest\n@pytest.mark.csl_arch('wse4')\ndef test_it(csl): pass\n")
        done = self.pytest()
        self.assertIn("csl_arch takes wse2, wse3, not 'wse4'", done.stdout + done.stderr)
        self.assertNotEqual(done.returncode, 0)

    def test_a_deadlock_is_reported_as_the_machine_tells_it(self):
        done = self.pytest("-k", "deadlocks")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("SimulationError", done.stdout)
        self.assertIn("hold", done.stdout)
        self.assertRegex(done.stdout, "sim.log of .*sim.log")
        self.assertIn("Stopping due to deadlock", done.stdout)

    def test_so_is_the_log_of_a_run_that_ended_well_in_a_test_that_did_not(self):
        done = self.pytest("-k", "wrong")
        self.assertRegex(done.stdout, "sim.log of .*run-1/sim.log")
        self.assertIn("@0 dimX=10, dimY=4", done.stdout)

    @unittest.skipUnless(importlib.util.find_spec("xdist"), "pytest-xdist is not installed")
    def test_tests_run_side_by_side(self):
        done = self.pytest("-n", "2")
        self.assertIn("2 failed, 2 passed", done.stdout)
        self.assertEqual(done.stdout.count("sim.log of"), 2, done.stdout)

    def test_other_tests_do_not_load_the_package(self):
        self.write("test_program.py", "import sys\ndef test_it(): assert 'waferlab.runtime' not in sys.modules\n")
        done = self.pytest()
        self.assertIn("1 passed", done.stdout)


if __name__ == "__main__":
    unittest.main()
