# SPDX-License-Identifier: AGPL-3.0-or-later
"""Translates a parsed query to one SQL statement and a description of what its columns mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from omero_sandbox.model.reflection import Field
from omero_sandbox.query import syntax
from omero_sandbox.query.context import Context, Scope, Term
from omero_sandbox.query.errors import HqlError
from omero_sandbox.query.expressions import translate, translate_condition
from omero_sandbox.query.paths import resolve
from omero_sandbox.query.sources import Fetch, add_sources
from omero_sandbox.store.schema import table

__all__ = ["Fetched", "Selected", "SelectedMap", "Statement", "translate_query"]

_GENERATED_NAME = re.compile(r"col_(\d+)_\d+_?")  # Hibernate's name of a column, used by clients in "order by"


@dataclass(frozen=True)
class Selected:
    """One selected value: its name, if any, and the number of its column."""

    name: str | None
    column: int


@dataclass(frozen=True)
class SelectedMap:
    """A ``new map(…)``."""

    name: str | None
    items: tuple[Selected | SelectedMap, ...]


@dataclass(frozen=True)
class Fetched:
    """A relation to connect after loading: columns with the ids of both ends."""

    base_column: int
    child_column: int
    relation: Field | str


@dataclass
class Statement:
    """SQL, the values to bind, and what the columns are.

    A unit's name is in the column after its value. `repeats_roots` says that a collection is fetched, so that rows must be
    reduced to one per root object before any limit applies.
    """

    sql: str = ""
    bound: dict[str, object] = field(default_factory=dict)
    columns: list[Term] = field(default_factory=list)
    shape: tuple[Selected | SelectedMap, ...] = ()
    as_map: bool = False
    distinct: bool = False
    fetched: list[Fetched] = field(default_factory=list)
    repeats_roots: bool = False
    limit_applied: bool = False


def translate_query(context: Context, query: syntax.Query, limit: int | None, offset: int | None) -> Statement:
    """Translate a whole query.

    Args:
        context: the caller's read filter and the query's parameters.
        query: from `parser.parse`.
        limit, offset: which part of the result is wanted; applied in SQL where rows and results are the same.

    Raises:
        HqlError: a name does not resolve, or the construct is not supported.
    """
    scope = Scope()
    statement = Statement(distinct=query.distinct, as_map=query.as_map)
    fetches = add_sources(context, scope, query.sources, lambda each: translate_condition(context, scope, each))
    items = query.select or tuple(
        syntax.SelectItem(syntax.Path((source.alias,)), None)
        for source in query.sources
        if isinstance(source, syntax.FromEntity)
    )
    statement.shape = tuple(_select(context, scope, statement, item) for item in items)
    if not query.group_by:
        _add_fetches(context, scope, statement, fetches)
    where = [] if query.where is None else [f"({translate_condition(context, scope, query.where)})"]
    group = [translate(context, scope, each).sql for each in query.group_by]
    having = None if query.having is None else translate_condition(context, scope, query.having)
    order = _order(context, scope, statement, query)
    # Translating any of the above may have added joins, so the text is put together last.
    where = [*scope.where, *where]
    sql = f"SELECT {'DISTINCT ' if query.distinct and not statement.repeats_roots else ''}"
    sql += ", ".join(f"{each.sql} AS c{number}" for number, each in enumerate(statement.columns))
    sql += f" FROM {' '.join(scope.joins)}"
    sql += f" WHERE {' AND '.join(where)}" if where else ""
    sql += f" GROUP BY {', '.join(group)}" if group else ""
    sql += f" HAVING {having}" if having else ""
    sql += f" ORDER BY {', '.join(order)}" if order else ""
    if (limit is not None or offset) and not statement.repeats_roots:
        sql += f" LIMIT {context.bind(-1 if limit is None else limit)} OFFSET {context.bind(offset or 0)}"
        statement.limit_applied = True
    statement.sql = sql
    statement.bound = {**context.bound, **context.read_filter.parameters}
    return statement


def _select(context: Context, scope: Scope, statement: Statement, item: syntax.SelectItem) -> Selected | SelectedMap:
    if isinstance(item.expression, syntax.NewMap):
        return SelectedMap(item.alias, tuple(_select(context, scope, statement, each) for each in item.expression.items))
    term = translate(context, scope, item.expression)
    if term.kind == "collection":
        term = _join_selected(context, scope, term)
    if term.kind == "list":
        raise HqlError("A list cannot be selected.")
    statement.columns.append(term)
    selected = Selected(item.alias, len(statement.columns) - 1)
    if term.unit_sql is not None:
        statement.columns.append(Term(term.unit_sql, "string"))
    return selected


def _join_selected(context: Context, scope: Scope, term: Term) -> Term:
    """``select image.rois from …`` joins the collection and selects its elements."""
    if term.collection is None or term.collection.inverse is None:
        raise HqlError("This collection cannot be selected.")
    entity, alias = term.collection.type, context.new_alias()
    on = [f"{alias}.c_{term.collection.inverse} = {term.owner}.id", *context.conditions(entity, alias)]
    scope.add_join(f"JOIN {table(entity)} {alias} ON {' AND '.join(on)}")
    return Term(f"{alias}.id", "entity", entity=entity)


def _add_fetches(context: Context, scope: Scope, statement: Statement, fetches: list[Fetch]) -> None:
    for each in fetches:
        alias = scope.aliases[each.alias]
        base = resolve(context, scope, each.base)
        if base.kind != "entity" or alias.entity is None:
            raise HqlError(f"cannot fetch into {each.base}")
        statement.columns.append(base)
        statement.columns.append(Term(f"{alias.sql}.id", "entity", entity=alias.entity))
        last = len(statement.columns) - 1
        statement.fetched.append(Fetched(last - 1, last, each.relation))
        statement.repeats_roots |= each.is_collection


def _order(context: Context, scope: Scope, statement: Statement, query: syntax.Query) -> list[str]:
    names = {
        each.name: statement.columns[each.column].sql
        for each in statement.shape
        if isinstance(each, Selected) and each.name is not None
    }
    order: list[str] = []
    for item in query.order_by:
        sql = None
        if isinstance(item.expression, syntax.Path):
            name = str(item.expression)
            generated = _GENERATED_NAME.fullmatch(name)
            if name in names:
                sql = names[name]
            elif generated and int(generated[1]) < len(statement.columns):
                sql = statement.columns[int(generated[1])].sql
        if sql is None:
            term = translate(context, scope, item.expression)
            if term.kind in ("collection", "list"):
                raise HqlError("A collection cannot be sorted by.")
            sql = term.sql
        # As PostgreSQL sorts: empty values are the largest.
        order.append(f"{sql} DESC NULLS FIRST" if item.descending else f"{sql} ASC NULLS LAST")
    return order
