# SPDX-License-Identifier: AGPL-3.0-or-later
"""Results of queries as plain, comparable Python values: everything that a client would be sent."""

from __future__ import annotations

from typing import Any

import omero

from omero_sandbox.model.reflection import FieldKind, entity_of

__all__ = ["plain"]


def plain(value: Any, depth: int = 4) -> Any:
    """Turn RTypes and objects (with fetched relations, `depth` deep) into nested lists and dictionaries."""
    if isinstance(value, list):
        return [plain(each, depth) for each in value]
    if isinstance(value, omero.RMap):
        return {name: plain(each, depth) for name, each in value.val.items()}
    if isinstance(value, omero.RCollection):
        return [plain(each, depth) for each in value.val]
    if isinstance(value, omero.RObject):
        return plain(value.val, depth)
    if isinstance(value, omero.RType):
        return value.val
    if isinstance(value, omero.model.IObject):
        return _plain_object(value, depth)
    return value


def _plain_object(instance: Any, depth: int) -> Any:
    name = f"{type(instance).__name__}:{instance.id.val}"
    if not instance.isLoaded() or depth == 0:
        return name
    values: dict[str, Any] = {"": name}
    for field in entity_of(instance).fields.values():
        if field.kind is FieldKind.COLLECTION:
            if getattr(instance, field.loaded_attribute):
                values[field.name] = [plain(each, depth - 1) for each in getattr(instance, field.attribute)]
        elif field.kind is FieldKind.REFERENCE:
            values[field.name] = plain(getattr(instance, field.attribute), depth - 1)
        else:
            values[field.name] = str(plain(getattr(instance, field.attribute)))
    details = instance.details
    values["details"] = [details.owner and details.owner.id.val, details.group and details.group.id.val]
    values["restrictions"] = list(details.permissions._restrictions)
    return values
