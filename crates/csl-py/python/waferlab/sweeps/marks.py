"""The files that a sweep makes: their names, and how its marks are read and written."""
from __future__ import annotations

import json
import os
import pathlib
import socket
import threading

# The mark of a run in its folder, that of a sweep in the folder of its runs, and the files beside them.
MARK = "sweep-run.json"
SWEEP_MARK = "sweep.json"
LOG = "sweep.log"
RESULTS = "results.json"
TABLE = "results.csv"

# What the mark of a sweep holds. A file of that name with anything else in it, such as a plan, is the user's.
MADE_BY = {"made_by": "waferlab sweep"}


def is_mark(path: pathlib.Path) -> bool:
    """Whether the file is the mark of a sweep's folder."""
    return (object_in(path) or {}).get("made_by") == MADE_BY["made_by"]


def object_in(path: pathlib.Path) -> dict | None:
    """The JSON object in a file; None where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write(path: pathlib.Path, value: dict) -> None:
    """Writes a file of the sweep in one step, so that a reader never sees a part of it."""
    temporary = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)
