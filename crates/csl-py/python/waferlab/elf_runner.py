"""CSELFRunner, the host API of SDK 0.4 to 0.8: tensors enter and leave by the places around the program.

A port map names, for each element of a tensor, a place beside the program's rectangle, whose PEs are PE[0, 0] to
PE[width-1, height-1], and the element's position in the stream there: `{ x[i=0:5] -> [PE[i//2, -1] -> index[i%2]] }` sends two
elements to each of three columns from the north. An element of 16 bits that enters has its position in the high half of the
wavelet, as data tasks with two parameters expect; one that leaves is the low half.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from waferlab import arrays, port_map, trace
from waferlab.debug_util import items
from waferlab.errors import ArgumentError, SdkError
from waferlab.platform import refuse_system
from waferlab.runtime import SdkRuntime

_ELF = re.compile(r"out_(\d+)_(\d+)\.elf$")
_SIDES = {"WEST": "W", "EAST": "E", "NORTH": "N", "SOUTH": "S"}
# The bytes of an element that a wavelet carries.
_ITEM_SIZES = (2, 4)


class ELFMemory:
    """The files `bin/out_X_Y.elf` of a compiled program, one a PE."""

    def __init__(self, *paths: str | os.PathLike[str]) -> None:
        self.paths = [os.fspath(path) for path in paths]

    def iter_coordinates(self) -> Iterator[tuple[int, int]]:
        """Column and row of each file's PE in the program."""
        for path in self.paths:
            if match := _ELF.search(path):
                yield int(match[1]), int(match[2])


class CSELFRunner:
    """Runs a program that was compiled without memcpy.

    `elf_paths` are files `bin/out_X_Y.elf` of the output folder, which tell the folder. Columns and rows of symbols are those of the
    whole fabric, as `cslc --fabric-offsets` places the program. Streams of several batches (`run_batch`) are not there:
    they are those of memcpy, for which SdkRuntime is.
    """

    def __init__(self, elf_paths: str | Sequence[str] | ELFMemory, cmaddr: str | None = None, **options: Any) -> None:
        refuse_system(cmaddr)
        if batches := {"input_colors", "output_colors"} & options.keys():
            raise SdkError(f"CSELFRunner: {min(batches)} and batches are not supported; use SdkRuntime with memcpy")
        paths = elf_paths.paths if isinstance(elf_paths, ELFMemory) else elf_paths
        paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        if not paths:
            raise ArgumentError("CSELFRunner: no ELF files are given; `cslc -o out` writes them to out/bin/out_X_Y.elf")
        self._runtime = SdkRuntime(os.path.dirname(os.path.dirname(os.path.abspath(paths[0]))), memcpy_required=False)
        self._runtime.load()
        self._machine = self._runtime._machine
        self._inputs: list[tuple[int, int, int, np.ndarray, int | None]] = []
        self._outputs: list[tuple[str, int, list[tuple[int, int, np.ndarray]], np.dtype, tuple[int, ...], Any]] = []
        self.out_tensor_dict: dict[str, np.ndarray] = {}
        """The tensors that have come, by the names in their port maps."""

    # Streams.

    def add_input_tensor(
        self, color: int, portmap: str | tuple[str, int], tensor: ArrayLike, sentinel: int | None = None, **options: Any
    ) -> None:
        """Sends a tensor by a color; with `sentinel`, a control wavelet that starts the task of this number ends each stream."""
        values = _words("add_input_tensor", tensor)
        for column, row, at in self._places(portmap, values.size):
            self._inputs.append((column, row, int(color), _numbered(values[at], tensor), sentinel))

    def add_input_array(
        self, name: str, color: int, side: str, array: ArrayLike, sentinel: int | None = None, **options: Any
    ) -> None:
        """Sends an array from a side of the program ("N", "E", "S", "W"): its first axis counts the columns or rows there."""
        array = np.asarray(array)
        values = _words("add_input_array", array).reshape(array.shape[0], -1)
        for (column, row), words in zip(self._side(side, len(values)), values):
            self._inputs.append((column, row, int(color), _numbered(words, array), sentinel))

    def add_output_tensor(self, color: int, portmap: str, dtype: DTypeLike, **options: Any) -> None:
        """Receives a tensor by a color, to `out_tensor_dict`."""
        ports = port_map.Streams(portmap)
        self._outputs.append((ports.name, int(color), ports.places, _dtype(dtype), ports.shape, None))

    def add_output_array(self, name: str, color: int, side: str, array: np.ndarray, **options: Any) -> None:
        """Receives an array from a side of the program, to `array` and `out_tensor_dict`."""
        per_place = array.size // max(len(array), 1)
        places = [
            (column, row, np.arange(i * per_place, (i + 1) * per_place))
            for i, (column, row) in enumerate(self._side(side, len(array)))
        ]
        self._outputs.append((name, int(color), places, _dtype(array.dtype), array.shape, array))

    def _places(self, portmap, count):
        if isinstance(portmap, str):
            ports = port_map.Streams(portmap)
            if ports.size != count:
                raise ArgumentError(f"the port map describes {ports.size} elements, the tensor has {count}")
            return ports.places
        side, at = portmap
        return [(*self._side(_SIDES.get(str(side).upper(), side), int(at) + 1)[at], np.arange(count))]

    def _side(self, side, count):
        """The places of the first `count` columns or rows at a side."""
        width, height = self._machine.size()
        along = {
            "N": lambda i: (i, -1),
            "S": lambda i: (i, height),
            "W": lambda i: (-1, i),
            "E": lambda i: (width, i),
        }
        if side not in along:
            raise ArgumentError(f'a side of the program is "N", "E", "S" or "W", not {side!r}')
        return [along[side](i) for i in range(count)]

    # Memory.

    def set_symbol(self, col: int, row: int, name: str, value: ArrayLike) -> None:
        """Writes a symbol of one PE before the run; `value` has the symbol's type."""
        self._machine.write_symbol(int(col), int(row), name, np.ascontiguousarray(value).tobytes())

    def set_symbol_rect(self, name: str, values: ArrayLike, offset: tuple[int, int] = (0, 0)) -> None:
        """Writes a symbol of many PEs: the first two axes of `values` count columns and rows from `offset`."""
        for x, column in enumerate(np.asarray(values)):
            for y, value in enumerate(column):
                self.set_symbol(offset[0] + x, offset[1] + y, name, value)

    def get_symbol(self, col: int, row: int, name: str, dtype: DTypeLike) -> np.ndarray:
        """The value of a symbol on one PE."""
        return items(name, self._machine.read_symbol(int(col), int(row), name), dtype)

    def get_symbol_rect(self, rectangle: tuple[Sequence[int], Sequence[int]], name: str, dtype: DTypeLike) -> np.ndarray:
        """The values of a symbol on a rectangle ((col, row), (width, height)), by column, then row."""
        (col, row), (width, height) = rectangle
        columns = range(col, col + width)
        return np.array([[self.get_symbol(x, y, name, dtype) for y in range(row, row + height)] for x in columns])

    # Running.

    def connect_and_run(self, sim_out_path: str | os.PathLike[str] | None = None) -> None:
        """Runs until all outputs have come; without any, until nothing can move any more. `sim_out_path` gets a core file.

        Raises SdkError where nothing can move and an output is not complete.
        """
        self._runtime.run()
        for column, row, color, words, sentinel in self._inputs:
            self._machine.let_in(column, row, color, words.tobytes(), sentinel)
        for _, color, places, _, _, _ in self._outputs:
            for column, row, at in places:
                self._machine.let_out(column, row, color, len(at))
        try:
            self._machine.run_ports()
        except SdkError as error:
            raise type(error)("\n".join([*self._missing(), str(error)])) from None
        for name, color, places, dtype, shape, array in self._outputs:
            words = np.zeros(int(np.prod(shape)), np.uint32)
            for column, row, at in places:
                words[at] = np.frombuffer(self._machine.take_left(column, row, color), np.uint32)
            tensor = _items(words, dtype).reshape(shape)
            self.out_tensor_dict[name] = tensor
            if array is not None:
                array[...] = tensor
        self._runtime.stop()
        if sim_out_path is not None:
            self._machine.dump_core(os.fspath(sim_out_path))

    def _missing(self):
        for name, color, places, _, shape, _ in self._outputs:
            came = sum(len(self._machine.take_left(column, row, color)) // 4 for column, row, _ in places)
            wanted = sum(len(at) for _, _, at in places)
            if came < wanted:
                yield f"connect_and_run: {name} has got {came} of {wanted} words of color {color}"

    def load(self) -> None:
        raise _batches("load")

    def start(self) -> None:
        raise _batches("start")

    def run_batch(self, colors: Iterable[int]) -> None:
        raise _batches("run_batch")


def _batches(method):
    return SdkError(f"CSELFRunner.{method}: batches are not supported; use SdkRuntime with memcpy")


def read_trace(runner: CSELFRunner, px: int, py: int, name: str) -> list[Any]:
    """The values that the <debug> library recorded in the trace buffer `name`."""
    return trace.decode(runner.get_symbol(px, py, f"{name}.debug_buffer", np.uint16))


def _dtype(dtype):
    dtype = np.dtype(dtype)
    if dtype.itemsize not in _ITEM_SIZES:
        raise ArgumentError(f"a wavelet carries an item of 16 or 32 bits, not {dtype}")
    return dtype


def _words(method, tensor):
    """The items of a tensor in row-major order, one in each 32-bit word."""
    tensor = np.ascontiguousarray(tensor).reshape(-1)
    if tensor.dtype.kind not in "biuf" or tensor.dtype.itemsize not in _ITEM_SIZES:
        raise ArgumentError(f"{method}: a wavelet carries an item of 16 or 32 bits, not {arrays.shown(tensor)}")
    return tensor.view(f"u{tensor.dtype.itemsize}").astype(np.uint32)


def _numbered(words, tensor):
    """The words of one stream; those of 16-bit items with their positions in the high halves."""
    if np.asarray(tensor).dtype.itemsize == 4:
        return words
    return words | np.arange(len(words), dtype=np.uint32) << np.uint32(16)


def _items(words, dtype):
    return words.astype(f"u{dtype.itemsize}").view(dtype)
