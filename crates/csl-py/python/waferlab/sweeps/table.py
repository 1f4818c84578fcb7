"""The table of a sweep: a row for each run, with its values, its state, and the results that its program has written."""
from __future__ import annotations

import csv
import json
import os
import pathlib
import socket
from typing import Mapping

from waferlab.sweeps.marks import RESULTS, object_in
from waferlab.sweeps.run import Run, mark_of

# Columns of the table that are not values of the run or results of the program; the last ones stand behind those.
_LAST_COLUMNS = ("message", "folder")
OWN_COLUMNS = ("state", "seconds", "cycles", *_LAST_COLUMNS)
# What stands before the name of a result that a column has already.
_RESULT = "result."


def row_of(run: Run) -> dict:
    """The row of a run, whether it has been run or not."""
    mark = mark_of(run) or {}
    is_ours = mark.get("identity") == run.identity
    state = mark.get("state") if is_ours else "missing"
    row = {**run.point, "state": state, "seconds": mark.get("seconds") if is_ours else None, "cycles": None}
    if state in ("done", "failed"):
        row["cycles"] = (object_in(run.folder / "sim_stats.json") or {}).get("cycles")
        results = object_in(run.folder / RESULTS) or {}
        for name, value in results.items():
            # A value that the program writes down again is in the table.
            if name not in run.point or value != run.point[name]:
                row[_column(name, row)] = value
    return {**row, "message": mark.get("error") if is_ours else None, "folder": str(run.folder)}


def _column(name: str, row: Mapping) -> str:
    """The column of a result: of its own name, unless that is taken."""
    while name in row or name in OWN_COLUMNS:
        name = _RESULT + name
    return name


def wrong_results(run: Run) -> str | None:
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


def write_table(path: pathlib.Path, rows: list) -> None:
    """Writes the table in one step, as a CSV file."""
    temporary = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}")
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _columns(rows))
        writer.writeheader()
        writer.writerows(rows)
    os.replace(temporary, path)


def frame(rows: list):
    """The table as a data frame of pandas; without pandas its rows."""
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows, columns=_columns(rows))
