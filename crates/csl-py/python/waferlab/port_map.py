"""Port-map strings of older releases, such as

    { A[j=0:3][i=0:5] -> [PE[i//2, j//2] -> index[j%2, i%2]] }

An element (j, i) of the host tensor A lies on the PE in column i//2 and row j//2, at position (j%2, i%2) there. `port_map_text.py` has
the notation.
"""
import math

import numpy as np

from waferlab import arrays, port_map_text
from waferlab.errors import ArgumentError
from waferlab.warning import warn

# The most elements of a tensor: each takes some tens of bytes while its place is worked out.
_MOST = 2**28


class _Elements:
    """The shape of the tensor, and of each of its elements, in row-major order, column, row and indices. `count` is the size of the
    tensor, where there is one."""

    def __init__(self, text, count=None):
        arrays.text("a port map", text)
        try:
            self._read(port_map_text.parse(text), count)
        except ArgumentError as error:
            raise ArgumentError(f"port map {text!r}: {error}") from None
        except RecursionError:
            raise ArgumentError(f"port map {text!r}: it is nested too deeply") from None

    def _read(self, parts, count):
        self.name = parts[0].name
        kinds = [(part.name, len(part.dimensions), len(part.indices)) for part in parts]
        if other := [kind for kind in kinds if kind != kinds[0]]:
            described = ["{} with {} dimensions and {} indices".format(*kind) for kind in (kinds[0], other[0])]
            raise ArgumentError(f"it is of {described[0]} and of {described[1]}; a map is of one tensor")
        boxes = [_Box(part) for part in parts]
        size = sum(box.size for box in boxes)
        if all(box.is_full for box in boxes) and count not in (None, size):
            raise ArgumentError(f"the port map describes {size} elements, the tensor has {count}")
        if size > _MOST:
            raise ArgumentError(f"its {size} elements are too many; a tensor has up to {_MOST}")
        elements = [box.elements() for box in boxes]
        # Each number of an element for all parts: its position in each dimension, then column, row and indices.
        positions, place, self.indices = ([_joined(values) for values in zip(*each)] for each in zip(*elements))
        if not positions[0].size:
            raise ArgumentError("the condition holds for no element")
        if any(index.min() < 0 for index in self.indices):
            raise ArgumentError("an index is negative; the first position is 0")
        if len(boxes) == 1 and boxes[0].is_full:
            self.shape, self.size, (self.column, self.row) = boxes[0].shape, size, place
        else:
            self._order(positions, place)
        if count not in (None, self.size):
            raise ArgumentError(f"the port map describes {self.size} elements, the tensor has {count}")

    def _order(self, positions, place):
        """Puts the elements in the order of the tensor, which has to have each once."""
        lows = [int(position.min()) for position in positions]
        self.shape = tuple(int(position.max()) - low + 1 for position, low in zip(positions, lows))
        self.size = math.prod(self.shape)
        if self.size > _MOST:
            raise ArgumentError(f"its {self.size} elements are too many; a tensor has up to {_MOST}")
        numbers = np.ravel_multi_index([position - low for position, low in zip(positions, lows)], self.shape)
        times = np.bincount(numbers, minlength=self.size)
        if (times != 1).any():
            first = int(np.argmax(times != 1))
            numbered = zip(np.unravel_index(first, self.shape), lows)
            element = self.name + "".join(f"[{at + low}]" for at, low in numbered)
            what = "has no place, and the tensor has all between its first and its last" if times[first] == 0 else "has two places"
            raise ArgumentError(f"{element} {what}")
        order = np.argsort(numbers, kind="stable")
        self.column, self.row = (values[order] for values in place)
        self.indices = [index[order] for index in self.indices]

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


class _Box:
    """The elements that a part of a map may describe: the bounds of each dimension. It is full where all of them are."""

    def __init__(self, part):
        self.part = part
        self.bounds = {name: [None, None] for name in part.dimensions}
        sums = [comparison.bounds() for comparison in part.comparisons]
        known = [one for found in sums for one in found or []]
        self.is_full = None not in sums and all(sum(map(bool, factors.values())) == 1 for _, factors in known)
        # Each round hands a bound on to one more dimension at least.
        for _ in self.bounds:
            for constant, factors in known:
                self._narrow(constant, factors)
        for name, (low, high) in self.bounds.items():
            if low is None or high is None:
                raise ArgumentError(f"{name} has no bounds; write {name}=0:3, or a condition such as : 0 <= {name} < 4")
            if low > high:
                raise ArgumentError(f"{name} ends before it begins")
            if max(-low, high) >= port_map_text.MOST:
                raise ArgumentError(f"{max(-low, high)} is beyond 64 bits")
        self.shape = tuple(high - low + 1 for low, high in self.bounds.values())
        self.size = math.prod(self.shape)

    def _narrow(self, constant, factors):
        """Takes from the bounds what makes a sum negative."""
        for name, factor in factors.items():
            others = [(self.bounds[other][value > 0], value) for other, value in factors.items() if other != name and value]
            if factor == 0 or any(bound is None for bound, _ in others):
                continue
            most = constant + sum(bound * value for bound, value in others)
            low, high = self.bounds[name]
            if factor > 0:
                least = -(most // factor)
                self.bounds[name][0] = least if low is None else max(low, least)
            else:
                greatest = most // -factor
                self.bounds[name][1] = greatest if high is None else min(high, greatest)

    def elements(self):
        """The positions, the place and the indices of its elements."""
        grids = np.meshgrid(*(np.arange(low, high + 1) for low, high in self.bounds.values()), indexing="ij")
        dimensions = {name: grid.reshape(-1) for name, grid in zip(self.bounds, grids)}
        if not self.is_full:
            holds = np.ones(self.size, bool)
            for comparison in self.part.comparisons:
                holds &= comparison.holds(dimensions)
            dimensions = {name: values[holds] for name, values in dimensions.items()}
        values = lambda expressions: [expression.value(dimensions) for expression in expressions]
        return list(dimensions.values()), values(self.part.place), values(self.part.indices)


def _joined(values):
    return values[0] if len(values) == 1 else np.concatenate(values)


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
