"""cslc from Python."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from waferlab import _waferlab
from waferlab.errors import CompileError


def compile_csl(
    arguments: str | Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str] = ".",
    output: str | os.PathLike[str] | None = None,
) -> Path:
    """Runs cslc with `arguments` (a list, or one string as a shell would split it) as if `folder` were the working
    directory, and returns the path of the output folder. `output` stands for the folder that -o names. Raises CompileError
    with the diagnostics."""
    words = shlex.split(arguments) if isinstance(arguments, str) else [os.fspath(word) for word in arguments]
    done = _waferlab.compile(words, os.path.abspath(folder), output)
    if not done.succeeded:
        raise CompileError(done.messages)
    if done.messages:
        logging.getLogger("waferlab").warning("%s", done.messages)
    print(done.text, end="")
    return done.folder
