# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a fresh OMERO holds: enumerations, the groups system, user and guest, and the users root and guest."""

from __future__ import annotations

import time
import uuid

import omero.model

from omero_sandbox.model.enumerations import BITS_PER_PIXEL, enumeration_values
from omero_sandbox.model.reflection import ENUMERATIONS
from omero_sandbox.security.caller import GUEST_GROUP, GUEST_USER, SYSTEM_GROUP, USER_GROUP
from omero_sandbox.store.database import Database

__all__ = ["fill_new_database"]

_ROOT_USER = 0


def _permissions(text: str) -> int:
    return int(omero.model.PermissionsI(text)._perm1)


def fill_new_database(database: Database) -> None:
    """Insert the rows every OMERO starts with. Runs inside the transaction that makes the tables."""
    for name in ENUMERATIONS:
        for value in enumeration_values(name):
            bits = {"bitSize": BITS_PER_PIXEL[value]} if name == "PixelsType" else {}
            database.insert(name, value=value, **bits)
    database.insert("Node", id=0, uuid=str(uuid.uuid4()), conn="127.0.0.1", up=_now())
    boot = {"node": 0, "owner": _ROOT_USER, "uuid": str(uuid.uuid4()), "started": _now(), "closed": _now()}
    database.insert("Session", id=0, timeToIdle=0, timeToLive=0, defaultEventType="Bootstrap", **boot)
    bootstrap_type = database.value("SELECT id FROM e_EventType WHERE c_value = 'Bootstrap'")
    database.insert(
        "Event",
        id=0,
        time=_now(),
        status="BOOTSTRAP",
        experimenter=_ROOT_USER,
        experimenterGroup=SYSTEM_GROUP,
        type=bootstrap_type,
        session=0,
    )
    event = {"creation_id": 0, "update_id": 0}
    for group_id, name, text in (
        (SYSTEM_GROUP, "system", "rw----"),
        (USER_GROUP, "user", "rwr-r-"),
        (GUEST_GROUP, "guest", "rw----"),
    ):
        database.insert("ExperimenterGroup", id=group_id, name=name, ldap=0, perms=_permissions(text), config="[]", **event)
    for user_id, name, first, last in (
        (_ROOT_USER, "root", "root", "root"),
        (GUEST_USER, "guest", "Guest", "Account"),
    ):
        database.insert("Experimenter", id=user_id, omeName=name, firstName=first, lastName=last, ldap=0, config="[]", **event)
    for group_id, user_id, position in (
        (SYSTEM_GROUP, _ROOT_USER, 0),
        (USER_GROUP, _ROOT_USER, 1),
        (GUEST_GROUP, GUEST_USER, 0),
        (USER_GROUP, GUEST_USER, 1),
    ):
        database.insert("GroupExperimenterMap", parent=group_id, child=user_id, owner=0, idx=position, **event)


def _now() -> int:
    return int(time.time() * 1000)
