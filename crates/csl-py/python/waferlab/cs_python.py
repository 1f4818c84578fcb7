"""The `cs_python` command: this environment's Python with the drop-in `cerebras` packages on its path.

The packages go on PYTHONPATH and Python starts anew, so that every option of Python works and processes that the
program starts find them too.
"""
import os
import sys


def dropins():
    """The folder that holds the drop-in packages."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "dropins")


def environment():
    env = dict(os.environ)
    rest = [p for p in env.get("PYTHONPATH", "").split(os.pathsep) if p and p != dropins()]
    env["PYTHONPATH"] = os.pathsep.join([dropins(), *rest])
    bin_dir = os.path.dirname(sys.executable)
    paths = env.get("PATH", "").split(os.pathsep)
    if bin_dir not in paths:
        env["PATH"] = os.pathsep.join([*paths, bin_dir])
    return env


def main():
    os.execve(sys.executable, [sys.executable, *sys.argv[1:]], environment())
