"""Results of copies that a host program reads before it waits for them (`waferlab.early`)."""
import linecache
import unittest
import warnings

import numpy as np

import support
from waferlab import MemcpyDataType, MemcpyOrder

COPY = "task = runner.memcpy_d2h(x, v, 0, 0, 3, 2, 4, order=ORDER, data_type=WIDTH, nonblock=True)\n"

READS = [
    "print(x)",
    "y = x + 1",
    "assert x[0] == 0",
    "np.testing.assert_allclose(x, 0)",
    "y = x.max()",
    "n = len(x)\ny = -x",
    "y = f'{x}'",
    "for i in range(3):\n  y += x[i]",
    "if x[0] == v: y = 1",
    "while x[0] > 0: y = 1",
    "with np.errstate():\n  y = x + 1",
    "if v < 0:\n  y = 1\ny = x.max()",
    "y = [x[i] for i in range(3)]",
    "y = np.add(x, 1)",
    "y = np.linalg.norm(x)",
    "y = x[[0, 1]]",
    "y = x[-1] if v < 0 else 3\nz = x[0] or 3",
    "y = x.tolist()",
    "y = x == 0",
]

# Scripts with the line that reads.
FUNCTIONS = {
    "def total(a, b):\n  return a + b.sum()\n" + COPY + "y = total(3, x)": 2,
    "def total():\n  return x.sum()\n" + COPY + "y = total()": 2,
    "def same(a): return a\n" + COPY + "y = same(3)\nz = -x": 4,
    "def copied(x):\n  " + COPY + "  return x\nmine = copied(x)\nprint(mine)": 5,
    "for i in range(2):\n  " + COPY + "print(x)": 3,
    "if True:\n  " + COPY + "print(x)": 3,
    "tasks = []\ntasks.append(" + COPY[7:-1] + ")\ntasks.append(3)\nprint(x)": 4,
}

OTHERS = [
    "runner.task_wait(task)\nprint(x)",
    "runner.launch('scale', np.float32(1))\nprint(x)",
    "runner.stop()\nprint(x)",
    "finish()\nprint(x)",
    "y = x.reshape(3, 8)\nn = x.size\ny = np.zeros_like(z)",
    "x = np.zeros(24)\nprint(x)",
    "if v < 0:\n  print(x)",
    "x[0] = 3",
    "for i in [task]:\n  runner.task_wait(i)\nprint(x)",
    "if v < 0:\n  runner.task_wait(task)\nprint(x)",
    "with runner: pass\nprint(x)",
    "def wait(a): runner.task_wait(task)\nwait(x)\nprint(x)",
    "def total(a):\n  runner.task_wait(task)\n  return a.sum()\ny = total(x)",
    "def total(x): return 3\ny = total(z)",
    "y = lambda: x[0]\nrunner.task_wait(task)",
    "a, b, c = np.reshape(x, (4, 6)), np.asarray(x), np.ravel(x)\nd = np.transpose(x)\nn = np.size(x) + np.ndim(x)",
    "a, b, c, d = x.transpose(), x.squeeze(), x.flat, x.swapaxes(0, 0)\nx.fill(0)\nn = np.shape(x)",
    "a, b, c, d = x[..., None], x[None, :], x[np.newaxis], x[1:3]",
    "y = np.add(z, 1, x)\nnp.copyto(x, z)\nnp.clip(z, 0, 1, x)",
    "y = x is None",
    "y = x.sum() if v < 0 else 3\nz = v >= 0 or x.sum()",
    "assert v >= 0, f'{x}'",
    "y = x.max",
    "def again(n):\n  if n: again(n - 1)\nagain(3)\nrunner.task_wait(task)\nprint(x)",
]

WHOLE = [
    "def copied(x):\n  " + COPY + "  runner.task_wait(task)\n  return x\nmine = copied(x)\nprint(mine)",
    "def copied(x):\n  " + COPY + "  return task\nt = copied(x)\nrunner.task_wait(t)",
    "for i in range(2):\n  if i == 0:\n    " + COPY + "  else: runner.task_wait(task)\nprint(x)",
]


def told(script, shape=24):
    """The warnings that a script gets of a running program."""
    runner = support.running()
    names = {"runner": runner, "v": runner.get_id("v"), "x": np.zeros(shape, np.float32), "z": np.zeros(1), "np": np, "finish": int}
    names.update(ORDER=MemcpyOrder.ROW_MAJOR, WIDTH=MemcpyDataType.MEMCPY_32BIT, print=str)
    linecache.cache["early.py"] = (len(script), None, script.splitlines(keepends=True), "early.py")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(script, "early.py", "exec"), names)  # pylint: disable=exec-used
        # What it left unfinished is told here, and is none of these warnings.
        names.clear()
        del runner
    return [(warning.lineno, str(warning.message)) for warning in caught if warning.filename == "early.py"]


class Early(unittest.TestCase):
    def test_what_reads_a_result_too_early_is_told(self):
        for reads in READS:
            with self.subTest(reads):
                [(line, text)] = told("y = 0\n" + COPY + reads)
                self.assertEqual(line, 2)
                at = 2 + len(reads.splitlines())
                self.assertTrue(text.startswith(f"line {at} reads `x`, which memcpy_d2h in line 2 fills: "), text)

    def test_a_row_of_an_array_is_a_view(self):
        self.assertEqual(told(COPY + "y = x[0]\nz = x[0, :]", (6, 4)), [])
        [(_, text)] = told(COPY + "y = x[0]\nz = x[0, 1]", (6, 4))
        self.assertIn("line 3 reads `x`", text)

    def test_calls_in_calls_are_followed_in_no_time(self):
        chain = "".join(f"def f{i}(a): return f{i + 1}(a) or f{i + 1}(a)\n" for i in range(40))
        self.assertEqual(told(chain + "def f40(a): return 3\n" + COPY + "y = f0(x)\nprint(x)"), [])

    def test_what_a_function_reads_too_early_is_told(self):
        for script, at in FUNCTIONS.items():
            with self.subTest(script):
                [(_, text)] = told(script)
                self.assertIn(f"line {at} reads `", text)

    def test_what_waits_or_reads_nothing_is_not_told(self):
        for other in OTHERS:
            with self.subTest(other):
                self.assertEqual(told(COPY + other), [])
        for script in WHOLE:
            with self.subTest(script):
                self.assertEqual(told(script), [])


if __name__ == "__main__":
    unittest.main()
