# SPDX-License-Identifier: AGPL-3.0-or-later
"""Resolves dotted paths (``ws.well.plate.name``, ``image.details.owner.id``) to SQL.

Every step through a reference joins the table it leads to *with its read filter*; even ``link.child.id``, which is a column of
the link itself, is null where the child may not be seen. Only references to system types (owner, group, enumerations, …) are
taken as they are.
"""

from __future__ import annotations

from omero_sandbox.model.reflection import ENTITIES, Field, FieldKind
from omero_sandbox.query.context import Context, Scope, Term
from omero_sandbox.query.errors import HqlError
from omero_sandbox.query.syntax import Path
from omero_sandbox.store.schema import DETAIL_COLUMNS, column, table, unit_column

__all__ = ["resolve"]


def resolve(context: Context, scope: Scope, path: Path) -> Term:
    """Translate a path.

    Raises:
        HqlError: no such alias or property.
    """
    found = scope.find(path.parts[0])
    if found is not None:
        owner_scope, alias = found
        if alias.entity is None:
            return _pair(alias.sql, path)
        return _walk(context, owner_scope, alias.sql, alias.entity, list(path.parts[1:]), path)
    if path.parts[-1] in ENTITIES:
        return Term(context.bind(path.parts[-1]), "class")
    if len(path.parts) == 1 and path.parts[0].endswith("_index"):
        # Clients order by the column behind an ordered collection, e.g. "order by pixels_index".
        first = next(iter(scope.aliases.values()))
        return Term(f"{first.sql}.idx", "int")
    for alias in scope.aliases.values():
        if alias.entity is not None and _has_property(alias.entity, path.parts[0]):
            return _walk(context, scope, alias.sql, alias.entity, list(path.parts), path)
    raise HqlError(f"Invalid path: '{path}'")


def _has_property(entity: str, name: str) -> bool:
    return name in ("id", "details", "version", "class") or ENTITIES[entity].find_field(name) is not None


def _pair(alias: str, path: Path) -> Term:
    """``pair.name`` and ``pair.value`` of a joined name/value list."""
    if len(path.parts) > 2 or (len(path.parts) == 2 and path.parts[1] not in ("name", "value")):
        raise HqlError(f"could not resolve property: {path}")
    position = 0 if path.parts[-1] == "name" and len(path.parts) == 2 else 1
    return Term(f"json_extract({alias}.value, '$[{position}]')", "string")


def _walk(context: Context, scope: Scope, alias: str, entity: str, parts: list[str], path: Path) -> Term:
    while parts:
        name, parts = parts[0], parts[1:]
        if name == "details":
            step = _details(context, scope, alias, entity, parts, path)
            parts = parts[1:]
        elif name in ("id", "class", "version"):
            sql = {"id": f"{alias}.id", "class": f"{alias}.dtype", "version": f"{alias}.version"}[name]
            step = Term(sql, {"id": "long", "class": "class", "version": "int"}[name])
        else:
            step = _property(context, scope, alias, entity, name, parts, path)
            if step.kind in ("double", "string") and parts and step.unit_type:
                return step
        if not parts:
            return step
        if step.kind == "collection":
            alias, entity = _join_collection(context, scope, step)
        elif step.kind == "entity" and step.entity is not None:
            if parts == ["id"] and ENTITIES[step.entity].is_system and not _has_filter(context, step.entity):
                return Term(step.sql, "long")
            alias, entity = _follow(context, scope, step)
        else:
            raise HqlError(f"could not resolve property: {parts[0]} of: {path}")
    return Term(f"{alias}.id", "entity", entity=entity)


def _has_filter(context: Context, entity: str) -> bool:
    return context.read_filter.condition(entity, "t") is not None


def _reference(context: Context, scope: Scope, alias: str, name: str, entity: str) -> Term:
    """A reference as a value: its id, or null where the caller may not see what it points at."""
    sql = f"{alias}.{name}"
    if _has_filter(context, entity):
        sql = f"{context.implicit_join(scope, alias, name, entity)}.id"
    return Term(sql, "entity", entity=entity, owner=f"{alias}.{name}")


def _follow(context: Context, scope: Scope, step: Term) -> tuple[str, str]:
    assert step.owner is not None
    assert step.entity is not None
    owner, name = step.owner.split(".")
    return context.implicit_join(scope, owner, name, step.entity), step.entity


def _details(context: Context, scope: Scope, alias: str, entity: str, parts: list[str], path: Path) -> Term:
    if not parts:
        return Term(f"{alias}.id", "entity", entity=entity)
    if parts[0] == "permissions":
        if entity == "ExperimenterGroup":
            return Term(f"{alias}.perms", "permissions")
        group = context.implicit_join(scope, alias, "group_id", "ExperimenterGroup")
        return Term(f"{group}.perms", "permissions")
    if parts[0] not in DETAIL_COLUMNS:
        raise HqlError(f"could not resolve property: {parts[0]} of: {path}")
    name, target = DETAIL_COLUMNS[parts[0]]
    return _reference(context, scope, alias, name, target)


def _property(context: Context, scope: Scope, alias: str, entity: str, name: str, rest: list[str], path: Path) -> Term:
    field = ENTITIES[entity].find_field(name)
    if field is None:
        raise HqlError(f"could not resolve property: {name} of: {entity} ({path})")
    if field.kind is FieldKind.REFERENCE:
        return _reference(context, scope, alias, column(field), field.type)
    if field.kind is FieldKind.COLLECTION:
        return Term("", "collection", entity=field.type, owner=alias, collection=field)
    sql = f"{alias}.{column(field)}"
    if field.kind is FieldKind.UNIT:
        unit_sql = f"{alias}.{unit_column(field)}"
        if rest == ["value"]:
            return Term(sql, "double", unit_type=field.type)
        if rest == ["unit"]:
            return Term(unit_sql, "string", unit_type=field.type)
        return Term(sql, "unit", unit_sql=unit_sql, unit_type=field.type)
    kinds = {
        FieldKind.SCALAR: field.type,
        FieldKind.NAMED_VALUES: "named values",
        FieldKind.STRINGS: "strings",
        FieldKind.BYTES: "bytes",
    }
    return Term(sql, kinds[field.kind])


def _join_collection(context: Context, scope: Scope, step: Term) -> tuple[str, str]:
    """Walk on from a collection (old HQL): joins its elements, so that rows multiply."""
    field = _known(step.collection)
    key = (str(step.owner), f"collection {field.name}")
    if key not in scope.implicit:
        alias = context.new_alias()
        on = [f"{alias}.c_{field.inverse} = {step.owner}.id", *context.conditions(field.type, alias)]
        scope.add_join(f"JOIN {table(field.type)} {alias} ON {' AND '.join(on)}")
        scope.implicit[key] = alias
    return scope.implicit[key], field.type


def _known(field: Field | None) -> Field:
    if field is None or field.inverse is None:
        raise HqlError("This collection cannot be queried.")
    return field
