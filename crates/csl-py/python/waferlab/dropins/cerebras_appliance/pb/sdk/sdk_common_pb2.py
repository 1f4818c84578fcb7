"""Enumerations of the appliance client under the vendor's name."""
from waferlab.enums import MemcpyDataType, MemcpyOrder

MEMCPY_32BIT = MemcpyDataType.MEMCPY_32BIT
MEMCPY_16BIT = MemcpyDataType.MEMCPY_16BIT
ROW_MAJOR = MemcpyOrder.ROW_MAJOR
COL_MAJOR = MemcpyOrder.COL_MAJOR
