"""The records of the <debug> library; its `debug.csl` describes the format."""
import numpy as np

from waferlab.errors import SdkError

STRING = 10

# For each tag: the number of bytes of the value after the tag's word, and the function that decodes them.
_VALUES = {
    4: (2, lambda data: _number(data, np.uint16)),
    5: (2, lambda data: _number(data, np.int16)),
    6: (2, lambda data: _number(data, np.float16)),
    7: (4, lambda data: _number(data, np.uint32)),
    8: (4, lambda data: _number(data, np.int32)),
    9: (4, lambda data: _number(data, np.float32)),
    11: (6, lambda data: int.from_bytes(data, "little")),
    12: (8, lambda data: _number(data, np.uint64)),
    13: (8, lambda data: _number(data, np.int64)),
}

# The decoders of values that stand in the high byte of the tag's word.
_BYTES = {1: bool, 2: int, 3: lambda byte: byte - 256 if byte > 127 else byte}


def _number(data, dtype):
    return np.frombuffer(data, dtype=dtype)[0].item()


def decode(buffer):
    """The recorded values, in their order, of a buffer of 16-bit words: its length, then the records."""
    words = np.asarray(buffer, dtype="<u2")
    end = int(words[0]) + 1
    if end > len(words):
        raise SdkError(f"read_trace: the buffer says it holds {end - 1} words, and has {len(words) - 1}")
    values, at = [], 1
    while at < end:
        value, length = _record(words[at:end])
        values.append(value)
        at += length
    return values


def _record(words):
    """The first record's value, and its length in words."""
    tag, high = int(words[0]) & 0xFF, int(words[0]) >> 8
    data = words[1:].tobytes()
    if tag in _BYTES:
        return _BYTES[tag](high), 1
    if tag == STRING:
        return data[:high].decode("utf-8", errors="replace"), 1 + (high + 1) // 2
    if tag not in _VALUES:
        raise SdkError(f"read_trace: {tag} is not a tag of the <debug> library")
    size, convert = _VALUES[tag]
    return convert(data[:size]), 1 + size // 2
