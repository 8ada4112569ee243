# SPDX-License-Identifier: AGPL-3.0-or-later
"""ISession: further sessions for a user, closing them, and small values kept with a session.

A session's key signs its holder in, so this service tells it to its own user only. It refuses every call about another
user's session, also to someone who has found out its key. An administrator with the privilege ``ReadSession`` may close one.
"""

from __future__ import annotations

from typing import Any

import omero

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import removed_session, security_violation
from omero_sandbox.ice.sessions import Session
from omero_sandbox.security.caller import Caller

__all__ = ["SessionService"]


class SessionService(Service):
    """Sessions, for the user they belong to."""

    # Opening

    @own_transactions
    def createUserSession(self, live: int, idle: int, group: str, caller: Caller) -> omero.model.SessionI:
        """Open a second session for the caller, in a group given by name or id (empty: the default group).

        ``live`` and ``idle`` are milliseconds; 0 asks for the longest allowed, and more than that gives the longest.
        """
        limits = self.server.sessions.limits
        idle = min(idle, limits.longest_idle) if idle > 0 else limits.longest_idle
        group_id = self.server.accounts.group_id(group) if group else None
        session = self.server.sessions.open(caller.user_id, group_id, idle=idle, live=max(0, live), agent=self.session.agent)
        return self.server.sessions.describe(session)

    @own_transactions
    def createSessionWithTimeouts(self, principal: Any, live: int, idle: int, caller: Caller) -> omero.model.SessionI:
        """Open a session for another user (``Sudo``); never for someone with more privileges than the caller has."""
        accounts = self.server.accounts
        with self.database.transaction(write=False):
            user_id = accounts.user_id(principal.name or "")
            if not accounts.privileges_of(user_id) <= caller.privileges:
                raise security_violation(f"{principal.name} has privileges that {caller.user_name} lacks.")
            group_id = accounts.group_id(principal.group) if principal.group else None
        session = self.server.sessions.open(user_id, group_id, idle=max(0, idle), live=max(0, live), agent=self.session.agent)
        return self.server.sessions.describe(session)

    @own_transactions
    def createSessionWithTimeout(self, principal: Any, live: int, caller: Caller) -> omero.model.SessionI:
        """The same with the default time to idle."""
        return self.createSessionWithTimeouts(principal, live, 0, caller)

    # Looking and closing

    def getSession(self, key: str, caller: Caller) -> omero.model.SessionI:
        """Return one of the caller's sessions."""
        return self.server.sessions.describe(self._own(key, caller))

    def getReferenceCount(self, key: str, caller: Caller) -> int:
        """Return how many clients use one of the caller's sessions."""
        return self._own(key, caller).references

    @own_transactions
    def closeSession(self, session: omero.model.Session, caller: Caller) -> int:
        """Count one client off one of the caller's sessions; -2: this has closed it.

        Raises:
            omero.SecurityViolation: it is another user's.
        """
        found = self.server.sessions.find(session.uuid.val if session.uuid is not None else "")
        if found is None:
            raise removed_session("There is no open session with this key.")
        if found.user_id != caller.user_id:
            caller.require_admin("ReadSession")
        return self.server.sessions.release_one(found)

    def getMyOpenSessions(self, caller: Caller) -> list[omero.model.SessionI]:
        """The caller's open sessions."""
        return [self.server.sessions.describe(each) for each in self.server.sessions.of_user(caller.user_id)]

    def getMyOpenAgentSessions(self, agent: str, caller: Caller) -> list[omero.model.SessionI]:
        """The caller's open sessions that one kind of client has opened."""
        sessions = self.server.sessions
        return [sessions.describe(each) for each in sessions.of_user(caller.user_id) if each.agent == agent]

    def getMyOpenClientSessions(self, caller: Caller) -> list[omero.model.SessionI]:
        """The caller's open sessions that OMERO's desktop clients have opened."""
        sessions = self.server.sessions
        return [
            sessions.describe(each)
            for each in sessions.of_user(caller.user_id)
            if each.agent in ("OMERO.insight", "OMERO.importer")
        ]

    # Values kept with a session

    def setInput(self, key: str, name: str, value: Any, caller: Caller) -> None:
        """Keep a value, or forget it (None)."""
        _keep(self._own(key, caller).inputs, name, value)

    def setOutput(self, key: str, name: str, value: Any, caller: Caller) -> None:
        """Keep a value, or forget it (None)."""
        _keep(self._own(key, caller).outputs, name, value)

    def getInput(self, key: str, name: str, caller: Caller) -> Any:
        """Return a kept value, None when there is none."""
        return self._own(key, caller).inputs.get(name)

    def getOutput(self, key: str, name: str, caller: Caller) -> Any:
        """Return a kept value, None when there is none."""
        return self._own(key, caller).outputs.get(name)

    def getInputKeys(self, key: str, caller: Caller) -> list[str]:
        """Names of the kept values."""
        return list(self._own(key, caller).inputs)

    def getOutputKeys(self, key: str, caller: Caller) -> list[str]:
        """Names of the kept values."""
        return list(self._own(key, caller).outputs)

    def getInputs(self, key: str, caller: Caller) -> dict[str, Any]:
        """All kept values."""
        return dict(self._own(key, caller).inputs)

    def getOutputs(self, key: str, caller: Caller) -> dict[str, Any]:
        """All kept values."""
        return dict(self._own(key, caller).outputs)

    def _own(self, key: str, caller: Caller) -> Session:
        """Return the caller's session with this key; one of someone else is as if it were not there."""
        session = self.server.sessions.find(key)
        if session is None or session.user_id != caller.user_id:
            raise removed_session("You have no open session with this key.")
        return session


def _keep(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
