# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""Turns rows into Ice objects.

A `Loader` collects the ids that a result needs, reads each table once (through the read filter, whatever the query did
before), and then connects the objects where the query fetched a relation. References that were not fetched become *unloaded*
proxies: class and id only, as OMERO sends them; references to what the caller may not see are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import omero.model
from omero.rtypes import rbool, rint, rlong, rmap, rstring

from omero_sandbox.model.reflection import ENTITIES, Entity, Field, FieldKind
from omero_sandbox.model.values import decode
from omero_sandbox.security.caller import Caller
from omero_sandbox.security.permissions import rights_on
from omero_sandbox.security.read_filter import ReadFilter
from omero_sandbox.store.schema import DETAIL_COLUMNS, column, table, unit_column

if TYPE_CHECKING:
    from omero_sandbox.store.database import Database

__all__ = ["Loader", "permissions_map"]

_CHUNK = 500
# The permissions shown on objects that belong to no group.
_SYSTEM_PERMISSIONS = omero.model.PermissionsI("rwr-r-")._perm1


class Loader:
    """Loads the objects of one result for one caller; every object is made once, however often it occurs."""

    def __init__(self, database: Database, caller: Caller, read_filter: ReadFilter | None = None) -> None:
        self._database = database
        self._caller = caller
        self._filter = read_filter or ReadFilter(database, caller)
        self._objects: dict[tuple[str, int], Any] = {}
        self._wanted: dict[str, set[int]] = {}
        self._permissions: dict[int, int] = {}
        self._concrete: dict[tuple[str, int], str] = {}
        self._member_ids: dict[tuple[int, str], set[int]] = {}

    def want(self, entity: str, ids: Iterable[int | None]) -> None:
        """Note objects to read with the next `read`."""
        root = ENTITIES[entity].root
        wanted = self._wanted.setdefault(root, set())
        wanted.update(each for each in ids if each is not None and (root, each) not in self._objects)

    def read(self) -> None:
        """Read everything noted; what the caller may not see stays unknown."""
        wanted, self._wanted = self._wanted, {}
        for root, ids in wanted.items():
            records = [record for part in _chunks(sorted(ids)) for record in self._select("t.*", root, part)]
            self._note_references(records)
            for record in records:
                self._objects[(root, record["id"])] = self._build(record)

    def get(self, entity: str, object_id: int | None) -> Any:
        """A loaded object, or None where it does not exist or may not be seen."""
        return None if object_id is None else self._objects.get((ENTITIES[entity].root, object_id))

    def load(self, entity: str, ids: Iterable[int]) -> list[Any]:
        """The readable objects of one entity, in the order of `ids`."""
        ordered = list(dict.fromkeys(ids))
        self.want(entity, ordered)
        self.read()
        family = ENTITIES[entity].family
        found = (self.get(entity, each) for each in ordered)
        return [each for each in found if each is not None and type(each).__name__[:-1] in family]

    def _select(self, columns: str, root: str, ids: Sequence[int]) -> list[dict[str, Any]]:
        condition = self._filter.condition(root, "t")
        names = {f"id{number}": each for number, each in enumerate(ids)}
        sql = f"SELECT {columns} FROM {table(root)} t WHERE t.id IN ({','.join(':' + name for name in names)})"
        if condition:
            sql += f" AND {condition}"
        return self._database.records(sql, {**self._filter.parameters, **names})

    def _note_references(self, records: list[dict[str, Any]]) -> None:
        """Look up, in one query per entity, which references the caller may see and of which concrete class they are."""
        needed: dict[str, set[int]] = {}
        for record in records:
            for field in ENTITIES[record["dtype"]].stored_fields():
                value = record[column(field)] if field.kind is FieldKind.REFERENCE else None
                if value is not None and not self._is_plain(field.type):
                    root = ENTITIES[field.type].root
                    if (root, value) not in self._concrete:
                        needed.setdefault(root, set()).add(value)
        for root, ids in needed.items():
            for part in _chunks(sorted(ids)):
                rows = self._select("t.id, t.dtype", root, part)
                self._concrete.update({(root, row["id"]): row["dtype"] for row in rows})

    def _is_plain(self, entity: str) -> bool:
        """Whether a reference tells its class by itself and needs no look at what the caller may see."""
        described = ENTITIES[entity]
        return not ENTITIES[described.root].subclasses and self._filter.condition(entity, "t") is None

    def _proxy(self, entity: str, object_id: int) -> Any:
        """An unloaded object, or None where the caller may not see it."""
        if self._is_plain(entity):
            return ENTITIES[entity].implementation(object_id, False)
        concrete = self._concrete.get((ENTITIES[entity].root, object_id))
        return ENTITIES[concrete].implementation(object_id, False) if concrete else None

    def _build(self, record: dict[str, Any]) -> Any:
        entity = ENTITIES[record["dtype"]]
        instance = entity.new()
        instance._id = rlong(record["id"])
        instance._loaded = True
        if entity.is_versioned:
            instance._version = rint(record["version"])
        for field in entity.fields.values():
            self._set_field(instance, field, record)
        instance._details = self.details(entity, record)
        return instance

    def _set_field(self, instance: Any, field: Field, record: dict[str, Any]) -> None:
        if field.kind is FieldKind.COLLECTION:
            setattr(instance, field.attribute, [])
            setattr(instance, field.loaded_attribute, False)
            return
        value = record[column(field)]
        if field.kind is FieldKind.REFERENCE:
            setattr(instance, field.attribute, None if value is None else self._proxy(field.type, value))
            return
        unit = record[unit_column(field)] if field.kind is FieldKind.UNIT else None
        setattr(instance, field.attribute, decode(field, value, unit))

    def details(self, entity: Entity, record: dict[str, Any]) -> Any:
        """The ``details`` of a row: owner, group, events (unloaded) and the caller's permissions on it."""
        details = omero.model.DetailsI()
        for part, (name, target) in DETAIL_COLUMNS.items():
            value = record[name]
            setattr(details, f"_{part}", None if value is None else ENTITIES[target].implementation(value, False))
        details._permissions = self.permissions(entity, record)
        return details

    def permissions(self, entity: Entity, record: dict[str, Any]) -> Any:
        """OMERO's permissions object: those of the group, with what this caller may not do as restrictions."""
        group_id, owner_id = record["group_id"], record["owner_id"]
        if entity.name == "ExperimenterGroup":
            bits = record["perms"]
        else:
            bits = _SYSTEM_PERMISSIONS if group_id is None else self._group_permissions(group_id)
        permissions = omero.model.PermissionsI(bits)
        rights = rights_on(self._caller, owner_id, group_id, bits, entity=entity.name)
        permissions._restrictions = rights.restrictions()
        permissions._extendedRestrictions = []
        return permissions

    def _group_permissions(self, group_id: int) -> int:
        if group_id not in self._permissions:
            self._permissions[group_id] = self._database.group_permissions(group_id)
        return self._permissions[group_id]

    def connect(self, parent: Any, field: Field | str, child: Any) -> None:
        """Put a fetched object where its parent holds it: a reference, a collection, or a part of ``details`` (by name)."""
        if isinstance(field, str):
            setattr(parent._details, f"_{field}", child)
        elif field.kind is FieldKind.REFERENCE:
            setattr(parent, field.attribute, child)
        else:
            if not getattr(parent, field.loaded_attribute):
                setattr(parent, field.loaded_attribute, True)
                setattr(parent, field.attribute, [])
            if child is not None:
                members = self._members(parent, field)
                if child._id.val not in members:
                    members.add(child._id.val)
                    getattr(parent, field.attribute).append(child)

    def share_details(self) -> None:
        """Let owners, groups and events that the result holds anywhere be the same objects in all ``details``.

        As in a Hibernate session, where an entity exists once: OMERO.web fetches the owner of an annotation link and then reads
        the name of the annotation's owner.
        """
        for instance in self._objects.values():
            for part, (_, target) in DETAIL_COLUMNS.items():
                reference = getattr(instance._details, f"_{part}")
                if reference is not None and not reference._loaded:
                    loaded = self.get(target, reference._id.val)
                    if loaded is not None:
                        setattr(instance._details, f"_{part}", loaded)

    def _members(self, parent: Any, field: Field) -> set[int]:
        """Ids already in a collection; a list search would make large fetches quadratic."""
        return self._member_ids.setdefault((id(parent), field.name), set())


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def permissions_map(permissions: Any) -> Any:
    """A permissions object as the map that projections return for ``… as x_details_permissions``."""
    flags = (
        "canAnnotate",
        "canChgrp",
        "canChown",
        "canDelete",
        "canEdit",
        "canLink",
        "isGroupAnnotate",
        "isGroupRead",
        "isGroupWrite",
        "isUserRead",
        "isUserWrite",
        "isWorldRead",
        "isWorldWrite",
    )
    return rmap({"perm": rstring(str(permissions)), **{flag: rbool(getattr(permissions, flag)()) for flag in flags}})
