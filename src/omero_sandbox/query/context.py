# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""What a translation carries along: names in scope, values to bind, and typed pieces of SQL.

Values never become part of the SQL text: `Context.bind` gives each a parameter.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from omero_sandbox.model.reflection import ENTITIES, Field
from omero_sandbox.query.errors import HqlError
from omero_sandbox.security.read_filter import ReadFilter
from omero_sandbox.store.schema import table

__all__ = ["Alias", "Context", "Scope", "Term"]

# Longer lists go to SQLite as one JSON value, so that no list can exceed its limit of parameters.
_LONGEST_PLAIN_LIST = 100
_MOST_JOINS = 60  # SQLite joins at most 64 tables


@dataclass(frozen=True)
class Term:
    """A piece of SQL and what it stands for.

    `kind` is a scalar type (``string``, ``int``, ``long``, ``double``, ``float``, ``bool``, ``time``), or one of ``entity``
    (the SQL is an id), ``class`` (a class name), ``unit``, ``permissions``, ``named values``, ``strings``, ``bytes``,
    ``collection`` (no SQL of its own), ``list``; None where it is not known.
    """

    sql: str
    kind: str | None
    entity: str | None = None
    unit_sql: str | None = None
    unit_type: str | None = None
    owner: str | None = None  # of collections: the SQL alias that holds it
    collection: Field | None = None


@dataclass(frozen=True)
class Alias:
    """A name of the query: its SQL alias and entity (None for the pairs of a name/value list)."""

    sql: str
    entity: str | None


@dataclass
class Scope:
    """The names and joins of one (sub)query."""

    parent: Scope | None = None
    aliases: dict[str, Alias] = field(default_factory=dict)
    joins: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    implicit: dict[tuple[str, str], str] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Scope, Alias] | None:
        """The innermost definition of a name and the scope it belongs to."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.aliases:
                return scope, scope.aliases[name]
            scope = scope.parent
        return None

    def define(self, name: str, alias: Alias) -> None:
        """Give a name a meaning; a name may be used once per query."""
        if name in self.aliases:
            raise HqlError(f"Duplicate definition of alias '{name}'")
        self.aliases[name] = alias

    def add_join(self, sql: str) -> None:
        """Append a table to the FROM clause."""
        if len(self.joins) >= _MOST_JOINS:
            raise HqlError(f"The query joins more than {_MOST_JOINS} tables.")
        self.joins.append(sql)


class Context:
    """The state of one translation: the caller's read filter, the query's parameters and the values bound so far."""

    def __init__(self, read_filter: ReadFilter, parameters: dict[str, Any]) -> None:
        self.read_filter = read_filter
        self.bound: dict[str, Any] = {}
        self._parameters = parameters
        self._aliases = 0

    def new_alias(self) -> str:
        """A SQL alias not used before."""
        self._aliases += 1
        return f"t{self._aliases}"

    def bind(self, value: Any) -> str:
        """Bind one value and return the parameter that stands for it."""
        if isinstance(value, bool):
            value = int(value)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise HqlError("A number is out of range.")
        name = f"p{len(self.bound)}"
        self.bound[name] = value
        return f":{name}"

    def bind_list(self, values: Sequence[Any]) -> str:
        """Bind a list and return what may follow ``IN``, without the parentheses."""
        if len(values) <= _LONGEST_PLAIN_LIST:
            return ",".join(self.bind(each) for each in values)
        return f"SELECT value FROM json_each({self.bind(json.dumps(list(values)))})"

    def parameter(self, name: str) -> Any:
        """The value that the caller of the query gave a parameter."""
        if not name:
            raise HqlError("Positional parameters are not supported; use named ones.")
        if name not in self._parameters:
            raise HqlError(f"Not all named parameters have been set: [{name}]")
        return self._parameters[name]

    def conditions(self, entity: str, alias: str) -> list[str]:
        """What holds for every row of a table alias: it is of the right class, and the caller may see it."""
        conditions = []
        described = ENTITIES[entity]
        if described.root != entity:
            names = ",".join(f"'{name}'" for name in sorted(described.family))  # names of classes, not values
            conditions.append(f"{alias}.dtype IN ({names})")
        visible = self.read_filter.condition(entity, alias)
        if visible:
            conditions.append(visible)
        return conditions

    def implicit_join(self, scope: Scope, owner: str, column: str, entity: str) -> str:
        """Join what a reference points at, once per scope, and return its alias. Invisible objects join as nulls."""
        key = (owner, column)
        if key not in scope.implicit:
            alias = self.new_alias()
            on = " AND ".join([f"{alias}.id = {owner}.{column}", *self.conditions(entity, alias)])
            scope.add_join(f"LEFT JOIN {table(entity)} {alias} ON {on}")
            scope.implicit[key] = alias
        return scope.implicit[key]
