# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs HQL for a caller: parse, translate, execute, load, connect."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import omero
import omero.model
from omero.rtypes import rbool, rlong, rmap, robject, rstring, rtype, wrap

from omero_sandbox.model.reflection import entity_named
from omero_sandbox.model.values import named_value_pairs, scalar, unit_map
from omero_sandbox.query.context import Context, Term
from omero_sandbox.query.errors import HqlError
from omero_sandbox.query.parameters import named_values, page
from omero_sandbox.query.parser import parse
from omero_sandbox.query.translation import Selected, SelectedMap, Statement, translate_query
from omero_sandbox.security.caller import Caller
from omero_sandbox.security.read_filter import ReadFilter
from omero_sandbox.store.loading import Loader, permissions_map

if TYPE_CHECKING:
    from omero_sandbox.store.database import Database

__all__ = ["execute_query", "load_objects"]

_SCALARS = frozenset({"string", "int", "long", "double", "float", "bool", "time"})
_PERMISSION_FLAGS = (
    "isUserRead",
    "isUserWrite",
    "isGroupRead",
    "isGroupWrite",
    "isGroupAnnotate",
    "isWorldRead",
    "isWorldWrite",
)


def execute_query(database: Database, hql: str, parameters: Any, caller: Caller, projection: bool = False) -> list[Any]:
    """Run a query and return what the caller may see of its result.

    Args:
        database: the store.
        hql: the query.
        parameters: ``omero.sys.Parameters`` or None; its filter's limit and offset are honoured.
        caller: who asks.
        projection: return rows of RTypes (``IQuery.projection``) instead of objects (``findAllByQuery``).

    Raises:
        omero.QueryException: the query is not understood, names what does not exist, or lacks a parameter.
    """
    with database.transaction():
        read_filter = ReadFilter(database, caller)
        try:
            limit, offset = page(parameters)
            context = Context(read_filter, named_values(parameters))
            statement = translate_query(context, parse(hql), limit, offset)
            rows = database.query_rows(statement.sql, statement.bound)
        except HqlError as error:
            raise _query_exception(str(error), hql) from error
        except (sqlite3.Error, OverflowError) as error:
            raise _query_exception(f"The query cannot be run: {error}", hql) from error
        except RecursionError as error:
            raise _query_exception("The query is nested too deeply.", hql) from error
        loader = _load(database, caller, read_filter, statement, rows)
        if projection:
            results: list[Any] = _project(loader, statement, rows)
        else:
            results = _objects(loader, statement, rows, hql)
    if not statement.limit_applied and (limit is not None or offset):
        start = offset or 0
        results = results[start : None if limit is None else start + limit]
    return results


def load_objects(database: Database, entity: str, ids: Iterable[int], caller: Caller) -> list[Any]:
    """The readable objects of one entity in the order of `ids`; those that do not exist or may not be seen are left out.

    Raises:
        omero.ApiUsageException: no such entity.
    """
    found = entity_named(entity)
    if found is None:
        raise omero.ApiUsageException("", "ApiUsageException", f"Unknown type: {entity}")
    with database.transaction():
        return Loader(database, caller).load(found.name, ids)


def _query_exception(message: str, hql: str) -> omero.QueryException:
    return omero.QueryException("", "org.hibernate.hql.ast.QuerySyntaxException", f"{message} [{hql}]")


def _load(
    database: Database, caller: Caller, read_filter: ReadFilter, statement: Statement, rows: list[tuple[Any, ...]]
) -> Loader:
    """Load every object the rows name and connect what was fetched."""
    loader = Loader(database, caller, read_filter)
    for number, column in enumerate(statement.columns):
        if column.kind == "entity" and column.entity is not None:
            loader.want(column.entity, (row[number] for row in rows))
    loader.read()
    for fetched in statement.fetched:
        base_entity = statement.columns[fetched.base_column].entity
        child_entity = statement.columns[fetched.child_column].entity
        assert base_entity is not None
        assert child_entity is not None
        for row in rows:
            base = loader.get(base_entity, row[fetched.base_column])
            if base is not None:
                loader.connect(base, fetched.relation, loader.get(child_entity, row[fetched.child_column]))
    loader.share_details()
    return loader


def _objects(loader: Loader, statement: Statement, rows: list[tuple[Any, ...]], hql: str) -> list[Any]:
    root = statement.columns[0]
    if root.kind != "entity" or root.entity is None or statement.as_map:
        raise _query_exception("This query selects values, not objects; use projection", hql)
    unique = statement.distinct or statement.repeats_roots
    results: list[Any] = []
    seen: set[int] = set()
    for row in rows:
        if row[0] is None or (unique and row[0] in seen):
            continue
        seen.add(row[0])
        found = loader.get(root.entity, row[0])
        if found is not None:
            results.append(found)
    return results


def _project(loader: Loader, statement: Statement, rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    if statement.repeats_roots:
        rows = _one_row_per_selection(statement, rows)
    if statement.as_map:
        whole = SelectedMap(None, statement.shape)
        return [[_convert(loader, statement, whole, row)] for row in rows]
    return [[_convert(loader, statement, item, row) for item in statement.shape] for row in rows]


def _one_row_per_selection(statement: Statement, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Fetched collections repeat rows that are the same in all selected columns."""
    first = min((min(each.base_column, each.child_column) for each in statement.fetched), default=None)
    return list({row[:first]: row for row in rows}.values())


def _convert(loader: Loader, statement: Statement, item: Selected | SelectedMap, row: tuple[Any, ...]) -> Any:
    if isinstance(item, SelectedMap):
        pairs = ((each.name or str(number), each) for number, each in enumerate(item.items))
        return rmap({name: _convert(loader, statement, each, row) for name, each in pairs})
    column, value = statement.columns[item.column], row[item.column]
    if value is None:
        return None
    if column.kind == "entity" and column.entity is not None:
        found = loader.get(column.entity, value)
        if found is None:
            return None
        wants_permissions = item.name is not None and item.name.endswith("_details_permissions")
        return permissions_map(found._details._permissions) if wants_permissions else robject(found)
    if column.kind == "unit" and column.unit_type is not None:
        return unit_map(column.unit_type, value, row[item.column + 1])
    return _convert_value(column, value)


def _convert_value(column: Term, value: Any) -> Any:
    if column.kind in _SCALARS:
        return scalar(column.kind, value)
    if column.kind == "permissions":
        permissions = omero.model.PermissionsI(value)
        flags = {flag: rbool(getattr(permissions, flag)()) for flag in _PERMISSION_FLAGS}
        return rmap({"perm": rstring(str(permissions)), **flags})
    if column.kind == "named values":
        return wrap(named_value_pairs(value))
    if isinstance(value, int):
        return rlong(value)
    return rtype(value)
