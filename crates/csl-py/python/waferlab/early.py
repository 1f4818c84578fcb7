"""Finds host programs that read the array of a copy before they wait for the copy: in the source, behind the line that asked
for it, up to the next request that waits. What is told is sure: a read in a line that runs, by name."""
import ast
import linecache

import numpy as np

from waferlab.warning import caller, warn

# What reads the items of an array, whatever it holds: methods, functions of Python, and functions of numpy beside its ufuncs and
# those of its modules. Others give a view, a shape, or an array like it, or write.
_METHODS = set(
    "all any argmax argmin argsort astype choose clip copy cumprod cumsum dot dump dumps flatten item max mean min nonzero prod "
    "ptp repeat round searchsorted sort std sum take tobytes tofile tolist trace var".split()
)
_READERS = {"print", "sum", "max", "min", "list", "sorted", "any", "all", "float", "int", "repr", "str"}
_OF_NUMPY = set(
    "all allclose amax amin any argmax argmin argsort argwhere around array2string array_equal array_equiv array_repr array_str "
    "average bincount clip convolve copy corrcoef correlate count_nonzero cov cumprod cumsum diff dot ediff1d einsum histogram "
    "inner interp isclose isin kron max mean median min nanmax nanmean nanmin nanstd nansum nanvar nonzero outer pad percentile "
    "prod ptp quantile repeat roll round save savetxt savez sort std sum take tensordot tile trace unique var vdot where".split()
)
_MODULES = ("linalg", "fft")
# Their first arguments; one behind these may be an array that they write.
_INPUTS = 2
# Functions, and methods of lists, that neither read items nor wait.
_OTHERS = {"len", "range", "enumerate", "zip"}
_OF_LISTS = {"append"}
# What ends a search: the program may wait, may leave its block, or may do anything else to the array.
_OVER = 0
# Statements that leave their block, and expressions that run at another time or let others run.
_LEAVE = (ast.Return, ast.Raise, ast.Break, ast.Continue, ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom)
# The trees of files, by their names and lines; the places that were looked at.
_trees = {}
_seen = set()


def look(method, position):
    """Warns where the program reads the array that it gave to `method`, as the argument at `position`, before it waits."""
    frame, _ = caller()
    line, back = frame.f_lineno, frame.f_back
    place = (frame.f_code, line, back and back.f_code, back and back.f_lineno)
    if place in _seen:
        return
    _seen.add(place)
    statements = _statements(_tree(frame.f_code.co_filename), line)
    array = statements and _array(statements[0][0], method, position)
    read = array and _behind(frame, array, np.ndim(frame.f_locals.get(array, frame.f_globals.get(array))))
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


def _statements(node, line):
    """The statements around a line, the innermost first, each with those that follow in its block."""
    for name in ("body", "orelse", "handlers", "finalbody"):
        block = getattr(node, name, None)
        for at, statement in enumerate(block if isinstance(block, list) else []):
            if statement.lineno <= line <= statement.end_lineno:
                return [*_statements(statement, line), (statement, block[at + 1 :])]
    return []


def _array(statement, method, position):
    """The name of the array in a request."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == method and len(node.args) > position:
            given = node.args[position]
            return given.id if isinstance(given, ast.Name) else None
    return None


def _behind(frame, array, dimensions):
    """The line behind the place of a frame that reads an array first: in its function, and behind the call of one that gives the
    array back; `_OVER` or `None` if none does."""
    file = frame.f_code.co_filename
    tree = _tree(file)
    search = _Search(array, dimensions, tree, is_global=frame.f_code.co_name == "<module>")
    for statement, rest in _statements(tree, frame.f_lineno):
        if isinstance(statement, ast.FunctionDef):
            break
        if isinstance(statement, ast.For) and any(map(search.may_end, _nodes(statement.body))):
            return _OVER
        if isinstance(statement, (ast.Try, ast.With, ast.While, ast.ClassDef, ast.AsyncWith, ast.AsyncFor, ast.AsyncFunctionDef)):
            return _OVER
        if rest and isinstance(rest[-1], ast.Return) and getattr(rest[-1].value, "id", None) == array:
            found = search.read(rest[:-1])
            name = _given_to(frame.f_back, frame.f_code) if found is None else None
            return _behind(frame.f_back, name, dimensions) if name else found
        found = search.read(rest)
        if found is not None:
            return found
    return None


def _given_to(frame, callee):
    """The name to which the statement of a frame gives the result of the function that it calls."""
    if frame is None or frame.f_code.co_filename != callee.co_filename:
        return None
    statements = _statements(_tree(callee.co_filename), frame.f_lineno)
    statement = statements[0][0] if statements else None
    is_call = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
    if is_call and getattr(statement.value.func, "id", None) == callee.co_name and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


# Calls in calls that are followed.
_DEPTH = 3


class _Search:
    """A search for the first line that reads an array, by its name in a function or module. The results are a line, `_OVER`, or
    `None` where the program goes on without either."""

    def __init__(self, array, dimensions, tree, is_global, outside=()):
        self.array, self.dimensions, self.tree, self.is_global, self.outside = array, dimensions, tree, is_global, outside
        # What each call of these functions does, once it is known. Calls in calls are followed so far and no further: scripts
        # of any length are searched in no time.
        self.known = {}
        is_deep = len(outside) == _DEPTH
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name not in outside and not is_deep]
        self.functions = {node.name: node for node in functions if not node.decorator_list}

    def read(self, statements):
        return _first(self._statement(statement) for statement in statements)

    def _statement(self, statement):
        if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Assert)):
            return self._evaluated(statement)
        if isinstance(statement, (ast.Pass, ast.Import, ast.ImportFrom, ast.FunctionDef)):
            return None
        if isinstance(statement, ast.With):
            return _first([*map(self._evaluated, statement.items), self.read(statement.body), _OVER])
        if isinstance(statement, ast.For):
            return _first([self._evaluated(statement.iter), self._evaluated(statement.target), self.read(statement.body)])
        if isinstance(statement, (ast.If, ast.While)):
            branches = _nodes(statement.body + statement.orelse)
            return _first([self._evaluated(statement.test), _OVER if any(map(self.may_end, branches)) else None])
        return _OVER

    def _evaluated(self, part):
        """A part of a statement that runs whenever the statement does."""
        nodes = list(ast.walk(part))
        if any(isinstance(node, _LEAVE) or self._may_wait(node) for node in nodes):
            return _OVER
        certain = list(_certain(part))
        read = next((node.lineno for node in certain if self._reads(node)), None)
        calls = (self._called(node) for node in certain if isinstance(node, ast.Call))
        return _first([read, *calls, _OVER if any(map(self._sets, nodes)) else None])

    def _called(self, call):
        """A call of a function of the same file: what it does to the array that it is given, or that is global."""
        if call not in self.known:
            function = self.functions.get(getattr(call.func, "id", None))
            self.known[call] = None if function is None else self._followed(function, call)
        return self.known[call]

    def _followed(self, function, call):
        names = [parameter.arg for parameter in function.args.posonlyargs + function.args.args]
        given = [name for name, value in zip(names, call.args) if getattr(value, "id", None) == self.array]
        outside = (*self.outside, function.name)
        is_global = self.is_global and not given and self.array not in names
        name = given[0] if given else self.array if is_global else ""
        search = _Search(name, self.dimensions, self.tree, is_global, outside)
        *body, last = function.body
        if isinstance(last, ast.Return):
            last = ast.Expr(last.value or ast.Constant(None), lineno=last.lineno)
        return search.read([*body, last])

    def may_end(self, node):
        return isinstance(node, _LEAVE) or self._may_wait(node) or self._sets(node)

    def _sets(self, node):
        return isinstance(node, ast.Name) and node.id == self.array and isinstance(node.ctx, ast.Store)

    def _may_wait(self, node):
        """Whether an expression may wait for a request: a call of anything but numpy, a reader, a function of the file that does
        not, a method of the array, and a request that goes on."""
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Name):
            is_plain = node.keywords == [] and not any(isinstance(value, ast.Starred) for value in node.args)
            if node.func.id in self.functions and is_plain:
                return self._called(node) == _OVER
            return node.func.id not in _READERS | _OTHERS
        goes_on = any(word.arg == "nonblock" and getattr(word.value, "value", None) is True for word in node.keywords)
        is_plain = getattr(node.func, "attr", None) in _OF_LISTS or _root(node.func) in ("np", "numpy", self.array)
        return not goes_on and not is_plain

    def _reads(self, node):
        """Whether an expression reads the items of the array."""
        is_it = self._is_it
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and is_it(node.func.value):
                return node.func.attr in _METHODS
            return any(map(is_it, node.args[: _read_by(node.func)]))
        if isinstance(node, ast.Subscript):
            return is_it(node.value) and isinstance(node.ctx, ast.Load) and self._gives_items(node.slice)
        if isinstance(node, ast.BinOp):
            return is_it(node.left) or is_it(node.right)
        if isinstance(node, ast.Compare):
            is_identity = all(isinstance(operator, (ast.Is, ast.IsNot)) for operator in node.ops)
            return not is_identity and any(map(is_it, [node.left, *node.comparators]))
        return isinstance(node, (ast.UnaryOp, ast.FormattedValue)) and is_it(getattr(node, "operand", None) or node.value)

    def _gives_items(self, index):
        """Whether an index gives items, not a view."""
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        if any(isinstance(part, ast.List) for part in parts):
            return True
        is_view = any(isinstance(part, (ast.Slice, ast.Starred, ast.Attribute)) for part in parts)
        is_view |= any(isinstance(part, ast.Constant) and part.value in (None, ...) for part in parts)
        return not is_view and len(parts) >= self.dimensions

    def _is_it(self, part):
        return isinstance(part, ast.Name) and part.id == self.array and isinstance(part.ctx, ast.Load)


def _read_by(function):
    """How many of its arguments a function reads for sure, as far as the array may be one of them; `None` where all."""
    if isinstance(function, ast.Name):
        return None if function.id in _READERS else 0
    if not isinstance(function, ast.Attribute) or _root(function) not in ("np", "numpy"):
        return 0
    name, module = function.attr, getattr(function.value, "attr", None)
    if module is not None:
        if module == "testing" and name.startswith("assert_"):
            return None
        return _INPUTS if module in _MODULES else 0
    ufunc = getattr(np, name, None)
    if isinstance(ufunc, np.ufunc):
        return ufunc.nin
    return _INPUTS if name in _OF_NUMPY else 0


def _certain(node):
    """The nodes of a part that are evaluated whenever it is."""
    yield node
    if isinstance(node, (ast.IfExp, ast.Assert)):
        parts = [node.test]
    else:
        parts = node.values[:1] if isinstance(node, ast.BoolOp) else ast.iter_child_nodes(node)
    for part in parts:
        yield from _certain(part)


def _nodes(statements):
    return [node for statement in statements for node in ast.walk(statement)]


def _first(found):
    return next((line for line in found if line is not None), None)


def _root(node):
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
