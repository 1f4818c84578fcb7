"""Points and rectangles in units of PEs."""
from typing import NamedTuple


class IntVector(NamedTuple):
    x: int
    y: int


class IntRectangle(NamedTuple):
    """From `origin`, included, to `end`, excluded."""

    origin: IntVector
    end: IntVector
