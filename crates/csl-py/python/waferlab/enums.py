"""The enumerations of the host API, with their documented names and numbers."""
import enum


class MemcpyDataType(enum.IntEnum):
    """Item size of a copy-mode transfer. A 16-bit item travels in the low half of a 32-bit host word."""

    MEMCPY_32BIT = 0
    MEMCPY_16BIT = 1


class MemcpyOrder(enum.IntEnum):
    """The order of a tensor A[h][w][l] in the 1-D host array: l fastest, or h fastest."""

    ROW_MAJOR = 0
    COL_MAJOR = 1


class SdkTarget(enum.IntEnum):
    WSE2 = 0
    WSE3 = 1


class FP16TYPE(enum.IntEnum):
    """The one 16-bit float format of a program."""

    F16 = 0
    BF16 = 1
    CB16 = 2


class Edge(enum.IntEnum):
    """A side of a code region."""

    TOP = 0
    BOTTOM = 1
    LEFT = 2
    RIGHT = 3


class Route(enum.IntEnum):
    """A side of a router."""

    RAMP = 0
    EAST = 1
    WEST = 2
    NORTH = 3
    SOUTH = 4
