"""Sweeps: the commands of a program for every combination of params, chips and sizes, a folder a run.

A run's folder begins as a copy of the program's files, so that the commands in it are those of its `commands.sh`. A mark
(`marks.MARK`) in it says which run it is and how far it has come; its values, commands and files are its identity. A sweep
deletes nothing: it takes new or empty folders, leaves finished runs alone, and moves its own unfinished ones aside.
Runs are processes of this machine, or tasks of a Dask cluster that sees the same folders.
"""
from __future__ import annotations

import collections.abc
import math
import numbers
import os
import sys
from typing import Any, Mapping, Sequence

from waferlab.sweeps.marks import TABLE
from waferlab.sweeps.plan import FILES, Plan, SweepError
from waferlab.sweeps.run import Point, Value, is_due
from waferlab.sweeps.running import run_all
from waferlab.sweeps.table import frame, row_of, write_table

__all__ = ["SweepError", "sweep"]


def sweep(
    commands: Sequence[str],
    axes: Mapping[str, Sequence[Value]] | None = None,
    *,
    points: Sequence[Point] | None = None,
    program: str | os.PathLike = ".",
    folder: str | os.PathLike = "runs",
    files: Sequence[str] = FILES,
    workers: int | None = None,
    timeout: float | None = None,
    retry: bool = False,
    part: tuple[int, int] = (0, 1),
    cluster: Any = None,
    show: collections.abc.Callable[[str], None] | None = None,
) -> Any:
    """Runs `commands` for every combination of the values in `axes`, each with every one of `points`.

    In a command `{name}` stands for the value of that name, `{program}` for the folder of the program. No shell reads it.
    A run has its own folder in `folder`, which must be new, empty or that of an earlier sweep, with copies of the program's
    `files` (patterns); the folders of sweeps are left out, and output folders of cslc where a pattern begins with `**`.
    `results.json`, which a host script may write there, becomes columns of the table, a result with the name of another
    column as `result.NAME`; `cycles` are those of `sim_stats.json`, `message` says why a run failed, or that its
    `results.json` holds no JSON object.

    A finished run with the same commands and files is not run again, a failed one only with `retry`. `workers` run at once
    (at least 1; left out, one a core), each at most `timeout` seconds. `part=(i, n)` runs one of n shares, i from 0. `cluster` is a
    Dask client or cluster, or the address of a scheduler. `show` gets a line on each run.

    Returns the table, also in `results.csv`, as a pandas DataFrame, or without pandas as a list of dicts. Raises SweepError
    for a sweep that cannot begin.
    """
    if workers is not None and (not _is_whole(workers) or workers < 1):
        raise SweepError(f"workers: 1 or more, not {workers}")
    if not is_share(part):
        raise SweepError(f"part: (i, n), share i of n with i from 0 to n-1, not {part!r}")
    if timeout is not None and not _is_time(timeout):
        raise SweepError(f"timeout: a number of seconds above 0, not {timeout!r}")
    plan = Plan.of(commands, {} if axes is None else axes, points, program, folder, files, timeout)
    show = show or (lambda line: print(line, file=sys.stderr, flush=True))
    mine = [run for number, run in enumerate(plan.runs) if number % part[1] == part[0]]
    plan.begin()
    try:
        run_all([run for run in mine if is_due(run, retry, show)], workers, cluster, show)
    finally:
        rows = [row_of(run) for run in plan.runs]
        write_table(plan.folder / TABLE, rows)
    return frame(rows)


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_share(part: Any) -> bool:
    """Whether it is `(i, n)`: share i of n, from 0."""
    is_pair = isinstance(part, (tuple, list)) and len(part) == 2 and all(map(_is_whole, part))
    return is_pair and 0 <= part[0] < part[1]


def _is_time(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and not math.isnan(value) and value > 0
