# SPDX-License-Identifier: AGPL-3.0-or-later
"""Changes to users, groups and memberships, used by IAdmin.

Who may make a change at all is in the rights table; here are the rules that depend on the group: memberships of the group
``system`` make administrators, so only an administrator with every privilege may touch them, owner or not; and the group
``user``, which everybody is in, is never left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omero.model import PermissionsI
from omero.rtypes import unwrap

from omero_sandbox.ice.errors import api_usage, security_violation, validation_error
from omero_sandbox.security.accounts import Accounts
from omero_sandbox.security.caller import GUEST_GROUP, SYSTEM_GROUP, USER_GROUP, Caller
from omero_sandbox.store.database import Database

__all__ = ["GROUP_PERMISSIONS", "GroupChanges", "UserChanges"]

_ROOT = 0
_OWN_FIELDS = ("firstName", "middleName", "lastName", "email", "institution")
_FIXED_GROUPS = frozenset({SYSTEM_GROUP, USER_GROUP, GUEST_GROUP})
_EVENT = {"creation_id": 0, "update_id": 0}
GROUP_PERMISSIONS = frozenset({"rw----", "rwr---", "rwra--", "rwrw--"})
"""Private, read-only, read-annotate, read-write: the kinds of groups that OMERO offers."""


class UserChanges:
    """Making and changing users."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    def create(self, user: Any, password: str | None, groups: Sequence[int]) -> int:
        """Make a user in ``groups`` (the first is the default) and in the group ``user``; return the id.

        Raises:
            omero.ValidationException: the login name is empty or taken, or a group does not exist.
        """
        name = _text(user.omeName)
        if not name:
            raise validation_error("A user has a login name.")
        if self._database.value("SELECT 1 FROM e_Experimenter WHERE c_omeName = ?", name):
            raise validation_error(f"There already is a user {name}.")
        fields = {field: _text(getattr(user, field)) for field in _OWN_FIELDS}
        fields["firstName"] = fields["firstName"] or ""
        fields["lastName"] = fields["lastName"] or ""
        user_id = self._database.insert("Experimenter", omeName=name, ldap=0, config="[]", **fields, **_EVENT)
        for group_id in dict.fromkeys([*groups, USER_GROUP]):
            _require_group(self._database, group_id)
            _join(self._database, user_id, group_id)
        if password is not None:
            self._accounts.set_password(user_id, password)
        return user_id

    def update(self, user: Any, *, login_name: bool) -> None:
        """Take a user's names, email and institution over; the login name only where the caller may change it.

        Raises:
            omero.ValidationException: the login name is empty or taken.
            omero.SecurityViolation: the login name of root, guest or (updateSelf) of oneself would change.
        """
        user_id = user.id.val
        before = self._accounts.user_name(user_id)
        name = _text(user.omeName) if user.omeName is not None else before
        if name != before:
            if not login_name or user_id in (_ROOT, 1):
                raise security_violation(f"The login name {before} cannot be changed.")
            if not name or self._database.value("SELECT 1 FROM e_Experimenter WHERE c_omeName = ?", name):
                raise validation_error(f"The login name {name} is empty or taken.")
            self._database.execute("UPDATE e_Experimenter SET c_omeName = ? WHERE id = ?", name, user_id)
        for field in _OWN_FIELDS:
            sql = f"UPDATE e_Experimenter SET c_{field} = ? WHERE id = ?"  # noqa: S608  a constant name
            self._database.execute(sql, _text(getattr(user, field)), user_id)
        self._database.execute("UPDATE e_Experimenter SET version = version + 1 WHERE id = ?", user_id)


class GroupChanges:
    """Making and changing groups and memberships, for one caller."""

    def __init__(self, database: Database, caller: Caller) -> None:
        self._database = database
        self._caller = caller

    def create(self, group: Any) -> int:
        """Make a group and return its id.

        Raises:
            omero.ValidationException: the name is empty or taken, or the permissions are none that OMERO offers.
        """
        name = self._free_name(group, None)
        permissions = _given_permissions(group)
        bits = _checked(PermissionsI("rw----") if permissions is None else permissions)
        return self._database.insert(
            "ExperimenterGroup", name=name, description=_text(group.description), ldap=0, config="[]", perms=bits, **_EVENT
        )

    def update(self, group: Any) -> None:
        """Take a group's name, description and permissions over."""
        group_id = group.id.val
        _require_group(self._database, group_id)
        self._refuse_fixed(group_id)
        name = self._free_name(group, group_id)
        self._database.execute(
            "UPDATE e_ExperimenterGroup SET c_name = ?, c_description = ?, version = version + 1 WHERE id = ?",
            name,
            _text(group.description),
            group_id,
        )
        permissions = _given_permissions(group)
        if permissions is not None:
            self.change_permissions(group_id, permissions)

    def change_permissions(self, group_id: int, permissions: Any) -> None:
        """Set a group's permissions.

        Raises:
            omero.ValidationException: none that OMERO offers.
        """
        _require_group(self._database, group_id)
        self._refuse_fixed(group_id)
        bits = _checked(permissions)
        self._database.execute("UPDATE e_ExperimenterGroup SET perms = ?, version = version + 1 WHERE id = ?", bits, group_id)

    def add(self, user_id: int, group_ids: Sequence[int]) -> None:
        """Make a user a member of groups."""
        self._require_user(user_id)
        for group_id in group_ids:
            self._require_management_of(group_id)
            _join(self._database, user_id, group_id)

    def remove(self, user_id: int, group_ids: Sequence[int]) -> None:
        """Take a user out of groups."""
        for group_id in group_ids:
            self._require_management_of(group_id)
            if (user_id, group_id) == (_ROOT, SYSTEM_GROUP):
                raise security_violation("root always is an administrator.")
            self._database.execute("DELETE FROM e_GroupExperimenterMap WHERE c_parent = ? AND c_child = ?", group_id, user_id)

    def set_owner(self, group_id: int, user_ids: Sequence[int], owns: bool) -> None:
        """Make users owners of a group (and members, if they are not yet), or plain members."""
        self._require_management_of(group_id)
        for user_id in user_ids:
            self._require_user(user_id)
            if owns:
                _join(self._database, user_id, group_id)
            self._database.execute(
                "UPDATE e_GroupExperimenterMap SET c_owner = ? WHERE c_parent = ? AND c_child = ?", int(owns), group_id, user_id
            )

    def set_default(self, user_id: int, group_id: int) -> None:
        """Put a group first among a user's groups.

        Raises:
            omero.ApiUsageException: she is not a member.
        """
        where = "c_parent = ? AND c_child = ?"
        if self._database.value(f"SELECT 1 FROM e_GroupExperimenterMap WHERE {where}", group_id, user_id) is None:  # noqa: S608
            raise api_usage(f"User {user_id} is not a member of group {group_id}.")
        self._database.execute("UPDATE e_GroupExperimenterMap SET idx = idx + 1 WHERE c_child = ?", user_id)
        self._database.execute(f"UPDATE e_GroupExperimenterMap SET idx = 0 WHERE {where}", group_id, user_id)  # noqa: S608

    def _require_management_of(self, group_id: int) -> None:
        """Refuse unless the caller may decide who is in a group."""
        _require_group(self._database, group_id)
        caller = self._caller
        if group_id in _FIXED_GROUPS:
            if not caller.is_full_admin:
                raise security_violation("Who belongs to this group is for administrators with every privilege.")
        elif group_id not in caller.leader_of:
            caller.require_admin("ModifyGroupMembership")

    def _require_user(self, user_id: int) -> None:
        if self._database.value("SELECT 1 FROM e_Experimenter WHERE id = ?", user_id) is None:
            raise validation_error(f"There is no user {user_id}.")

    def _refuse_fixed(self, group_id: int) -> None:
        if group_id in _FIXED_GROUPS:
            raise security_violation("The groups system, user and guest cannot be changed.")

    def _free_name(self, group: Any, group_id: int | None) -> str:
        name = _text(group.name)
        if not name:
            raise validation_error("A group has a name.")
        taken = self._database.value("SELECT id FROM e_ExperimenterGroup WHERE c_name = ?", name)
        if taken is not None and taken != group_id:
            raise validation_error(f"There already is a group {name}.")
        return name


def _join(database: Database, user_id: int, group_id: int) -> None:
    """Add a membership, last among the user's groups, unless it is there."""
    sql = "SELECT 1 FROM e_GroupExperimenterMap WHERE c_parent = ? AND c_child = ?"
    if database.value(sql, group_id, user_id) is None:
        last = database.value("SELECT coalesce(max(idx) + 1, 0) FROM e_GroupExperimenterMap WHERE c_child = ?", user_id)
        database.insert("GroupExperimenterMap", parent=group_id, child=user_id, owner=0, idx=last, **_EVENT)


def _require_group(database: Database, group_id: int) -> None:
    if database.value("SELECT 1 FROM e_ExperimenterGroup WHERE id = ?", group_id) is None:
        raise validation_error(f"There is no group {group_id}.")


def _given_permissions(group: Any) -> Any:
    return None if group._details is None else group._details._permissions


def _checked(permissions: Any) -> int:
    if permissions is None or str(permissions) not in GROUP_PERMISSIONS:
        raise validation_error(f"{permissions} are not permissions of a group: {', '.join(sorted(GROUP_PERMISSIONS))}.")
    return int(permissions._perm1)


def _text(value: Any) -> str | None:
    text = unwrap(value)
    return None if text is None else str(text)
