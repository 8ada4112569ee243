# SPDX-License-Identifier: AGPL-3.0-or-later
"""Decides in which group new objects are stored when the call is made for *all* groups (``omero.group = -1``).

New objects that refer to one another must be in the same group. The group is the one that the client names on any of them,
else that of any existing object they refer to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from omero_sandbox.model.reflection import ENTITIES, Entity, Field, FieldKind
from omero_sandbox.security.caller import USER_GROUP

__all__ = ["groups_of_connected", "named_group"]


def named_group(instance: Any) -> int | None:
    """The group that a client wrote into the details of an object, if any."""
    group = None if instance._details is None else instance._details._group
    return None if group is None or group._id is None else int(group._id.val)


def groups_of_connected(
    new: Iterable[tuple[Any, Entity]], group_of_existing: Callable[[Field, Any], int | None]
) -> dict[int, int]:
    """Find the group of every new object that has one by connection.

    Args:
        new: the new objects with their entities.
        group_of_existing: the group of an existing object that a field refers to.

    Returns:
        Python identity of the object -> group id; objects that nothing decides for are missing.
    """
    objects = {id(instance): (instance, entity) for instance, entity in new if not entity.is_system}
    parent = {key: key for key in objects}

    def find(key: int) -> int:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    named: dict[int, int] = {}
    referred: dict[int, int] = {}
    for key, (instance, entity) in objects.items():
        for field in entity.stored_fields():
            target = getattr(instance, field.attribute) if field.kind is FieldKind.REFERENCE else None
            if target is not None and id(target) in objects:
                parent[find(key)] = find(id(target))
    for key, (instance, entity) in objects.items():
        name = named_group(instance)
        if name is not None:
            named.setdefault(find(key), name)
        for field in entity.stored_fields():
            if field.kind is not FieldKind.REFERENCE or ENTITIES[field.type].is_system:
                continue
            target = getattr(instance, field.attribute)
            if target is not None and id(target) not in objects and target._id is not None:
                group = group_of_existing(field, target)
                if group is not None and group != USER_GROUP:  # what is public may be referred to from any group
                    referred.setdefault(find(key), group)
    decided = {**referred, **named}
    return {key: decided[find(key)] for key in objects if find(key) in decided}
