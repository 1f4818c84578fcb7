"""Port-map strings of older releases, such as

    { A[j=0:3][i=0:5] -> [PE[i//2, j//2] -> index[j%2, i%2]] }

An element (j, i) of the host tensor A lies on the PE in column i//2 and row j//2, at position (j%2, i%2) there.
"""
import ast
import math
import re

import numpy as np

from waferlab import arrays
from waferlab.errors import ArgumentError
from waferlab.warning import warn

# A published program has one closing brace too many: its text is an f-string but for the last part.
_MAP = re.compile(r"^\s*\{\s*(\w+)\s*((?:\[[^\]]*\]\s*)+)->\s*\[\s*PE\s*\[(.*?)\]\s*->\s*index\s*\[(.*?)\]\s*\]\s*\}+\s*$")
_DIMENSION = re.compile(r"(?:(\w+)\s*=\s*)?([^:=]+)(?::([^:=]+))?")
_OPERATORS = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
}


# The most elements of a tensor: each takes some tens of bytes while its place is worked out.
_MOST = 2**28


class _Elements:
    """The shape of the tensor, and of each of its elements, in row-major order, column, row and indices. A dimension is a name and
    a range, or a number alone, which stands for one place. `count` is the size of the tensor, where there is one."""

    def __init__(self, text, count=None):
        arrays.text("a port map", text)
        match = _MAP.match(text.replace("\n", " "))
        parts = [part.strip() for part in re.split(r"\]\s*\[|,", match[2].strip()[1:-1])] if match else []
        dimensions = [_DIMENSION.fullmatch(part) for part in parts]
        if not dimensions or None in dimensions:
            raise ArgumentError(f"this is not a port map: {text!r}")
        self.name = match[1]
        try:
            ranges = [range(_bound(low), _bound(high or low) + 1) for _, low, high in map(re.Match.groups, dimensions)]
            self.shape = tuple(len(r) for r in ranges)
            if 0 in self.shape:
                raise ArgumentError("a dimension ends before it begins")
            self.size = math.prod(self.shape)
            if count not in (None, self.size):
                raise ArgumentError(f"the port map describes {self.size} elements, the tensor has {count}")
            if self.size > _MOST:
                raise ArgumentError(f"its {self.size} elements are too many; a tensor has up to {_MOST}")
            given = [dimension[1] for dimension in dimensions if dimension[1]]
            if twice := [name for name in given if given.count(name) > 1]:
                raise ArgumentError(f"there are two dimensions {twice[0]}")
            grids = np.meshgrid(*ranges, indexing="ij")
            names = {dimension[1]: grid.reshape(-1) for dimension, grid in zip(dimensions, grids)}
            place, self.indices = _values(match[3], names), _values(match[4], names)
            if len(place) != 2:
                raise ArgumentError("PE[..] has a column and a row")
            self.column, self.row = place
            if any(index.min() < 0 for index in self.indices):
                raise ArgumentError("an index is negative; the first position is 0")
        except ArgumentError as error:
            raise ArgumentError(f"port map {text!r}: {error}") from None


    def shared(self):
        """Two elements that have one place and index, as a text; None where each has its own."""
        order = np.lexsort(keys := (*reversed(self.indices), self.row, self.column))
        equal = np.all([key[order][1:] == key[order][:-1] for key in keys], axis=0)
        if not equal.any():
            return None
        first = int(np.argmax(equal))
        a, b = sorted(order[first : first + 2])
        where = f"PE[{self.column[a]}, {self.row[a]}] -> index[{', '.join(str(index[a]) for index in self.indices)}]"
        named = ["".join(f"[{at}]" for at in np.unravel_index(element, self.shape)) for element in (a, b)]
        return f"{self.name}{named[0]} and {self.name}{named[1]} both have {where}"


class _PortMap:
    """The place of each element of a tensor: `flat` indexes a host array [h][w][l] that starts at (px, py)."""

    def __init__(self, text, count=None):
        elements = _Elements(text, count)
        self.shared = elements.shared
        self.shape, column, row = elements.shape, elements.column, elements.row
        self.px, self.py = int(column.min()), int(row.min())
        self.w, self.h = int(column.max()) - self.px + 1, int(row.max()) - self.py + 1
        index, self.l = _linear(elements.indices)
        self.flat = ((row - self.py) * self.w + (column - self.px)) * self.l + index

    def rect(self):
        return (self.px, self.py, self.w, self.h, self.l)


class Streams:
    """The places of a port map, each with the elements of the tensor that pass there, in their order."""

    def __init__(self, text, count=None):
        elements = _Elements(text, count)
        self.name, self.shape = elements.name, elements.shape
        if shared := elements.shared():
            warn(f"port map {text!r}: {shared}; they pass in the order of the tensor")
        order = np.lexsort((*reversed(elements.indices), elements.row, elements.column))
        of_place = {}
        for at in order:
            of_place.setdefault((int(elements.column[at]), int(elements.row[at])), []).append(at)
        self.places = [(column, row, np.array(ats)) for (column, row), ats in of_place.items()]


def _bound(text):
    """A bound of a dimension, such as 3 or 4-1."""
    return int(_values(text, {"": np.zeros(1, int)})[0][0])


def _values(text, names):
    """The comma-separated expressions of `text` for every element."""
    return [_evaluate(_parsed(part), names) for part in text.split(",")]


def _parsed(text):
    try:
        return ast.parse(re.sub(r"\bmod\b", "%", text.strip()), mode="eval").body
    except SyntaxError:
        raise ArgumentError(f"{text.strip()!r} is no expression") from None


def _evaluate(node, names):
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _evaluate(node.left, names), _evaluate(node.right, names)
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)) and not right.all():
            raise ArgumentError(f"{ast.unparse(node)!r} divides by 0")
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        if abs(node.value) > np.iinfo(np.int64).max:
            raise ArgumentError(f"{node.value} is beyond 64 bits")
        return np.full_like(next(iter(names.values())), node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand, names)
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ArgumentError(f"there is no dimension {node.id}")
        return names[node.id]
    raise ArgumentError(f"{ast.unparse(node)!r}: +, -, *, //, % and mod are known")


def _linear(indices):
    """The row-major position of several indices, and the number of positions."""
    position, extent = np.zeros_like(indices[0]), 1
    for index in indices:
        size = int(index.max()) + 1
        position, extent = position * size + index, extent * size
    return position, extent


def convert_input_tensor(portmap, tensor):
    """(px, py, w, h, l, data) for memcpy_h2d in row-major order; 16-bit items take the low halves of 32-bit words."""
    values = np.asarray(tensor)
    ports = _PortMap(portmap, values.size)
    if shared := ports.shared():
        raise ArgumentError(f"port map {portmap!r}: {shared}, and one would be lost")
    if values.dtype.itemsize == 2:
        values = values.view(np.uint16).astype(np.uint32)
    data = np.zeros(ports.h * ports.w * ports.l, dtype=values.dtype)
    data[ports.flat] = values.reshape(-1)
    return (*ports.rect(), data)


def prepare_output_tensor(portmap, dtype):
    """(px, py, w, h, l, data) for memcpy_d2h in row-major order; data is to be filled, 16-bit items as 32-bit words."""
    ports = _PortMap(portmap)
    dtype = np.uint32 if np.dtype(dtype).itemsize == 2 else dtype
    return (*ports.rect(), np.zeros(ports.h * ports.w * ports.l, dtype=dtype))


def format_output_tensor(portmap, dtype, data):
    """The host tensor from the array that memcpy_d2h filled."""
    ports = _PortMap(portmap)
    data = np.asarray(data)
    if np.dtype(dtype).itemsize == 2 and data.dtype == np.uint32:
        data = data.astype(np.uint16).view(dtype)
    return np.asarray(data, dtype=dtype)[ports.flat].reshape(ports.shape)
