"""cslc from Python."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union

from waferlab import _waferlab, arrays
from waferlab.artifact import Artifact
from waferlab.enums import SdkTarget
from waferlab.errors import ArgumentError, CompileError

_Path = Union[str, "os.PathLike[str]"]


def compile(  # noqa: A001 (a name of the module's, as re.compile)
    source: _Path,
    *,
    output: _Path = "out",
    arch: str | SdkTarget | None = None,
    params: Mapping[str, Any] | None = None,
    colors: Mapping[str, int] | None = None,
    fabric_dims: Sequence[int] | None = None,
    fabric_offsets: Sequence[int] | None = None,
    memcpy: bool = False,
    channels: int | None = None,
    width_west_buf: int | None = None,
    width_east_buf: int | None = None,
    import_path: _Path | Sequence[_Path] = (),
    fp16_format: str | None = None,
    max_inlined_iterations: int | None = None,
    comptime_func_depth_limit: int | None = None,
    link_section_start_address_bytes: Mapping[str, int] | None = None,
    warnings_as_errors: bool = False,
    allow: str | Sequence[str] = (),
    check_all: bool = False,
    sdk: str | None = None,
) -> Artifact:
    """Compiles a CSL program, as cslc does, and returns what SdkRuntime takes and a notebook shows.

    `source` is the file with the layout block, `output` the folder that is written; both are relative to the working
    directory. The other keywords are the options of cslc by the same names, and left out they have the same defaults
    (`cslc --help`): `arch` is "wse2" or "wse3", `fabric_dims` (columns, rows) and `fabric_offsets` (column, row) are in
    PEs, `channels` counts memcpy's channels, `width_west_buf` and `width_east_buf` are columns of PEs, addresses of link
    sections are in bytes. `params` maps a top-level param to an integer, a bool, a float or text, `colors` to a color's
    number. Warnings go to the logger "waferlab", and are the `messages` of the result.

    Raises CompileError, with the diagnostics, where the program does not compile; ArgumentError for a value that no option
    of cslc can have. Nothing is written then.

    >>> artifact = waferlab.compile("layout.csl", arch="wse3", params={"n": 16}, memcpy=True)
    """
    options = {
        "arch": arch.name.lower() if isinstance(arch, SdkTarget) else arch,
        "params": _bindings("params", params),
        "colors": _bindings("colors", colors),
        "fabric_dims": _pair("fabric_dims", fabric_dims),
        "fabric_offsets": _pair("fabric_offsets", fabric_offsets),
        "memcpy": arrays.flag("memcpy", memcpy),
        "channels": channels,
        "width_west_buf": width_west_buf,
        "width_east_buf": width_east_buf,
        "import_path": _several(import_path),
        "fp16_format": fp16_format,
        "max_inlined_iterations": max_inlined_iterations,
        "comptime_func_depth_limit": comptime_func_depth_limit,
        "link_section_start_address_bytes": _bindings("link_section_start_address_bytes", link_section_start_address_bytes),
        "warnings_as_errors": arrays.flag("warnings_as_errors", warnings_as_errors),
        "allow": _several(allow),
        "check_all": arrays.flag("check_all", check_all),
        "sdk": sdk,
    }
    words = [word for name, value in options.items() for word in _words(name, value)]
    done = _compile(["-o", os.fspath(output), *words, "--", os.fspath(source)], ".", None)
    return Artifact(done.folder, done.messages, done.text)


def compile_csl(
    arguments: str | Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str] = ".",
    output: str | os.PathLike[str] | None = None,
) -> Path:
    """Runs cslc with `arguments` (a list, or one string as a shell would split it) as if `folder` were the working
    directory, and returns the path of the output folder. `output` stands for the folder that -o names. Raises CompileError
    with the diagnostics."""
    words = split(arguments) if isinstance(arguments, str) else [os.fspath(word) for word in arguments]
    done = _compile(words, folder, output)
    print(done.text, end="")
    return done.folder


def split(arguments: str) -> list[str]:
    """The words of a command line, as a shell would have them."""
    try:
        return shlex.split(arguments)
    except ValueError as error:
        raise ArgumentError(f"{arguments!r}: {error}") from None


def _compile(words, folder, output):
    done = _waferlab.compile(words, os.path.abspath(folder), output)
    if not done.succeeded:
        raise CompileError(done.messages)
    if done.messages:
        logging.getLogger("waferlab").warning("%s", done.messages)
    return done


def _words(name, value):
    """An option of cslc and its value as words; none for an option that is left out."""
    option = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    return [f"{option}={item}" for item in (value if isinstance(value, list) else [value])]


def _several(value):
    one = isinstance(value, (str, os.PathLike))
    return [os.fspath(item) for item in ([value] if one else value)]


def _pair(name, value):
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        raise ArgumentError(f"{name} must be two whole numbers, not {arrays.shown(value)}")
    return ",".join(str(arrays.whole(name, number)) for number in value)


def _bindings(name, values):
    """NAME:VALUE for each; a comma would part a value from its rest."""
    if values is None:
        return None
    if not isinstance(values, Mapping):
        raise ArgumentError(f"{name} must map names to values, not {arrays.shown(values)}")
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
    for key, text in texts.items():
        if "," in text or not text:
            raise ArgumentError(f"{name}: the value of {key!r}, {text!r}, cannot be given to cslc")
    return [f"{key}:{text}" for key, text in texts.items()]
