# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""What a caller sees, as a condition of SQL to be put on *every* table alias of every statement.

The condition is the same rule as `permissions.can_read`; a property test holds the two together. Objects without owner and
group (users, groups, events, enumerations) are seen by everyone, as in OMERO, with three exceptions: sessions (their keys are
credentials), shares and the audit log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omero_sandbox.model.reflection import ENTITIES
from omero_sandbox.security.caller import ALL_GROUPS, USER_GROUP, Caller
from omero_sandbox.security.permissions import group_readable, owner_readable, world_readable

if TYPE_CHECKING:
    from omero_sandbox.store.database import Database

__all__ = ["ReadFilter"]


class ReadFilter:
    """The visible part of the database for one caller.

    `parameters` are named SQL parameters and must be bound with any statement that uses `condition`.
    """

    def __init__(self, database: Database, caller: Caller) -> None:
        self.caller = caller
        self.parameters: dict[str, int] = {"rf_user": caller.user_id}
        self._real_user: int | None = None
        self._database = database
        self._sees_all = caller.is_admin and caller.group_id == ALL_GROUPS
        whole, partly = self._groups()
        self._whole = self._bind("rf_all", whole)
        self._partly = self._bind("rf_own", partly)

    def _groups(self) -> tuple[list[int], list[int]]:
        """Groups whose objects are all visible, and groups of which only the caller's own objects are."""
        if self._sees_all:
            return [], []
        caller = self.caller
        whole: list[int] = []
        partly: list[int] = []
        for group_id, permissions in self._database.rows("SELECT id, perms FROM e_ExperimenterGroup"):
            if caller.group_id != ALL_GROUPS and group_id not in (caller.group_id, USER_GROUP):
                continue
            in_user_group = group_id == USER_GROUP and caller.group_id != ALL_GROUPS
            member_reads = group_id in caller.member_of and group_readable(permissions)
            if caller.is_admin or in_user_group or group_id in caller.leader_of or world_readable(permissions) or member_reads:
                whole.append(group_id)
            elif owner_readable(permissions):
                partly.append(group_id)
        return whole, partly

    def _bind(self, prefix: str, values: list[int]) -> str:
        names = [f"{prefix}{number}" for number in range(len(values))]
        self.parameters.update(zip(names, values, strict=True))
        return ",".join(f":{name}" for name in names)

    def condition(self, entity: str, alias: str) -> str | None:
        """The condition on a table alias that holds rows of `entity`; None where everything may be seen.

        The leading ``+`` keeps SQLite from using an index on the group: the foreign keys that joins follow select far better.
        """
        described = ENTITIES[entity]
        if described.is_system:
            return self._system_condition(described.root, alias)
        if self._sees_all:
            return None
        parts = []
        if self._whole:
            parts.append(f"+{alias}.group_id IN ({self._whole})")
        if self._partly:
            parts.append(f"(+{alias}.owner_id = :rf_user AND +{alias}.group_id IN ({self._partly}))")
        return f"({' OR '.join(parts)})" if parts else "0"

    def _system_condition(self, root: str, alias: str) -> str | None:
        if self.caller.is_server:
            return None
        if root == "Session":
            if self.caller.has_privilege("ReadSession"):
                return None
            self.parameters["rf_real_user"] = self._find_real_user()
            return f"coalesce({alias}.c_sudoer, {alias}.c_owner) = :rf_real_user"
        if root == "ShareMember":
            return None if self.caller.is_admin else f"{alias}.c_child = :rf_user"
        if root == "EventLog" and not self.caller.is_admin:
            # The log names every object that was ever made, also those the caller may not see.
            return f"{alias}.c_event IN (SELECT own.id FROM e_Event own WHERE own.c_experimenter = :rf_user)"
        return None

    def _find_real_user(self) -> int:
        """Who is behind this session: its administrator where it was opened on behalf of the user, else the user."""
        if self._real_user is None:
            found = self._database.value(
                "SELECT coalesce(c_sudoer, c_owner) FROM e_Session WHERE id = ?", self.caller.session_id
            )
            self._real_user = self.caller.user_id if found is None else int(found)
        return self._real_user
