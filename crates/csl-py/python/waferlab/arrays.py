"""Host arrays: checks that memcpy can move them as they are, and gives their words in the order of memory."""
import operator
import os
import reprlib
import sys
from collections.abc import Iterable

import numpy as np

from waferlab.errors import ArgumentError

WORD_BYTES = 4
# The greatest number that the extension is given for a place, a size or a count.
MOST = 2**31 - 1


def shown(value):
    """A value of a wrong type, for messages."""
    return f"{reprlib.repr(value)} ({type(value).__name__})"


def text(name, value):
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a str, not {shown(value)}")
    return value


def whole(name, value):
    number = index(value)
    if number is None:
        raise ArgumentError(f"{name} must be a whole number, not {shown(value)}")
    if not 0 <= number <= MOST:
        raise ArgumentError(f"{name} must not be negative or beyond 2^31, but is {number}")
    return number


def index(value):
    """The whole number that a value is, such as a numpy integer or an array of one without dimensions; None for any other
    and for bool."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def pair(name, value, form="(x, y)"):
    """Two whole numbers, such as the column and the row of a PE."""
    try:
        x, y = value
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} must be {form}, not {shown(value)}") from None
    return whole(f"{name}: x", x), whole(f"{name}: y", y)


def member(name, kind, value):
    """The member of an enumeration that `value` is, or whose number it is."""
    try:
        return kind(value)
    except ValueError:
        members = ", ".join(f"{kind.__name__}.{member.name}" for member in kind)
        raise ArgumentError(f"{name} must be one of {members}, not {shown(value)}") from None


def items(name, value, kind=object, help=None):
    """A list of what an iterable holds, each an instance of `kind`. A text is none, nor are its letters."""
    help = f"; {help}" if help else ""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ArgumentError(f"{name} must be a list, not {shown(value)}{help}")
    values = list(value)
    for item in values:
        if not isinstance(item, kind):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise ArgumentError(f"{name} must be a list of {wanted}, and has {shown(item)}{help}")
    return values


def path(name, value):
    if not isinstance(value, (str, os.PathLike)):
        raise ArgumentError(f"{name} must be a path, not {shown(value)}")
    return os.fspath(value)


def flag(name, value):
    """A truth value; numpy's, 0 and 1 are taken for one."""
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, (int, np.integer)) and value in (0, 1)):
        return bool(value)
    raise ArgumentError(f"{name} must be True or False, not {shown(value)}")


def source(method, value, name="src"):
    """An array that the host sends. A list of whole numbers is one of 32-bit words."""
    if isinstance(value, (list, tuple)):
        value = _whole_words(method, value)
    return host_array(method, value, name)


def destination(method, value):
    """An array that receives the words of a copy to the host."""
    array = host_array(method, value, "dest")
    if not array.flags.writeable:
        raise ArgumentError(f"{method}: the host array is read-only")
    return array


def _references(self, array):
    return sys.getrefcount(array)


# The references to an argument of a method that nothing else holds.
_UNHELD = _references(None, np.empty(0))


def is_unheld(array, references):
    """Whether an argument with so many references in a method is a copy that is lost when the method returns."""
    return isinstance(array, np.ndarray) and array.base is None and references <= _UNHELD


def _whole_words(method, values):
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):
        # Lists of unequal lengths: no array, and no numbers.
        array = np.asarray([None])
    if array.size == 0:
        return np.zeros(0, np.uint32)
    if array.dtype.kind not in "iu" or array.min() < -(2**31) or array.max() >= 2**32:
        raise ArgumentError(
            f"{method}: a list is taken as whole numbers of 32 bits; other data go into a numpy array of their own type first"
        )
    # Negative numbers keep the bits that they have as int32.
    return (array.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)


def host_array(method, value, name):
    """`value`, if it is an array whose bytes are those of numbers as the machine has them."""
    if not isinstance(value, np.ndarray):
        raise ArgumentError(f"{method}: the host array, {name}, must be a numpy array, not {type(value).__name__}")
    if isinstance(value, np.ma.MaskedArray):
        raise ArgumentError(f"{method}: a masked array would lose its mask; give its filled() values")
    # Number types that other packages add (bfloat16) have kind "V", but their type is not np.void.
    if value.dtype.kind not in "biufcV" or value.dtype.type is np.void:
        raise ArgumentError(f"{method}: the items of the host array must be numbers, not {value.dtype}")
    if not value.dtype.isnative:
        raise ArgumentError(
            f"{method}: the items of the host array are big-endian ({value.dtype}), and the machine is little-endian; "
            "use array.astype(array.dtype.newbyteorder('='))"
        )
    return value


def words_of(method, array):
    if array.dtype.itemsize > WORD_BYTES:
        half = {"f": "np.float32", "i": "np.int32", "u": "np.uint32"}.get(array.dtype.kind)
        help = f": give it dtype={half}" if half else ""
        raise ArgumentError(
            f"{method}: the host array has items of {array.dtype.itemsize} bytes ({array.dtype}), but memcpy moves 32-bit words{help}"
        )
    if array.dtype.itemsize < WORD_BYTES:
        raise ArgumentError(
            f"{method}: the host array has items of {array.dtype.itemsize} bytes ({array.dtype}), but memcpy moves 32-bit "
            "words; a 16-bit value travels in the low half of one: see sdk_utils.input_array_to_u32 and sdk_utils.memcpy_view"
        )
    return array


def words_in(method, array, count):
    """`count`, after a check that the array holds as many 32-bit words."""
    count = whole("n_wavelets", count)
    size = count * WORD_BYTES
    if size > array.nbytes or size % array.dtype.itemsize:
        raise ArgumentError(f"{method}: {count} wavelets of 32 bits do not fit an array of {array.size} x {array.dtype}")
    return count


def memory(array):
    """The items in the order in which they lie in memory, one after the other."""
    return array.ravel(order="A") if array.flags.forc else array.ravel()


def store(target, data):
    """Writes words into `target` in memory order; items beyond them stay as they are."""
    words = np.frombuffer(data, dtype=np.uint32).view(target.dtype)
    if target.flags.forc:
        target.reshape(-1, order="A")[: words.size] = words
    else:
        target.flat[: words.size] = words
