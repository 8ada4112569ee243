# SPDX-License-Identifier: AGPL-3.0-or-later
"""Conditions on the rows of a table, such as ``(Well == 22) & (Area > 3.5)``.

OMERO.tables takes conditions in the syntax of PyTables, which compiles and evaluates them as Python. A condition comes from
whoever may read the table, so here it is never handed to an evaluator: this module reads a small grammar into a tree and
computes the tree with NumPy. The grammar, loosest binding first, is Python's::

    comparison  =  or  [ ("==" | "!=" | "<=" | ">=" | "<" | ">")  or ]
    or          =  and  { ("|" | "^")  and }
    and         =  sum  { "&"  sum }
    sum         =  term  { ("+" | "-")  term }
    term        =  unary  { ("*" | "/" | "%")  unary }
    unary       =  ("-" | "+" | "~")  unary  |  power
    power       =  atom  [ "**"  unary ]
    atom        =  number | string | name | function "(" comparison { "," comparison } ")" | "(" comparison ")"

Note that ``&`` binds tighter than ``==``: write parentheses, as everywhere in PyTables. Names are columns or variables.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Condition", "ConditionError", "parse_condition"]

MAX_LENGTH = 100_000
"""The longest condition that is read, in characters."""

_MAX_DEPTH = 100

Value = np.ndarray | np.generic


class ConditionError(ValueError):
    """The condition cannot be read, names something that is not there, or does not give true or false."""


@dataclass(frozen=True)
class Condition:
    """A parsed condition. ``names`` are the columns and variables it uses."""

    text: str
    names: frozenset[str]
    _root: _Node

    def matches(self, values: Mapping[str, Value], count: int) -> np.ndarray:
        """Return, for ``count`` rows, which ones match.

        Args:
            values: by name, an array with one value per row, or one value for all rows. Text is bytes (UTF-8).

        Raises:
            ConditionError: when a name is missing, an operation does not fit its operands, or the result is not boolean.
        """
        try:
            with np.errstate(all="ignore"):  # 0/0 is NaN, which matches nothing
                result = np.asarray(self._root(values))
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, ConditionError):
                raise
            raise ConditionError(f"the condition {self.text!r} does not fit the columns: {error}") from error
        if result.dtype.kind != "b":
            raise ConditionError(f"the condition {self.text!r} does not give true or false")
        if result.ndim > 1:
            raise ConditionError(f"the condition {self.text!r} uses a column that holds arrays")
        return np.broadcast_to(result, (count,))


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        ConditionError: with what is wrong and where.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"a condition has at most {MAX_LENGTH} characters, not {len(text)}")
    return _Parser(text).parse()


_Node = Callable[[Mapping[str, Value]], Value]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>[bB]?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
      | (?P<name>[^\W\d]\w*)
      | (?P<symbol>\*\*|==|!=|<=|>=|[-+*/%&|^~<>(),])
    )""",
    re.VERBOSE,
)

_COMPARISONS: dict[str, Callable[..., Value]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "<": np.less,
    ">": np.greater,
}
_BINARY: dict[str, Callable[..., Value]] = {
    "|": np.bitwise_or,
    "^": np.bitwise_xor,
    "&": np.bitwise_and,
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "%": np.mod,
}
_FUNCTIONS: dict[str, tuple[int, Callable[..., Value]]] = {
    "where": (3, np.where),
    "arctan2": (2, np.arctan2),
    **{
        name: (1, getattr(np, name))
        for name in (
            *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
            *("log", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "floor", "ceil", "isnan", "isfinite"),
        )
    },
}
_CONSTANTS = {"True": np.bool_(True), "False": np.bool_(False)}
_WORDS = {"and": "&", "or": "|", "not": "~"}


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0
        self._names: set[str] = set()

    def parse(self) -> Condition:
        if not self._tokens:
            raise ConditionError("the condition is empty")
        root = self._comparison()
        if self._next < len(self._tokens):
            _, token, at = self._tokens[self._next]
            self._refuse_word(token, at)
            if token in _COMPARISONS:
                raise ConditionError(
                    f"at {at}: {token!r} after a comparison; put each comparison in parentheses and join them with & or |"
                )
            raise ConditionError(f"at {at}: {token!r} is not expected here")
        return Condition(self._text, frozenset(self._names), root)

    # -- one method per line of the grammar -------------------------------------------------------------------------

    def _comparison(self) -> _Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ConditionError(f"the condition is nested more than {_MAX_DEPTH} deep")
        left = self._chain(0)
        symbol = self._accept(*_COMPARISONS)
        if symbol:
            left = _compare(_COMPARISONS[symbol], left, self._chain(0))
        self._depth -= 1
        return left

    _LEVELS = (("|", "^"), ("&",), ("+", "-"), ("*", "/", "%"))

    def _chain(self, level: int) -> _Node:
        if level == len(self._LEVELS):
            return self._unary()
        first = self._chain(level + 1)
        rest = []  # kept flat, so that a long list of alternatives does not nest
        while symbol := self._accept(*self._LEVELS[level]):
            rest.append((_BINARY[symbol], self._chain(level + 1)))
        return _fold(first, rest) if rest else first

    def _unary(self) -> _Node:
        symbols = []
        while symbol := self._accept("-", "+", "~"):
            symbols.append(symbol)
        node = self._power()
        signs = [np.negative if symbol == "-" else np.invert for symbol in reversed(symbols) if symbol != "+"]
        return _signed(signs, node) if signs else node

    def _power(self) -> _Node:
        base = self._atom()
        if not self._accept("**"):
            return base
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ConditionError(f"the condition is nested more than {_MAX_DEPTH} deep")
        exponent = self._unary()
        self._depth -= 1
        return _fold(base, [(lambda one, other: np.power(np.asarray(one, float), other), exponent)])

    def _atom(self) -> _Node:
        kind, token, at = self._take("the end of the condition")
        if kind == "number":
            return _constant(np.float64(token) if re.search(r"[.eE]", token) else _whole_number(token))
        if kind == "text":
            return self._literal_text(token, at)
        if kind == "name":
            return self._named(token, at)
        if token == "(":  # noqa: S105 - a token of the grammar
            inner = self._comparison()
            self._expect(")")
            return inner
        raise ConditionError(f"at {at}: {token!r} is not expected here")

    def _literal_text(self, token: str, at: int) -> _Node:
        try:
            literal = ast.literal_eval(token)  # a quoted string by the token's pattern, so this only resolves escapes
        except (SyntaxError, ValueError) as error:
            raise ConditionError(f"at {at}: {token} is not a text: {error}") from error
        return _constant(np.bytes_(literal if isinstance(literal, bytes) else literal.encode()))

    def _named(self, token: str, at: int) -> _Node:
        self._refuse_word(token, at)
        if token in _CONSTANTS:
            return _constant(_CONSTANTS[token])
        if self._accept("("):
            return self._call(token, at)
        self._names.add(token)

        def look_up(values: Mapping[str, Value]) -> Value:
            try:
                return values[token]
            except KeyError:
                raise ConditionError(f"the table has no column {token!r}") from None

        return look_up

    def _call(self, name: str, at: int) -> _Node:
        if name not in _FUNCTIONS:
            raise ConditionError(f"at {at}: there is no function {name!r}")
        count, function = _FUNCTIONS[name]
        arguments = [self._comparison()]
        while self._accept(","):
            arguments.append(self._comparison())
        self._expect(")")
        if len(arguments) != count:
            raise ConditionError(f"at {at}: {name} takes {count} values, not {len(arguments)}")
        return lambda values: function(*(argument(values) for argument in arguments))

    @staticmethod
    def _refuse_word(token: str, at: int) -> None:
        if token in _WORDS:
            raise ConditionError(f"at {at}: write {_WORDS[token]!r} instead of {token!r}, with parentheses around both sides")

    # -- tokens -----------------------------------------------------------------------------------------------------

    def _accept(self, *symbols: str) -> str | None:
        if self._next < len(self._tokens):
            kind, token, _ = self._tokens[self._next]
            if kind == "symbol" and token in symbols:
                self._next += 1
                return token
        return None

    def _expect(self, symbol: str) -> None:
        _, token, at = self._take(f"{symbol!r}")
        if token != symbol:
            raise ConditionError(f"at {at}: {token!r} where {symbol!r} is expected")

    def _take(self, missing: str) -> tuple[str, str, int]:
        if self._next >= len(self._tokens):
            raise ConditionError(f"the condition ends where more is expected ({missing})")
        self._next += 1
        return self._tokens[self._next - 1]


def _tokens(text: str) -> Iterable[tuple[str, str, int]]:
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise ConditionError(f"at {start}: {text[start]!r} cannot be part of a condition")
        kind = match.lastgroup or ""
        yield kind, match[kind], match.start(kind)
        position = match.end()


def _whole_number(token: str) -> np.generic:
    number = int(token)
    return np.int64(number) if number < 1 << 63 else np.float64(number)


def _constant(value: Value) -> _Node:
    return lambda values: value


def _fold(first: _Node, rest: list[tuple[Callable[..., Value], _Node]]) -> _Node:
    def fold(values: Mapping[str, Value]) -> Value:
        result = first(values)
        for function, operand in rest:
            result = function(result, operand(values))
        return result

    return fold


def _signed(signs: Sequence[Callable[..., Value]], operand: _Node) -> _Node:
    def apply(values: Mapping[str, Value]) -> Value:
        result = operand(values)
        for sign in signs:
            result = sign(result)
        return result

    return apply


def _compare(function: Callable[..., Value], left: _Node, right: _Node) -> _Node:
    def compare(values: Mapping[str, Value]) -> Value:
        one, other = np.asarray(left(values)), np.asarray(right(values))
        if (one.dtype.kind == "S") != (other.dtype.kind == "S"):
            raise ConditionError("a text can only be compared with a text, a number with a number")
        if one.ndim > 1 or other.ndim > 1:
            raise ConditionError("a column that holds arrays cannot be compared")
        return function(one, other)

    return compare
