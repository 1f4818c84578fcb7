"""cslc from Python."""
import os
import shlex

from waferlab import _waferlab
from waferlab.errors import CompileError


def compile_csl(arguments, folder="."):
    """Runs cslc with `arguments` (a list, or one string as a shell would split it) as if `folder` were the working
    directory, and returns the path of the output folder. Raises CompileError with the diagnostics."""
    words = shlex.split(arguments) if isinstance(arguments, str) else [os.fspath(word) for word in arguments]
    succeeded, output, messages = _waferlab.compile(words, os.path.abspath(folder))
    if not succeeded:
        raise CompileError(messages)
    return output
