"""CSELFRunner, the host API of SDK 0.4 to 0.8: tensors enter and leave by the places around the program.

A port map names, for each element of a tensor, a place beside the program's rectangle, whose PEs are PE[0, 0] to
PE[width-1, height-1], and the element's position in the stream there: `{ x[i=0:5] -> [PE[i//2, -1] -> index[i%2]] }` sends two
elements to each of three columns from the north. An element of 16 bits that enters has its position in the high half of the
wavelet, as data tasks with two parameters expect; one that leaves is the low half.

Given `input_colors` and `output_colors`, the program has memcpy: a port map names PEs of the program (`elf_batches.py`).
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from waferlab import arrays, port_map, trace
from waferlab.debug_util import corners, items
from waferlab.elf_batches import Batches
from waferlab.errors import ArgumentError, SdkError
from waferlab.platform import refuse_system
from waferlab.runtime import SdkRuntime
from waferlab.warning import unknown_words, warn

_ELF = re.compile(r"out_(\d+)_(\d+)\.elf$")
_SIDES = ("NORTH", "EAST", "SOUTH", "WEST")
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
    """Runs a program without memcpy, or, given the colors that the host streams on, one that was compiled with `--memcpy`.

    `elf_paths` are files `bin/out_X_Y.elf` of the output folder, which tell the folder. Columns and rows of symbols are those of the
    whole fabric, as `cslc --fabric-offsets` places the program. A runner runs once: by `connect_and_run`, or, with memcpy, from
    `start` to `stop` in batches, which move some of the tensors each.
    """

    def __init__(
        self,
        elf_paths: str | Sequence[str] | ELFMemory,
        cmaddr: str | None = None,
        *,
        width: int | None = None,
        height: int | None = None,
        input_colors: Iterable[int] | None = None,
        output_colors: Iterable[int] | None = None,
        **options: Any,
    ) -> None:
        refuse_system(cmaddr)
        unknown_words("CSELFRunner", options, ("cmaddr", "height", "width", "input_colors", "output_colors"))
        paths = elf_paths.paths if isinstance(elf_paths, ELFMemory) else elf_paths
        written = "`cslc -o out` writes them to out/bin/out_X_Y.elf"
        paths = [paths] if isinstance(paths, (str, os.PathLike)) else paths
        paths = arrays.items("CSELFRunner: elf_paths", paths, (str, os.PathLike), written)
        if not paths:
            raise ArgumentError(f"CSELFRunner: no ELF files are given; {written}")
        if not os.path.isfile(paths[0]):
            raise ArgumentError(f"CSELFRunner: there is no file {os.fspath(paths[0])!r}; {written}")
        has_memcpy = input_colors is not None or output_colors is not None
        folder = os.path.dirname(os.path.dirname(os.path.abspath(paths[0])))
        self._runtime = SdkRuntime(folder, memcpy_required=has_memcpy)
        self._runtime.load()
        self._machine = self._runtime._machine
        size = self._machine.size()
        for what, given, there in (("width", width, size[0]), ("height", height, size[1])):
            if given is not None and _number(what, given) != there:
                raise ArgumentError(f"CSELFRunner: {what} is {given}, and the program has {size[0]}x{size[1]} PEs")
        colors = [
            [_number(name, color) for color in arrays.items(f"CSELFRunner: {name}", colors or ())]
            for name, colors in (("input_colors", input_colors), ("output_colors", output_colors))
        ]
        self._batches = Batches(self._runtime, size, *colors) if has_memcpy else None
        self._inputs: list[tuple[int, int, int, np.ndarray, int | None]] = []
        self._outputs: list[tuple[str, int, list[tuple[int, int, np.ndarray]], np.dtype, tuple[int, ...], Any]] = []
        self._names: set[str] = set()
        self._has_run = False
        self.out_tensor_dict: dict[str, np.ndarray] = {}
        """The tensors that have come, by the names in their port maps."""

    # Streams. `reusable`, which says that a stream serves several batches, is taken: all of them do.

    def add_input_tensor(
        self,
        color: int,
        portmap: str | tuple[str, int],
        tensor: ArrayLike | None,
        sentinel: int | None = None,
        **options: Any,
    ) -> None:
        """Sends a tensor by a color; with `sentinel`, a control wavelet that starts the task of this number ends each stream.

        With memcpy, a tensor may be left to `prepare_input_tensor` (None), and there are no sentinels.
        """
        unknown_words("add_input_tensor", options, ("color", "portmap", "tensor", "sentinel", "reusable"))
        self._before_the_run("add_input_tensor")
        if self._batches:
            self._batches.add_input("add_input_tensor", _number("color", color), None, sentinel)
            if tensor is not None:
                self.prepare_input_tensor(color, portmap, tensor)
            return
        tensor = _native("add_input_tensor", tensor)
        self._send(color, self._places(portmap, tensor.size), tensor.reshape(-1), sentinel)

    def add_input_array(
        self, name: str, color: int, side: str, array: ArrayLike | None, sentinel: int | None = None, **options: Any
    ) -> None:
        """Sends an array from a side of the program ("N", "E", "S", "W"): its first axis counts the columns or rows there.

        With memcpy, an array may be left to `prepare_input_array` (None), and there are no sentinels.
        """
        unknown_words("add_input_array", options, ("name", "color", "side", "array", "sentinel", "reusable"))
        self._before_the_run("add_input_array")
        if self._batches:
            self._batches.add_input("add_input_array", _number("color", color), _side(side), sentinel)
            if array is not None:
                self.prepare_input_array(color, 0, array)
            return
        array = _native("add_input_array", array)
        self._send(color, self._along(side, array), array.reshape(-1), sentinel)

    def _send(self, color, places, items, sentinel):
        color, words = _number("color", color), _words(items)
        sentinel = None if sentinel is None else _number("sentinel", sentinel)
        for column, row, at in places:
            of_place = words[at]
            if items.itemsize == 2:
                of_place = of_place | np.arange(len(at), dtype=np.uint32) << np.uint32(16)
            self._inputs.append((column, row, color, of_place, sentinel))

    def add_output_tensor(self, color: int, portmap: str, dtype: DTypeLike, **options: Any) -> None:
        """Receives a tensor by a color, to `out_tensor_dict`."""
        unknown_words("add_output_tensor", options, ("color", "portmap", "dtype", "reusable"))
        self._before_the_run("add_output_tensor")
        ports, dtype = port_map.Streams(portmap), _dtype("add_output_tensor", dtype, "give one such as np.float32 or np.int16")
        self._check_name(ports.name)
        if self._batches:
            self._batches.add_output_tensor("add_output_tensor", _number("color", color), portmap, ports.name, dtype)
        else:
            self._receive(ports.name, color, ports.places, dtype, ports.shape, None)

    def add_output_array(
        self, name: str, color: int, side: str, array: np.ndarray, offset: int = 0, **options: Any
    ) -> None:
        """Receives an array from a side of the program, to `array` and `out_tensor_dict`."""
        unknown_words("add_output_array", options, ("name", "color", "side", "array", "offset", "reusable"))
        self._before_the_run("add_output_array")
        _no_offset("add_output_array", offset)
        if not isinstance(array, np.ndarray):
            raise ArgumentError(f"add_output_array: array must be a numpy array, not {type(array).__name__}")
        _without_mask("add_output_array", array)
        dtype = _dtype("add_output_array", array.dtype)
        self._check_name(name)
        if self._batches:
            self._batches.add_output_array("add_output_array", _number("color", color), _side(side), name, array)
        else:
            self._receive(name, color, self._along(side, array), dtype, array.shape, array)

    def _before_the_run(self, method):
        """With memcpy a tensor may come between batches."""
        if self._has_run and not self._batches:
            raise SdkError(f"{method}: the program has run; tensors are given before connect_and_run()")

    def _check_name(self, name):
        if name in self._names:
            raise ArgumentError(f"there are two outputs {name}")
        self._names.add(name)

    def _receive(self, name, color, places, dtype, shape, array):
        self._outputs.append((name, _number("color", color), places, dtype, shape, array))

    def _places(self, portmap, count):
        if isinstance(portmap, str):
            return port_map.Streams(portmap, count).places
        if not isinstance(portmap, (tuple, list)) or len(portmap) != 2:
            raise ArgumentError(f'a port map must be a str, or a side and a column or row, ("W", 0), not {arrays.shown(portmap)}')
        side, at = portmap
        return [(*self._place(side, _number("port map", at)), np.arange(count))]

    def _along(self, side, array):
        """The places of the first axis of an array, each with the positions of its items in the whole array."""
        if not array.ndim or not array.size:
            raise ArgumentError(f"an array of shape {array.shape} has nothing for a side of the program")
        each = array.size // len(array)
        return [(*self._place(side, i), np.arange(i * each, (i + 1) * each)) for i in range(len(array))]

    def _place(self, side, at):
        """The place beside column or row `at` at a side."""
        width, height = self._machine.size()
        return {"N": (at, -1), "S": (at, height), "W": (-1, at), "E": (width, at)}[_side(side)]

    # Memory.

    def set_symbol(self, col: int, row: int, name: str, value: ArrayLike) -> None:
        """Writes a symbol of one PE before the run; the items of `value` have the size of the symbol's."""
        if self._has_run:
            raise SdkError("set_symbol: the program has run")
        value, name = _array("set_symbol", value), arrays.text("set_symbol: name", name)
        if value.dtype.kind not in "biuf" or value.itemsize > 4:
            raise ArgumentError(f"set_symbol: {name} has items of up to 32 bits, not {value.dtype}; give .astype(...) of it")
        data = np.ascontiguousarray(value, value.dtype.newbyteorder("=")).tobytes()
        x, y = _number("col", col), _number("row", row)
        size = len(self._machine.read_symbol(x, y, name))
        if len(data) < size:
            warn(f"set_symbol: {name} has {size} bytes, and {len(data)} are given: the others stay as they are")
        self._machine.write_symbol(x, y, name, data)

    def set_symbol_rect(self, name: str, values: ArrayLike, offset: tuple[int, int] = (0, 0)) -> None:
        """Writes a symbol of many PEs: the first two axes of `values` count columns and rows from `offset`."""
        values = _array("set_symbol_rect", values)
        first = arrays.pair("set_symbol_rect: offset", offset)
        if values.ndim < 2:
            raise ArgumentError(f"set_symbol_rect: {name} takes an array by column and row, not one of shape {values.shape}")
        for x, column in enumerate(values):
            for y, value in enumerate(column):
                self.set_symbol(first[0] + x, first[1] + y, name, value)

    def get_symbol(self, col: int, row: int, name: str, dtype: DTypeLike) -> np.ndarray:
        """The value of a symbol on one PE."""
        name = arrays.text("get_symbol: name", name)
        return items(name, self._machine.read_symbol(_number("col", col), _number("row", row), name), dtype)

    def get_symbol_rect(self, rectangle: tuple[Sequence[int], Sequence[int]], name: str, dtype: DTypeLike) -> np.ndarray:
        """The values of a symbol on a rectangle ((col, row), (width, height)), by column, then row."""
        col, row, width, height = corners("get_symbol_rect", rectangle)
        columns = range(col, col + width)
        return np.array([[self.get_symbol(x, y, name, dtype) for y in range(row, row + height)] for x in columns])

    # Running.

    def connect_and_run(self, sim_out_path: str | os.PathLike[str] | None = None) -> None:
        """Runs until all outputs have come; without any, until nothing can move any more. `sim_out_path` gets a core file.

        Raises SdkError where nothing can move and an output is not complete.
        """
        self._start("connect_and_run")
        if self._batches:
            try:
                self.run_batch(self._batches.colors())
            finally:
                if sim_out_path is not None:
                    self._machine.dump_core(os.fspath(sim_out_path))
            self._runtime.stop()
        else:
            self._run_ports(sim_out_path)

    def _start(self, method):
        if self._has_run:
            raise SdkError(f"{method}: a runner runs once; make another one")
        self._has_run = True
        self._runtime.run()

    def _run_ports(self, sim_out_path):
        for column, row, color, words, sentinel in self._inputs:
            self._machine.let_in(column, row, color, words.tobytes(), sentinel)
        for _, color, places, _, _, _ in self._outputs:
            for column, row, at in places:
                self._machine.let_out(column, row, color, len(at))
        try:
            self._machine.run_ports()
        except SdkError as error:
            missing = [
                f"connect_and_run: {name} has got {len(words)} of {wanted} words of color {color}"
                for (name, color, *_), words, wanted in self._taken()
                if len(words) < wanted
            ]
            raise type(error)("\n".join([*missing, *self._left_outside(), str(error)])) from None
        finally:
            if sim_out_path is not None:
                self._machine.dump_core(os.fspath(sim_out_path))
        for (name, _, places, dtype, shape, array), words, _ in self._taken():
            tensor = np.zeros(len(words), np.uint32)
            tensor[np.concatenate([at for _, _, at in places])] = words
            tensor = _items(tensor, dtype).reshape(shape)
            self.out_tensor_dict[name] = tensor
            if array is not None:
                array[...] = tensor
        for text in self._left_outside():
            warn(text)
        self._runtime.stop()

    def _taken(self):
        """Each output with the words that have come, place by place, and their number when all have. Of two outputs at one
        place the first gets the first words."""
        came = {}
        for output in self._outputs:
            _, color, places, *_ = output
            words = []
            for column, row, at in places:
                place = (column, row, color)
                if place not in came:
                    came[place] = np.frombuffer(self._machine.take_left(column, row, color), np.uint32)
                words.append(came[place][: len(at)])
                came[place] = came[place][len(at) :]
            yield output, np.concatenate(words), sum(len(at) for _, _, at in places)

    def _left_outside(self):
        for column, row, color in dict.fromkeys((column, row, color) for column, row, color, *_ in self._inputs):
            if count := self._machine.waiting_outside(column, row, color):
                yield f"connect_and_run: {count} words of color {color} have not come in from PE[{column}, {row}]"

    # Batches, of a program with memcpy.

    def load(self) -> None:
        """Done by the constructor; here for programs that call it."""
        self._with_memcpy("load")

    def start(self) -> None:
        """Starts the machine, for batches."""
        self._with_memcpy("start")
        self._start("start")

    def prepare_input_tensor(self, color: int, portmap: str, tensor: ArrayLike) -> None:
        """Gives an input the tensor of the batches to come."""
        batches = self._with_memcpy("prepare_input_tensor")
        if not isinstance(portmap, str):
            raise ArgumentError(f"prepare_input_tensor: with memcpy a port map is a text, not {portmap!r}")
        batches.set_tensor("prepare_input_tensor", _number("color", color), portmap, _native("prepare_input_tensor", tensor))

    def prepare_input_array(self, color: int, offset: int, array: ArrayLike) -> None:
        """Gives an input of `add_input_array` the array of the batches to come; `offset` is 0."""
        batches = self._with_memcpy("prepare_input_array")
        _no_offset("prepare_input_array", offset)
        batches.set_array("prepare_input_array", _number("color", color), _native("prepare_input_array", array))

    def run_batch(self, colors: Iterable[int]) -> None:
        """Sends the tensors that were prepared for these colors, and receives the outputs of others, to `out_tensor_dict`.

        Raises SdkError where nothing can move and one of them is not complete.
        """
        batches = self._with_memcpy("run_batch")
        if not self._has_run:
            raise SdkError("run_batch: start() comes first")
        self.out_tensor_dict.update(batches.run("run_batch", [_number("color", color) for color in colors]))

    def stop(self) -> None:
        """Stops the machine, behind the last batch."""
        self._with_memcpy("stop")
        self._runtime.stop()

    def _with_memcpy(self, method):
        if self._batches is None:
            raise SdkError(
                f"CSELFRunner.{method}: batches are those of memcpy: compile with --memcpy and give CSELFRunner input_colors "
                "and output_colors; without memcpy, connect_and_run() does all"
            )
        return self._batches


def read_trace(runner: CSELFRunner, px: int, py: int, name: str) -> list[Any]:
    """The values that the <debug> library recorded in the trace buffer `name`."""
    return trace.decode(runner.get_symbol(px, py, f"{name}.debug_buffer", np.uint16))


def _number(what, value):
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ArgumentError(f"{what} must be a whole number, not {value!r}")
    if not 0 <= number < 1 << 31:
        raise ArgumentError(f"{what}: there is no {number}")
    return number


def _side(side):
    letter = str(side).upper()
    letter = letter[0] if letter in _SIDES else letter
    if letter not in ("N", "E", "S", "W"):
        raise ArgumentError(f'a side of the program is "N", "E", "S" or "W", not {side!r}')
    return letter


def _no_offset(method, offset):
    if _number("offset", offset) != 0:
        raise ArgumentError(f"{method}: offset is {offset}; only whole arrays are sent and received, with offset 0")


def _dtype(method, dtype, help="give .astype(...) of it"):
    """An item type that a wavelet carries, in the byte order of this machine."""
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        raise ArgumentError(f"{method}: dtype must be a type of numpy's, not {arrays.shown(dtype)}; {help}") from None
    if dtype.kind not in "iuf" or dtype.itemsize not in _ITEM_SIZES:
        raise ArgumentError(f"{method}: a wavelet carries an item of 16 or 32 bits, not {dtype}; {help}")
    return dtype.newbyteorder("=")


def _native(method, tensor):
    tensor = _array(method, tensor)
    return np.asarray(tensor, _dtype(method, tensor.dtype), order="C")


def _array(method: str, value: ArrayLike) -> np.ndarray:
    _without_mask(method, value)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{method}: a numpy array is needed, and numpy makes none of this: {error}") from None


def _without_mask(method, array):
    if isinstance(array, np.ma.MaskedArray):
        raise ArgumentError(f"{method}: a masked array would lose its mask; give its filled() values")


def _words(items):
    """Items of one dimension, each in a 32-bit word."""
    return items.view(f"u{items.itemsize}").astype(np.uint32)


def _items(words, dtype):
    return words.astype(f"u{dtype.itemsize}").view(dtype)
