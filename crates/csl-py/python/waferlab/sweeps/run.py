"""One run of a sweep, and how far it has come."""
from __future__ import annotations

import hashlib
import itertools
import json
import os
import pathlib
import socket
import time
from typing import Iterator, Mapping, Union

from waferlab.sweeps.marks import MARK, object_in

# A running run touches its mark so often, in seconds; one that was touched longer ago has died with its machine.
HEARTBEAT = 5
_DEAD = 60

Value = Union[str, int, float, bool]
Point = Mapping[str, Value]


class Run:
    """One run: its values, its folder, its commands, and the hash of all that it depends on. It can be pickled."""

    def __init__(self, point: Point, folder: pathlib.Path, commands: list, files: dict, timeout: float | None):
        self.point, self.folder, self.commands, self.files, self.timeout = dict(point), folder, commands, files, timeout
        words = [self.point, commands, [(name, _hash(path)) for name, path in files.items()]]
        self.identity = hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
        self.name = folder.name


def _hash(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def mark_of(run: Run) -> dict | None:
    """The mark in the run's folder; None where there is none."""
    return object_in(run.folder / MARK)


def is_due(run: Run, retry: bool, show) -> bool:
    """Whether the run is to be run now. Makes room for it."""
    mark = mark_of(run)
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


def _lives(run: Run, mark: dict) -> bool:
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
