"""Helpers for the arrays that travel between host and device, and for the exports of a compilation."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from waferlab.arrays import host_array
from waferlab.errors import ArgumentError

_PRIMITIVE_TYPES = ("bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "f32")
_LITTLE_ENDIAN_FIRST = 0


def memcpy_view(arr: np.ndarray, datatype: DTypeLike) -> np.ndarray:
    """A view of 8-, 16- or 32-bit items on an array of 32-bit words: the low bits of each word."""
    dtype = np.dtype(datatype)
    if host_array("memcpy_view", arr, "arr").dtype.itemsize != 4:
        raise ArgumentError(f"memcpy_view: the array must have items of 4 bytes, not {arr.dtype.itemsize}")
    if dtype.itemsize not in (1, 2, 4):
        raise ArgumentError(f"memcpy_view: items of {dtype} take {dtype.itemsize} bytes; 1, 2 or 4 are possible")
    parts = arr.itemsize // dtype.itemsize
    if parts == 1:
        return arr.view(dtype)
    return arr.reshape(*arr.shape, 1).view(dtype)[..., _LITTLE_ENDIAN_FIRST]


def input_array_to_u32(
    np_arr: np.ndarray | None = None, sentinel: int | None = None, fast_dim_sz: int = 1, *, arr: np.ndarray | None = None
) -> np.ndarray:
    """Extends 16-bit items to 32-bit words. The high half is zero, or, when `sentinel` is not None, the item's index
    in the innermost dimension of `fast_dim_sz` items. Published programs call the array `np_arr`, the manual `arr`."""
    if (np_arr is None) == (arr is None):
        raise TypeError("input_array_to_u32() takes one of np_arr and arr")
    given = host_array("input_array_to_u32", arr if np_arr is None else np_arr, "np_arr")
    flat = np.ascontiguousarray(given).reshape(-1)
    if flat.dtype.itemsize == 4:
        return flat.view(np.uint32)
    if flat.dtype.itemsize != 2:
        raise ArgumentError(f"input_array_to_u32: items of 2 or 4 bytes are possible, not {flat.dtype.itemsize}")
    words = flat.view(np.uint16).astype(np.uint32)
    if sentinel is not None:
        words |= (np.arange(words.size, dtype=np.uint32) % np.uint32(fast_dim_sz)) << np.uint32(16)
    return words


def output_array_from_u32(np_arr: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """The low halves of 32-bit words as 16-bit items, or the words themselves as 32-bit items."""
    return memcpy_view(np_arr, dtype).copy()


def cast_uint32(x: bool | float | np.generic | np.ndarray) -> np.uint32 | np.ndarray:
    """The bits of a number in a 32-bit word, the high half zero for 16-bit types."""
    if isinstance(x, (bool, np.bool_)):
        return np.uint32(x)
    if isinstance(x, (int, np.integer)):
        if not -(2**31) <= x < 2**32:
            raise ArgumentError(f"cast_uint32: {x} does not fit a word of 32 bits, which holds -2^31 to 2^32-1")
        return np.uint32(int(x) & _mask(x))
    if isinstance(x, np.float16):
        return np.uint32(x.view(np.uint16))
    if isinstance(x, (float, np.floating)):
        return np.float32(x).view(np.uint32)
    if isinstance(x, np.ndarray):
        return np.array([cast_uint32(item) for item in x.reshape(-1)], dtype=np.uint32).reshape(x.shape)
    raise ArgumentError(f"cast_uint32: {x!r} has no 32-bit form")


def _mask(x):
    return 0xFFFF if isinstance(x, (np.int16, np.uint16)) else 0xFFFFFFFF


def float_to_hex(f: float) -> str:
    """The bits of an f32 as hexadecimal text."""
    return hex(struct.unpack("<I", struct.pack("<f", np.float32(f)))[0])


def make_u48(words: Sequence[int] | np.ndarray) -> np.int64:
    """The 48-bit number of three 16-bit words, least significant first."""
    return np.int64(sum(int(word) << (16 * i) for i, word in enumerate(words[:3])))


def sub_ts(words: Sequence[int] | np.ndarray) -> np.int64:
    """Cycles between two timestamps of three 16-bit words each, the start first."""
    return np.int64(make_u48(words[3:6]) - make_u48(words[0:3]))


def calculate_cycles(timestamp_buf: np.ndarray) -> np.int64:
    """Cycles between two timestamps that fill three 32-bit words, the start in the lower half."""
    words = np.ascontiguousarray(timestamp_buf).reshape(-1)
    if words.dtype.itemsize != 4 or words.size < 3:
        raise ArgumentError("calculate_cycles: the buffer must hold three items of 4 bytes")
    return sub_ts(words[:3].view(np.uint16))


def is_valid_primitive_type(para_type: str) -> bool:
    return para_type in _PRIMITIVE_TYPES


def parse_host_callable_api(rpc_symbols: Iterable[dict[str, Any]]) -> dict[str, tuple[list[str], list[str]]]:
    """Each exported function with the names and the types of its parameters."""
    functions = (symbol for symbol in rpc_symbols if symbol["kind"] == "Func")
    # A function without parameters has no list of them.
    params = ((symbol["name"], symbol.get("inputs", [])) for symbol in functions)
    return {name: ([p["name"] for p in inputs], [p["type"] for p in inputs]) for name, inputs in params}


def get_api_info_dict_from_json(json_path: str | os.PathLike[str]) -> dict[str, tuple[list[str], list[str]]]:
    with open(json_path, encoding="utf-8") as file:
        return parse_host_callable_api(json.load(file)["rpc_symbols"])


def get_api_info_dict(app_path: str | os.PathLike[str]) -> dict[str, tuple[list[str], list[str]]]:
    """The functions that a compiled program exports."""
    return get_api_info_dict_from_json(os.path.join(app_path, "bin", "out_rpc.json"))


def check_rpc_api(name: str, arg_list: Sequence[Any], api_info_dict: dict[str, tuple[list[str], list[str]]]) -> bool:
    """Whether a function of this name takes arguments of these types."""
    if name not in api_info_dict:
        return False
    types = api_info_dict[name][1]
    return len(types) == len(arg_list) and all(_fits(arg, kind) for arg, kind in zip(arg_list, types))


def _fits(arg, kind):
    names = {"i16": np.int16, "u16": np.uint16, "i32": np.int32, "u32": np.uint32, "f16": np.float16, "f32": np.float32}
    if isinstance(arg, np.generic):
        return kind in names and isinstance(arg, names[kind])
    return isinstance(arg, float) if kind.startswith("f") else isinstance(arg, int)


def getOutputNameFromCompileOptions(option_list: Sequence[str]) -> str:  # noqa: N802 (the vendor's spelling)
    """The output folder that the options of a cslc command name."""
    options = list(option_list)
    for option, following in zip(options, [*options[1:], None]):
        if option == "-o" and following is not None:
            return following
        if option.startswith("-o") and option.split("=")[0] not in ("-out-routes", "-output-json"):
            return option[2:].lstrip("=")
    return "out"
