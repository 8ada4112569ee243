# SPDX-License-Identifier: AGPL-3.0-or-later
"""Walks the object graph that a client sends: what of it is new, what exists already, and in which order it came."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import omero

from omero_sandbox.model.reflection import ENTITIES, Entity, Field, FieldKind, entity_of

__all__ = ["ORDERED_BY", "collect", "object_id"]

MAX_OBJECTS = 200_000
"""The largest graph accepted in one call."""

ORDERED_BY: dict[str, Field] = {
    element: ENTITIES[element].fields[field.inverse]
    for entity in ENTITIES.values()
    for field in entity.own.values()
    if field.kind is FieldKind.COLLECTION and field.ordered and field.inverse
    for element in ENTITIES[field.type].family
}
"""Entity -> the reference to the owner of the ordered collection it is kept in (``WellSample`` -> ``well``)."""


def object_id(instance: Any) -> int | None:
    """The id of an Ice object, or None of a new one."""
    return None if instance._id is None else int(instance._id.val)


def _neighbours(instance: Any, entity: Entity) -> Iterable[Any]:
    """The objects an instance refers to, then those in its loaded collections."""
    for field in entity.fields.values():
        if field.kind is FieldKind.REFERENCE:
            yield getattr(instance, field.attribute)
    details = getattr(instance, "_details", None)
    if details is not None:
        yield details._externalInfo
    for field in entity.fields.values():
        if field.kind is FieldKind.COLLECTION and getattr(instance, field.loaded_attribute, False):
            for element in getattr(instance, field.attribute) or []:
                if element is not None:
                    _point_back(element, field, instance)
                    yield element


def _point_back(element: Any, collection: Field, owner: Any) -> None:
    """A new element of a collection belongs to its owner even where the client did not say so on the element."""
    if collection.inverse and element._loaded and element._id is None:
        inverse = ENTITIES[collection.type].fields[collection.inverse]
        if getattr(element, inverse.attribute) is None:
            setattr(element, inverse.attribute, owner)


def collect(objects: Iterable[Any]) -> list[tuple[Any, Entity]]:
    """Every loaded object that can be reached, each once, in the order of the walk.

    Unloaded objects only name what exists; they are not part of the result.

    Raises:
        omero.ApiUsageException: something is not an OMERO object, a new object is unloaded, or there are too many.
    """
    found: dict[int, tuple[Any, Entity]] = {}
    waiting = deque(objects)
    while waiting:
        instance = waiting.popleft()
        if instance is None or id(instance) in found:
            continue
        entity = entity_of(instance)
        if not instance._loaded:
            if instance._id is None:
                raise omero.ApiUsageException("", "ApiUsageException", f"An unloaded {entity.name} needs an id.")
            continue
        found[id(instance)] = (instance, entity)
        if len(found) > MAX_OBJECTS:
            raise omero.ApiUsageException("", "ApiUsageException", f"More than {MAX_OBJECTS} objects in one call.")
        waiting.extend(_neighbours(instance, entity))
    return list(found.values())
