"""SdkLayout: a program's layout described in Python instead of in a `layout` block.

The description goes to the extension call by call; what a call cannot mean is refused there and then, and what only the
whole shows (overlaps, paths, colors) by compile().
"""
import functools
import logging
import operator
import os

from waferlab import _waferlab, arrays
from waferlab.enums import Edge, FP16TYPE, Route, SdkTarget
from waferlab.errors import ArgumentError, CompileError, SdkError
from waferlab.platform import SdkCompileArtifacts, SdkExecutionPlatform, check_level
from waferlab.warning import unknown_words

_ITEM_TYPES = ("int32", "uint32", "float32", "int16", "uint16")
_MAX_BUFFER = 2**16 - 1


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

    def __init__(self, name, value=None, _region=None):
        self._name = str(name)
        self._value = None if value is None else operator.index(value)
        if self._value is not None and not 0 <= self._value <= 23:
            raise ArgumentError(f"color {name} cannot be {value}: colors are 0 to 23")
        self._global_name = f"{_region}_{name}" if _region else self._name

    def get_global_name(self):
        return self._global_name

    def get_local_param_name(self):
        return self._name

    def get_value(self):
        return self._value

    def __repr__(self):
        return f"<Color {self._global_name}>"


class RoutingPosition:
    """One position of a switch: the sides from which wavelets come and to which they go. Every setter returns the object itself."""

    def __init__(self):
        self._input, self._output = [], []

    def set_input(self, routes):
        self._input = [Route(route) for route in routes]
        return self

    def set_output(self, routes):
        self._output = [Route(route) for route in routes]
        return self

    def add_input(self, route):
        self._input.append(Route(route))
        return self

    def add_output(self, route):
        self._output.append(Route(route))
        return self

    def get_input(self):
        return list(self._input)

    def get_output(self):
        return list(self._output)


class EdgeRouteInfo:
    """Routing positions for the PEs along one edge of a region; made by get_edge_routing."""

    def __init__(self, edge, routes):
        self._edge, self._routes = Edge(edge), list(routes)


def get_edge_routing(edge, routes):
    return EdgeRouteInfo(edge, routes)


class PortHandle:
    """A port of a code region; made by create_input_port and create_output_port."""

    def __init__(self, design, number):
        self._design, self._number = design, number


class CodeRegion:
    """A rectangle of PEs that run one file. Coordinates are relative to its north-west PE."""

    def __init__(self, design, number, name):
        self._design, self._number, self._name = design, number, name

    def color(self, name, value=None):
        """A color of this region: another region's color of the same name is another color."""
        return Color(name, value, _region=self._name)

    # Params: `name` and a number or a color, or a color alone that is a param of its own name.

    def set_param(self, coord, *what, **named):
        self._set(_cell_area(coord), _given(what, named))

    def set_param_range(self, rect, *what, **named):
        self._set(_area(rect), _given(what, named))

    def set_param_all(self, *what, **named):
        self._set(None, _given(what, named))

    def _set(self, area, what):
        name, value = (what[0].get_local_param_name(), what[0]) if len(what) == 1 and isinstance(what[0], Color) else (
            _param(what)
        )
        if isinstance(value, Color):
            self._design.set_color(self._number, area, name, _color(self._design, value))
        else:
            self._design.set_number(self._number, area, name, value)

    # Routes.

    def paint(self, coord, color, routes):
        self._design.paint(self._number, _cell_area(coord), _color(self._design, color), _routes(routes))

    def paint_range(self, rect, color, routes):
        self._design.paint(self._number, _area(rect), _color(self._design, color), _routes(routes))

    def paint_all(self, color, routes, edge_routes=()):
        number = _color(self._design, color)
        self._design.paint(self._number, None, number, _routes(routes))
        for info in edge_routes:
            self._design.paint_edge(self._number, _member(_waferlab.Edge, info._edge), number, _routes(info._routes))

    @_color_or_c
    def create_input_port(self, color, edge, routes, data_size, prefix=""):
        return self._port(_waferlab.Flow.IN, color, edge, routes, data_size, prefix)

    @_color_or_c
    def create_output_port(self, color, edge, routes, data_size, prefix=""):
        return self._port(_waferlab.Flow.OUT, color, edge, routes, data_size, prefix)

    def _port(self, flow, color, edge, routes, data_size, prefix):
        number = self._design.port(
            self._number, flow, _color(self._design, color), _member(_waferlab.Edge, Edge(edge)), _routes(routes),
            operator.index(data_size), str(prefix),
        )  # fmt: skip
        return PortHandle(self._design, number)

    # Place and data.

    def place(self, x, y):
        self._design.place(self._number, operator.index(x), operator.index(y))

    def set_symbol_all(self, symbol, data, width, height):
        """Deals a matrix of `width` x `height` items out to the PEs, to each its block."""
        if arrays.host_array("set_symbol_all", data, "data").dtype.name not in _ITEM_TYPES:
            raise ArgumentError(f"set_symbol_all: data must be a numpy array of {', '.join(_ITEM_TYPES)}, not {data.dtype}")
        shape = (operator.index(width), operator.index(height))
        self._design.set_symbol(self._number, str(symbol), data.tobytes(), data.dtype.itemsize, shape)


class SdkLayout:
    """A layout in the making."""

    def __init__(self, platform=None, *, target=None, fabric_file=None, msg_level="WARNING", **kwargs):
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

    def create_code_region(self, source, name, width, height):
        size = (operator.index(width), operator.index(height))
        return CodeRegion(self._design, self._design.region(os.fspath(source), str(name), *size), str(name))

    def connect(self, tx, rx):
        """A path for every PE of port `tx` to its partner in port `rx`."""
        self._design.connect(self._own(tx), self._own(rx))

    def create_input_stream(self, port, io_loc=None, io_buffer_size=1024):
        return self._stream(_waferlab.Flow.IN, port, io_loc, io_buffer_size)

    def create_output_stream(self, port, io_loc=None, io_buffer_size=1024):
        return self._stream(_waferlab.Flow.OUT, port, io_loc, io_buffer_size)

    @_color_or_c
    def create_input_stream_from_loc(self, loc, color, prefix=""):
        return self._design.stream_at(_waferlab.Flow.IN, _cell(loc), _color(self._design, color), str(prefix))

    @_color_or_c
    def create_output_stream_from_loc(self, loc, color, prefix=""):
        return self._design.stream_at(_waferlab.Flow.OUT, _cell(loc), _color(self._design, color), str(prefix))

    def hstack(self, children, origin=None):
        return self._design.hstack([self._own(child) for child in children], _optional_cell(origin))

    def vstack(self, children, origin=None):
        return self._design.vstack([self._own(child) for child in children], _optional_cell(origin))

    def compile(self, out_prefix, libs=(), cslc_prefix="", save_port_map=False, f16_type=FP16TYPE.F16):
        """Compiles into the folder `out_prefix`. `cslc_prefix` has no meaning here: the compiler is this package."""
        done = self._design.compile(
            os.getcwd(), os.fspath(out_prefix), [os.fspath(path) for path in libs], _member(_waferlab.Fp16, FP16TYPE(f16_type)),
            save_port_map=bool(save_port_map),
        )  # fmt: skip
        if not done.succeeded:
            raise CompileError(done.messages)
        if done.messages:
            logging.getLogger("waferlab").warning("%s", done.messages)
        return SdkCompileArtifacts(done.folder)

    def _stream(self, flow, port, io_loc, io_buffer_size):
        size = operator.index(io_buffer_size)
        if not 1 <= size <= _MAX_BUFFER:
            raise ArgumentError(f"io_buffer_size must be 1 to {_MAX_BUFFER}, not {size}")
        return self._design.stream(flow, self._own(port), _optional_cell(io_loc), size)

    def _own(self, handle):
        """The number of a region or a port of this layout."""
        if not isinstance(handle, (CodeRegion, PortHandle)) or handle._design is not self._design:
            raise ArgumentError(f"{handle!r} is no code region or port of this SdkLayout")
        return handle._number


def _color(design, color):
    if not isinstance(color, Color):
        raise TypeError(f"a Color is wanted, not {type(color).__name__}")
    return design.color(color.get_global_name(), color.get_value())


def _given(what, named):
    """The arguments of a param in order, of which `name`, `value` and `color` may be given by keyword."""
    unknown = sorted(set(named) - {"name", "value", "color"})
    if unknown:
        raise TypeError(f"a param is set by name, value and color, not by {unknown[0]!r}")
    return (*what, *(named[key] for key in ("name", "value", "color") if key in named))


def _param(what):
    if len(what) != 2 or not isinstance(what[0], str):
        raise TypeError("a param is set by its name and a number or a Color, or by a Color alone")
    name, value = what
    return name, value if isinstance(value, Color) else operator.index(value)


def _routes(routes):
    return [_waferlab.Position(_sides(position.get_input()), _sides(position.get_output())) for position in routes]


def _sides(routes):
    return [_member(_waferlab.Route, route) for route in routes]


def _member(enum, member):
    """The member of the extension's enum that has the name of the host API's."""
    return getattr(enum, member.name)


def _cell(vector):
    x, y = vector
    return operator.index(x), operator.index(y)


def _optional_cell(vector):
    return None if vector is None else _cell(vector)


def _cell_area(coord):
    x, y = _cell(coord)
    return _waferlab.Area(x, y, x + 1, y + 1)


def _area(rect):
    origin, end = rect
    return _waferlab.Area(*_cell(origin), *_cell(end))
