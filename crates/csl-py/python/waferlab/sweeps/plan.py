"""The plan of a sweep: the combinations of its values, each a run with a folder, commands and files of its own."""
from __future__ import annotations

import collections.abc
import hashlib
import itertools
import os
import pathlib
import re
import shlex
from typing import Any, Iterable, Iterator, Mapping, Sequence

from waferlab.errors import SdkError
from waferlab.sweeps.marks import MADE_BY, MARK, SWEEP_MARK, is_mark, write
from waferlab.sweeps.run import Point, Run, Value
from waferlab.sweeps.table import OWN_COLUMNS

# The files of a program that a run's folder begins with.
FILES = ("**/*.csl", "**/*.py", "**/*.sh")
# The file by which an output folder of cslc is known.
_IMAGE = pathlib.PurePath("bin", "program.wafer")
# The greatest length of a folder's name before it is cut.
_LONGEST_NAME = 100


class SweepError(SdkError):
    """A sweep that cannot begin; nothing has been written."""

    # The name by which programs know it, in tracebacks, too.
    __module__ = "waferlab.sweeps"


class Plan:
    """All runs of a sweep, and the folder in which each has its own."""

    def __init__(self, folder: pathlib.Path, runs: list):
        self.folder, self.runs = folder, runs

    @staticmethod
    def of(commands, axes, points, program, folder, files, timeout) -> Plan:
        program, folder = path_of("program", program).absolute(), path_of("folder", folder).absolute()
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
            runs.append(Run(point, folder / _name(point), words, found, timeout))
        names = [run.name for run in runs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SweepError(f"two runs have the same values: {twice[0]}")
        return Plan(folder, runs)

    def begin(self) -> None:
        """Makes the folder of the runs, which must be new, empty, or that of a sweep."""
        mark = self.folder / SWEEP_MARK
        if self.folder.exists() and not self.folder.is_dir():
            raise SweepError(f"{self.folder} is no folder, and the runs need one; name another")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if is_mark(mark):
                return
            if os.path.lexists(mark):
                raise SweepError(
                    f"{mark} is not the mark of a sweep and stays as it is: {self.folder} is no folder for the runs; name a "
                    "new one"
                )
            if any(self.folder.iterdir()):
                raise SweepError(f"{self.folder} holds files and is not the folder of a sweep; name another")
            write(mark, MADE_BY)
        except OSError as error:
            raise SweepError(f"{self.folder} cannot be the folder of the runs: {error.strerror}; name another") from None


def path_of(name: str, value: Any) -> pathlib.Path:
    """The path of a folder that is given as `name`."""
    if not isinstance(value, (str, os.PathLike)):
        raise SweepError(f"{name}: the path of a folder is needed, not {value!r}")
    return pathlib.Path(value)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, collections.abc.Sequence) and not isinstance(value, (str, bytes)) and bool(value) and all(
        isinstance(item, str) for item in value
    )  # fmt: skip


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
    if not name.isidentifier() or name == "program" or name in OWN_COLUMNS:
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
            is_of_sweep = is_mark(folder / SWEEP_MARK) or (folder / MARK).is_file()
            self._known[folder] = is_of_sweep, (folder / _IMAGE).is_file()
        return self._known[folder]
