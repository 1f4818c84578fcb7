"""Waferlab: compile CSL programs and run them on a simulated wafer.

Most names here are those of the vendor's host API; `cerebras.sdk...` re-exports them for programs that import that. Our own
are `compile` and its `Artifact`, `compile_csl`, `Cycles`, `to_grid` and `from_grid`, `sweep` and its `SweepError`.
They are loaded on first use, so that `cs_python` starts without waiting for numpy.
"""
import importlib

__version__ = "0.1.0"

_HOME = {
    "Artifact": "artifact",
    "CodeRegion": "layout",
    "Color": "layout",
    "Edge": "enums",
    "Cycles": "cycles",
    "EdgeRouteInfo": "layout",
    "FP16TYPE": "enums",
    "IntRectangle": "geometry",
    "IntVector": "geometry",
    "MemcpyDataType": "enums",
    "MemcpyOrder": "enums",
    "PortHandle": "layout",
    "Route": "enums",
    "RoutingPosition": "layout",
    "SdkLayout": "layout",
    "SdkTarget": "enums",
    "get_edge_routing": "layout",
    "ArgumentError": "errors",
    "CompileError": "errors",
    "SdkError": "errors",
    "SimulationError": "errors",
    "SdkCompileArtifacts": "platform",
    "SdkExecutionPlatform": "platform",
    "SimfabConfig": "platform",
    "get_platform": "platform",
    "get_simulator": "platform",
    "get_system": "platform",
    "SdkRuntime": "runtime",
    "Task": "runtime",
    "compile": "compiler",
    "compile_csl": "compiler",
    "sweep": "sweeps",
    "SweepError": "sweeps",
    "from_grid": "grid",
    "to_grid": "grid",
}

__all__ = sorted(_HOME)


def __dir__():
    """All names, those among them that have not been loaded."""
    return sorted({*globals(), *__all__})


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'waferlab' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"waferlab.{_HOME[name]}"), name)
    globals()[name] = value
    return value
