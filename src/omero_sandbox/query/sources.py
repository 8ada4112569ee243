# SPDX-License-Identifier: AGPL-3.0-or-later
"""Translates the FROM clause: entities, joins, fetch joins, and the paths that subqueries select from.

Each table that a source adds carries its own read filter: in the ``ON`` of joins, in the ``WHERE`` of entities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from omero_sandbox.model.reflection import ENTITIES, Field
from omero_sandbox.query.context import Alias, Context, Scope
from omero_sandbox.query.errors import HqlError
from omero_sandbox.query.paths import resolve
from omero_sandbox.query.syntax import Expression, FromEntity, Join, Path
from omero_sandbox.store.schema import DETAIL_COLUMNS, table

__all__ = ["Fetch", "add_sources"]


@dataclass(frozen=True)
class Fetch:
    """A relation to load with the result: the object at `base` holds the objects of `alias` in `relation`.

    `relation` is a field, or the name of a part of ``details``.
    """

    base: Path
    alias: str
    relation: Field | str

    @property
    def is_collection(self) -> bool:
        """Whether fetching it repeats the rows of its owner."""
        return not isinstance(self.relation, str) and self.relation.inverse is not None


def add_sources(
    context: Context,
    scope: Scope,
    sources: Sequence[FromEntity | Join],
    condition: Callable[[Expression], str],
) -> list[Fetch]:
    """Add all sources of a query to its scope and return what is to be fetched.

    Args:
        condition: translates the condition of ``join … with`` in this scope.
    """
    fetches: list[Fetch] = []
    for source in sources:
        if isinstance(source, FromEntity):
            _add_entity(context, scope, source)
        else:
            fetch = _add_join(context, scope, source, condition)
            if fetch is not None:
                fetches.append(fetch)
    return fetches


def _add_entity(context: Context, scope: Scope, source: FromEntity) -> None:
    parts = source.source.parts
    joined = "JOIN " if scope.joins else ""
    alias = context.new_alias()
    if scope.find(parts[0]) is not None and len(parts) > 1:
        term = resolve(context, scope, source.source)  # from image.rois r, in a subquery
        if term.kind != "collection" or term.collection is None or term.entity is None:
            raise HqlError(f"{source.source} is not a collection")
        entity = term.entity
        scope.where.append(f"{alias}.c_{term.collection.inverse} = {term.owner}.id")
    else:
        entity = parts[-1]
        if entity not in ENTITIES:
            raise HqlError(f"{source.source} is not mapped")
    scope.add_join(f"{joined}{table(entity)} {alias}")
    scope.where.extend(context.conditions(entity, alias))
    scope.define(source.alias, Alias(alias, entity))


def _add_join(context: Context, scope: Scope, join: Join, condition: Callable[[Expression], str]) -> Fetch | None:
    parts = join.path.parts
    word = "LEFT JOIN" if join.outer else "JOIN"
    if len(parts) == 1 and parts[0] in ENTITIES:
        alias = context.new_alias()
        _finish(context, scope, join, Alias(alias, parts[0]), ["1"], condition)
        return None
    if parts[-1] == "details":  # join fetch image.details: always loaded
        if join.alias:
            base = scope.find(parts[0])
            if base is None or len(parts) != 2:
                raise HqlError(f"cannot join {join.path}")
            scope.define(join.alias, base[1])
        return None
    term = resolve(context, scope, join.path)
    alias = context.new_alias()
    if term.kind == "unit":  # join fetch pixels.physicalSizeX: stored in the row itself
        return None
    if term.kind == "named values":
        scope.add_join(f"{word} json_each(coalesce({term.sql}, '[]')) {alias}")
        scope.define(join.alias or alias, Alias(alias, None))
        return None
    if term.kind == "collection" and term.collection is not None and term.entity is not None:
        if term.collection.inverse is None:
            raise HqlError(f"cannot join {join.path}")
        on = [f"{alias}.c_{term.collection.inverse} = {term.owner}.id"]
    elif term.kind == "entity" and term.entity is not None:
        on = [f"{alias}.id = {term.sql}"]
    else:
        raise HqlError(f"cannot join {join.path}")
    _finish(context, scope, join, Alias(alias, term.entity), on, condition)
    return _fetch(scope, join, term.collection, alias) if join.fetch else None


def _finish(
    context: Context,
    scope: Scope,
    join: Join,
    alias: Alias,
    on: list[str],
    condition: Callable[[Expression], str],
) -> None:
    assert alias.entity is not None
    on = [*on, *context.conditions(alias.entity, alias.sql)]
    scope.define(join.alias or alias.sql, alias)
    if join.condition is not None:
        before = len(scope.joins)
        extra = condition(join.condition)
        if len(scope.joins) == before:
            on.append(f"({extra})")
        elif join.outer:
            raise HqlError("the condition of an outer join may use direct properties only")
        else:  # it follows references of the alias, whose tables come after this one
            scope.where.append(f"({extra})")
            waiting = scope.joins[before:]
            del scope.joins[before:]
            scope.add_join(f"JOIN {table(alias.entity)} {alias.sql} ON {' AND '.join(on)}")
            scope.joins.extend(waiting)
            return
    word = "LEFT JOIN" if join.outer else "JOIN"
    scope.add_join(f"{word} {table(alias.entity)} {alias.sql} ON {' AND '.join(on)}")


def _fetch(scope: Scope, join: Join, collection: Field | None, alias: str) -> Fetch:
    *base, last = join.path.parts
    name = join.alias or alias
    if base and base[-1] == "details" and last in DETAIL_COLUMNS:
        return Fetch(Path(tuple(base[:-1])), name, last)
    if collection is not None:
        return Fetch(Path(tuple(base)), name, collection)
    return Fetch(Path(tuple(base)), name, _reference_field(scope, base, last))


def _reference_field(scope: Scope, base: list[str], last: str) -> Field:
    """The reference that a path ends with, found by walking the model alone."""
    found = scope.find(base[0]) if base else None
    entity = found[1].entity if found else None
    steps = base[1:]
    while steps and entity is not None:
        step = steps.pop(0)
        if step == "details" and steps:
            entity = DETAIL_COLUMNS[steps.pop(0)][1]
        else:
            field = ENTITIES[entity].find_field(step)
            entity = field.type if field else None
    field = ENTITIES[entity].find_field(last) if entity else None
    if field is None:
        raise HqlError(f"cannot fetch {'.'.join([*base, last])}")
    return field
