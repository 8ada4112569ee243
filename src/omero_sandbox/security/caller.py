# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one who makes a call: a user, in a group, with what is known of her memberships and privileges."""

from __future__ import annotations

from dataclasses import dataclass

import omero

from omero_sandbox.model.enumerations import PRIVILEGES

__all__ = ["ALL_GROUPS", "ALL_PRIVILEGES", "GUEST_GROUP", "GUEST_USER", "SYSTEM_GROUP", "USER_GROUP", "Caller"]

SYSTEM_GROUP = 0  # its members are administrators
USER_GROUP = 1  # every user is a member; what it owns everyone may read
GUEST_GROUP = 2
GUEST_USER = 1
ALL_GROUPS = -1  # the value of "omero.group" that means: every group I may see
ALL_PRIVILEGES = frozenset(PRIVILEGES)


@dataclass(frozen=True)
class Caller:
    """The security context of one call; it does not outlive the call.

    `group_id` is -1 for all groups the caller may see. `session_group_id` receives new objects when nothing else decides.
    `privileges` are `AdminPrivilege` values; a full administrator has all of them, a restricted one some, others none.
    """

    user_id: int
    user_name: str
    group_id: int
    session_group_id: int
    is_admin: bool
    privileges: frozenset[str]
    member_of: frozenset[int]
    leader_of: frozenset[int]
    session_id: int
    session_uuid: str

    @classmethod
    def system(cls) -> Caller:
        """The server acting for itself: reads everything and may write what no client may (sessions, events)."""
        return cls(
            user_id=0,
            user_name="root",
            group_id=ALL_GROUPS,
            session_group_id=SYSTEM_GROUP,
            is_admin=True,
            privileges=ALL_PRIVILEGES,
            member_of=frozenset({SYSTEM_GROUP, USER_GROUP}),
            leader_of=frozenset(),
            session_id=0,
            session_uuid="",
        )

    @property
    def is_server(self) -> bool:
        """True of `system()` only: no client's session has an empty key."""
        return self.user_id == 0 and self.session_uuid == ""

    @property
    def is_full_admin(self) -> bool:
        """An administrator without restrictions."""
        return self.is_admin and self.privileges >= ALL_PRIVILEGES

    def has_privilege(self, privilege: str) -> bool:
        """Whether this is an administrator who holds one `AdminPrivilege`."""
        return self.is_admin and privilege in self.privileges

    def require_admin(self, privilege: str | None = None) -> None:
        """Refuse anyone who is not an administrator or, where one is named, lacks the privilege.

        Raises:
            omero.SecurityViolation
        """
        if not self.is_admin or (privilege is not None and privilege not in self.privileges):
            needed = f" with the privilege {privilege}" if privilege else ""
            raise omero.SecurityViolation("", "SecurityViolation", f"Only an administrator{needed} may do this.")
