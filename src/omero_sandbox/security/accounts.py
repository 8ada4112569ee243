# SPDX-License-Identifier: AGPL-3.0-or-later
"""Users and groups as the server needs them itself: passwords, memberships, privileges and settings.

Everything here is read afresh at each call, so a change of membership or privilege takes effect at once. Passwords are kept as
salted scrypt hashes. Privileges that an administrator lacks are kept in ``setting`` under the area ``restricted``, where no
client can write.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
import uuid
from typing import TYPE_CHECKING

import omero
import omero.model

from omero_sandbox.ice.errors import api_usage, security_violation
from omero_sandbox.security.caller import ALL_GROUPS, ALL_PRIVILEGES, GUEST_USER, SYSTEM_GROUP, USER_GROUP, Caller

if TYPE_CHECKING:
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.store.database import Database

__all__ = ["Accounts"]

_ROOT = 0
# scrypt's cost: about 20 ms, so that guessing is slow and a test suite with hundreds of logins is not.
_SCRYPT = {"n": 2**13, "r": 8, "p": 1}
_SALT_BYTES = 16
_LONGEST_PASSWORD = 1024


class Accounts:
    """Who exists, who belongs where, and who may do what. Thread-safe through the database's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self, root_password: str) -> None:
        """Give a fresh database its root password and identity; end the sessions that a crash left open."""
        with self._database.transaction(write=True):
            if self._database.value("SELECT hash FROM password WHERE user_id = ?", _ROOT) is None:
                self.set_password(_ROOT, root_password)
            self._database.execute("INSERT OR IGNORE INTO setting VALUES ('server', 'uuid', ?)", str(uuid.uuid4()))
            self._database.execute("UPDATE e_Session SET c_closed = ? WHERE c_closed IS NULL", _now())

    # Passwords ---------------------------------------------------------------------------------------------------------

    def set_password(self, user_id: int, password: str) -> None:
        """Set a user's password.

        Raises:
            omero.ApiUsageException: it is empty or unreasonably long.
        """
        if not password or len(password) > _LONGEST_PASSWORD:
            raise api_usage("A password has between 1 and 1024 characters.")
        salt = os.urandom(_SALT_BYTES)
        self._database.execute(
            "INSERT INTO password (user_id, hash) VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash",
            user_id,
            f"{salt.hex()}:{_hash(password, salt)}",
        )

    def check_password(self, user_name: str, password: str) -> int | None:
        """Return the id of the user whose password this is, None for a wrong password or no such user.

        Takes as long for a name that does not exist, so timing tells nothing; holds no lock while hashing.
        """
        row = self._database.rows(
            "SELECT u.id, p.hash FROM e_Experimenter u JOIN password p ON p.user_id = u.id WHERE u.c_omeName = ?", user_name
        )
        user_id, stored = row[0] if row else (None, f"{'00' * _SALT_BYTES}:")
        salt, expected = stored.split(":")
        usable = password if len(password) <= _LONGEST_PASSWORD else ""
        matches = hmac.compare_digest(_hash(usable, bytes.fromhex(salt)), expected)
        if not matches or user_id == GUEST_USER or not self.groups_of(user_id):
            return None  # nobody, the guest account, or a user who was deactivated by taking all groups away
        return int(user_id)

    # Users and groups --------------------------------------------------------------------------------------------------

    def user_id(self, user_name: str) -> int:
        """Return a user's id.

        Raises:
            omero.ApiUsageException: there is no such user.
        """
        found = self._database.value("SELECT id FROM e_Experimenter WHERE c_omeName = ?", user_name)
        if found is None:
            raise api_usage(f"There is no user {user_name}.")
        return int(found)

    def user_name(self, user_id: int) -> str:
        """Return a user's login name."""
        return str(self._database.value("SELECT c_omeName FROM e_Experimenter WHERE id = ?", user_id))

    def has_group(self, group_id: int) -> bool:
        """Return whether a group exists."""
        return self._database.value("SELECT 1 FROM e_ExperimenterGroup WHERE id = ?", group_id) is not None

    def group_id(self, group: str) -> int:
        """Return the id of a group given by id (-1: all groups) or by name, as clients send it in ``omero.group``.

        Raises:
            omero.SecurityViolation: there is no such group.
        """
        try:
            number = int(group)
        except ValueError:
            found = self._database.value("SELECT id FROM e_ExperimenterGroup WHERE c_name = ?", group)
            if found is None:
                raise security_violation(f"There is no group {group}.") from None
            return int(found)
        if number < 0:
            return ALL_GROUPS
        if not self.has_group(number):
            raise security_violation(f"There is no group {number}.")
        return number

    def group(self, group_id: int) -> tuple[str, omero.model.PermissionsI]:
        """Return a group's name and permissions."""
        name, permissions = self._database.rows("SELECT c_name, perms FROM e_ExperimenterGroup WHERE id = ?", group_id)[0]
        return str(name), omero.model.PermissionsI(permissions)

    def groups_of(self, user_id: int) -> list[int]:
        """Return the groups a user is a member of; the default group comes first."""
        sql = "SELECT c_parent FROM e_GroupExperimenterMap WHERE c_child = ? ORDER BY idx, id"
        return [row[0] for row in self._database.rows(sql, user_id)]

    def groups_owned_by(self, user_id: int) -> list[int]:
        """Return the groups a user owns."""
        sql = "SELECT c_parent FROM e_GroupExperimenterMap WHERE c_child = ? AND c_owner = 1 ORDER BY idx, id"
        return [row[0] for row in self._database.rows(sql, user_id)]

    def default_group(self, user_id: int) -> int:
        """Return the group a user works in unless she says otherwise.

        Raises:
            omero.SecurityViolation: the user is in no group.
        """
        groups = self.groups_of(user_id)
        if not groups:
            raise security_violation(f"User {user_id} is in no group.")
        return next((group for group in groups if group != USER_GROUP), USER_GROUP)

    def is_admin(self, user_id: int) -> bool:
        """Return whether a user is an administrator: a member of the group system."""
        return SYSTEM_GROUP in self.groups_of(user_id)

    # Privileges --------------------------------------------------------------------------------------------------------

    def privileges_of(self, user_id: int) -> frozenset[str]:
        """Return an administrator's privileges; nobody else has any."""
        if not self.is_admin(user_id):
            return frozenset()
        lacking = self._database.value("SELECT value FROM setting WHERE area = 'restricted' AND key = ?", str(user_id))
        return ALL_PRIVILEGES if lacking is None else ALL_PRIVILEGES - frozenset(json.loads(lacking))

    def set_privileges(self, user_id: int, privileges: frozenset[str]) -> None:
        """Set which privileges a user has as an administrator; root always has all.

        Raises:
            omero.ApiUsageException: unknown privileges, or the user is root.
        """
        unknown = privileges - ALL_PRIVILEGES
        if unknown:
            raise api_usage(f"No such privilege: {', '.join(sorted(unknown))}.")
        if user_id == _ROOT:
            raise api_usage("root always has every privilege.")
        self._database.execute(
            "INSERT INTO setting VALUES ('restricted', ?, ?) ON CONFLICT (area, key) DO UPDATE SET value = excluded.value",
            str(user_id),
            json.dumps(sorted(ALL_PRIVILEGES - privileges)),
        )

    def caller(self, session: Session, group_id: int) -> Caller:
        """Return who is behind a session, working in ``group_id`` (-1: all groups)."""
        member_of = frozenset(self.groups_of(session.user_id))
        return Caller(
            user_id=session.user_id,
            user_name=session.user_name,
            group_id=group_id,
            session_group_id=session.group_id,
            is_admin=SYSTEM_GROUP in member_of,
            privileges=self.privileges_of(session.user_id),
            member_of=member_of,
            leader_of=frozenset(self.groups_owned_by(session.user_id)),
            session_id=session.row_id,
            session_uuid=session.uuid,
        )

    # Sessions, for the record ------------------------------------------------------------------------------------------

    def record_session(self, user_id: int, idle: int, live: int, agent: str) -> int:
        """Write a session down and return its id. The key is not written: the row gets a random name of its own."""
        return self._database.insert(
            "Session",
            uuid=str(uuid.uuid4()),
            owner=user_id,
            node=0,
            started=_now(),
            timeToIdle=idle,
            timeToLive=live,
            defaultEventType="User",
            userAgent=agent[:255],
        )

    def record_session_end(self, session_id: int) -> None:
        """Write down that a session has ended."""
        self._database.execute("UPDATE e_Session SET c_closed = ? WHERE id = ?", _now(), session_id)

    # Settings ----------------------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, str]:
        """Return the settings that an administrator has changed."""
        return dict(self._database.rows("SELECT key, value FROM setting WHERE area = 'config'"))

    def change_setting(self, key: str, value: str | None) -> None:
        """Set a setting, or take it back to its default (empty or None)."""
        if not key:
            raise api_usage("A setting has a name.")
        self._database.execute("DELETE FROM setting WHERE area = 'config' AND key = ?", key)
        if value:
            self._database.execute("INSERT INTO setting VALUES ('config', ?, ?)", key, value)

    def database_uuid(self) -> str:
        """Return what names this database."""
        return str(self._database.value("SELECT value FROM setting WHERE area = 'server' AND key = 'uuid'"))


def _hash(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT).hex()


def _now() -> int:
    return int(time.time() * 1000)
