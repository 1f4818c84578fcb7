"""Sweeps: the commands of a program for every combination of params, chips and sizes, a folder a run.

A run's folder begins as a copy of the program's files, so that the commands in it are those of its `commands.sh`. A mark
(`MARK`) in it says which run it is and how far it has come; its values, commands and files are its identity. A sweep
deletes nothing: it takes new or empty folders, leaves finished runs alone, and moves its own unfinished ones aside.
Runs are processes of this machine, or tasks of a Dask cluster that sees the same folders.
"""
from __future__ import annotations

import argparse
import collections.abc
import concurrent.futures
import contextlib
import csv
import hashlib
import importlib
import itertools
import json
import math
import numbers
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Iterable, Iterator, Mapping, Sequence, Union

from waferlab import signals
from waferlab.errors import SdkError

# The mark of a run in its folder, that of a sweep in the folder of its runs, and the files beside them.
MARK = "sweep-run.json"
SWEEP_MARK = "sweep.json"
LOG = "sweep.log"
RESULTS = "results.json"
TABLE = "results.csv"

# What the mark of a sweep holds. A file of that name with anything else in it, such as a plan, is the user's.
_MADE_BY = {"made_by": "waferlab sweep"}
# The file by which an output folder of cslc is known.
_IMAGE = pathlib.PurePath("bin", "program.wafer")

# The files of a program that a run's folder begins with.
FILES = ("**/*.csl", "**/*.py", "**/*.sh")

# Columns of the table that are not values of the run or results of the program; the last ones stand behind those.
_LAST_COLUMNS = ("message", "folder")
_OWN_COLUMNS = ("state", "seconds", "cycles", *_LAST_COLUMNS)
# What stands before the name of a result that a column has already.
_RESULT = "result."
# A running run touches its mark so often, in seconds; one that was touched longer ago has died with its machine.
_HEARTBEAT = 5
_DEAD = 60
# The seconds from the interrupt of a command to its end by force.
_PATIENCE = 5
# The greatest length of a folder's name before it is cut.
_LONGEST_NAME = 100

Value = Union[str, int, float, bool]
Point = Mapping[str, Value]


class SweepError(SdkError):
    """A sweep that cannot begin; nothing has been written."""


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
    if not _is_share(part):
        raise SweepError(f"part: (i, n), share i of n with i from 0 to n-1, not {part!r}")
    if timeout is not None and not _is_time(timeout):
        raise SweepError(f"timeout: a number of seconds above 0, not {timeout!r}")
    plan = _Plan.of(commands, {} if axes is None else axes, points, program, folder, files, timeout)
    show = show or (lambda line: print(line, file=sys.stderr, flush=True))
    mine = [run for number, run in enumerate(plan.runs) if number % part[1] == part[0]]
    plan.begin()
    try:
        _run_all([run for run in mine if _is_due(run, retry, show)], workers, cluster, show)
    finally:
        rows = [_row(run) for run in plan.runs]
        _write_table(plan.folder / TABLE, rows)
    return _frame(rows)


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_share(part: Any) -> bool:
    is_pair = isinstance(part, (tuple, list)) and len(part) == 2 and all(map(_is_whole, part))
    return is_pair and 0 <= part[0] < part[1]


def _is_time(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and not math.isnan(value) and value > 0


# Planning.


class _Run:
    """One run: its values, its folder, its commands, and the hash of all that it depends on. It can be pickled."""

    def __init__(self, point: Point, folder: pathlib.Path, commands: list, files: dict, timeout: float | None):
        self.point, self.folder, self.commands, self.files, self.timeout = dict(point), folder, commands, files, timeout
        words = [self.point, commands, [(name, _hash(path)) for name, path in files.items()]]
        self.identity = hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
        self.name = folder.name


class _Plan:
    def __init__(self, folder: pathlib.Path, runs: list):
        self.folder, self.runs = folder, runs

    @staticmethod
    def of(commands, axes, points, program, folder, files, timeout) -> _Plan:
        program, folder = _path("program", program).absolute(), _path("folder", folder).absolute()
        if not _is_list_of_texts(commands):
            raise SweepError("commands: a list of command lines is needed")
        if not _is_list_of_texts(files):
            raise SweepError(f"files: a list of patterns is needed, such as {list(FILES)}, not {files!r}")
        if not program.is_dir():
            raise SweepError(f"there is no folder {program}")
        found = _files(program, folder, files)
        runs = []
        for point in _combinations(axes, points):
            words = [_command(line, {**point, "program": str(program)}) for line in commands]
            runs.append(_Run(point, folder / _name(point), words, found, timeout))
        names = [run.name for run in runs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SweepError(f"two runs have the same values: {twice[0]}")
        return _Plan(folder, runs)

    def begin(self) -> None:
        """Makes the folder of the runs, which must be new, empty, or that of a sweep."""
        mark = self.folder / SWEEP_MARK
        if self.folder.exists() and not self.folder.is_dir():
            raise SweepError(f"{self.folder} is no folder, and the runs need one; name another")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if _is_mark(mark):
                return
            if os.path.lexists(mark):
                raise SweepError(
                    f"{mark} is not the mark of a sweep and stays as it is: {self.folder} is no folder for the runs; name a "
                    "new one"
                )
            if any(self.folder.iterdir()):
                raise SweepError(f"{self.folder} holds files and is not the folder of a sweep; name another")
            _write(mark, _MADE_BY)
        except OSError as error:
            raise SweepError(f"{self.folder} cannot be the folder of the runs: {error.strerror}; name another") from None


def _path(name: str, value: Any) -> pathlib.Path:
    if not isinstance(value, (str, os.PathLike)):
        raise SweepError(f"{name}: the path of a folder is needed, not {value!r}")
    return pathlib.Path(value)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, collections.abc.Sequence) and not isinstance(value, (str, bytes)) and bool(value) and all(
        isinstance(item, str) for item in value
    )  # fmt: skip


def _is_mark(path: pathlib.Path) -> bool:
    """Whether the file is the mark of a sweep's folder."""
    return _object(path).get("made_by") == _MADE_BY["made_by"]


def _combinations(axes: Mapping[str, Sequence[Value]], points: Sequence[Point] | None) -> Iterator[dict]:
    if not isinstance(axes, collections.abc.Mapping):
        raise SweepError(f"axes: names with a list of values each are needed, not {axes!r}")
    for name, values in axes.items():
        if isinstance(values, (str, bytes, collections.abc.Mapping)) or not isinstance(values, collections.abc.Iterable):
            raise SweepError(f"axes: {name} needs a list of values, not {values!r}")
    axes = {name: list(values) for name, values in axes.items()}
    empty = [name for name, values in axes.items() if not values]
    if empty:
        raise SweepError(f"axes: {empty[0]} has no values, and there would be no run; give it one or leave it out")
    points = [{}] if points is None else points
    is_list = isinstance(points, collections.abc.Sequence) and not isinstance(points, (str, bytes))
    if not is_list or not all(isinstance(point, collections.abc.Mapping) for point in points):
        raise SweepError(f"points: a list is needed, of names with a value each, not {points!r}")
    for values in itertools.product(*axes.values()):
        for more in points or [{}]:
            point = {**dict(zip(axes, values)), **more}
            for name, value in point.items():
                _check(name, value)
            if len(point) < len(axes) + len(more):
                raise SweepError(f"points: {sorted(set(axes) & set(more))[0]} is an axis, too")
            yield {name: value.item() if hasattr(value, "item") else value for name, value in point.items()}


def _check(name: str, value: Value) -> None:
    if not isinstance(name, str):
        raise SweepError(f"the name of a value is a text, not {name!r}")
    if not name.isidentifier() or name == "program" or name in _OWN_COLUMNS:
        raise SweepError(f"{name!r} cannot be the name of a value" + (": the table has it" if name.isidentifier() else ""))
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, (str, int, float, bool)):
        raise SweepError(f"{name}: a value is a text, a number or a bool, not {value!r}")


def _command(line: str, values: Mapping[str, Value]) -> list:
    """The words of a command line. Values come in after it is split, so that none of them is split."""
    try:
        words = shlex.split(line)
        # A brace that is closed before the next one is that of a script, such as `{n+=1}` of awk.
        for found in itertools.chain.from_iterable(re.finditer(r"\{(\w+)(?!\w)(?![^{]*\})", word) for word in words):
            if found[1] in values:
                raise SweepError(f"`{line}`: `{found[0]}` has no `}}` behind it: write `{{{found[1]}}}` for the value")
        return [re.sub(r"\{(\w+)\}", lambda found: _text(values[found[1]]), word) for word in words]
    except KeyError as error:
        known = ", ".join(name for name in values)
        raise SweepError(f"`{line}`: there is no value {error.args[0]}; there are {known}") from None
    except ValueError as error:
        raise SweepError(f"`{line}`: {error}") from None


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(point: Point) -> str:
    """The name of a run's folder, readable; where values are long or have other characters, with a hash."""
    full = ",".join(f"{name}={_text(value)}" for name, value in point.items()) or "run"
    plain = re.sub(r"[^\w.,=+-]", "_", full)[:_LONGEST_NAME]
    return plain if plain == full else f"{plain}-{hashlib.sha256(full.encode()).hexdigest()[:8]}"


def _files(program: pathlib.Path, runs: pathlib.Path, patterns: Iterable[str]) -> dict:
    """The program's files by name, without those of these runs, of other sweeps and of hidden folders. Output folders of cslc
    are left out of patterns that look everywhere, and copied where a pattern names them."""
    program, runs = program.resolve(), runs.resolve()
    if runs in (program, *program.parents):
        raise SweepError(f"the program lies in {runs}, the folder of the runs, which has room for nothing else; name another folder")
    folders, found = _Folders(program), set()
    for pattern in patterns:
        try:
            paths = [path for path in program.glob(pattern) if path.is_file() and runs not in path.parents]
        except (ValueError, NotImplementedError) as error:
            raise SweepError(f"files: {pattern!r} is no pattern of files in {program}: {error}") from None
        for path in paths:
            is_of_sweep, is_of_cslc = folders.kind(path)
            if not is_of_sweep and not (is_of_cslc and pattern.startswith("**")):
                found.add(path)
    names = {path.relative_to(program).as_posix(): path for path in found}
    visible = {name: path for name, path in names.items() if not any(part.startswith(".") for part in name.split("/"))}
    if not visible:
        raise SweepError(f"{program} has no files {' '.join(patterns)}")
    return {name: str(visible[name]) for name in sorted(visible)}


class _Folders:
    """Whether folders below a program's were made by sweeps or by cslc, each looked at once."""

    def __init__(self, program: pathlib.Path):
        self._program = program
        self._known: dict[pathlib.Path, tuple[bool, bool]] = {}

    def kind(self, path: pathlib.Path) -> tuple[bool, bool]:
        """Whether a file lies in a folder of a sweep or a run, and whether in an output folder of cslc."""
        inner = path.relative_to(self._program).parts[:-1]
        kinds = [self._look(self._program.joinpath(*inner[:depth])) for depth in range(1, len(inner) + 1)]
        return any(of_sweep for of_sweep, _ in kinds), any(of_cslc for _, of_cslc in kinds)

    def _look(self, folder):
        if folder not in self._known:
            is_of_sweep = _is_mark(folder / SWEEP_MARK) or (folder / MARK).is_file()
            self._known[folder] = is_of_sweep, (folder / _IMAGE).is_file()
        return self._known[folder]


def _hash(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


# The state of a run.


def _mark(run: _Run) -> dict | None:
    """The mark in the run's folder; None where there is none."""
    try:
        mark = json.loads((run.folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) else None


def _is_due(run: _Run, retry: bool, show) -> bool:
    """Whether the run is to be run now. Makes room for it."""
    mark = _mark(run)
    if mark is None:
        if run.folder.exists() and (not run.folder.is_dir() or any(run.folder.iterdir())):
            show(f"{run.name}: not run: {run.folder} was not made by a sweep")
            return False
        return True
    if mark.get("state") == "running" and _lives(run, mark):
        show(f"{run.name}: left to process {mark.get('pid')} of {mark.get('host')}, which runs it")
        return False
    is_same = mark.get("identity") == run.identity
    if is_same and (mark.get("state") == "done" or (mark.get("state") == "failed" and not retry)):
        return False
    aside = next(path for path in map(run.folder.with_name, _old_names(run.name)) if not path.exists())
    try:
        run.folder.rename(aside)
    except OSError as error:
        show(f"{run.name}: not run: its folder cannot be moved aside: {error}")
        return False
    show(f"{run.name}: the earlier run ({'' if is_same else 'of other files or commands, '}{mark.get('state')}) is now {aside.name}")
    return True


def _old_names(name: str) -> Iterator[str]:
    return (f"{name}.old{number}" for number in itertools.count(1))


def _lives(run: _Run, mark: dict) -> bool:
    """Whether a running run's process is there, as far as this machine can tell."""
    # On Windows signal 0 is no question but Ctrl-C.
    if os.name != "nt" and mark.get("host") == socket.gethostname() and isinstance(mark.get("pid"), int):
        try:
            os.kill(mark["pid"], 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
    return time.time() - (run.folder / MARK).stat().st_mtime < _DEAD


def _write(path: pathlib.Path, value: dict) -> None:
    """Writes a file of the sweep in one step, so that a reader never sees a part of it."""
    temporary = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


# Running.


def _run_all(runs: list, workers: int | None, cluster: Any, show) -> None:
    total, begun = len(runs), time.monotonic()
    failed = 0
    with contextlib.ExitStack() as stack:
        submit, stop = _executor(stack, workers, cluster)
        futures = {submit(run): run for run in runs}
        try:
            for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
                run = futures[future]
                mark = future.result()
                failed += mark["state"] != "done"
                show(f"[{number}/{total}] {run.name}: {_told(run, mark)}")
        except BaseException:
            stop()
            raise
    if total:
        show(f"{total - failed} runs done, {failed} failed, in {time.monotonic() - begun:.1f} s")


def _told(run: _Run, mark: dict) -> str:
    if mark["state"] == "done":
        return f"done in {mark['seconds']:.1f} s" + (f"; {mark['error']}" if mark["error"] else "")
    return f"{mark['state']}: {mark['error']}; see {run.folder / LOG}"


def _executor(stack: contextlib.ExitStack, workers: int | None, cluster: Any):
    """The function that hands a run over, and the one that ends all runs early."""
    if cluster is None:
        stopping = threading.Event()
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count() or 1))

        def stop():
            stopping.set()
            pool.shutdown(wait=True, cancel_futures=True)

        return (lambda run: pool.submit(_run, run, stopping)), stop
    import distributed  # Only where a cluster is asked for: it takes a second.

    client = cluster
    if not isinstance(cluster, distributed.Client):
        client = stack.enter_context(distributed.Client(cluster))
    # Each run writes its folder: it has an effect, and the cluster is not to repeat it where it fails.
    pool = client.get_executor(pure=False, retries=0)
    return (lambda run: pool.submit(_run, run)), lambda: pool.shutdown(wait=False)


def _run(run: _Run, stopping: threading.Event | None = None) -> dict:
    """Runs the commands in the run's folder, and returns its mark. Never raises: other runs go on."""
    begun = time.monotonic()
    mark = {"identity": run.identity, "values": run.point, "commands": run.commands}
    mark.update(state="running", host=socket.gethostname(), pid=os.getpid())
    try:
        run.folder.mkdir(exist_ok=True)
        # The process that makes the mark has the folder; another that comes to it at the same time fails here.
        with open(run.folder / MARK, "x", encoding="utf-8") as file:
            json.dump(mark, file, indent=1)
    except OSError as error:
        return {**mark, "state": "failed", "seconds": 0.0, "error": f"its folder: {error}"}
    try:
        state, error = "done", _carry_out(run, stopping or threading.Event(), begun)
        if error is None:
            # The commands have ended well: this is told, and the run is done.
            error = _wrong_results(run)
        else:
            state = "interrupted" if stopping is not None and stopping.is_set() else "failed"
    except OSError as cause:
        state, error = "failed", str(cause)
    mark.update(state=state, seconds=round(time.monotonic() - begun, 3), error=error)
    with contextlib.suppress(OSError):
        _write(run.folder / MARK, mark)
    return mark


def _carry_out(run: _Run, stopping: threading.Event, begun: float) -> str | None:
    """Copies the files and runs the commands, the output in the log. Returns why they did not end well."""
    for name, path in run.files.items():
        target = run.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    with open(run.folder / LOG, "wb") as log:
        for words in run.commands:
            log.write(f"$ {shlex.join(words)}\n".encode())
            log.flush()
            error = _execute(words, run, log, stopping, begun)
            if error is not None:
                return f"{words[0]} {error}"
    return None


def _execute(words: list, run: _Run, log, stopping: threading.Event, begun: float) -> str | None:
    try:
        # In a session of its own, so that its children end with it.
        process = subprocess.Popen(
            words, cwd=run.folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    except OSError as error:
        log.write(f"{words[0]}: {error.strerror}\n".encode())
        return f"does not start: {error.strerror}"
    touched = time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(0.2)
            return None if status == 0 else f"ended with status {status}"
        now = time.monotonic()
        if now - touched > _HEARTBEAT:
            touched = now
            with contextlib.suppress(OSError):
                os.utime(run.folder / MARK)
        if stopping.is_set():
            _end(process)
            return "was interrupted"
        if run.timeout is not None and now - begun > run.timeout:
            _end(process)
            return f"took longer than {run.timeout:g} s"


def _end(process: subprocess.Popen) -> None:
    """Ends a command and its children: by Ctrl-C, which has the simulator write its report, then by force."""
    if os.name == "nt":
        process.kill()
        process.wait()
        return
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
            return


def _environment() -> dict:
    """This environment, with the commands that are installed beside this Python on its path."""
    beside = os.path.dirname(sys.executable)
    paths = os.environ.get("PATH", "").split(os.pathsep)
    return dict(os.environ) if beside in paths else {**os.environ, "PATH": os.pathsep.join([beside, *paths])}


# The table.


def _row(run: _Run) -> dict:
    mark = _mark(run) or {}
    is_ours = mark.get("identity") == run.identity
    state = mark.get("state") if is_ours else "missing"
    row = {**run.point, "state": state, "seconds": mark.get("seconds") if is_ours else None, "cycles": None}
    if state in ("done", "failed"):
        row["cycles"] = _object(run.folder / "sim_stats.json").get("cycles")
        results = _object(run.folder / RESULTS)
        for name, value in results.items():
            # A value that the program writes down again is in the table.
            if name not in run.point or value != run.point[name]:
                row[_column(name, row)] = value
    return {**row, "message": mark.get("error") if is_ours else None, "folder": str(run.folder)}


def _column(name: str, row: Mapping) -> str:
    """The column of a result: of its own name, unless that is taken."""
    while name in row or name in _OWN_COLUMNS:
        name = _RESULT + name
    return name


def _object(path: pathlib.Path) -> dict:
    """The JSON object in a file; empty where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _wrong_results(run: _Run) -> str | None:
    """Why the table has no results of a run that has written some."""
    try:
        value = json.loads((run.folder / RESULTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        wrong = error.strerror
    except ValueError as error:
        wrong = f"it is no JSON: {error}"
    else:
        if isinstance(value, dict):
            return None
        wrong = f"it holds no object with names, but {json.dumps(value)[:40]}"
    return f"{RESULTS} is left out of the table: {wrong}"


def _columns(rows: list) -> list:
    return list(dict.fromkeys(name for row in rows for name in row if name not in _LAST_COLUMNS)) + [*_LAST_COLUMNS]


def _write_table(path: pathlib.Path, rows: list) -> None:
    temporary = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}")
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _columns(rows))
        writer.writeheader()
        writer.writerows(rows)
    os.replace(temporary, path)


def _frame(rows: list):
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows, columns=_columns(rows))


# The command.

_KEYS = {"commands", "axes", "points", "program", "folder", "files", "timeout", "slurm"}

_HELP = """\
FILE is TOML (or JSON, with the same keys):

  commands = [
    "cslc layout.csl --arch={arch} --params=n:{n} -o out --memcpy --channels=1",
    "cs_python run.py --name out",
  ]
  [axes]                  every combination of these
  arch = ["wse2", "wse3"]
  n = [16, 64, 256]

Further keys: points (a list of tables, each combined with all axes), program
(the folder with the sources; default: that of FILE), folder (of the runs;
default: runs, beside FILE), files (patterns of what a run gets a copy of),
timeout (seconds of a run), slurm (arguments of dask_jobqueue.SLURMCluster).

The folder of the runs must be new, empty, or that of an earlier sweep; the
folders of sweeps are no files of a program.

Called again it runs what has not been run, or has changed. It deletes nothing.
The status is 1 where a run has failed or is missing."""


def read(path: str | os.PathLike) -> dict:
    """The arguments of `sweep` in a file, folders relative to it."""
    path = pathlib.Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        plan = json.loads(text) if path.suffix == ".json" else _toml().loads(text)
    except OSError as error:
        raise SweepError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise SweepError(f"{path}: {error}") from None
    if not isinstance(plan, dict):
        raise SweepError(f"{path}: a plan is an object with the keys {', '.join(sorted(_KEYS))}")
    unknown = sorted(set(plan) - _KEYS)
    if unknown:
        raise SweepError(f"{path}: there is no key {unknown[0]}; there are {', '.join(sorted(_KEYS))}")
    plan.setdefault("commands", [])
    if not isinstance(plan.get("slurm", {}), dict):
        raise SweepError(f"{path}: slurm is a table, the arguments of dask_jobqueue.SLURMCluster, not {plan['slurm']!r}")
    for key, default in (("program", "."), ("folder", "runs")):
        plan[key] = path.absolute().parent / _path(f"{path}: {key}", plan.get(key, default))
    return plan


def _toml():
    # Python has it from 3.11 on; pip brings its own.
    for name in ("tomllib", "tomli", "pip._vendor.tomli"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    raise SweepError("reading TOML takes Python 3.11 or `pip install tomli`; the file may be JSON, too")


def _count(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is wanted, not {text}")
    return int(text)


def _part(text: str) -> tuple:
    number, _, count = text.partition("/")
    part = tuple(int(word) for word in (number, count) if word.strip().isdecimal())
    if not _is_share(part):
        raise argparse.ArgumentTypeError(f"I/N is wanted, share I of N with I from 0 to N-1, not {text}")
    return part


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "waferlab sweep", description="Run a program for many params, chips and sizes.", epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the plan, such as sweep.toml")
    parser.add_argument("--folder", metavar="FOLDER", help="the folder of the runs, in place of the plan's")
    parser.add_argument("--workers", type=_count, metavar="N", help="runs at once [default: one a core]")
    parser.add_argument("--retry", action="store_true", help="run failed runs again")
    parser.add_argument("--part", type=_part, default=(0, 1), metavar="I/N", help="only share I (from 0) of N, for job arrays")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on the Dask cluster with this scheduler; `local` starts one here")
    parser.add_argument("--slurm", type=_count, metavar="N", help="run on N SLURM jobs, through dask-jobqueue")
    return parser


def _cluster(stack: contextlib.ExitStack, args, slurm: dict) -> Any:
    if args.dask is None and args.slurm is None:
        return None
    try:
        import distributed

        if args.slurm is not None:
            import dask_jobqueue

            # A worker of one thread is one run; `cores` and `processes` of the plan say how many share a job.
            cluster = stack.enter_context(dask_jobqueue.SLURMCluster(**slurm))
            cluster.scale(jobs=args.slurm)
            return cluster
        if args.dask == "local":
            return stack.enter_context(distributed.LocalCluster(args.workers, threads_per_worker=1, dashboard_address=None))
        return args.dask
    except ImportError as error:
        raise SweepError(f"{error}; pip install distributed dask-jobqueue") from None


def main(words: list[str] | None = None) -> int:
    """`waferlab sweep`."""
    args = _parser().parse_args(words)
    signals.watch()
    try:
        plan = read(args.file)
        slurm = plan.pop("slurm", {})
        plan["folder"] = args.folder or plan["folder"]
        with contextlib.ExitStack() as stack:
            table = sweep(
                **plan, workers=args.workers, retry=args.retry, part=args.part, cluster=_cluster(stack, args, slurm)
            )
    except SweepError as error:
        print(f"waferlab sweep: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("waferlab sweep: interrupted; finished runs stay, the same command goes on", file=sys.stderr)
        return 128 + signal.SIGINT
    states = list(table["state"]) if hasattr(table, "columns") else [row["state"] for row in table]
    print(pathlib.Path(plan["folder"], TABLE))
    mine = states[args.part[0] :: args.part[1]]
    return 0 if all(state == "done" for state in mine) else 1
