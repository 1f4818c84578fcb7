"""Reads symbols of a run in this process, by coordinates in the whole fabric."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from waferlab import _waferlab, arrays, trace
from waferlab.errors import ArgumentError, SdkError
from waferlab.platform import refuse_system

# The names under which core files are written: dump_core() as the manual has it, SimfabConfig(dump_core=True).
CORES = ("corefile.cs1", "out.core")

_last_runs = {}


def remember(bindir: str | os.PathLike[str], machine: _waferlab.Machine) -> None:
    """Keeps the run of a compiled program that was loaded last, so that it can be looked into after it has stopped."""
    _last_runs[os.path.realpath(bindir)] = machine


def _from_core(bindir):
    for name in CORES:
        if os.path.isfile(name):
            return _waferlab.CoreFile(name, os.fspath(bindir))
    raise SdkError(
        f"debug_util: this process has not run the program in {os.fspath(bindir)!r}, and the working directory has no "
        f"{' or '.join(CORES)}"
    )


def items(symbol: str, data: bytes, dtype: DTypeLike) -> np.ndarray:
    """The bytes of a symbol as an array of `dtype`. Raises ArgumentError for a type that has no size, or none that fits."""
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        raise ArgumentError(f"{symbol}: dtype must be a type of numpy's, such as np.float32, not {arrays.shown(dtype)}") from None
    if dtype.hasobject or not dtype.itemsize:
        raise ArgumentError(f"{symbol}: the bytes of a PE are no items of {dtype}; give a type of numbers, such as np.float32")
    if len(data) % dtype.itemsize:
        raise ArgumentError(f"{symbol} takes {len(data)} bytes, which are no whole number of items of {dtype}")
    return np.frombuffer(data, dtype=dtype).copy()


def corners(what: str, rectangle: tuple[Sequence[int], Sequence[int]]) -> tuple[int, int, int, int]:
    """Column, row, width and height of the rectangle that get_symbol_rect() is given, which holds one PE or more."""
    try:
        (col, row), (width, height) = rectangle
    except (TypeError, ValueError):
        shown = arrays.shown(rectangle)
        raise ArgumentError(f"{what}: a rectangle must be ((col, row), (width, height)), not {shown}") from None
    col, row = arrays.whole(f"{what}: col", col), arrays.whole(f"{what}: row", row)
    width, height = arrays.whole(f"{what}: width", width), arrays.whole(f"{what}: height", height)
    if width < 1 or height < 1:
        raise ArgumentError(f"get_symbol_rect: a rectangle of {width} x {height} PEs holds nothing")
    return col, row, width, height


class debug_util:  # noqa: N801 (the vendor's spelling)
    """Reads symbols of the newest run of the program in `bindir` in this process, which needs no dump; without one, of
    the core file of an earlier run in the working directory."""

    def __init__(self, bindir: str | os.PathLike[str], cmaddr: str | None = None) -> None:
        refuse_system(cmaddr)
        self._machine = _last_runs.get(os.path.realpath(bindir)) or _from_core(bindir)

    def get_symbol(self, col: int, row: int, symbol: str, dtype: DTypeLike) -> np.ndarray:
        """The value of a symbol on one PE."""
        at = arrays.whole("debug_util: col", col), arrays.whole("debug_util: row", row)
        name = arrays.text("debug_util: symbol", symbol)
        return items(name, self._machine.read_symbol(*at, name), dtype)

    def get_symbol_rect(self, rectangle: tuple[Sequence[int], Sequence[int]], symbol: str, dtype: DTypeLike) -> np.ndarray:
        """The values of a symbol on a rectangle ((col, row), (width, height)), by column, then row."""
        col, row, width, height = corners("debug_util", rectangle)
        columns = range(col, col + width)
        return np.array([[self.get_symbol(x, y, symbol, dtype) for y in range(row, row + height)] for x in columns])

    def read_trace(self, px: int, py: int, name: str) -> list[Any]:
        """The values that the <debug> library recorded in the trace buffer `name`."""
        name = arrays.text("read_trace: name", name)
        return trace.decode(self.get_symbol(px, py, f"{name}.debug_buffer", np.uint16))
