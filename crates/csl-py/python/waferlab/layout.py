"""SdkLayout: a program's layout described in Python instead of in a `layout` block.

The description goes to the extension call by call; what a call cannot mean is refused there and then, and what only the
whole shows (overlaps, paths, colors) by compile().
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from waferlab import _waferlab, arrays
from waferlab.enums import Edge, FP16TYPE, Route, SdkTarget
from waferlab.errors import ArgumentError, CompileError, SdkError
from waferlab.platform import SdkCompileArtifacts, SdkExecutionPlatform, check_level
from waferlab.warning import unknown_words, warn

_ITEM_TYPES = ("int32", "uint32", "float32", "int16", "uint16")
_MAX_BUFFER = 2**16 - 1
_COLORS = 24


def _color_or_c(method):
    """Takes the argument `color` of the manual also under the name that the vendor's module has for it, `c`."""

    @functools.wraps(method)
    def with_either(self, *args, **named):
        if "c" in named and "color" not in named:
            named["color"] = named.pop("c")
        return method(self, *args, **named)

    return with_either


class Color:
    """A color by name; its number is found by compile() unless it is given."""

    def __init__(self, name: str, value: int | None = None, _region: str | None = None) -> None:
        self._name = arrays.text("Color: name", name)
        self._value = None if value is None else arrays.whole(f"Color: value of {name}", value)
        if self._value is not None and self._value >= _COLORS:
            raise ArgumentError(f"color {name} cannot be {value}: colors are 0 to {_COLORS - 1}")
        self._global_name = f"{_region}_{name}" if _region else self._name

    def get_global_name(self) -> str:
        return self._global_name

    def get_local_param_name(self) -> str:
        return self._name

    def get_value(self) -> int | None:
        return self._value

    def __repr__(self) -> str:
        return f"<Color {self._global_name}>"


class RoutingPosition:
    """One position of a switch: the sides from which wavelets come and to which they go. Every setter returns the object itself."""

    def __init__(self) -> None:
        self._input, self._output = [], []

    def set_input(self, routes: Iterable[Route]) -> RoutingPosition:
        self._input = _sides("set_input", routes)
        return self

    def set_output(self, routes: Iterable[Route]) -> RoutingPosition:
        self._output = _sides("set_output", routes)
        return self

    def add_input(self, route: Route) -> RoutingPosition:
        self._input.append(arrays.member("add_input: route", Route, route))
        return self

    def add_output(self, route: Route) -> RoutingPosition:
        self._output.append(arrays.member("add_output: route", Route, route))
        return self

    def get_input(self) -> list[Route]:
        return list(self._input)

    def get_output(self) -> list[Route]:
        return list(self._output)


class EdgeRouteInfo:
    """Routing positions for the PEs along one edge of a region; made by get_edge_routing."""

    def __init__(self, edge: Edge, routes: Iterable[RoutingPosition]) -> None:
        self._edge = arrays.member("get_edge_routing: edge", Edge, edge)
        self._routes = _positions("get_edge_routing", routes)


def get_edge_routing(edge: Edge, routes: Iterable[RoutingPosition]) -> EdgeRouteInfo:
    return EdgeRouteInfo(edge, routes)


class PortHandle:
    """A port of a code region; made by create_input_port and create_output_port."""

    def __init__(self, design: _waferlab.Design, number: int) -> None:
        self._design, self._number = design, number


class CodeRegion:
    """A rectangle of PEs that run one file. Coordinates are relative to its north-west PE."""

    def __init__(self, design: _waferlab.Design, number: int, name: str) -> None:
        self._design, self._number, self._name = design, number, name
        self._place: tuple[int, int] | None = None

    def color(self, name: str, value: int | None = None) -> Color:
        """A color of this region: another region's color of the same name is another color."""
        return Color(name, value, _region=self._name)

    # Params: `name` and a number or a color, or a color alone that is a param of its own name.

    def set_param(self, coord: Sequence[int], *what: str | int | Color, **named: Any) -> None:
        self._set("set_param", _cell_area("set_param: coord", coord), what, named)

    def set_param_range(self, rect: tuple[Sequence[int], Sequence[int]], *what: str | int | Color, **named: Any) -> None:
        self._set("set_param_range", _area("set_param_range: rect", rect), what, named)

    def set_param_all(self, *what: str | int | Color, **named: Any) -> None:
        self._set("set_param_all", None, what, named)

    def _set(self, method, area, what, named):
        name, value = _param(method, _given(method, what, named))
        if isinstance(value, Color):
            self._design.set_color(self._number, area, name, _color(method, self._design, value))
        else:
            self._design.set_number(self._number, area, name, value)

    # Routes.

    def paint(self, coord: Sequence[int], color: Color, routes: Iterable[RoutingPosition]) -> None:
        self._paint("paint", _cell_area("paint: coord", coord), color, routes)

    def paint_range(self, rect: tuple[Sequence[int], Sequence[int]], color: Color, routes: Iterable[RoutingPosition]) -> None:
        self._paint("paint_range", _area("paint_range: rect", rect), color, routes)

    def paint_all(self, color: Color, routes: Iterable[RoutingPosition], edge_routes: Iterable[EdgeRouteInfo] = ()) -> None:
        edges = arrays.items("paint_all: edge_routes", edge_routes, EdgeRouteInfo, "get_edge_routing() makes one")
        self._paint("paint_all", None, color, routes)
        for info in edges:
            number, edge = _color("paint_all", self._design, color), _member(_waferlab.Edge, info._edge)
            self._design.paint_edge(self._number, edge, number, _crossing(info._routes))

    def _paint(self, method, area, color, routes):
        positions = _crossing(_positions(method, routes))
        self._design.paint(self._number, area, _color(method, self._design, color), positions)

    @_color_or_c
    def create_input_port(
        self, color: Color, edge: Edge, routes: Iterable[RoutingPosition], data_size: int, prefix: str = ""
    ) -> PortHandle:
        return self._port("create_input_port", _waferlab.Flow.IN, color, edge, routes, data_size, prefix)

    @_color_or_c
    def create_output_port(
        self, color: Color, edge: Edge, routes: Iterable[RoutingPosition], data_size: int, prefix: str = ""
    ) -> PortHandle:
        return self._port("create_output_port", _waferlab.Flow.OUT, color, edge, routes, data_size, prefix)

    def _port(self, method, flow, color, edge, routes, data_size, prefix):
        side = _member(_waferlab.Edge, arrays.member(f"{method}: edge", Edge, edge))
        size = arrays.whole(f"{method}: data_size", data_size)
        if size == 0:
            raise ArgumentError(f"{method}: data_size is 0: a port that no wavelet passes connects nothing; give their number in a run")
        prefix, positions = arrays.text(f"{method}: prefix", prefix), _crossing(_positions(method, routes))
        number = self._design.port(
            self._number, flow, _color(method, self._design, color), side, positions, size, prefix
        )  # fmt: skip
        return PortHandle(self._design, number)

    # Place and data.

    def place(self, x: int, y: int) -> None:
        """Places the north-west PE of the region in column `x` and row `y` of the fabric."""
        place = arrays.whole("place: x", x), arrays.whole("place: y", y)
        self._design.place(self._number, *place)
        if self._place not in (None, place):
            warn(f"place: {self._name} was placed at {self._place}, and is moved to {place}; the last call counts")
        self._place = place

    def set_symbol_all(self, symbol: str, data: np.ndarray, width: int, height: int) -> None:
        """Deals a matrix of `width` x `height` items out to the PEs, to each its block. The items have the size of the symbol's:
        compile() raises CompileError where they have not, and leave a part of it unwritten."""
        symbol = arrays.text("set_symbol_all: symbol", symbol)
        if arrays.host_array("set_symbol_all", data, "data").dtype.name not in _ITEM_TYPES:
            raise ArgumentError(f"set_symbol_all: data must be a numpy array of {', '.join(_ITEM_TYPES)}, not {data.dtype}")
        shape = arrays.whole("set_symbol_all: width", width), arrays.whole("set_symbol_all: height", height)
        self._design.set_symbol(self._number, symbol, data.tobytes(), data.dtype.itemsize, shape)


class SdkLayout:
    """A layout in the making."""

    def __init__(
        self,
        platform: SdkExecutionPlatform | SdkTarget | None = None,
        *,
        target: SdkTarget | None = None,
        fabric_file: str | os.PathLike[str] | None = None,
        msg_level: str = "WARNING",
        **kwargs: Any,
    ) -> None:
        unknown_words("SdkLayout", kwargs, ["platform", "target", "fabric_file", "msg_level"])
        given = [value for value in (platform, target, fabric_file) if value is not None]
        if len(given) != 1:
            raise TypeError("SdkLayout() takes one of platform, target and fabric_file")
        platform = given[0]
        if isinstance(platform, SdkTarget):
            target = platform
        elif isinstance(platform, SdkExecutionPlatform):
            target = platform.target
        elif isinstance(platform, (str, os.PathLike)):
            raise SdkError(f"SdkLayout({str(platform)!r}): fabric files describe systems; give a platform or an SdkTarget")
        else:
            raise TypeError(f"SdkLayout() takes a platform or an SdkTarget, not {type(platform).__name__}")
        logging.getLogger("waferlab").setLevel(check_level(msg_level))
        self._design = _waferlab.Design(_member(_waferlab.Arch, target))

    def create_code_region(self, source: str | os.PathLike[str], name: str, width: int, height: int) -> CodeRegion:
        file, name = arrays.path("create_code_region: source", source), arrays.text("create_code_region: name", name)
        size = arrays.whole("create_code_region: width", width), arrays.whole("create_code_region: height", height)
        return CodeRegion(self._design, self._design.region(file, name, *size), name)

    def connect(self, tx: PortHandle, rx: PortHandle) -> None:
        """A path for every PE of port `tx` to its partner in port `rx`."""
        self._design.connect(self._own("connect: tx", tx, PortHandle), self._own("connect: rx", rx, PortHandle))

    def create_input_stream(self, port: PortHandle, io_loc: Sequence[int] | None = None, io_buffer_size: int = 1024) -> str:
        return self._stream("create_input_stream", _waferlab.Flow.IN, port, io_loc, io_buffer_size)

    def create_output_stream(self, port: PortHandle, io_loc: Sequence[int] | None = None, io_buffer_size: int = 1024) -> str:
        return self._stream("create_output_stream", _waferlab.Flow.OUT, port, io_loc, io_buffer_size)

    @_color_or_c
    def create_input_stream_from_loc(self, loc: Sequence[int], color: Color, prefix: str = "") -> str:
        return self._stream_at("create_input_stream_from_loc", _waferlab.Flow.IN, loc, color, prefix)

    @_color_or_c
    def create_output_stream_from_loc(self, loc: Sequence[int], color: Color, prefix: str = "") -> str:
        return self._stream_at("create_output_stream_from_loc", _waferlab.Flow.OUT, loc, color, prefix)

    def hstack(self, children: Iterable[CodeRegion], origin: Sequence[int] | None = None) -> int:
        return self._design.hstack(self._children("hstack", children), _optional_cell("hstack: origin", origin))

    def vstack(self, children: Iterable[CodeRegion], origin: Sequence[int] | None = None) -> int:
        return self._design.vstack(self._children("vstack", children), _optional_cell("vstack: origin", origin))

    def compile(
        self,
        out_prefix: str | os.PathLike[str],
        libs: Iterable[str | os.PathLike[str]] = (),
        cslc_prefix: str = "",
        save_port_map: bool = False,
        f16_type: FP16TYPE = FP16TYPE.F16,
    ) -> SdkCompileArtifacts:
        """Compiles into the folder `out_prefix`. `cslc_prefix` has no meaning here: the compiler is this package."""
        out_prefix, libraries = arrays.path("compile: out_prefix", out_prefix), arrays.items("compile: libs", libs, (str, os.PathLike))
        done = self._design.compile(
            os.getcwd(), out_prefix, [os.fspath(path) for path in libraries],
            _member(_waferlab.Fp16, arrays.member("compile: f16_type", FP16TYPE, f16_type)),
            save_port_map=arrays.flag("compile: save_port_map", save_port_map),
        )  # fmt: skip
        if not done.succeeded:
            raise CompileError(done.messages)
        if done.messages:
            logging.getLogger("waferlab").warning("%s", done.messages)
        return SdkCompileArtifacts(done.folder)

    def _stream(self, method, flow, port, io_loc, io_buffer_size):
        size = arrays.whole(f"{method}: io_buffer_size", io_buffer_size)
        if not 1 <= size <= _MAX_BUFFER:
            raise ArgumentError(f"{method}: io_buffer_size must be 1 to {_MAX_BUFFER}, not {size}")
        return self._design.stream(flow, self._own(f"{method}: port", port, PortHandle), _optional_cell(f"{method}: io_loc", io_loc), size)

    def _stream_at(self, method, flow, loc, color, prefix):
        place, prefix = _cell(f"{method}: loc", loc), arrays.text(f"{method}: prefix", prefix)
        return self._design.stream_at(flow, place, _color(method, self._design, color), prefix)

    def _children(self, method, children):
        return [self._own(f"{method}: children", child, CodeRegion) for child in arrays.items(f"{method}: children", children)]

    def _own(self, what, handle, kind):
        """The number of a region or a port of this layout."""
        if not isinstance(handle, kind) or handle._design is not self._design:
            thing = "code region" if kind is CodeRegion else "port"
            raise ArgumentError(f"{what}: {arrays.shown(handle)} is no {thing} of this SdkLayout")
        return handle._number


def _color(method, design, color):
    if not isinstance(color, Color):
        raise ArgumentError(f"{method}: color must be a Color, as CodeRegion.color() makes one, not {arrays.shown(color)}")
    return design.color(color.get_global_name(), color.get_value())


def _given(method, what, named):
    """The arguments of a param in order, of which `name`, `value` and `color` may be given by keyword."""
    unknown = sorted(set(named) - {"name", "value", "color"})
    if unknown:
        raise TypeError(f"{method}: a param is set by name, value and color, not by {unknown[0]!r}")
    return (*what, *(named[key] for key in ("name", "value", "color") if key in named))


def _param(method, what):
    """Name and value of a param: a color alone is one of its own name."""
    if len(what) == 1 and isinstance(what[0], Color):
        return what[0].get_local_param_name(), what[0]
    if len(what) != 2:
        raise TypeError(f"{method}: a param is set by its name and a number or a Color, or by a Color alone")
    name, value = arrays.text(f"{method}: name", what[0]), what[1]
    if isinstance(value, Color):
        return name, value
    number = int(value) if isinstance(value, (bool, np.bool_)) else arrays.index(value)
    if number is None:
        raise ArgumentError(f"{method}: the value of {name} must be a whole number or a Color, not {arrays.shown(value)}")
    if not -(2**63) <= number < 2**63:
        raise ArgumentError(f"{method}: the value of {name} must be a number of 64 bits, -2^63 to 2^63-1, but is {number}")
    return name, number


def _positions(method, routes):
    return arrays.items(f"{method}: routes", routes, RoutingPosition, "it lists the positions of a switch, one or more")


def _sides(method, routes):
    sides = arrays.items(f"{method}: routes", routes, help="as in [Route.WEST]")
    return [arrays.member(f"{method}: routes", Route, side) for side in sides]


def _crossing(positions):
    """Positions as the extension takes them."""
    cross = lambda routes: [_member(_waferlab.Route, route) for route in routes]
    return [_waferlab.Position(cross(position.get_input()), cross(position.get_output())) for position in positions]


def _member(enum, member):
    """The member of the extension's enum that has the name of the host API's."""
    return getattr(enum, member.name)


def _cell(what, vector):
    return arrays.pair(what, vector, "(column, row)")


def _optional_cell(what, vector):
    return None if vector is None else _cell(what, vector)


def _cell_area(what, coord):
    x, y = _cell(what, coord)
    return _waferlab.Area(x, y, min(x + 1, arrays.MOST), min(y + 1, arrays.MOST))


def _area(what, rect):
    try:
        origin, end = rect
    except (TypeError, ValueError):
        raise ArgumentError(f"{what} must be an IntRectangle, (origin, end), not {arrays.shown(rect)}") from None
    return _waferlab.Area(*_cell(f"{what}: origin", origin), *_cell(f"{what}: end", end))
