"""Sweeps on a Dask cluster and under SLURM, with a local cluster and with a stand-in for SLURM's commands.

`cargo xtask test --all` runs this, with `distributed` and `dask-jobqueue` from PyPI."""
import csv
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import distributed
import waferlab

HERE = pathlib.Path(__file__).parent
EXAMPLE = HERE.parents[3] / "examples" / "sweep"
# A run that says which process has run it.
SCRIPT = """
import json, os, sys
json.dump({"square": int(sys.argv[1]) ** 2, "parent": os.getppid()}, open("results.json", "w"))
sys.exit(sys.argv[1] == "3")
"""


class Cluster(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="waferlab-test-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def table(self, text):
        with open(text.strip().splitlines()[-1], encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def sweep(self, cluster):
        program = self.home / "program"
        program.mkdir(exist_ok=True)
        (program / "run.py").write_text(SCRIPT)
        table = waferlab.sweep(
            [f"{sys.executable} run.py {{n}}"], {"n": [1, 2, 3, 4]},
            program=program, folder=self.home / "runs", cluster=cluster, show=lambda line: None,
        )
        return table.to_dict("records")

    def test_runs_are_tasks_of_a_local_cluster(self):
        with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
            for given in (cluster, cluster.scheduler_address):
                rows = self.sweep(given)
                self.assertEqual([row["state"] for row in rows], ["done", "done", "failed", "done"])
                self.assertEqual([row["square"] for row in rows], [1, 4, 9, 16])
                self.assertNotIn(os.getpid(), [row["parent"] for row in rows])
            with distributed.Client(cluster) as client:
                before = [row["parent"] for row in rows]
                self.assertEqual([row["parent"] for row in self.sweep(client)], before, "finished runs are not run again")

    def test_the_table_is_a_data_frame(self):
        import pandas

        program = self.home / "program"
        program.mkdir()
        (program / "run.py").write_text(SCRIPT)
        table = waferlab.sweep(
            [f"{sys.executable} run.py {{n}}"], {"n": [1, 2]}, program=program, folder=self.home / "runs", show=lambda line: None
        )
        self.assertIsInstance(table, pandas.DataFrame)
        self.assertEqual(list(table.set_index("n")["square"]), [1, 4])

    def test_the_command_starts_a_local_cluster(self):
        done = subprocess.run(
            ["waferlab", "sweep", EXAMPLE / "sweep.toml", "--dask=local", "--workers=2", f"--folder={self.home / 'runs'}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({row["state"] for row in self.table(done.stdout)}, {"done"})

    # SLURM.

    def slurm(self):
        """An environment in which the stand-in is SLURM."""
        folder, jobs = self.home / "bin", self.home / "jobs"
        folder.mkdir()
        jobs.mkdir()
        for name in ("sbatch", "scancel"):
            path = folder / name
            path.write_text(f"#!{sys.executable}\n" + (HERE / "stand_in.py").read_text())
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "STAND_IN_JOBS": str(jobs)}

    def example(self):
        """A copy of the example, beside a copy of the program that it runs."""
        for name in ("sweep", "stencil-halo"):
            shutil.copytree(EXAMPLE.parent / name, self.home / name, ignore=shutil.ignore_patterns("out", "runs"))
        return self.home / "sweep"

    def test_an_array_of_jobs_shares_the_runs(self):
        env, folder = self.slurm(), self.example()
        said = subprocess.run(["sbatch", "submit.sh"], cwd=folder, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertRegex(said, r"^Submitted batch job \d+$")
        logs = sorted((self.home / "jobs").glob("slurm-*.out"))
        self.assertEqual(len(logs), 2)
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and not all("results.csv" in log.read_text() for log in logs):
            time.sleep(0.2)
        for log in logs:
            self.assertIn("4 runs done, 0 failed", log.read_text())
        # Collects both shares.
        done = subprocess.run(["waferlab", "sweep", "sweep.toml"], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual([row["state"] for row in self.table(done.stdout)], ["done"] * 8)

    def test_without_slurm_the_script_runs_everything(self):
        folder = self.example()
        done = subprocess.run(["bash", "submit.sh"], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual([row["state"] for row in self.table(done.stdout)], ["done"] * 8)

    def test_jobs_of_slurm_are_workers_of_dask(self):
        env, folder = self.slurm(), self.example()
        done = subprocess.run(
            ["waferlab", "sweep", "sweep.toml", "--slurm=1"], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([row["state"] for row in self.table(done.stdout)], ["done"] * 8)
        self.assertEqual(len(list((self.home / "jobs").glob("slurm-*.out"))), 1, "one job was submitted")


if __name__ == "__main__":
    unittest.main()
