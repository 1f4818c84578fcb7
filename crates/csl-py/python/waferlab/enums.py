"""The enumerations of the host API, with their documented names and numbers."""
import enum


class MemcpyDataType(enum.IntEnum):
    """Item size of a copy-mode transfer. A 16-bit item travels in the low half of a 32-bit host word."""

    MEMCPY_32BIT = 0
    MEMCPY_16BIT = 1


class MemcpyOrder(enum.IntEnum):
    """How a tensor A[h][w][l] is laid out in the 1-D host array: l fastest, or h fastest."""

    ROW_MAJOR = 0
    COL_MAJOR = 1


class SdkTarget(enum.IntEnum):
    WSE2 = 0
    WSE3 = 1
