"""The text of a port map, in the notation of the Integer Set Library with ranges of dimensions beside it:

    map        = ["[" [name {"," name}] "]" "->"] "{" part {";" part} "}"
    part       = name dimensions "->" "[" "PE" list "->" "index" list "]" [":" condition]
    dimensions = "[" dimension {"," dimension} "]" {"[" ... "]"}
    dimension  = [name "="] expression [":" expression] | name
    list       = "[" expression {"," expression} "]"
    condition  = comparison {"and" comparison}
    comparison = expression {("<" | "<=" | "=" | "==" | "!=" | ">" | ">=") expression}
    expression = product {("+" | "-") product}
    product    = factor {("*" | "//" | "%" | "mod") factor}
    factor     = ("-" | "+") factor | number [name | "(" ...] | name | "(" expression ")" | function

The functions are floor(a/b), ceil(a/b), floord(a,b), ceild(a,b), min(..) and max(..). A range a:b has its last number in it. A dimension
without a name and range, such as the second of x[i=0:3, 0], is one number.
"""
import re

import numpy as np

from waferlab.errors import ArgumentError

_TOKEN = re.compile(r"(?P<number>\d+)|(?P<name>[^\W\d]\w*'*)|(?P<sign>->|//|<=|>=|==|!=|[-+*/%<>=()\[\]{},:;])")
_WORDS = {"and", "or", "not", "mod", "exists", "implies"}
_LEAST = {"min": np.minimum, "max": np.maximum}
_QUOTIENTS = {"floor": "//", "ceil": "ceil", "floord": "//", "ceild": "ceil"}
_COMPARISONS = {
    "<": np.less,
    "<=": np.less_equal,
    "=": np.equal,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_OPERATIONS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "//": np.floor_divide,
    "%": np.mod,
    "ceil": lambda a, b: -(-a // b),
    **_LEAST,
}
MOST = np.iinfo(np.int64).max


class Expression:
    """A number, a dimension, or an operation on others. `text` is as the map has it."""

    def __init__(self, operation, operands, text):
        self.operation, self.operands, self.text = operation, operands, text

    def value(self, dimensions):
        """Its value for every element, given the arrays of its dimensions."""
        if self.operation == "number":
            return np.full_like(next(iter(dimensions.values())), self.operands[0])
        if self.operation == "dimension":
            return dimensions[self.operands[0]]
        left, right = (operand.value(dimensions) for operand in self.operands)
        if self.operation in ("//", "%", "ceil") and not right.all():
            raise ArgumentError(f"{self.text!r} divides by 0")
        return _OPERATIONS[self.operation](left, right)

    def linear(self):
        """Its constant and the factor of each dimension; None where it is not such a sum."""
        if self.operation == "number":
            return self.operands[0], {}
        if self.operation == "dimension":
            return 0, {self.operands[0]: 1}
        sides = [operand.linear() for operand in self.operands]
        if None in sides or self.operation in _LEAST:
            return None
        (a, left), (b, right) = sides
        if self.operation in "+-":
            sign = 1 if self.operation == "+" else -1
            return a + sign * b, {name: left.get(name, 0) + sign * right.get(name, 0) for name in {**left, **right}}
        if self.operation == "*" and not (left and right):
            scale = b if left else a
            return a * b, {name: factor * scale for name, factor in {**left, **right}.items()}
        if left or right or b == 0:
            return None
        return {"//": a // b, "ceil": -(-a // b), "%": a % b}.get(self.operation, a * b), {}


class Comparison:
    """Two expressions and the sign between them."""

    def __init__(self, left, sign, right):
        self.left, self.sign, self.right = left, sign, right

    def holds(self, dimensions):
        """Whether it holds, for every element."""
        return _COMPARISONS[self.sign](self.left.value(dimensions), self.right.value(dimensions))

    def bounds(self):
        """Sums, each a constant and the factor of each dimension, that are not negative where it holds; None where they are unknown."""
        left, right = self.left.linear(), self.right.linear()
        if left is None or right is None or self.sign == "!=":
            return None
        names = {**left[1], **right[1]}
        rises = right[0] - left[0], {name: right[1].get(name, 0) - left[1].get(name, 0) for name in names}
        falls = -rises[0], {name: -factor for name, factor in rises[1].items()}
        closed = {"<=": [rises], ">=": [falls], "=": [rises, falls], "==": [rises, falls]}
        open_ = {"<": (rises[0] - 1, rises[1]), ">": (falls[0] - 1, falls[1])}
        return closed.get(self.sign) or [open_[self.sign]]


class Part:
    """What a map says between two semicolons: a tensor's name, its dimensions, what holds of them, and the place and the indices of an
    element."""

    def __init__(self, name, dimensions, comparisons, place, indices):
        self.name, self.dimensions, self.comparisons = name, dimensions, comparisons
        self.place, self.indices = place, indices


class _Token:
    def __init__(self, kind, text, start):
        self.kind, self.text, self.start = kind, text, start
        self.end = start + len(text)


class _Parser:
    def __init__(self, text):
        self.text, self.at, self.params, self.names = text, 0, [], []
        self.tokens, start = [], 0
        while start < len(text):
            if text[start].isspace():
                start += 1
            elif match := _TOKEN.match(text, start):
                self.tokens.append(_Token(match.lastgroup, match[0], start))
                start = match.end()
            else:
                self.fail(f"{text[start]!r} has no meaning here", start)
        self.tokens.append(_Token("end", "", len(text.rstrip())))

    def fail(self, message, start):
        line = self.text.count("\n", 0, start)
        column = start - self.text.rfind("\n", 0, start)
        where = f"line {line + 1}, column {column}" if line else f"column {column}"
        raise ArgumentError(f"{message} ({where})")

    @property
    def next(self):
        return self.tokens[self.at]

    def has(self, *texts):
        return self.next.text in texts

    def take(self, *texts):
        """The next token, if it is one of these."""
        if not self.has(*texts):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, text):
        return self.take(text) or self.unexpected(repr(text))

    def unexpected(self, wanted):
        found = f"not {self.next.text!r}" if self.next.text else "and the map ends"
        self.fail(f"here {wanted} is expected, {found}", self.next.start)

    def name(self, wanted):
        if self.next.kind != "name" or self.next.text in _WORDS:
            self.unexpected(wanted)
        self.at += 1
        return self.tokens[self.at - 1].text

    def map(self):
        if self.take("["):
            while not self.take("]"):
                self.params.append(self.name("the name of a parameter"))
                if not self.has("]"):
                    self.expect(",")
            self.expect("->")
        self.expect("{")
        parts = [self.part()]
        while self.take(";"):
            parts.append(self.part())
        self.expect("}")
        # A published program has one closing brace too many: its text is an f-string but for the last part.
        while self.take("}"):
            pass
        if self.next.kind != "end":
            self.unexpected("the end of the map")
        return parts

    def part(self):
        self.names, comparisons = [], []
        name = self.name("the name of a tensor")
        self.expect("[")
        while True:
            comparisons += self.dimension()
            if self.take(","):
                continue
            self.expect("]")
            if not self.take("["):
                break
        self.expect("->")
        self.expect("[")
        start = self.expect("PE").start
        place = self.list()
        if len(place) != 2:
            self.fail("PE[..] has a column and a row", start)
        self.expect("->")
        self.expect("index")
        indices = self.list()
        self.expect("]")
        if self.take(":"):
            comparisons += self.condition()
        return Part(name, self.names, comparisons, place, indices)

    def dimension(self):
        """What holds of the dimension that comes next."""
        following = self.tokens[self.at + 1].text if self.next.kind == "name" else ""
        start, name = self.next.start, f"the dimension {len(self.names) + 1}"
        is_named = following in ("=", ",", "]")
        if is_named:
            name = self.name("the name of a dimension")
            if name in self.params:
                self.no_value(name, start)
            if name in self.names:
                self.fail(f"there are two dimensions {name}", start)
        self.names.append(name)
        if is_named and not self.take("="):
            return []
        itself = Expression("dimension", [name], name)
        low = self.expression()
        if not self.take(":"):
            return [Comparison(itself, "=", low)]
        return [Comparison(low, "<=", itself), Comparison(itself, "<=", self.expression())]

    def no_value(self, name, start):
        self.fail(f"the parameter {name} has no value; write its number in its place", start)

    def list(self):
        self.expect("[")
        found = [self.expression()]
        while self.take(","):
            found.append(self.expression())
        self.expect("]")
        return found

    def condition(self):
        comparisons = []
        while True:
            left = self.expression()
            if not self.has(*_COMPARISONS):
                self.unexpected("a comparison, such as <=,")
            while sign := self.take(*_COMPARISONS):
                right = self.expression()
                comparisons.append(Comparison(left, sign.text, right))
                left = right
            if self.has("or"):
                self.fail("`or` is not known here; write two maps, with ; between them", self.next.start)
            if not self.take("and"):
                return comparisons

    def binary(self, operation, left, right, start):
        return Expression(operation, [left, right], self.text[start : self.tokens[self.at - 1].end])

    def expression(self):
        start, left = self.next.start, self.product()
        while sign := self.take("+", "-"):
            left = self.binary(sign.text, left, self.product(), start)
        return left

    def product(self):
        start, left = self.next.start, self.factor()
        while sign := self.take("*", "//", "%", "mod"):
            left = self.binary("%" if sign.text == "mod" else sign.text, left, self.factor(), start)
        if self.has("/"):
            self.fail("a quotient is no whole number; write i//2 or floor(i/2)", self.next.start)
        return left

    def factor(self):
        token = self.next
        if self.take("+"):
            return self.factor()
        if self.take("-"):
            return self.binary("-", Expression("number", [0], "0"), self.factor(), token.start)
        if self.take("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if token.kind == "number":
            self.at += 1
            if int(token.text) > MOST:
                self.fail(f"{token.text} is beyond 64 bits", token.start)
            number = Expression("number", [int(token.text)], token.text)
            is_factor = self.has("(") or self.next.kind == "name" and self.next.text not in _WORDS
            return self.binary("*", number, self.factor(), token.start) if is_factor else number
        name = self.name("a number or a dimension")
        if self.take("("):
            return self.function(name, token.start)
        if name in self.params and name not in self.names:
            self.no_value(name, token.start)
        if name not in self.names:
            self.fail(f"there is no dimension {name}", token.start)
        return Expression("dimension", [name], name)

    def function(self, name, start):
        """The value of a function, from behind its opening parenthesis on."""
        if name in _LEAST:
            left = self.expression()
            while self.take(","):
                left = self.binary(name, left, self.expression(), start)
        elif name in _QUOTIENTS:
            left = self.quotient(name, start)
        else:
            known = ", ".join(sorted({*_LEAST, *_QUOTIENTS}))
            self.fail(f"there is no function {name}; known are {known}", start)
        left.text = self.text[start : self.expect(")").end]
        return left

    def quotient(self, name, start):
        # The slash of floor(a/b) binds as a product does, so that what stands before it is one.
        first = self.next.start
        if name in ("floord", "ceild"):
            left = self.expression()
            self.expect(",")
            right = self.expression()
        else:
            left = self.factor()
            while sign := self.take("*"):
                left = self.binary(sign.text, left, self.factor(), first)
            if not self.take("/"):
                self.unexpected("the / of a quotient, as in floor((i + 1) / 2),")
            right = self.factor()
        return self.binary(_QUOTIENTS[name], left, right, start)


def parse(text):
    """The parts of a map."""
    try:
        return _Parser(text).map()
    except RecursionError:
        raise ArgumentError("it is nested too deeply") from None
