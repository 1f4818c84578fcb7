"""The appliance client. The vendor's client uses a cluster; this one compiles and simulates on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from typing import Any, Literal

from waferlab import _waferlab
from waferlab.compiler import compile_csl, split
from waferlab.cs_python import environment
from waferlab.errors import ArgumentError, CompileError, SdkError
from waferlab.runtime import SdkRuntime as _LocalRuntime
from waferlab.runtime import Task  # noqa: F401 (part of the API)
from waferlab.sdk_utils import getOutputNameFromCompileOptions
from waferlab.warning import unknown_words

# Keyword arguments of the compiler and the launcher; they concern a cluster and change nothing here.
_CLUSTER_OPTIONS = ("mgmt_namespace", "resource_cpu", "resource_mem", "disable_version_check", "simulator")

# What stands for the address of the system, and what quotes of a shell enclose.
_CMADDR = "%CMADDR%"
_QUOTED = re.compile(rf"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|{_CMADDR}""", re.DOTALL)


class SdkCompiler:
    """Compiles programs. Usable as a context manager, as current releases ask, and without, as older ones do."""

    def __init__(self, **kwargs: Any) -> None:
        unknown_words("SdkCompiler", kwargs, _CLUSTER_OPTIONS)

    def __enter__(self) -> SdkCompiler:
        return self

    def __exit__(self, *exception: object) -> Literal[False]:
        return False

    def compile(
        self,
        codedir: str | os.PathLike[str] | None = None,
        layout: str | os.PathLike[str] | None = None,
        args: str | None = None,
        outdir: str | os.PathLike[str] | None = None,
        *,
        app_path: str | os.PathLike[str] | None = None,
        csl_main: str | os.PathLike[str] | None = None,
        options: str | None = None,
        out_path: str | os.PathLike[str] | None = None,
    ) -> str:
        """Compiles `layout` in `codedir` and returns the path of the artifact. The keyword-only names are those of
        the first release."""
        folder = _one_of("codedir", codedir, "app_path", app_path)
        main = _one_of("layout", layout, "csl_main", csl_main)
        flags = _one_of("args", args, "options", options)
        target = _one_of("outdir", outdir, "out_path", out_path)
        if not os.path.isdir(folder):
            raise CompileError(f"there is no folder {folder!r} to compile in")
        words = split(flags)
        artifact = _artifact(target, getOutputNameFromCompileOptions(words))
        # A string, since clients write it down as JSON.
        return os.fspath(compile_csl([main, *words], folder, artifact))


def _files_beside(artifact):
    """The files of the folder that a program was compiled in: a launcher takes them along, as the client does."""
    try:
        folder = _waferlab.source_folder(artifact)
    except SdkError:
        return []
    entries = os.scandir(folder) if os.path.isdir(folder) else ()
    return [entry.path for entry in entries if entry.is_file()]


def _one_of(name, value, older_name, older_value):
    if (value is None) == (older_value is None):
        raise TypeError(f"SdkCompiler.compile() takes one of {name} and {older_name}")
    return os.fspath(value if older_value is None else older_value)


def _artifact(target, name):
    """Where the compiled program goes: into the folder `target`, or to the path `target` where there is nothing yet or an
    earlier program."""
    is_shelf = os.path.isdir(target) and not os.path.exists(os.path.join(target, "bin", "program.wafer"))
    return os.path.abspath(os.path.join(target, os.path.basename(name)) if is_shelf else target)


class SdkRuntime:
    """Runs a compiled program; to be used in a `with` statement, which loads, starts and stops it."""

    def __init__(self, artifact_path: str | os.PathLike[str], **kwargs: Any) -> None:
        self._runtime = _LocalRuntime(artifact_path, **kwargs)

    def start(self) -> None:
        self._runtime.load()
        self._runtime.run()

    def __enter__(self) -> SdkRuntime:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: object) -> Literal[False]:
        return self._runtime.__exit__(kind, value, traceback)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)


class SdkLauncher:
    """Runs shell commands in a folder of their own that holds the compiled program."""

    def __init__(self, artifact_path: str | os.PathLike[str], **kwargs: Any) -> None:
        unknown_words("SdkLauncher", kwargs, _CLUSTER_OPTIONS)
        self._artifact = os.path.abspath(artifact_path)
        if not os.path.exists(self._artifact):
            raise ArgumentError(f"there is no compiled program at {artifact_path!r}")
        self._folder = None

    def __enter__(self) -> SdkLauncher:
        self._folder = tempfile.TemporaryDirectory(prefix="waferlab-launcher-")
        for path in (self._artifact, *_files_beside(self._artifact)):
            self.stage(path)
        return self

    def __exit__(self, *exception: object) -> Literal[False]:
        self._folder.cleanup()
        self._folder = None
        return False

    def stage(self, artifact_path: str | os.PathLike[str]) -> None:
        """Copies a file or a folder into the working folder."""
        target = os.path.join(self._workdir(), os.path.basename(os.path.abspath(artifact_path)))
        if os.path.isdir(artifact_path):
            shutil.copytree(artifact_path, target, dirs_exist_ok=True)
        else:
            shutil.copy(artifact_path, target)

    def run(self, *commands: str) -> str:
        """Runs the commands one after the other and returns what they printed. %CMADDR% is empty: the simulator."""
        return "".join(self._run_one(command) for command in commands)

    def _run_one(self, command):
        if not isinstance(command, str):
            raise TypeError(f"SdkLauncher.run() takes strings, not {type(command).__name__}")
        line = _QUOTED.sub(_without_address, command)
        done = subprocess.run(line, shell=True, cwd=self._workdir(), env=environment(), capture_output=True, text=True)
        if done.returncode:
            raise SdkError(f"`{command}` ended with status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def download_artifact(self, artifact_name: str, out_path: str | os.PathLike[str]) -> str:
        """Copies a file out of the working folder; a folder becomes OUT_PATH.tar.gz. Returns the path of the copy."""
        source = os.path.join(self._workdir(), artifact_name)
        if not os.path.exists(source):
            raise ArgumentError(f"there is no {artifact_name!r} in the working folder")
        os.makedirs(os.path.dirname(os.path.abspath(out_path)), exist_ok=True)
        if not os.path.isdir(source):
            return shutil.copy(source, out_path)
        packed = f"{out_path}.tar.gz"
        with tarfile.open(packed, "w:gz") as archive:
            archive.add(source, arcname=os.path.basename(source))
        return packed

    def _workdir(self):
        if self._folder is None:
            raise SdkError("SdkLauncher must be used in a `with` statement")
        return self._folder.name


def _without_address(found):
    """A part of a command with an empty text for the address, whatever quotes it stands in. As a word among others within
    quotes, it is a word of a command for another shell."""
    part = found[0]
    if part == _CMADDR:
        return "''"
    empty = '""' if part[0] == "'" else "''"
    return re.sub(rf"(?<=\s){_CMADDR}(?=\s|.$)", empty, part).replace(_CMADDR, "")
