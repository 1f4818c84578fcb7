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
    and height, in the place of `end`. A second vector that is no such corner is taken for the manual's, too."""

    def __new__(
        cls, origin: Sequence[int], end: Sequence[int] | None = None, *, dims: Sequence[int] | None = None
    ) -> IntRectangle:
        if (end is None) == (dims is None):
            raise TypeError("IntRectangle() takes origin and one of end and dims")
        if dims is None and (end[0] <= origin[0] or end[1] <= origin[1]):
            dims = end
        return super().__new__(cls, origin, end if dims is None else IntVector(origin[0] + dims[0], origin[1] + dims[1]))
