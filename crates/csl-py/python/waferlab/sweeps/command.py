"""`waferlab sweep`: a sweep whose plan stands in a file."""
from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import pathlib
import signal
import sys
from typing import Any

from waferlab import signals
from waferlab.sweeps import SweepError, is_share, sweep
from waferlab.sweeps.marks import TABLE
from waferlab.sweeps.plan import path_of

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
        plan[key] = path.absolute().parent / path_of(f"{path}: {key}", plan.get(key, default))
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
    if not is_share(part):
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
