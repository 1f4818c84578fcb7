"""Arrays of a rectangle of PEs, between the flat form of memcpy and a grid."""

from __future__ import annotations

import numpy as np

from waferlab import arrays
from waferlab.enums import MemcpyOrder
from waferlab.errors import ArgumentError


def to_grid(array: np.ndarray, width: int, height: int, *, order: MemcpyOrder = MemcpyOrder.ROW_MAJOR) -> np.ndarray:
    """The host array of a copy as a grid: `grid[y, x]` holds the elements of the PE in column x and row y of the copy's
    rectangle.

    `array` is what memcpy_d2h() filled, of any shape: `height * width * n` items, n for each PE, in the order that the
    copy had. `width` and `height` are in PEs. Returns an array of shape (height, width, n); it shares the memory of `array`
    where numpy can do without a copy. Raises ArgumentError where the items cannot be shared out evenly.

    >>> to_grid(np.arange(12), 3, 2)[1, 0]
    array([6, 7])
    """
    flat = arrays.memory(arrays.host_array("to_grid", array, "array"))
    shape = _shape("to_grid", flat.size, width, height)
    return flat.reshape(shape, order=_letter(order))


def from_grid(grid: np.ndarray, *, order: MemcpyOrder = MemcpyOrder.ROW_MAJOR) -> np.ndarray:
    """The host array, for memcpy_h2d(), of a grid of shape (height, width, n), or (height, width) for one element a PE:
    the inverse of to_grid(). Returns an array of one dimension in the order that the copy is to have; raises ArgumentError
    for an array of other dimensions.
    """
    if arrays.host_array("from_grid", grid, "grid").ndim not in (2, 3):
        raise ArgumentError(f"from_grid: a grid has 2 or 3 dimensions (rows, columns, elements), not {grid.ndim}")
    shape = grid.shape if grid.ndim == 3 else (*grid.shape, 1)
    return grid.reshape(shape).ravel(order=_letter(order))


def _shape(method, size, width, height):
    width, height = arrays.whole(f"{method}: width", width), arrays.whole(f"{method}: height", height)
    if width * height == 0 or size % (width * height):
        raise ArgumentError(f"{method}: {size} items cannot be shared out among {width} x {height} PEs")
    return height, width, size // (width * height)


def _letter(order):
    return "C" if MemcpyOrder(order) == MemcpyOrder.ROW_MAJOR else "F"
