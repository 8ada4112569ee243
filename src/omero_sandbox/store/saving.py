# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""Stores object graphs: what `IUpdate` does.

A graph may mix new objects, changed ones, unchanged ones and unloaded references. New objects get a row each; of existing
ones only what differs from the stored row is written, and only then are rights needed. Rights are checked on every object
that changes and on every object that something new is attached to. Owner and group come from the caller and her group
context; a client cannot change them here (that is `Chgrp2` and `Chown2`). Elements that are missing from a collection are
left alone: a client often has not all of it, and removing is what `Delete2` is for.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import omero.model
from omero.rtypes import rint, rlong

from omero_sandbox.model.reflection import ENTITIES, ENUMERATIONS, Entity, Field, FieldKind, entity_of
from omero_sandbox.model.values import encode
from omero_sandbox.security.caller import ALL_GROUPS, Caller
from omero_sandbox.security.read_filter import ReadFilter
from omero_sandbox.security.refusals import invalid, not_readable, outdated, refused, wrong_use
from omero_sandbox.security.saving_rules import (
    Stored,
    check_change,
    check_creation,
    check_reference,
    check_system_values,
)
from omero_sandbox.store.graph import ORDERED_BY, collect, object_id
from omero_sandbox.store.grouping import groups_of_connected, named_group
from omero_sandbox.store.loading import Loader
from omero_sandbox.store.schema import column, table, unit_column

if TYPE_CHECKING:
    from omero_sandbox.store.database import Database

__all__ = ["save"]

_DEFAULT_GROUP_PERMISSIONS = "rw----"


@dataclass
class _Item:
    """One object of the graph and what is known of it."""

    instance: Any
    entity: Entity
    is_new: bool
    record: dict[str, Any] = field(default_factory=dict)  # the stored row, of existing objects
    stored: Stored | None = None

    def known(self) -> Stored:
        assert self.stored is not None
        return self.stored


def save(database: Database, objects: list[Any], caller: Caller) -> list[Any]:
    """Store a list of object graphs, all or nothing, and return the same objects with ids, versions and details filled in.

    Raises:
        omero.SecurityViolation: something may not be created, changed, read or linked (nothing is stored then).
        omero.OptimisticLockException: an object was changed by someone else since it was read.
        omero.ValidationException: a required value is missing or a value has the wrong type.
        omero.ApiUsageException: not an OMERO object.
    """
    graph = collect(objects)
    saving = _Saving(database, caller)
    try:
        with database.transaction(write=True):
            saving.run(graph)
    except BaseException:
        saving.forget_ids()
        raise
    return objects


class _Saving:
    """One call of `save`."""

    def __init__(self, database: Database, caller: Caller) -> None:
        self._database = database
        self._caller = caller
        self._filter = ReadFilter(database, caller)
        self._items: dict[int, _Item] = {}
        self._stored: dict[tuple[str, int], Stored] = {}
        self._permissions: dict[int | None, int] = {}
        self._event: int | None = None

    def run(self, graph: list[tuple[Any, Entity]]) -> None:
        for instance, entity in graph:
            if entity.name in ENUMERATIONS and instance._id is None:
                self._identify_enumeration(instance, entity)
            item = _Item(instance, entity, is_new=instance._id is None)
            self._items[id(instance)] = item
            if not item.is_new:
                self._read(item)
        for item in self._items.values():
            if item.is_new:
                self._create(item)
        for item in self._items.values():
            self._write(item)
        self._refresh(self._items.values())

    def forget_ids(self) -> None:
        """Take the ids back from objects whose rows were rolled back."""
        for item in self._items.values():
            if item.is_new:
                item.instance._id = None

    # -- identifying

    def _identify_enumeration(self, instance: Any, entity: Entity) -> None:
        """An enumeration given by its value only stands for the entry of that value."""
        value = instance._value
        if value is not None:
            found = self._database.value(f"SELECT id FROM {table(entity.name)} WHERE c_value = ?", value.val)
            if found is not None:
                instance._id = rlong(found)

    def _group_permissions(self, group_id: int | None) -> int:
        if group_id not in self._permissions:
            self._permissions[group_id] = self._database.group_permissions(group_id)
        return self._permissions[group_id]

    def _readable_record(self, entity: Entity, wanted: int) -> dict[str, Any]:
        """The stored row of an object that the caller can see in this group context.

        Raises:
            omero.SecurityViolation: it does not exist or may not be seen.
        """
        condition = self._filter.condition(entity.name, "t")
        sql = f"SELECT t.* FROM {table(entity.name)} t WHERE t.id = :wanted{f' AND {condition}' if condition else ''}"
        found = self._database.records(sql, {**self._filter.parameters, "wanted": wanted})
        if not found or found[0]["dtype"] not in entity.family:
            raise not_readable(entity.name, wanted)
        return found[0]

    def _read(self, item: _Item) -> None:
        wanted = object_id(item.instance)
        assert wanted is not None
        item.record = self._readable_record(item.entity, wanted)
        item.stored = self._note(item.record)

    def _note(self, record: dict[str, Any]) -> Stored:
        group_id = record["group_id"]
        stored = Stored(record["dtype"], record["id"], record["owner_id"], group_id, self._group_permissions(group_id))
        self._stored[(ENTITIES[stored.entity].root, record["id"])] = stored
        return stored

    # -- creating

    def _current_event(self) -> int:
        """The event that all changes of this call belong to."""
        if self._event is None:
            caller = self._caller
            self._event = self._database.insert(
                "Event",
                time=int(time.time() * 1000),
                status="",
                experimenter=caller.user_id,
                experimenterGroup=caller.session_group_id if caller.group_id == ALL_GROUPS else caller.group_id,
                type=self._database.value("SELECT id FROM e_EventType WHERE c_value = 'User'"),
                session=caller.session_id,
            )
        return self._event

    def _create(self, item: _Item) -> None:
        entity = item.entity
        owner_id = group_id = None
        if not entity.is_system:
            owner_id, group_id = self._owner_of_new(item), self._group_of_new(item)
        new = Stored(entity.name, None, owner_id, group_id, self._group_permissions(group_id))
        check_creation(self._caller, new)
        event = self._current_event()
        row_id = self._database.insert(entity.name, owner_id=owner_id, group_id=group_id, creation_id=event, update_id=event)
        item.instance._id = rlong(row_id)
        item.stored = new
        self._stored[(entity.root, row_id)] = new

    def _owner_of_new(self, item: _Item) -> int:
        details = item.instance._details
        owner = None if details is None else details._owner
        wanted = None if owner is None else object_id(owner)
        return self._caller.user_id if wanted is None else wanted

    def _group_of_new(self, item: _Item) -> int:
        """The group context; in a call for all groups what the client says or the object's connections, else the session's."""
        caller, wanted = self._caller, named_group(item.instance)
        if caller.group_id != ALL_GROUPS:
            if wanted is not None and wanted != caller.group_id:
                raise refused(f"The group context is {caller.group_id}; {item.entity.name} cannot be stored in group {wanted}.")
            return caller.group_id
        if wanted is not None:
            return wanted
        return self._connected_groups.get(id(item.instance), caller.session_group_id)

    @cached_property
    def _connected_groups(self) -> dict[int, int]:
        new = [(item.instance, item.entity) for item in self._items.values() if item.is_new]
        return groups_of_connected(new, lambda reference, target: self._target(reference, target).group_id)

    # -- writing

    def _target(self, reference: Field, target: Any) -> Stored:
        """What a reference points at.

        Raises:
            omero.SecurityViolation: it does not exist, may not be seen, or is of another class.
        """
        entity = entity_of(target)
        wanted = object_id(target)
        if entity.name not in ENTITIES[reference.type].family:
            raise invalid(f"{reference.name} must be of type {reference.type}, not {entity.name}.")
        if wanted is None:
            raise invalid(f"{reference.name} refers to an object without id.")
        known = self._stored.get((entity.root, wanted))
        return known or self._note(self._readable_record(entity, wanted))

    def _values(self, item: _Item) -> dict[str, Any]:
        """What the object says should be stored, by column."""
        values: dict[str, Any] = {}
        for each in item.entity.stored_fields():
            given = getattr(item.instance, each.attribute, None)
            if each.kind is FieldKind.REFERENCE:
                values[column(each)] = self._reference_value(item, each, given)
                continue
            try:
                value, unit = encode(each, given)
            except (AttributeError, TypeError, ValueError, OverflowError) as error:
                raise invalid(f"{item.entity.name}.{each.name} has a value of the wrong type.") from error
            values[column(each)] = value
            if each.kind is FieldKind.UNIT:
                values[unit_column(each)] = unit
        return values

    def _reference_value(self, item: _Item, reference: Field, given: Any) -> int | None:
        before = item.record.get(column(reference))
        if given is None:
            return before if before is not None and not self._sees(reference, before) else None
        if entity_of(given).name not in ENTITIES[reference.type].family:
            raise invalid(f"{item.entity.name}.{reference.name} must be of type {reference.type}.")
        wanted = object_id(given)
        if wanted is None:
            raise invalid(f"{item.entity.name}.{reference.name} refers to an object without id.")
        return wanted

    def _sees(self, reference: Field, wanted: int) -> bool:
        """Whether the caller knew of a reference that she now sends as empty: what she cannot see was never sent to her."""
        entity = ENTITIES[reference.type]
        condition = self._filter.condition(entity.name, "t")
        if condition is None:
            return True
        sql = f"SELECT 1 FROM {table(entity.name)} t WHERE t.id = :wanted AND {condition}"
        return bool(self._database.named_rows(sql, {**self._filter.parameters, "wanted": wanted}))

    def _write(self, item: _Item) -> None:
        if not item.is_new and not item.entity.is_mutable:
            return  # enumerations and the like never change; clients send them along, often half filled
        values = self._values(item)
        self._add_details(item, values)
        if item.is_new:
            changed = values
        else:
            changed = {name: value for name, value in values.items() if item.record[name] != value}
            if not changed:
                return
            self._check_existing(item)
        self._check_required(item, values)
        self._check_references(item, changed)
        group_id = values.get("c_parent") if item.entity.name == "GroupExperimenterMap" else None
        check_system_values(self._caller, item.entity.name, {name.removeprefix("c_") for name in changed}, group_id)
        self._position(item, changed)
        self._update(item, changed)

    def _add_details(self, item: _Item, values: dict[str, Any]) -> None:
        details = item.instance._details
        if details is None:
            if item.is_new and item.entity.name == "ExperimenterGroup":
                values["perms"] = omero.model.PermissionsI(_DEFAULT_GROUP_PERMISSIONS)._perm1
            return
        if not item.is_new:
            self._refuse_new_details(item, details)
        if details._externalInfo is not None:
            values["external_id"] = object_id(details._externalInfo)
        if item.entity.name == "ExperimenterGroup":
            if details._permissions is not None:
                values["perms"] = details._permissions._perm1
            elif item.is_new:
                values["perms"] = omero.model.PermissionsI(_DEFAULT_GROUP_PERMISSIONS)._perm1

    def _refuse_new_details(self, item: _Item, details: Any) -> None:
        for part, name in ((details._owner, "owner_id"), (details._group, "group_id")):
            wanted = None if part is None else object_id(part)
            if wanted is not None and wanted != item.record[name]:
                what = "owner" if name == "owner_id" else "group"
                raise refused(f"The {what} of {item.known()} cannot be changed by saving it.")

    def _check_existing(self, item: _Item) -> None:
        check_change(self._caller, item.known())
        if not item.entity.is_versioned:
            return
        version = item.instance._version
        if version is None:
            raise wrong_use(f"{item.known()} has no version: load it before you change it.")
        if version.val != item.record["version"]:
            raise outdated(
                f"{item.known()} was changed meanwhile: you have version {version.val}, stored is {item.record['version']}."
            )

    def _check_required(self, item: _Item, values: dict[str, Any]) -> None:
        missing = [each.name for each in item.entity.stored_fields() if not each.nullable and values.get(column(each)) is None]
        if missing:
            raise invalid(f"{item.known()} needs values for: {', '.join(missing)}.")

    def _check_references(self, item: _Item, changed: dict[str, Any]) -> None:
        holder = item.known()
        for each in item.entity.stored_fields():
            if each.kind is FieldKind.REFERENCE and changed.get(column(each)) is not None:
                target = self._target(each, getattr(item.instance, each.attribute))
                check_reference(self._caller, holder, target)
        if changed.get("external_id") is not None:
            external = item.instance._details._externalInfo
            check_reference(self._caller, holder, self._target(_EXTERNAL_INFO, external))
        if item.entity.name == "OriginalFile" and changed.get("c_repo") is not None and not self._caller.is_full_admin:
            raise refused("The repository of a file cannot be set.")

    def _position(self, item: _Item, changed: dict[str, Any]) -> None:
        """Append to the ordered collection of a new owner."""
        owner = ORDERED_BY.get(item.entity.name)
        if owner is not None and changed.get(column(owner)) is not None:
            changed["idx"] = self._database.value(
                f"SELECT coalesce(max(idx), -1) + 1 FROM {table(item.entity.name)} WHERE {column(owner)} = ?",
                changed[column(owner)],
            )

    def _update(self, item: _Item, changed: dict[str, Any]) -> None:
        sets = [f"{name} = :{name}" for name in changed]
        values = {**changed, "row_id": object_id(item.instance)}
        if not item.is_new:
            sets += ["version = version + 1", "update_id = :row_event"]
            values["row_event"] = self._current_event()
        if sets:
            self._database.named_rows(f"UPDATE {table(item.entity.name)} SET {', '.join(sets)} WHERE id = :row_id", values)
        if item.entity.name == "ExperimenterGroup":
            self._permissions.clear()

    def _refresh(self, items: Iterable[_Item]) -> None:
        """Give the caller's objects their new version and details."""
        loader = Loader(self._database, self._caller, self._filter)
        for item in items:
            row_id = object_id(item.instance)
            sql = f"SELECT * FROM {table(item.entity.name)} WHERE id = ?"
            (record,) = self._database.records(sql, (row_id,))
            item.instance._details = loader.details(item.entity, record)
            if item.entity.is_versioned:
                item.instance._version = rint(record["version"])


_EXTERNAL_INFO = Field("externalInfo", FieldKind.REFERENCE, "ExternalInfo", "_externalInfo")
