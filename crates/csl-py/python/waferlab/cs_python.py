"""The `cs_python` command: this environment's Python with the drop-in `cerebras` packages on its path.

The packages go on PYTHONPATH and Python starts anew, so that every option of Python works and processes that the
program starts find them too. The vendor's `cs_python` is a container: it has no appliance client, and it gets the
variables SINGULARITYENV_X and APPTAINERENV_X as X, here where X is not set.
"""
import importlib.metadata
import os
import sys


def dropins():
    """The folder that holds the drop-in packages."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "dropins")


# The mark (of Python's option -X) of a process that `cs_python` has started, and of those that it forks; programs that
# such a process starts do not have it.
_MARK = "waferlab_cs_python"

# The first prefix wins, as where a run reads SIMFABRIC_DEBUG.
_CONTAINER_PREFIXES = ("SINGULARITYENV_", "APPTAINERENV_")


def hide_client(module):
    """Raises, in a script that `cs_python` runs, what Python raises for a module that is not there: hosts tell by that
    whether they run on a cluster or in the container."""
    if _MARK in sys._xoptions:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def _python_path(env):
    return env.get("PYTHONPATH", "").split(os.pathsep)


def environment():
    env = dict(os.environ)
    for prefix in _CONTAINER_PREFIXES:
        for name, value in os.environ.items():
            if name.startswith(prefix) and name != prefix:
                env.setdefault(name[len(prefix) :], value)
    rest = [p for p in _python_path(env) if p and p != dropins()]
    env["PYTHONPATH"] = os.pathsep.join([dropins(), *rest])
    bin_dir = os.path.dirname(sys.executable)
    paths = env.get("PATH", "").split(os.pathsep)
    if bin_dir not in paths:
        env["PATH"] = os.pathsep.join([*paths, bin_dir])
    return env


def note_numpy():
    """Says that NumPy 2 computes less widely than the NumPy that published scripts were written for, unless this process
    comes from a `cs_python` that has said it."""
    if dropins() in _python_path(os.environ):
        return
    try:
        version = importlib.metadata.version("numpy")
    except importlib.metadata.PackageNotFoundError:
        return
    if int(version.split(".")[0]) < 2:
        return
    print(
        f"cs_python: NumPy {version}: `uint16 << 16` stays 16 bits wide and gives 0, where NumPy 1 gives a wider number.\n"
        "cs_python: Scripts that put time stamps together in this way show wrong cycles. NumPy 1, for Python 3.9 to\n"
        "cs_python: 3.12: pip install 'numpy<2'",
        file=sys.stderr,
        flush=True,
    )


def main():
    env = environment()
    note_numpy()
    os.execve(sys.executable, [sys.executable, "-X", _MARK, *sys.argv[1:]], env)
