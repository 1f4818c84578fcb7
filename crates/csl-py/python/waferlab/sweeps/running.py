"""Carries out runs, as processes of this machine or as tasks of a Dask cluster."""
from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

from waferlab.sweeps.marks import LOG, MARK, write
from waferlab.sweeps.run import HEARTBEAT, Run
from waferlab.sweeps.table import wrong_results

# The seconds from the interrupt of a command to its end by force.
_PATIENCE = 5


def run_all(runs: list, workers: int | None, cluster: Any, show) -> None:
    """Carries out the runs, several at once, and shows a line on each."""
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


def _told(run: Run, mark: dict) -> str:
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


def _run(run: Run, stopping: threading.Event | None = None) -> dict:
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
            error = wrong_results(run)
        else:
            state = "interrupted" if stopping is not None and stopping.is_set() else "failed"
    except OSError as cause:
        state, error = "failed", str(cause)
    mark.update(state=state, seconds=round(time.monotonic() - begun, 3), error=error)
    with contextlib.suppress(OSError):
        write(run.folder / MARK, mark)
    return mark


def _carry_out(run: Run, stopping: threading.Event, begun: float) -> str | None:
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


def _execute(words: list, run: Run, log, stopping: threading.Event, begun: float) -> str | None:
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
        if now - touched > HEARTBEAT:
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
