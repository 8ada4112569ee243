# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tables of the sandbox, derived from the reflected model.

One table per inheritance tree, named after its root (``e_Image``; all annotations are in ``e_Annotation``). Columns:

* ``id``, ``dtype`` (the concrete class), ``version``;
* ``owner_id``, ``group_id``, ``creation_id``, ``update_id``, ``external_id``: the parts of ``details`` (system types have no
  owner and group);
* ``idx``: the position in the ordered collection that the row belongs to, if any;
* ``perms``: of groups only, the permissions (see `omero_sandbox.security.permissions`);
* ``c_<field>`` for every field except collections; a unit's name is beside its value in ``c_<field>_unit``. Where classes of
  one table have different fields of one name, ``c_<class>_<field>`` (``c_Laser_type``).

References are foreign keys, checked when a transaction commits, so nothing can ever dangle. Three small tables hold what is
not part of the model: ``password``, ``setting`` and ``sandbox`` (the version of this layout).
"""

from __future__ import annotations

from collections.abc import Iterator

from omero_sandbox.model.reflection import ENTITIES, Entity, Field, FieldKind

__all__ = ["DETAIL_COLUMNS", "SCHEMA_VERSION", "column", "columns_of_root", "create_statements", "table", "unit_column"]

SCHEMA_VERSION = 1

DETAIL_COLUMNS = {
    "owner": ("owner_id", "Experimenter"),
    "group": ("group_id", "ExperimenterGroup"),
    "creationEvent": ("creation_id", "Event"),
    "updateEvent": ("update_id", "Event"),
    "externalInfo": ("external_id", "ExternalInfo"),
}
"""Part of ``details`` -> (column, entity it refers to)."""

_AFFINITY = {
    "string": "TEXT",
    "int": "INTEGER",
    "long": "INTEGER",
    "bool": "INTEGER",
    "time": "INTEGER",
    "double": "REAL",
    "float": "REAL",
}


def table(entity: str) -> str:
    """The table that holds rows of `entity`."""
    return f"e_{ENTITIES[entity].root}"


def column(field: Field) -> str:
    """The column of a stored field."""
    return f"c_{field.qualifier}_{field.name}" if field.qualifier else f"c_{field.name}"


def unit_column(field: Field) -> str:
    """The column with the name of a measured value's unit, e.g. ``MICROMETER``."""
    return f"{column(field)}_unit"


def columns_of_root(root: str) -> dict[str, Field]:
    """All fields stored in the table of `root`, its own and those of every class that derives from it, by column."""
    fields: dict[str, Field] = {}
    for name in sorted(ENTITIES[root].family):
        fields.update({column(each): each for each in ENTITIES[name].stored_fields()})
    return fields


def _reference(entity: str) -> str:
    return f"INTEGER REFERENCES {table(entity)}(id) DEFERRABLE INITIALLY DEFERRED"


def _column_definitions(field: Field) -> Iterator[str]:
    if field.kind is FieldKind.REFERENCE:
        yield f"{column(field)} {_reference(field.type)}"
    elif field.kind is FieldKind.UNIT:
        yield f"{column(field)} REAL"
        yield f"{unit_column(field)} TEXT"
    elif field.kind is FieldKind.BYTES:
        yield f"{column(field)} BLOB"
    else:
        yield f"{column(field)} {_AFFINITY.get(field.type, 'TEXT')}"


def _create_table(root: Entity) -> Iterator[str]:
    fields = columns_of_root(root.name)
    definitions = ["id INTEGER PRIMARY KEY AUTOINCREMENT", "dtype TEXT NOT NULL", "version INTEGER NOT NULL DEFAULT 0"]
    definitions += [f"{name} {_reference(entity)}" for name, entity in DETAIL_COLUMNS.values()]
    definitions += ["idx INTEGER", "perms INTEGER"]
    for each in fields.values():
        definitions.extend(_column_definitions(each))
    yield f"CREATE TABLE {table(root.name)} ({', '.join(definitions)})"
    for each in fields.values():
        if each.kind is FieldKind.REFERENCE:
            yield f"CREATE INDEX ix_{root.name}_{column(each).removeprefix('c_')} ON {table(root.name)}({column(each)})"
    for name in ("owner_id", "group_id", "external_id"):
        yield f"CREATE INDEX ix_{root.name}_{name} ON {table(root.name)}({name})"


def create_statements() -> Iterator[str]:
    """Every statement that makes an empty database."""
    for name, entity in sorted(ENTITIES.items()):
        if entity.root == name:
            yield from _create_table(entity)
    yield "CREATE UNIQUE INDEX uq_Experimenter_omeName ON e_Experimenter(c_omeName)"
    yield "CREATE UNIQUE INDEX uq_ExperimenterGroup_name ON e_ExperimenterGroup(c_name)"
    yield "CREATE UNIQUE INDEX uq_GroupExperimenterMap ON e_GroupExperimenterMap(c_parent, c_child)"
    yield "CREATE UNIQUE INDEX uq_Session_uuid ON e_Session(c_uuid)"
    yield (
        "CREATE TABLE password (user_id INTEGER PRIMARY KEY REFERENCES e_Experimenter(id) ON DELETE CASCADE "
        "DEFERRABLE INITIALLY DEFERRED, hash TEXT NOT NULL)"
    )
    yield "CREATE TABLE setting (area TEXT NOT NULL, key TEXT NOT NULL, value TEXT, PRIMARY KEY (area, key))"
    yield "CREATE TABLE sandbox (schema_version INTEGER NOT NULL)"
