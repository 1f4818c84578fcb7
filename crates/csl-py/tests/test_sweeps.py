"""Sweeps on this machine. The runs are small scripts of Python, but for one that compiles and simulates."""
import contextlib
import csv
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import support  # Runs leave their files in its scratch folder.
import waferlab
from waferlab import SweepError
from waferlab.sweeps import command, marks

# A host script: writes what it was given, and fails where it is told to.
SCRIPT = """
import json, sys
n, chip = int(sys.argv[1]), sys.argv[2]
print("n is", n)
with open("results.json", "w") as file:
    json.dump({"square": n * n, "chip_again": chip}, file)
with open("count.txt", "a") as file:
    file.write("x")
if n == 3:
    sys.exit("three is too many")
"""


class Sweeps(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="waferlab-test-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.program = self.home / "program"
        self.program.mkdir()
        self.script(SCRIPT)
        self.lines = []

    def script(self, text):
        (self.program / "run.py").write_text(text, encoding="utf-8")

    def sweep(self, axes, commands=None, **options):
        commands = commands or [f"{sys.executable} run.py {{n}} {{chip}}"]
        options = {"program": self.program, "folder": self.home / "runs", "show": self.lines.append, **options}
        table = waferlab.sweep(commands, axes, **options)
        return table if isinstance(table, list) else table.to_dict("records")

    def folder(self, name):
        return self.home / "runs" / name

    def times_run(self, name):
        return len((self.folder(name) / "count.txt").read_text())

    def test_every_combination_is_run_in_a_folder_of_its_own(self):
        rows = self.sweep({"chip": ["wse2", "wse3"], "n": [1, 2]})
        self.assertEqual([(row["chip"], row["n"], row["square"], row["state"]) for row in rows],
                         [("wse2", 1, 1, "done"), ("wse2", 2, 4, "done"), ("wse3", 1, 1, "done"), ("wse3", 2, 4, "done")])
        self.assertIn("n is 2\n", (self.folder("chip=wse3,n=2") / "sweep.log").read_text())
        with open(self.home / "runs" / "results.csv", encoding="utf-8", newline="") as file:
            self.assertEqual([row["square"] for row in csv.DictReader(file)], ["1", "4", "1", "4"])
        self.assertEqual(sorted(path.name for path in self.program.iterdir()), ["run.py"])

    def test_points_are_combined_with_the_axes(self):
        rows = self.sweep({"chip": ["wse2", "wse3"]}, points=[{"n": 5}, {"n": 6}])
        self.assertEqual([(row["chip"], row["square"]) for row in rows],
                         [("wse2", 25), ("wse2", 36), ("wse3", 25), ("wse3", 36)])

    def test_no_result_is_lost_whatever_its_name(self):
        results = {"error": 0.01, "cycles": 7, "message": "mine", "result.cycles": 8, "n": 1, "chip": "other"}
        self.script(f"import json; json.dump({results!r}, open('results.json', 'w'))")
        (row,) = self.sweep({"chip": ["wse2"], "n": [1]})
        expected = {"error": 0.01, "result.cycles": 7, "result.message": "mine", "result.result.cycles": 8, "result.chip": "other"}
        own = {"chip": "wse2", "n": 1, "state": "done", "cycles": None, "message": None}
        del row["seconds"], row["folder"]
        self.assertEqual(row, {**own, **expected})
        with open(self.home / "runs" / "results.csv", encoding="utf-8", newline="") as file:
            columns = csv.DictReader(file).fieldnames
        self.assertEqual(columns[:5] + columns[-2:], ["chip", "n", "state", "seconds", "cycles", "message", "folder"])

    def test_a_finished_run_is_not_run_again(self):
        self.sweep({"chip": ["wse2"], "n": [1]})
        rows = self.sweep({"chip": ["wse2"], "n": [1, 2]})
        self.assertEqual([row["square"] for row in rows], [1, 4])
        self.assertEqual((self.times_run("chip=wse2,n=1"), self.times_run("chip=wse2,n=2")), (1, 1))

    def test_a_changed_program_is_run_again_and_the_old_run_stays(self):
        self.sweep({"chip": ["wse2"], "n": [4]})
        self.script(SCRIPT.replace("n * n", "n + n"))
        self.assertEqual(self.sweep({"chip": ["wse2"], "n": [4]})[0]["square"], 8)
        old = json.loads((self.folder("chip=wse2,n=4.old1") / "results.json").read_text())
        self.assertEqual(old["square"], 16)

    def test_changed_commands_are_run_again(self):
        self.sweep({"chip": ["wse2"], "n": [4]})
        again = [f"{sys.executable} run.py {{n}}1 {{chip}}"]
        self.assertEqual(self.sweep({"chip": ["wse2"], "n": [4]}, again)[0]["square"], 41 * 41)

    def test_a_failed_run_is_named_with_its_log_and_the_others_go_on(self):
        rows = self.sweep({"chip": ["wse2"], "n": [1, 3, 5]}, workers=1)
        self.assertEqual([row["state"] for row in rows], ["done", "failed", "done"])
        self.assertIn("ended with status 1", rows[1]["message"])
        log = self.folder("chip=wse2,n=3") / "sweep.log"
        self.assertIn(str(log), "\n".join(self.lines))
        self.assertIn("three is too many", log.read_text())

    def test_a_failed_run_is_tried_again_only_when_asked(self):
        self.sweep({"chip": ["wse2"], "n": [3]})
        self.sweep({"chip": ["wse2"], "n": [3]})
        self.assertFalse(self.folder("chip=wse2,n=3.old1").exists())
        self.sweep({"chip": ["wse2"], "n": [3]}, retry=True)
        self.assertTrue((self.folder("chip=wse2,n=3.old1") / "sweep.log").exists())

    def test_later_commands_do_not_run_after_one_that_failed(self):
        commands = [f"{sys.executable} run.py {{n}} a", f"{sys.executable} -c \"open('after', 'w')\""]
        self.sweep({"n": [3, 4]}, commands)
        self.assertFalse((self.folder("n=3") / "after").exists())
        self.assertTrue((self.folder("n=4") / "after").exists())

    def test_a_command_that_is_not_there_fails_its_run(self):
        rows = self.sweep({"n": [1]}, ["no-such-command {n}"])
        self.assertEqual(rows[0]["state"], "failed")
        self.assertIn("does not start", rows[0]["message"])

    def test_folders_of_others_are_left_alone(self):
        runs = self.home / "runs"
        runs.mkdir()
        (runs / "thesis.tex").write_text("important")
        with self.assertRaisesRegex(SweepError, "is not the folder of a sweep"):
            self.sweep({"chip": ["wse2"], "n": [1]})
        self.assertEqual([path.name for path in runs.iterdir()], ["thesis.tex"])

    def test_a_foreign_file_with_the_name_of_the_mark_stays_with_all_beside_it(self):
        runs = self.home / "runs"
        runs.mkdir()
        for text in ('{"program": "prog", "folder": "."}', "no JSON", "[1]", '{"made_by": "me"}'):
            (runs / marks.SWEEP_MARK).write_text(text)
            (runs / marks.TABLE).write_text("mine")
            with self.subTest(text), self.assertRaisesRegex(SweepError, "sweep.json is not the mark of a sweep and stays as it is"):
                self.sweep({"chip": ["wse2"], "n": [1]})
            self.assertEqual({path.name: path.read_text() for path in runs.iterdir()}, {"sweep.json": text, "results.csv": "mine"})

    def test_a_file_is_no_folder_of_the_runs(self):
        (self.home / "file").write_text("mine")
        for folder, text in ((self.home / "file", "is no folder"), (self.home / "file" / "runs", "Not a directory")):
            with self.subTest(folder), self.assertRaisesRegex(SweepError, text):
                self.sweep({"chip": ["wse2"], "n": [1]}, folder=folder)
        self.assertEqual((self.home / "file").read_text(), "mine")

    def test_folders_of_other_sweeps_and_of_cslc_are_no_files_of_the_program(self):
        for name in ("one", "two", "one"):
            self.sweep({"chip": ["wse2"], "n": [1]}, folder=self.program / name)
            out = self.program / "out"
            (out / "bin").mkdir(parents=True, exist_ok=True)
            for path in (out / "bin" / "program.wafer", out / "generated.csl"):
                path.write_text("made by cslc")
        copied = [path.relative_to(self.program / "two").as_posix() for path in (self.program / "two").glob("**/*.*")]
        self.assertEqual([path for path in copied if path.endswith((".py", ".csl"))], ["chip=wse2,n=1/run.py"])
        # The run in `one` had the same identity and was not run again.
        self.assertEqual(len((self.program / "one" / "chip=wse2,n=1" / "count.txt").read_text()), 1)
        self.sweep({"chip": ["wse2"], "n": [1]}, files=["run.py", "out/**/*"])
        self.assertTrue((self.folder("chip=wse2,n=1") / "out" / "bin" / "program.wafer").exists())

    def test_the_program_may_lie_beside_the_folder_of_the_runs(self):
        runs = self.home / "runs"
        runs.mkdir()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(runs)
        (row,) = self.sweep({"chip": ["wse2"], "n": [2]}, program="../program", folder=".")
        self.assertEqual(row["square"], 4)

    def test_results_that_are_no_json_object_are_told(self):
        for text, told in (("{'n': 1}", "it is no JSON"), ("[1, 2]", r"it holds no object with names, but \[1, 2\]")):
            self.script(f"open('results.json', 'w').write({text!r})")
            (row,) = self.sweep({"chip": ["wse2"], "n": [1]})
            self.assertEqual(row["state"], "done")
            self.assertRegex(row["message"], f"results.json is left out of the table: {told}")
            self.assertRegex("\n".join(self.lines), told)

    def test_a_folder_in_place_of_a_run_is_left_alone(self):
        self.sweep({"chip": ["wse2"], "n": [1]})
        mine = self.folder("chip=wse2,n=2")
        mine.mkdir()
        (mine / "run.py").write_text("mine")
        rows = self.sweep({"chip": ["wse2"], "n": [1, 2]})
        self.assertEqual([row["state"] for row in rows], ["done", "missing"])
        self.assertEqual([(path.name, path.read_text()) for path in mine.iterdir()], [("run.py", "mine")])
        self.assertIn("was not made by a sweep", "\n".join(self.lines))

    def test_a_file_of_the_user_in_a_run_stays_when_it_is_run_again(self):
        self.sweep({"chip": ["wse2"], "n": [3]})
        (self.folder("chip=wse2,n=3") / "notes.txt").write_text("mine")
        self.sweep({"chip": ["wse2"], "n": [3]}, retry=True)
        self.assertEqual((self.folder("chip=wse2,n=3.old1") / "notes.txt").read_text(), "mine")

    def test_a_run_of_another_process_is_left_to_it(self):
        self.sweep({"chip": ["wse2"], "n": [1]})
        mark = self.folder("chip=wse2,n=1") / marks.MARK
        state = json.loads(mark.read_text())
        # A living process of this machine, and one of another that has just touched its mark.
        for host, pid in ((state["host"], os.getpid()), ("elsewhere", 1)):
            mark.write_text(json.dumps({**state, "state": "running", "host": host, "pid": pid}))
            self.sweep({"chip": ["wse2"], "n": [1]})
            self.assertEqual(self.times_run("chip=wse2,n=1"), 1)
        long_ago = time.time() - 3600
        os.utime(mark, (long_ago, long_ago))
        self.sweep({"chip": ["wse2"], "n": [1]})
        self.assertTrue(self.folder("chip=wse2,n=1.old1").exists())
        self.assertEqual(json.loads(mark.read_text())["state"], "done")

    def test_a_share_is_run_and_the_table_has_all(self):
        rows = self.sweep({"chip": ["wse2"], "n": [1, 2, 4]}, part=(1, 2))
        self.assertEqual([row["state"] for row in rows], ["missing", "done", "missing"])
        rows = self.sweep({"chip": ["wse2"], "n": [1, 2, 4]}, part=(0, 2))
        self.assertEqual([row["state"] for row in rows], ["done"] * 3)

    def test_a_run_that_takes_too_long_is_ended(self):
        begun = time.monotonic()
        rows = self.sweep({"n": [1]}, [f"{sys.executable} -c 'import time; time.sleep(60)'"], timeout=0.5)
        self.assertIn("took longer than 0.5 s", rows[0]["message"])
        self.assertLess(time.monotonic() - begun, 30)

    def test_values_are_not_split_into_words_or_read_by_a_shell(self):
        self.script("import sys, json; json.dump({'got': sys.argv[1:]}, open('results.json', 'w'))")
        (row,) = self.sweep({"text": ["$(touch x) 'a b' {n}"]}, [f"{sys.executable} run.py {{text}}"])
        self.assertEqual(row["got"], ["$(touch x) 'a b' {n}"])

    def test_braces_of_a_script_in_a_command_stay(self):
        self.script("import sys, json; json.dump({'got': sys.argv[1:]}, open('results.json', 'w'))")
        words = ["{n+=1} {n}", "{n for n in range(3)}", "{n:>4}", "{ n }"]
        (row,) = self.sweep({"n": [7]}, [f"{sys.executable} run.py " + " ".join(f"'{word}'" for word in words)])
        self.assertEqual(row["got"], ["{n+=1} 7", *words[1:]])

    def test_mistakes_are_told_before_anything_is_made(self):
        one = ["true"]
        for commands, axes, points, text in [
            ([], {"n": [1]}, None, "a list of command lines"),
            ("true", {"n": [1]}, None, "a list of command lines"),
            (["true {m}"], {"n": [1]}, None, "there is no value m; there are n, program"),
            (["true 'x"], {"n": [1]}, None, "No closing quotation"),
            (one, {"n": "12"}, None, "n needs a list"),
            (one, {"n": 5}, None, "n needs a list"),
            (one, {"n": [None]}, None, "n: a value is a text, a number or a bool"),
            (one, {"state": [1]}, None, "'state' cannot be the name"),
            (one, {"a-b": [1]}, None, "'a-b' cannot be the name"),
            (one, {"n": [1, 1]}, None, "two runs have the same values: n=1"),
            (one, {"n": [1]}, [{"n": 2}], "n is an axis, too"),
            (one, {"n": [1], "m": []}, None, "axes: m has no values"),
            (one, 3, None, "axes: names with a list of values each are needed, not 3"),
            (one, {1: [1]}, None, "the name of a value is a text, not 1"),
            (one, {"n": [1]}, {"a": 1}, "points: a list is needed"),
            (one, {"n": [1]}, 3, "points: a list is needed"),
            (["true --params=n:{n"], {"n": [1]}, None, "`{n` has no `}` behind it: write `{n}`"),
            (["true {n,m:{m}"], {"n": [1], "m": [2]}, None, "`{n` has no `}` behind it"),
            ([3], {"n": [1]}, None, "a list of command lines"),
        ]:
            with self.subTest(text), self.assertRaisesRegex(SweepError, text):
                waferlab.sweep(commands, axes, points=points, program=self.program, folder=self.home / "runs")
        with self.assertRaisesRegex(SweepError, "workers: 1 or more, not 0"):
            self.sweep({"n": [1]}, ["true"], workers=0)
        for options, text in [
            ({"timeout": -1}, "timeout: a number of seconds above 0, not -1"),
            ({"timeout": "x"}, "timeout: a number of seconds above 0, not 'x'"),
            ({"workers": "2"}, "workers: 1 or more, not 2"),
            ({"part": (2, 2)}, r"part: \(i, n\), share i of n with i from 0 to n-1, not \(2, 2\)"),
            ({"files": "*.py"}, r"files: a list of patterns is needed, .* not '\*.py'"),
            ({"files": ["/etc/*"]}, "files: '/etc/\\*' is no pattern of files in"),
            ({"program": 3}, "program: the path of a folder is needed, not 3"),
            ({"folder": self.home}, f"the program lies in {self.home.resolve()}, the folder of the runs"),
        ]:
            with self.subTest(options), self.assertRaisesRegex(SweepError, text):
                self.sweep({"n": [1]}, ["true {n}"], **options)
        self.assertFalse((self.home / "runs").exists())


class Command(unittest.TestCase):
    """`waferlab sweep`, as the module that it starts."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="waferlab-test-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def plan(self, **plan):
        path = self.home / "sweep.json"
        path.write_text(json.dumps(plan))
        return str(path)

    def run_command(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command.main(list(words))
        return status, out.getvalue(), err.getvalue()

    def test_a_program_is_compiled_and_run_for_each_chip_and_size(self):
        shutil.copytree(pathlib.Path(__file__).parents[3] / "examples" / "stencil-halo", self.home, dirs_exist_ok=True)
        path = self.plan(
            commands=[
                "cslc --arch={arch} ./layout.csl --fabric-dims=12,3 --fabric-offsets=4,1 "
                "--params=width:5,cells:{cells},steps:2 -o out --memcpy --channels=1",
                "cs_python run.py --name out",
            ],
            axes={"arch": ["wse2", "wse3"], "cells": [4, 8]},
            files=["*.csl", "run.py"],
        )
        status, out, err = self.run_command(path)
        self.assertEqual(status, 0, err)
        with open(out.strip(), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        cycles = {(row["arch"], row["cells"]): int(row["cycles"]) for row in rows}
        self.assertLess(cycles["wse2", "4"], cycles["wse2", "8"])
        self.assertEqual(len(cycles), 4)
        self.assertFalse((self.home / "runs" / "arch=wse2,cells=4" / "commands.sh").exists())

    def test_the_status_tells_of_failed_runs(self):
        (self.home / "x.py").write_text("import sys; sys.exit(int(sys.argv[1]))")
        path = self.plan(commands=[f"{sys.executable} x.py {{n}}"], axes={"n": [0, 7]})
        status, _, err = self.run_command(path)
        self.assertEqual(status, 1)
        self.assertIn("ended with status 7", err)
        self.assertEqual(self.run_command(path, "--part=0/2")[0], 0)

    def test_a_plan_with_a_mistake_is_refused(self):
        for plan, text in [
            ({"comands": []}, "there is no key comands"),
            ({"axes": {"n": [1]}}, "a list of command lines"),
            ({"program": 3}, "program: the path of a folder is needed, not 3"),
            ({"slurm": 3}, "slurm is a table"),
        ]:
            status, _, err = self.run_command(self.plan(**plan))
            self.assertEqual(status, 1)
            self.assertIn(text, err)
        self.assertIn("No such file", self.run_command(str(self.home / "no.toml"))[2])

    def test_the_plan_is_not_overwritten(self):
        program = tempfile.TemporaryDirectory(prefix="waferlab-test-")
        self.addCleanup(program.cleanup)
        pathlib.Path(program.name, "x.py").touch()
        path = self.plan(commands=["true"], axes={"n": [0]}, program=program.name, folder=".")
        (self.home / "results.csv").write_text("mine")
        before = pathlib.Path(path).read_text()
        status, _, err = self.run_command(path)
        self.assertEqual(status, 1)
        self.assertIn("sweep.json is not the mark of a sweep and stays as it is", err)
        self.assertEqual((pathlib.Path(path).read_text(), (self.home / "results.csv").read_text()), (before, "mine"))

    def test_a_share_that_is_none_is_told(self):
        path, err = self.plan(commands=["true"], axes={"n": [0]}), io.StringIO()
        with contextlib.redirect_stderr(err), self.assertRaises(SystemExit):
            command.main([path, "--part=2/2"])
        self.assertIn("argument --part: I/N is wanted, share I of N with I from 0 to N-1, not 2/2", err.getvalue())

    def test_numbers_of_workers_and_jobs_begin_with_one(self):
        path = self.plan(commands=["true"], axes={"n": [0]})
        for word in ("--workers=-3", "--workers=0", "--workers=two", "--slurm=0"):
            err = io.StringIO()
            with self.subTest(word), contextlib.redirect_stderr(err), self.assertRaises(SystemExit) as ended:
                command.main([path, word])
            option, number = word.split("=")
            self.assertEqual(ended.exception.code, 2)
            self.assertIn(f"argument {option}: a whole number from 1 on is wanted, not {number}", err.getvalue())

    def test_ctrl_c_and_sigterm_leave_finished_runs_and_end_the_others(self):
        (self.home / "x.py").write_text(
            "import sys, time, pathlib\n"
            "pathlib.Path('begun').touch()\n"
            "time.sleep(60 if sys.argv[1] == '1' else 0)\n"
        )
        path = self.plan(commands=[f"{sys.executable} x.py {{n}}"], axes={"n": [0, 1, 2]})
        # A shell lets its background jobs ignore Ctrl-C, and their children inherit that.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        for number, signalled in enumerate((signal.SIGINT, signal.SIGTERM)):
            process = subprocess.Popen(
                [sys.executable, "-m", "waferlab.sweeps", path, "--workers=1"], stderr=subprocess.PIPE, text=True
            )
            begun = self.home / "runs" / "n=1" / "begun"
            deadline = time.monotonic() + 60
            while not begun.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            process.send_signal(signalled)
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + signalled, err)
            states = {name: json.loads((self.home / "runs" / name / marks.MARK).read_text())["state"] for name in ("n=0", "n=1")}
            self.assertEqual(states, {"n=0": "done", "n=1": "interrupted"})
            self.assertFalse((self.home / "runs" / "n=2").exists())
            self.assertEqual((self.home / "runs" / "n=1.old1").exists(), number == 1)
            begun.unlink()


if __name__ == "__main__":
    unittest.main()
