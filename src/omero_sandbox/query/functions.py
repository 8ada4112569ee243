# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""The functions of HQL. Only those named here exist; nothing a client writes reaches SQLite as a function name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from omero_sandbox.model.reflection import Field
from omero_sandbox.query.context import Context, Term
from omero_sandbox.query.errors import HqlError
from omero_sandbox.store.schema import table

__all__ = ["AGGREGATES", "call_function", "collection_rows"]

AGGREGATES = frozenset({"avg", "bool_and", "bool_or", "count", "max", "min", "sum"})

_PLAIN: dict[str, tuple[str, int, str | None]] = {
    # HQL name: (SQL name, number of arguments, kind of the result; None: that of the first argument)
    "abs": ("abs", 1, None),
    "length": ("length", 1, "int"),
    "lower": ("lower", 1, "string"),
    "nullif": ("nullif", 2, None),
    "trim": ("trim", 1, "string"),
    "upper": ("upper", 1, "string"),
}
_DATE_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


def collection_rows(context: Context, term: Term, select: str = "{alias}.id") -> str:
    """A subquery over the visible elements of a collection."""
    field: Field | None = term.collection
    if term.kind != "collection" or field is None or field.inverse is None:
        raise HqlError("A collection is needed here.")
    alias = context.new_alias()
    where = [f"{alias}.c_{field.inverse} = {term.owner}.id", *context.conditions(field.type, alias)]
    return f"SELECT {select.format(alias=alias)} FROM {table(field.type)} {alias} WHERE {' AND '.join(where)}"


def call_function(context: Context, name: str, arguments: Sequence[Term], distinct: bool) -> Term:
    """Translate a call with translated arguments.

    Raises:
        HqlError: no such function, or not with these arguments.
    """
    if name in AGGREGATES:
        return _aggregate(name, arguments, distinct)
    if name in _PLAIN:
        sql_name, count, kind = _PLAIN[name]
        _need(name, arguments, count)
        inner = ",".join(each.sql for each in arguments)
        return Term(f"{sql_name}({inner})", kind or arguments[0].kind)
    special = _SPECIAL.get(name)
    if special is None:
        raise HqlError(f"No such function: {name}")
    return special(context, name, arguments)


def _need(name: str, arguments: Sequence[Term], *counts: int) -> None:
    if len(arguments) not in counts:
        raise HqlError(f"{name} takes {' or '.join(map(str, counts))} argument(s), not {len(arguments)}")


def _aggregate(name: str, arguments: Sequence[Term], distinct: bool) -> Term:
    _need(name, arguments, 1)
    argument = arguments[0]
    if argument.kind == "collection":
        raise HqlError(f"{name} needs a value, not a collection")
    word = "DISTINCT " if distinct else ""
    sql_name = {"bool_and": "min", "bool_or": "max"}.get(name, name)
    sql = f"{sql_name}({word}{argument.sql})"
    if name == "count":
        return Term(sql, "long")
    if name == "avg":
        return Term(sql, "double")
    kind = {"unit": "double", "entity": "long"}.get(argument.kind or "", argument.kind)
    return Term(sql, "long" if name == "sum" and kind == "int" else kind)


def _row(name: str, term: Term) -> str:
    """The SQL alias of the row that an entity term stands for."""
    if term.kind != "entity" or not term.sql.endswith(".id"):
        raise HqlError(f"{name} needs an alias")
    return term.sql.removesuffix(".id")


def _collection_function(context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 1)
    argument = arguments[0]
    select = {
        "size": "count(*)",
        "maxindex": "max({alias}.idx)",
        "minindex": "min({alias}.idx)",
        "maxelement": "max({alias}.id)",
        "minelement": "min({alias}.id)",
    }[name]
    if argument.kind == "entity" and name != "size":  # maxIndex(alias): over a joined collection, in its own group
        return Term(select.format(alias=_row(name, argument)), "int")
    return Term(f"({collection_rows(context, argument, select)})", "long" if name == "size" else "int")


def _index(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 1)
    return Term(f"{_row(name, arguments[0])}.idx", "int")


def _elements(context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 1)
    return Term(f"({collection_rows(context, arguments[0])})", "list")


def _type(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 1)
    argument = arguments[0]
    if argument.kind == "class":
        return Term(f"java_class({argument.sql})", "string")
    return Term(f"{_row(name, argument)}.dtype", "class")


def _coalesce(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    if len(arguments) < 2:
        raise HqlError(f"{name} takes at least 2 arguments")
    kind = next((each.kind for each in arguments if each.kind is not None), None)
    return Term(f"coalesce({','.join(each.sql for each in arguments)})", kind)


def _concat(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    if not arguments:
        raise HqlError(f"{name} takes at least 1 argument")
    return Term(f"({' || '.join(each.sql for each in arguments)})", "string")


def _text(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 1)
    return Term(f"CAST({arguments[0].sql} AS TEXT)", "string")


def _substring(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 2, 3)
    return Term(f"substr({','.join(each.sql for each in arguments)})", "string")


def _locate(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 2)
    return Term(f"instr({arguments[1].sql}, {arguments[0].sql})", "int")


def _mod(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 2)
    return Term(f"({arguments[0].sql} % {arguments[1].sql})", "long")


def _date_part(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 1)
    seconds = f"{arguments[0].sql} / 1000"
    return Term(f"CAST(strftime('{_DATE_PARTS[name]}', {seconds}, 'unixepoch') AS INTEGER)", "int")


def _epoch(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 1)
    return Term(f"({arguments[0].sql} / 1000.0)", "double")


def _now(_context: Context, name: str, arguments: Sequence[Term]) -> Term:
    _need(name, arguments, 0)
    return Term("(CAST(strftime('%s', 'now') AS INTEGER) * 1000)", "time")


_SPECIAL: dict[str, Callable[[Context, str, Sequence[Term]], Term]] = {
    "coalesce": _coalesce,
    "concat": _concat,
    "current_timestamp": _now,
    "elements": _elements,
    "epoch": _epoch,  # extract(epoch from …)
    "index": _index,
    "locate": _locate,
    "maxelement": _collection_function,
    "maxindex": _collection_function,
    "minelement": _collection_function,
    "minindex": _collection_function,
    "mod": _mod,
    "nvl": _coalesce,
    "size": _collection_function,
    "str": _text,
    "substring": _substring,
    "type": _type,
    **dict.fromkeys(_DATE_PARTS, _date_part),
}
