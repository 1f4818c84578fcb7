"""Mistakes in host programs: `tests/mistakes/host/NAME.py`, a script each, with all that it is told in `NAME.snap` beside it.

The head of a script is that of the programs in `tests/mistakes` (`crates/csl-cli/tests/mistakes/mod.rs`), and its title, mark and
teller stand in their table. It finds the names of `GIVEN`, and the program of `support.py`: three columns and two rows of PEs.
"""
import contextlib
import io
import linecache
import os
import pathlib
import re
import traceback
import unittest
import warnings

import numpy as np

import support
from waferlab import MemcpyDataType, MemcpyOrder, SdkRuntime

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "tests" / "mistakes" / "host"


def _message(error):
    """The error as a script's user sees it: its last line in the script, and its text."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "run.py"]
    place = f"run.py:{lines[-1]}: " if lines else ""
    return place + "".join(traceback.format_exception_only(type(error), error))


def _said(path):
    """What a script is told: errors, warnings, and lines on standard error; without the cycles, which other tests pin."""
    given = {"np": np, "SdkRuntime": SdkRuntime, "MemcpyDataType": MemcpyDataType, "MemcpyOrder": MemcpyOrder, "out": str(support.compiled())}
    text, script = io.StringIO(), path.read_text(encoding="utf-8")
    linecache.cache["run.py"] = (len(script), None, script.splitlines(keepends=True), "run.py")
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stderr(text), contextlib.redirect_stdout(text):
        warnings.simplefilter("always")
        try:
            exec(compile(script, "run.py", "exec"), given)  # pylint: disable=exec-used
        except Exception as error:  # pylint: disable=broad-except
            text.write(_message(error))
        given.clear()
    told = "".join(f"{w.category.__name__}: {w.message}\n" for w in warned) + text.getvalue()
    return re.sub(r"cycle \d+", "cycle N", told.replace(str(support.compiled()), "out"))


class Mistakes(unittest.TestCase):
    maxDiff = None

    def test_every_mistake_is_told_as_its_head_says(self):
        os.environ["WAFERLAB_MAX_CYCLES"] = "100000"
        self.addCleanup(os.environ.pop, "WAFERLAB_MAX_CYCLES")
        for path in sorted(FOLDER.glob("*.py")):
            with self.subTest(path.stem):
                head = dict(re.findall(r"^#> ([^:\n]+): (.*)$", path.read_text(encoding="utf-8"), re.M))
                said = _said(path)
                snapshot = path.with_suffix(".snap")
                if os.environ.get("INSTA_UPDATE") == "always":
                    snapshot.write_text(said, encoding="utf-8")
                self.assertEqual(head["told by"], "run" if said else "silent", said)
                self.assertEqual(said, snapshot.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
