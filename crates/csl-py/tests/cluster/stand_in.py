"""Stands in for SLURM's `sbatch` and `scancel` on a machine without it: jobs are processes of this machine.

It knows what the tests use: `#SBATCH --array=FIRST-LAST`, the variables of a job and of an array, and the end of a job.
A job's process writes its output beside the script that was submitted."""
import os
import pathlib
import re
import signal
import subprocess
import sys

JOBS = pathlib.Path(os.environ["STAND_IN_JOBS"])


def sbatch(words):
    script = pathlib.Path(next(word for word in words if not word.startswith("-"))).absolute()
    array = re.search(r"^#SBATCH --array=(\d+)-(\d+)", script.read_text(), re.MULTILINE)
    tasks = range(int(array[1]), int(array[2]) + 1) if array else [None]
    number = str(1000 + len(list(JOBS.iterdir())))
    pids = []
    for task in tasks:
        env = {**os.environ, "SLURM_JOB_ID": number, "SLURM_SUBMIT_DIR": os.getcwd()}
        if task is not None:
            env.update(SLURM_ARRAY_TASK_ID=str(task), SLURM_ARRAY_TASK_COUNT=str(len(tasks)))
        with open(JOBS / f"slurm-{number}_{task}.out", "wb") as out:
            job = subprocess.Popen(["bash", script], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        pids.append(str(job.pid))
    (JOBS / number).write_text(" ".join(pids))
    print(f"Submitted batch job {number}")


def scancel(words):
    for number in words:
        for pid in (JOBS / number).read_text().split():
            try:
                os.killpg(int(pid), signal.SIGTERM)
            except ProcessLookupError:
                pass


{"sbatch": sbatch, "scancel": scancel}[pathlib.Path(sys.argv[0]).name](sys.argv[1:])
