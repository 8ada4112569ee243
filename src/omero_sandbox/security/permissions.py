# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO's permission rules: what a caller may do to an object, given its owner, its group and the group's permissions.

A group has one of four kinds of permissions, and all its objects share them:

==================  ==========  =================================================================================
kind                written     what a plain member may do with the objects of other members
==================  ==========  =================================================================================
private             ``rw----``  nothing, not even see them
read-only           ``rwr---``  see them
read-annotate       ``rwra--``  see them and annotate them
read-write          ``rwrw--``  see, annotate, change, delete and link them, but not move them to another group
==================  ==========  =================================================================================

Group owners and administrators see everything and may change and delete it; in a private group they cannot annotate or link
what is not theirs, because the owner could not see the result. Restricted administrators are administrators only as far as
their privileges go (``WriteOwned``, ``DeleteOwned``, ``WriteFile``, …); they read everything all the same. Moving to another
group is for the owner of an object (or ``Chgrp``), giving to another user for owners of the group (or ``Chown``).
Public reference: "Groups and permissions system" and "Restricted administrators" in the OMERO documentation.

Permissions are kept as the integer of ``omero.model.PermissionsI``: read, write, annotate are the bits 4, 2, 1, shifted by 8
for the owner, 4 for the group and 0 for the world.
"""

from __future__ import annotations

from dataclasses import dataclass

from omero_sandbox.model.reflection import is_system_type
from omero_sandbox.security.caller import ALL_GROUPS, GUEST_USER, SYSTEM_GROUP, USER_GROUP, Caller

__all__ = [
    "NO_RIGHTS",
    "Rights",
    "can_annotate",
    "can_chgrp",
    "can_chown",
    "can_delete",
    "can_edit",
    "can_link",
    "can_read",
    "group_readable",
    "is_private",
    "owner_readable",
    "rights_on",
    "world_readable",
]

_READ, _WRITE, _ANNOTATE = 4, 2, 1
_USER, _GROUP, _WORLD = 8, 4, 0
_PRIVATE = (_READ | _WRITE | _ANNOTATE) << _USER

_SYSTEM_PRIVILEGES = {
    "Experimenter": "ModifyUser",
    "ExperimenterGroup": "ModifyGroup",
    "GroupExperimenterMap": "ModifyGroupMembership",
}


@dataclass(frozen=True)
class Rights:
    """What one caller may do to one object. The order of the fields is that of OMERO's permission restrictions."""

    link: bool
    edit: bool
    delete: bool
    annotate: bool
    chgrp: bool
    chown: bool

    def restrictions(self) -> list[bool]:
        """The array that ``omero.model.Permissions`` carries to clients: True where something is *not* allowed."""
        return [not each for each in (self.link, self.edit, self.delete, self.annotate, self.chgrp, self.chown)]


NO_RIGHTS = Rights(link=False, edit=False, delete=False, annotate=False, chgrp=False, chown=False)


def _granted(permissions: int, role: int, right: int) -> bool:
    return bool(permissions & (right << role))


def group_readable(permissions: int) -> bool:
    """Members see one another's objects."""
    return _granted(permissions, _GROUP, _READ)


def world_readable(permissions: int) -> bool:
    """Everyone sees the objects of this group (in practice the group ``user``)."""
    return _granted(permissions, _WORLD, _READ)


def owner_readable(permissions: int) -> bool:
    """Owners see their own objects (true of every kind of group that OMERO offers)."""
    return _granted(permissions, _USER, _READ)


def is_private(permissions: int) -> bool:
    """Members do not see one another's objects."""
    return not group_readable(permissions) and not world_readable(permissions)


def can_read(caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int) -> bool:
    """Whether a caller sees an object, in the group context of this call. System objects have no group and are seen by all."""
    if group_id is None:
        return True
    if caller.group_id != ALL_GROUPS:
        if group_id == USER_GROUP:
            return True
        if group_id != caller.group_id:
            return False
    if caller.is_admin or group_id in caller.leader_of or world_readable(group_permissions):
        return True
    if owner_id == caller.user_id and owner_readable(group_permissions):
        return True
    return group_id in caller.member_of and group_readable(group_permissions)


def rights_on(
    caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int, *, entity: str = "Image"
) -> Rights:
    """Everything a caller may do to an object of `entity`, once she can read it.

    Args:
        caller: who asks.
        owner_id: the object's owner; None for system objects.
        group_id: the object's group; None for system objects.
        group_permissions: the permissions of that group.
        entity: the class of the object; files and system objects need privileges of their own.
    """
    if is_system_type(entity):
        may_change = caller.has_privilege(_SYSTEM_PRIVILEGES[entity]) if entity in _SYSTEM_PRIVILEGES else caller.is_admin
        return Rights(link=True, edit=may_change, delete=may_change, annotate=True, chgrp=False, chown=False)
    if caller.user_id == GUEST_USER and not caller.is_admin:
        return NO_RIGHTS
    is_owner = owner_id is not None and owner_id == caller.user_id
    is_leader = group_id in caller.leader_of
    is_file = entity == "OriginalFile"
    writes = is_leader or caller.has_privilege("WriteFile" if is_file else "WriteOwned")
    deletes = is_leader or caller.has_privilege("DeleteFile" if is_file else "DeleteOwned")
    # What belongs to the group "user" is public, but only its owner's to change.
    permissions = _PRIVATE if group_id == USER_GROUP else group_permissions

    def by_permissions(right: int) -> bool:
        return (
            _granted(permissions, _WORLD, right)
            or (is_owner and _granted(permissions, _USER, right))
            or (group_id in caller.member_of and _granted(permissions, _GROUP, right))
        )

    linkable_by_all = group_id in (SYSTEM_GROUP, USER_GROUP)
    would_be_hidden = is_private(group_permissions) and not is_owner and group_id not in (SYSTEM_GROUP, USER_GROUP)
    write = by_permissions(_WRITE)
    return Rights(
        link=not would_be_hidden and (writes or write or linkable_by_all),
        edit=writes or write,
        delete=deletes or write,
        annotate=not would_be_hidden and (writes or by_permissions(_ANNOTATE) or linkable_by_all),
        chgrp=is_owner or caller.has_privilege("Chgrp"),
        chown=is_leader or caller.has_privilege("Chown"),
    )


def can_annotate(caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int) -> bool:
    """Whether the caller may attach annotations, ROIs and rendering settings."""
    return rights_on(caller, owner_id, group_id, group_permissions).annotate


def can_edit(caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int) -> bool:
    """Whether the caller may change the object's own values (and write pixels)."""
    return rights_on(caller, owner_id, group_id, group_permissions).edit


def can_delete(caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int) -> bool:
    """Whether the caller may delete the object."""
    return rights_on(caller, owner_id, group_id, group_permissions).delete


def can_link(caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int) -> bool:
    """Whether the caller may put the object into a container, or something into it."""
    return rights_on(caller, owner_id, group_id, group_permissions).link


def can_chgrp(caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int) -> bool:
    """Whether the caller may move the object to another group (where she must be a member)."""
    return rights_on(caller, owner_id, group_id, group_permissions).chgrp


def can_chown(caller: Caller, owner_id: int | None, group_id: int | None, group_permissions: int) -> bool:
    """Whether the caller may give the object to another user."""
    return rights_on(caller, owner_id, group_id, group_permissions).chown
