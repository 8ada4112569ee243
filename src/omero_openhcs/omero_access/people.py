# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who is signed in, as the execution service needs to know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openhcs_client import GroupClaim

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["Person", "mail_address", "person_of"]


@dataclass(frozen=True)
class Person:
    """An OMERO user. ``reads_all`` of a group claim is false in a private group that the user does not own."""

    user_id: int
    name: str
    admin: bool
    groups: tuple[GroupClaim, ...]

    def is_member(self, group_id: int) -> bool:
        return any(group.id == group_id for group in self.groups)


def person_of(conn: BlitzGateway) -> Person:
    """Read the signed-in user, their groups and what they may read there."""
    context = conn.getEventContext()
    owned = set(context.leaderOfGroups)
    groups = []
    for group in conn.getObjects("ExperimenterGroup", list(context.memberOfGroups)):
        permissions = group.getDetails().getPermissions()
        groups.append(
            GroupClaim(id=group.getId(), reads_all=bool(context.isAdmin or group.getId() in owned or permissions.isGroupRead()))
        )
    user = conn.getUser()
    name = " ".join(part for part in (user.getFirstName(), user.getLastName()) if part) or context.userName
    return Person(
        user_id=context.userId, name=name, admin=bool(context.isAdmin), groups=tuple(sorted(groups, key=lambda group: group.id))
    )


def mail_address(conn: BlitzGateway) -> str:
    """The signed-in user's own address in OMERO; empty when there is none."""
    return (conn.getUser().getEmail() or "").strip()
