"""The tensors of a CSELFRunner whose program has memcpy: port maps name PEs of the program, and memcpy streams the words.

An array by a side stands for all PEs: its first axis counts the rows from the west or the east, the columns from the north or
the south, and what belongs to one of them is shared out evenly along it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from waferlab import port_map
from waferlab.enums import MemcpyDataType, MemcpyOrder
from waferlab.errors import ArgumentError, SdkError
from waferlab.runtime import SdkRuntime

_OPTIONS: dict[str, Any] = {
    "streaming": True,
    "data_type": MemcpyDataType.MEMCPY_32BIT,
    "order": MemcpyOrder.ROW_MAJOR,
    "nonblock": True,
}


@dataclass
class _Output:
    name: str
    rect: tuple[int, int, int, int, int]
    words: np.ndarray
    """An array of the PEs' words, by row, column and position."""
    take: Callable[[np.ndarray], np.ndarray]
    """The tensor from these words."""


class Batches:
    """What a program takes and gives, by the colors that the host streams on."""

    def __init__(self, runtime: SdkRuntime, size: tuple[int, int], inputs: Iterable[int], outputs: Iterable[int]) -> None:
        self._runtime, self._size = runtime, size
        self._inputs: dict[int, tuple | None] = dict.fromkeys(inputs)
        self._outputs: dict[int, _Output | None] = dict.fromkeys(outputs)
        self._sides: dict[int, str | None] = {}

    # Tensors. A side is "N", "E", "S" or "W".

    def add_input(self, method: str, color: int, side: str | None, sentinel: int | None) -> None:
        """Notes an input by a color, of an array at a side or of a tensor with a port map."""
        self._look_up("input_colors", method, color)
        if color in self._sides:
            raise ArgumentError(f"{method}: color {color} has an input; prepare_input_tensor gives it other tensors")
        if sentinel is not None:
            raise ArgumentError(f"{method}: with memcpy no sentinel follows a tensor")
        self._sides[color] = side

    def set_tensor(self, method: str, color: int, portmap: str, tensor: np.ndarray) -> None:
        """Gives an input the tensor of the batches to come."""
        self._look_up("input_colors", method, color)
        self._inputs[color] = port_map.convert_input_tensor(portmap, tensor)

    def set_array(self, method: str, color: int, array: np.ndarray) -> None:
        """Gives an input at a side the array of the batches to come."""
        self._look_up("input_colors", method, color)
        if (side := self._sides.get(color)) is None:
            raise ArgumentError(f"{method}: color {color} has no array of add_input_array")
        rect = self._all(method, array.size)
        words = np.ascontiguousarray(_by_row(array.reshape(-1), side, rect)).reshape(-1)
        self._inputs[color] = (*rect, words.view(f"u{array.itemsize}").astype(np.uint32))

    def add_output_tensor(self, method: str, color: int, portmap: str, name: str, dtype: np.dtype) -> None:
        *rect, data = port_map.prepare_output_tensor(portmap, dtype)
        take = lambda words: port_map.format_output_tensor(portmap, dtype, words)
        self._add_output(method, color, _Output(name, tuple(rect), data, take))

    def add_output_array(self, method: str, color: int, side: str, name: str, array: np.ndarray) -> None:
        rect = self._all(method, array.size)
        order = _by_row(np.arange(array.size), side, rect).reshape(-1)

        def take(words):
            array.reshape(-1)[order] = words.astype(f"u{array.itemsize}").view(array.dtype)
            return array

        self._add_output(method, color, _Output(name, rect, np.zeros(array.size, np.uint32), take))

    def _add_output(self, method, color, output):
        self._look_up("output_colors", method, color)
        if self._outputs[color] is not None:
            raise ArgumentError(f"{method}: color {color} has an output, {self._outputs[color].name}")
        self._outputs[color] = output

    def _look_up(self, option, method, color):
        if color not in (self._inputs if option == "input_colors" else self._outputs):
            raise ArgumentError(f"{method}: color {color} is not among {option} of CSELFRunner")

    def _all(self, method, items):
        """The rectangle of the whole program, and the items of each PE."""
        width, height = self._size
        if not items or items % (width * height):
            raise ArgumentError(f"{method}: {items} items are no equal shares for {width}x{height} PEs")
        return (0, 0, width, height, items // (width * height))

    # Running.

    def colors(self) -> list[int]:
        """The colors of all tensors, what enters first."""
        return [color for streams in (self._inputs, self._outputs) for color, stream in streams.items() if stream is not None]

    def run(self, method: str, colors: Sequence[int]) -> dict[str, np.ndarray]:
        """Streams the tensors of these colors, requested in this order, and returns those that have come, by name."""
        for color in colors:
            if self._inputs.get(color) is None and self._outputs.get(color) is None:
                raise SdkError(f"{method}: there is no tensor of color {color}")
        tasks, outputs = [], []
        for color in colors:
            if (given := self._inputs.get(color)) is not None:
                *rect, words = given
                tasks.append(self._runtime.memcpy_h2d(color, words, *rect, **_OPTIONS))
            else:
                output = self._outputs[color]
                outputs.append(output)
                tasks.append(self._runtime.memcpy_d2h(output.words, color, *output.rect, **_OPTIONS))
        for task in tasks:
            self._runtime.task_wait(task)
        return {output.name: output.take(output.words) for output in outputs}


def _by_row(items, side, rect):
    """Items in the order in which memcpy has them: by row, column and position."""
    _, _, width, height, each = rect
    return items.reshape(height, width, each) if side in "WE" else items.reshape(width, height, each).swapaxes(0, 1)
