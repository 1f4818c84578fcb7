"""Finds host programs that read the array of a copy before they wait for the copy: in the source, behind the line that asked
for it, up to the next request that waits. What is told is sure: a read in a line that runs, by name."""
import ast
import linecache

from waferlab.warning import caller, warn

# Attributes and methods of an array that do not read its items.
_PLAIN = {"shape", "size", "dtype", "ndim", "nbytes", "itemsize", "strides", "flags", "T", "base", "reshape", "ravel", "view"}
# Functions that read the items of an array; of numpy all but those that make an array like another.
_READERS = {"print", "sum", "max", "min", "list", "sorted", "any", "all", "float", "int", "repr", "str"}
_MAKERS = {"zeros_like", "empty_like", "ones_like", "full_like", "shape", "size", "ndim", "shares_memory"}
# The blocks of a file's statements, by its name and lines; the places that were looked at.
_trees = {}
_seen = set()


def look(method, position):
    """Warns where the program reads the array that it gave to `method`, as the argument at `position`, before it waits."""
    frame, _ = caller()
    file, line = frame.f_code.co_filename, frame.f_lineno
    if (frame.f_code, line) in _seen:
        return
    _seen.add((frame.f_code, line))
    place = _statement(_tree(file), line)
    if place is None:
        return
    block, at = place
    array = _array(block[at], method, position)
    read = array and _read(block[at + 1 :], array)
    if read:
        warn(
            f"line {read} reads `{array}`, which {method} in line {line} fills: until task_wait() of its task, or another request "
            "that waits, the array has the numbers of before"
        )


def _tree(file):
    lines = linecache.getlines(file)
    key = (file, hash(tuple(lines)))
    if key not in _trees:
        try:
            _trees[key] = ast.parse("".join(lines))
        except SyntaxError:
            _trees[key] = ast.Module([], [])
    return _trees[key]


def _statement(tree, line):
    """The block and the position of the innermost statement at a line."""
    found = None
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            for at, statement in enumerate(block if isinstance(block, list) else []):
                if statement.lineno <= line <= statement.end_lineno:
                    found = block, at
    return found


def _array(statement, method, position):
    """The name of the array in a request."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == method and len(node.args) > position:
            given = node.args[position]
            return given.id if isinstance(given, ast.Name) else None
    return None


def _read(statements, array):
    """The line that reads an array, if one does before the program waits or may do anything else to it."""
    for statement in statements:
        if not isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Assert)):
            return None
        if any(_may_wait(node, array) for node in ast.walk(statement)):
            return None
        if any(_reads(node, array) for node in ast.walk(statement)):
            return statement.lineno
        if any(isinstance(node, ast.Name) and node.id == array and isinstance(node.ctx, ast.Store) for node in ast.walk(statement)):
            return None
    return None


def _may_wait(node, array):
    """Whether an expression may wait for a request: a call of anything but numpy, a reader, a method of the array, and a request
    that goes on."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id not in _READERS | {"len"}
    goes_on = any(word.arg == "nonblock" and getattr(word.value, "value", None) is True for word in node.keywords)
    return not goes_on and _root(node.func) not in ("np", "numpy", array)


def _reads(node, array):
    """Whether an expression reads the items of the array."""

    def is_it(part):
        return isinstance(part, ast.Name) and part.id == array and isinstance(part.ctx, ast.Load)

    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        of_numpy = isinstance(node.func, ast.Attribute) and _root(node.func) in ("np", "numpy") and node.func.attr not in _MAKERS
        return (name in _READERS or of_numpy) and any(map(is_it, node.args))
    if isinstance(node, ast.Subscript):
        return is_it(node.value) and isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice)
    if isinstance(node, ast.Attribute):
        return is_it(node.value) and node.attr not in _PLAIN
    if isinstance(node, ast.BinOp):
        return is_it(node.left) or is_it(node.right)
    if isinstance(node, ast.Compare):
        return any(map(is_it, [node.left, *node.comparators]))
    return isinstance(node, (ast.UnaryOp, ast.FormattedValue)) and is_it(getattr(node, "operand", None) or node.value)


def _root(node):
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
