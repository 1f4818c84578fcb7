"""The host API under the vendor's name."""
from waferlab.enums import FP16TYPE, Edge, MemcpyDataType, MemcpyOrder, Route, SdkTarget
from waferlab.layout import CodeRegion, Color, EdgeRouteInfo, PortHandle, RoutingPosition, SdkLayout, get_edge_routing
from waferlab.platform import (
    SdkCompileArtifacts,
    SdkExecutionPlatform,
    SimfabConfig,
    get_platform,
    get_simulator,
    get_system,
)
from waferlab.runtime import SdkRuntime, Task

# The vendor's module also holds the members of its enumerations.
MEMCPY_32BIT = MemcpyDataType.MEMCPY_32BIT
MEMCPY_16BIT = MemcpyDataType.MEMCPY_16BIT
ROW_MAJOR = MemcpyOrder.ROW_MAJOR
COL_MAJOR = MemcpyOrder.COL_MAJOR
WSE2 = SdkTarget.WSE2
WSE3 = SdkTarget.WSE3
TOP, BOTTOM, LEFT, RIGHT = Edge
RAMP, EAST, WEST, NORTH, SOUTH = Route
F16, BF16, CB16 = FP16TYPE
