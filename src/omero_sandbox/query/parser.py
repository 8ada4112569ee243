# SPDX-License-Identifier: AGPL-3.0-or-later
"""A recursive-descent parser for the HQL that OMERO's clients send. It reads text only: no names are resolved here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from omero_sandbox.query.errors import HqlError
from omero_sandbox.query.syntax import (
    Between,
    Binary,
    Case,
    Cast,
    Comparison,
    Exists,
    Expression,
    FromEntity,
    Function,
    In,
    IsEmpty,
    IsNull,
    Join,
    Like,
    Literal,
    Negative,
    NewMap,
    Not,
    OrderItem,
    Parameter,
    Path,
    Query,
    SelectItem,
    Star,
    SubQuery,
    TupleOf,
)
from omero_sandbox.query.tokens import Token, TokenKind, tokenize

__all__ = ["parse"]

MAX_DEPTH = 60
"""How deep parentheses and subqueries may be nested."""

_COMPARISONS = {"=": "=", "!=": "<>", "^=": "<>", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_Item = TypeVar("_Item")


def parse(hql: str) -> Query:
    """Parse one query.

    Raises:
        HqlError: the text is not HQL, or uses a part of it that OMERO's clients have no need of.
    """
    parser = _Parser(tokenize(hql))
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    """The position in a list of tokens; each method reads one construct and moves on."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    # -- single tokens

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._position + ahead, len(self._tokens) - 1)]

    def _next(self) -> Token:
        token = self._peek()
        self._position += 1
        return token

    def _word(self, *words: str) -> bool:
        """Move past the given words if they come next, whether keywords or names (``member``, ``map`` are both)."""
        for ahead, word in enumerate(words):
            token = self._peek(ahead)
            if token.kind not in (TokenKind.KEYWORD, TokenKind.NAME) or token.value.lower() != word:
                return False
        self._position += len(words)
        return True

    def _operator(self, *operators: str) -> str | None:
        token = self._peek()
        if token.kind is TokenKind.OPERATOR and token.value in operators:
            self._position += 1
            return token.value
        return None

    def _require(self, operator: str) -> None:
        if self._operator(operator) is None:
            raise HqlError(f"expecting {operator!r}, found {self._peek().value!r}")

    def _require_word(self, word: str) -> None:
        if not self._word(word):
            raise HqlError(f"expecting {word!r}, found {self._peek().value!r}")

    def _name(self) -> str:
        token = self._next()
        if token.kind not in (TokenKind.NAME, TokenKind.KEYWORD):
            raise HqlError(f"expecting a name, found {token.value!r}")
        return token.value

    def _optional_alias(self) -> str | None:
        self._word("as")
        return self._next().value if self._peek().kind is TokenKind.NAME else None

    def _list(self, item: Callable[[], _Item]) -> tuple[_Item, ...]:
        items = [item()]
        while self._operator(","):
            items.append(item())
        return tuple(items)

    def expect_end(self) -> None:
        """Refuse anything left over."""
        if self._peek().kind is not TokenKind.END:
            raise HqlError(f"unexpected token: {self._peek().value}")

    # -- the query

    def query(self) -> Query:
        """``[select …] from … [where …] [group by …] [having …] [order by …]``."""
        select: tuple[SelectItem, ...] | None = None
        distinct = as_map = False
        if self._word("select"):
            distinct = self._word("distinct")
            if self._word("new", "map"):
                as_map = True
                self._require("(")
                select = self._list(self._select_item)
                self._require(")")
            else:
                select = self._list(self._select_item)
        self._require_word("from")
        sources = self._sources()
        where = self.expression() if self._word("where") else None
        group_by = self._list(self.expression) if self._word("group", "by") else ()
        having = self.expression() if self._word("having") else None
        order_by = self._list(self._order_item) if self._word("order", "by") else ()
        return Query(select, distinct, as_map, sources, where, group_by, having, order_by)

    def _select_item(self) -> SelectItem:
        if self._word("new", "map"):
            self._require("(")
            items = self._list(self._select_item)
            self._require(")")
            return SelectItem(NewMap(items), self._name() if self._word("as") else None)
        expression = self.expression()
        return SelectItem(expression, self._name() if self._word("as") else None)

    def _order_item(self) -> OrderItem:
        expression = self.expression()
        if self._word("desc"):
            return OrderItem(expression, True)
        self._word("asc")
        return OrderItem(expression, False)

    def _sources(self) -> tuple[FromEntity | Join, ...]:
        sources: list[FromEntity | Join] = [self._entity(0)]
        while True:
            if self._operator(","):
                sources.append(self._entity(len(sources)))
                continue
            join = self._join()
            if join is None:
                return tuple(sources)
            sources.append(join)

    def _entity(self, number: int) -> FromEntity:
        path = Path(tuple(self._name().split(".")))
        return FromEntity(path, self._optional_alias() or f"anonymous{number}")

    def _join(self) -> Join | None:
        start = self._position
        outer = False
        if self._word("left") or self._word("full"):
            self._word("outer")
            outer = True
        elif self._word("right"):
            raise HqlError("right joins are not supported")
        else:
            outer = self._word("outer")
            self._word("inner")
        if not self._word("join"):
            self._position = start
            return None
        fetch = self._word("fetch")
        path = Path(tuple(self._name().split(".")))
        alias = self._optional_alias()
        condition = self.expression() if self._word("with") else None
        return Join(outer, fetch, path, alias, condition)

    # -- expressions, from the loosest binding to the tightest

    def expression(self) -> Expression:
        """Any expression: ``or`` binds loosest."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise HqlError(f"nested deeper than {MAX_DEPTH}")
        left = self._conjunction()
        while self._word("or"):
            left = Binary("OR", left, self._conjunction())
        self._depth -= 1
        return left

    def _conjunction(self) -> Expression:
        left = self._negation()
        while self._word("and"):
            left = Binary("AND", left, self._negation())
        return left

    def _negation(self) -> Expression:
        if self._word("not"):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise HqlError(f"nested deeper than {MAX_DEPTH}")
            operand = self._negation()
            self._depth -= 1
            return Not(operand)
        return self._predicate()

    def _predicate(self) -> Expression:
        if self._word("exists"):
            return Exists(self._primary())
        left = self._sum()
        while True:
            operator = self._operator(*_COMPARISONS)
            if operator:
                left = Comparison(_COMPARISONS[operator], left, self._comparand())
            elif self._word("is"):
                left = self._is(left)
            else:
                start = self._position
                negated = self._word("not")
                found = self._special_predicate(left, negated)
                if found is None:
                    self._position = start
                    return left
                left = found

    def _comparand(self) -> Expression:
        if self._word("all"):
            raise HqlError("comparisons with all (…) are not supported")
        if self._peek().value.lower() in ("any", "some") and self._peek(1).value == "(":
            raise HqlError("comparisons with any (…) are not supported")
        return self._sum()

    def _is(self, left: Expression) -> Expression:
        negated = self._word("not")
        if self._word("empty"):
            return IsEmpty(left, negated)
        self._require_word("null")
        return IsNull(left, negated)

    def _special_predicate(self, left: Expression, negated: bool) -> Expression | None:
        ignore_case = self._peek().value == "ilike"
        if self._word("like") or self._word("ilike"):
            pattern = self._sum()
            escape = self._next().value if self._word("escape") else "\\"
            if len(escape) != 1:
                raise HqlError("escape needs one character")
            return Like(left, pattern, negated, ignore_case, escape)
        if self._word("in"):
            return In(left, self._choices(), negated)
        if self._word("between"):
            low = self._sum()
            self._require_word("and")
            return Between(left, low, self._sum(), negated)
        if self._word("member", "of") or self._word("member"):
            return In(left, (Function("elements", (self._primary(),)),), negated)
        return None

    def _choices(self) -> tuple[Expression, ...]:
        if not self._operator("("):
            return (self._primary(),)
        if self._at_subquery():
            query = self.query()
            self._require(")")
            return (SubQuery(query),)
        choices = self._list(self.expression)
        self._require(")")
        return choices

    def _at_subquery(self) -> bool:
        return self._peek() in (Token(TokenKind.KEYWORD, "select"), Token(TokenKind.KEYWORD, "from"))

    def _sum(self) -> Expression:
        left = self._product()
        while operator := self._operator("+", "-", "||"):
            left = Binary(operator, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._primary()
        while operator := self._operator("*", "/", "%"):
            left = Binary(operator, left, self._primary())
        return left

    def _primary(self) -> Expression:
        token = self._next()
        kind, value = token.kind, token.value
        if kind is TokenKind.NUMBER:
            return Literal(float(value) if "." in value else int(value))
        if kind is TokenKind.TEXT:
            return Literal(value)
        if kind is TokenKind.PARAMETER:
            return Parameter(value)
        if kind is TokenKind.OPERATOR:
            return self._after_operator(value)
        if kind is TokenKind.KEYWORD and value in ("true", "false", "null"):
            return Literal({"true": True, "false": False, "null": None}[value])
        if kind is TokenKind.KEYWORD and value == "case":
            return self._case()
        if kind in (TokenKind.NAME, TokenKind.KEYWORD):
            return self._call(value) if self._operator("(") else Path(tuple(value.split(".")))
        raise HqlError("unexpected end of query")

    def _after_operator(self, operator: str) -> Expression:
        if operator == "-":
            return Negative(self._primary())
        if operator == "+":
            return self._primary()
        if operator == "*":
            return Star()
        if operator != "(":
            raise HqlError(f"unexpected token: {operator}")
        if self._at_subquery():
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise HqlError(f"nested deeper than {MAX_DEPTH}")
            query = self.query()
            self._depth -= 1
            self._require(")")
            return SubQuery(query)
        items = self._list(self.expression)
        self._require(")")
        return items[0] if len(items) == 1 else TupleOf(items)

    def _case(self) -> Expression:
        base = None if self._peek() == Token(TokenKind.KEYWORD, "when") else self.expression()
        branches: list[tuple[Expression, Expression]] = []
        while self._word("when"):
            condition = self.expression()
            self._require_word("then")
            branches.append((Comparison("=", base, condition) if base is not None else condition, self.expression()))
        otherwise = self.expression() if self._word("else") else None
        self._require_word("end")
        if not branches:
            raise HqlError("case without when")
        return Case(tuple(branches), otherwise)

    def _call(self, name: str) -> Expression:
        lower = name.lower()
        if lower == "cast":
            operand = self.expression()
            self._require_word("as")
            cast = Cast(operand, self._name().lower())
            self._require(")")
            return cast
        if lower == "extract":
            part = self._name().lower()
            self._require_word("from")
            extract = Function(part, (self.expression(),))
            self._require(")")
            return extract
        if self._operator(")"):
            return Function(lower, ())
        if self._at_subquery():
            query = self.query()
            self._require(")")
            return Function(lower, (SubQuery(query),))
        distinct = self._word("distinct")
        arguments = self._list(self.expression)
        self._require(")")
        return Function(lower, arguments, distinct)
