# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where an object lives and what the caller may do to it: the checks of services that reach past the query layer.

A client names the group once, when it hands in an id (``setPixelsId``); later calls on the same service often come without.
So these checks ignore the group of the call and go by what the caller may do at all. They are made again at every
call: membership can end, and objects move, while a service is open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import omero

from omero_sandbox.ice.errors import security_violation, validation_error
from omero_sandbox.security.caller import ALL_GROUPS, Caller
from omero_sandbox.security.permissions import Rights, can_read, rights_on
from omero_sandbox.store.database import Database
from omero_sandbox.store.schema import table

__all__ = [
    "Place",
    "anywhere",
    "find_readable",
    "in_group",
    "require_annotatable",
    "require_editable",
    "require_readable",
    "resource_error",
]


@dataclass(frozen=True)
class Place:
    """The owner and the group of an object."""

    owner_id: int | None
    group_id: int | None


def find_readable(database: Database, entity: str, object_id: int, caller: Caller) -> Place | None:
    """Return where an object lives, or None when it does not exist or the caller may not read it in any group."""
    rows = database.rows(f"SELECT owner_id, group_id FROM {table(entity)} WHERE id = ?", object_id)  # noqa: S608
    if not rows:
        return None
    place = Place(*rows[0])
    permissions = database.group_permissions(place.group_id)
    return place if can_read(anywhere(caller), place.owner_id, place.group_id, permissions) else None


def require_readable(database: Database, entity: str, object_id: int, caller: Caller) -> Place:
    """Return where an object lives.

    Raises:
        omero.ValidationException: it does not exist or may not be read (which of the two is not told).
    """
    place = find_readable(database, entity, object_id, caller)
    if place is None:
        raise validation_error(f"The requested object ({entity},{object_id}) is not available.")
    return place


def require_editable(database: Database, entity: str, object_id: int, caller: Caller) -> Place:
    """Return where an object lives whose content the caller may change.

    Raises:
        omero.ValidationException: it may not even be read.
        omero.SecurityViolation: it may be read only.
    """
    place = require_readable(database, entity, object_id, caller)
    if not _rights(database, entity, place, caller).edit:
        raise security_violation(f"{caller.user_name} may not change {entity} {object_id}.")
    return place


def require_annotatable(database: Database, entity: str, object_id: int, caller: Caller) -> Place:
    """Return where an object lives to which the caller may attach things of her own (annotations, rendering settings).

    Raises:
        omero.ValidationException: it may not even be read.
        omero.SecurityViolation: it may be read only.
    """
    place = require_readable(database, entity, object_id, caller)
    if not _rights(database, entity, place, caller).annotate:
        raise security_violation(f"{caller.user_name} may not annotate {entity} {object_id}.")
    return place


def anywhere(caller: Caller) -> Caller:
    """Return the caller looking at all her groups."""
    return replace(caller, group_id=ALL_GROUPS)


def in_group(caller: Caller, group_id: int) -> Caller:
    """Return the caller working in the group of an object, for writing next to it."""
    return replace(caller, group_id=group_id)


def resource_error(message: str) -> omero.ResourceError:
    """Return the exception for a file that cannot be read or written, for example because the disk is full."""
    return omero.ResourceError("", "ome.conditions.ResourceError", message)


def _rights(database: Database, entity: str, place: Place, caller: Caller) -> Rights:
    permissions = database.group_permissions(place.group_id)
    return rights_on(caller, place.owner_id, place.group_id, permissions, entity=entity)
