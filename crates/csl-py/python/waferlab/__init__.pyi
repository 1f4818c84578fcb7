"""The names that `__init__.py` loads on first use."""
from waferlab.artifact import Artifact as Artifact
from waferlab.compiler import compile as compile
from waferlab.compiler import compile_csl as compile_csl
from waferlab.cycles import Cycles as Cycles
from waferlab.enums import Edge as Edge
from waferlab.enums import FP16TYPE as FP16TYPE
from waferlab.enums import MemcpyDataType as MemcpyDataType
from waferlab.enums import MemcpyOrder as MemcpyOrder
from waferlab.enums import Route as Route
from waferlab.enums import SdkTarget as SdkTarget
from waferlab.errors import ArgumentError as ArgumentError
from waferlab.errors import CompileError as CompileError
from waferlab.errors import SdkError as SdkError
from waferlab.errors import SimulationError as SimulationError
from waferlab.geometry import IntRectangle as IntRectangle
from waferlab.geometry import IntVector as IntVector
from waferlab.grid import from_grid as from_grid
from waferlab.grid import to_grid as to_grid
from waferlab.layout import CodeRegion as CodeRegion
from waferlab.layout import Color as Color
from waferlab.layout import EdgeRouteInfo as EdgeRouteInfo
from waferlab.layout import PortHandle as PortHandle
from waferlab.layout import RoutingPosition as RoutingPosition
from waferlab.layout import SdkLayout as SdkLayout
from waferlab.layout import get_edge_routing as get_edge_routing
from waferlab.platform import SdkCompileArtifacts as SdkCompileArtifacts
from waferlab.platform import SdkExecutionPlatform as SdkExecutionPlatform
from waferlab.platform import SimfabConfig as SimfabConfig
from waferlab.platform import get_platform as get_platform
from waferlab.platform import get_simulator as get_simulator
from waferlab.platform import get_system as get_system
from waferlab.runtime import SdkRuntime as SdkRuntime
from waferlab.runtime import Task as Task

__version__: str
from waferlab.sweeps import SweepError as SweepError
from waferlab.sweeps import sweep as sweep
