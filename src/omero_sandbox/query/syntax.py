# SPDX-License-Identifier: AGPL-3.0-or-later
"""The syntax tree of HQL: plain, immutable records made by `parser` and read by `translation`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Between",
    "Binary",
    "Case",
    "Cast",
    "Comparison",
    "Exists",
    "Expression",
    "FromEntity",
    "Function",
    "In",
    "IsEmpty",
    "IsNull",
    "Join",
    "Like",
    "Literal",
    "Negative",
    "NewMap",
    "Not",
    "OrderItem",
    "Parameter",
    "Path",
    "Query",
    "SelectItem",
    "Star",
    "SubQuery",
    "TupleOf",
]


@dataclass(frozen=True)
class Literal:
    """A number, text, truth value or null."""

    value: float | int | str | bool | None


@dataclass(frozen=True)
class Parameter:
    """``:name``; the name of a positional ``?`` is empty."""

    name: str


@dataclass(frozen=True)
class Path:
    """``image.details.owner.id``."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Star:
    """The ``*`` of ``count(*)``."""


@dataclass(frozen=True)
class Negative:
    """``-x``."""

    operand: Expression


@dataclass(frozen=True)
class Not:
    """``not x``."""

    operand: Expression


@dataclass(frozen=True)
class Binary:
    """``and``, ``or``, arithmetic, ``||``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Comparison:
    """``=``, ``<>``, ``<``, ``<=``, ``>``, ``>=``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class IsNull:
    """``x is [not] null``."""

    operand: Expression
    negated: bool


@dataclass(frozen=True)
class IsEmpty:
    """``x.collection is [not] empty``."""

    operand: Expression
    negated: bool


@dataclass(frozen=True)
class Like:
    """``x [not] like 'pattern' [escape 'c']``; ``ilike`` ignores case."""

    operand: Expression
    pattern: Expression
    negated: bool
    ignore_case: bool
    escape: str


@dataclass(frozen=True)
class Between:
    """``x [not] between low and high``."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool


@dataclass(frozen=True)
class In:
    """``x [not] in (…)``: a list of expressions (parameters may hold lists) or a subquery."""

    operand: Expression
    choices: tuple[Expression, ...]
    negated: bool


@dataclass(frozen=True)
class Exists:
    """``exists (select …)`` or ``exists elements(x.collection)``."""

    operand: Expression


@dataclass(frozen=True)
class SubQuery:
    """A query in parentheses used as a value or set."""

    query: Query


@dataclass(frozen=True)
class TupleOf:
    """``(a, b, c)``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Case:
    """``case when … then … else … end``."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None


@dataclass(frozen=True)
class Cast:
    """``cast(x as type)``."""

    operand: Expression
    type: str


@dataclass(frozen=True)
class Function:
    """A call; the name is in lower case."""

    name: str
    arguments: tuple[Expression, ...]
    distinct: bool = False


Expression = (
    Literal
    | Parameter
    | Path
    | Star
    | Negative
    | Not
    | Binary
    | Comparison
    | IsNull
    | IsEmpty
    | Like
    | Between
    | In
    | Exists
    | SubQuery
    | TupleOf
    | Case
    | Cast
    | Function
)


@dataclass(frozen=True)
class NewMap:
    """``new map(a as x, b as y)``, possibly inside another."""

    items: tuple[SelectItem, ...]


@dataclass(frozen=True)
class SelectItem:
    """One thing selected, with its name if it has one."""

    expression: Expression | NewMap
    alias: str | None


@dataclass(frozen=True)
class FromEntity:
    """``from Image i``, or in a subquery ``from image.rois r``."""

    source: Path
    alias: str


@dataclass(frozen=True)
class Join:
    """``[left] [outer] join [fetch] path [as] alias [with condition]``."""

    outer: bool
    fetch: bool
    path: Path
    alias: str | None
    condition: Expression | None


@dataclass(frozen=True)
class OrderItem:
    """``expression [asc|desc]``."""

    expression: Expression
    descending: bool


@dataclass(frozen=True)
class Query:
    """A whole ``select`` statement."""

    select: tuple[SelectItem, ...] | None
    distinct: bool
    as_map: bool
    sources: tuple[FromEntity | Join, ...]
    where: Expression | None
    group_by: tuple[Expression, ...]
    having: Expression | None
    order_by: tuple[OrderItem, ...]
