"""Points and rectangles in units of PEs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class IntVector(NamedTuple):
    x: int
    y: int


class _Corners(NamedTuple):
    origin: IntVector
    end: IntVector


class IntRectangle(_Corners):
    """From `origin`, included, to `end`, excluded, as published programs have it; by keyword the manual's `dims`, its width
    and height, in the place of `end`."""

    def __new__(
        cls, origin: Sequence[int], end: Sequence[int] | None = None, *, dims: Sequence[int] | None = None
    ) -> IntRectangle:
        if (end is None) == (dims is None):
            raise TypeError("IntRectangle() takes origin and one of end and dims")
        return super().__new__(cls, origin, IntVector(origin[0] + dims[0], origin[1] + dims[1]) if end is None else end)
