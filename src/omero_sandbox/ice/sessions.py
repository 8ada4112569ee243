# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sessions, and which connection is signed in to which of them.

A session's key (its uuid) is a secret that signs its holder in, as in OMERO; it is kept in memory only and never in the
database, where a query could find it. Signing in *attaches* a connection to a session. A servant of a session answers only
calls that come over a connection attached to that session, so knowing the identity of a servant is worth nothing.

Leaving a session: a client that asked for ``detachOnDestroy`` leaves it open (until it has been idle for too long); any other
client closes it when it was the last one. ``ISession.closeSession``, repeated once per client, closes it for everybody.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import Ice
import omero
from omero.rtypes import rlong, rstring, rtime

from omero_sandbox.ice.errors import removed_session, security_violation
from omero_sandbox.security.accounts import Accounts
from omero_sandbox.security.caller import Caller

if TYPE_CHECKING:
    from omero_sandbox.ice.dispatch import Service
    from omero_sandbox.ice.server import SandboxServer

__all__ = ["Attachment", "Session", "SessionLimits", "Sessions"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SessionLimits:
    """How long sessions live, in milliseconds. The defaults are OMERO.server's.

    ``time_to_idle``: without a call, a session ends after this. ``longest_idle``: the most a user may ask for with
    ``createUserSession``. Administrators may ask for anything. A time to live of 0 means no limit.
    """

    time_to_idle: int = 600_000
    longest_idle: int = 6_000_000


@dataclass(eq=False)
class Session:
    """One open session. ``group_id`` is where it works unless a call says otherwise."""

    uuid: str
    row_id: int
    user_id: int
    user_name: str
    group_id: int
    time_to_idle: int
    time_to_live: int
    server: SandboxServer = field(repr=False)
    agent: str = ""
    started: float = field(default_factory=time.time)
    last_used: float = field(default_factory=time.monotonic)
    closed: bool = False
    references: int = 0  # sign-ins that have neither left nor been counted off by ISession.closeSession
    inputs: dict[str, Any] = field(default_factory=dict, repr=False)
    outputs: dict[str, Any] = field(default_factory=dict, repr=False)
    services: dict[str, Service] = field(default_factory=dict, repr=False)  # by the name in their identity
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def is_over(self, now: float) -> bool:
        """Return whether the time to idle or the time to live has passed (``now``: time.monotonic())."""
        if self.time_to_idle and (now - self.last_used) * 1000 > self.time_to_idle:
            return True
        return bool(self.time_to_live) and (time.time() - self.started) * 1000 > self.time_to_live

    def serve(self, interface: type, name: str, make: Callable[[], Service]) -> Ice.ObjectPrx:
        """Make a service of this session answer under ``name`` (if it does not yet) and return a proxy of its interface."""
        with self.lock:
            if self.closed:
                raise removed_session("This session is closed.")
            if name not in self.services:
                service = make()
                self.server.add_service(interface, service, Ice.Identity(name, f"session-{self.row_id}"))
                self.services[name] = service
        return self.proxy(name, interface)

    def proxy(self, name: str, interface: type | None = None) -> Ice.ObjectPrx:
        """Return a proxy for a service of this session, cast to its interface where that is given."""
        proxy = self.server.proxy(Ice.Identity(name, f"session-{self.row_id}"))
        return proxy if interface is None else _proxy_class(interface).uncheckedCast(proxy)

    def remove(self, service: Service) -> None:
        """Take a service out of the object adapter; later calls to it find nothing."""
        if service.identity is None:
            return
        self.services.pop(service.identity.name, None)
        self.server.remove_servant(service.identity)


@dataclass(eq=False)
class Attachment:
    """A connection that is signed in to a session, through its own ServiceFactory."""

    connection: Any
    session: Session
    factory: Ice.Identity
    detach: bool = False


class _ConnectionWatch(Ice.ConnectionCallback):
    """Tells when a connection is gone, also when its client was killed."""

    def __init__(self, sessions: Sessions, key: tuple[str, int]) -> None:
        self._sessions, self._key = sessions, key

    def heartbeat(self, connection: Any) -> None:
        """Nothing to do: only calls keep a session alive."""

    def closed(self, connection: Any) -> None:
        self._sessions.connection_closed(self._key, connection)


class Sessions:
    """All open sessions of one server, and who is attached to them. Thread-safe."""

    def __init__(self, server: SandboxServer, accounts: Accounts, limits: SessionLimits) -> None:
        self._server = server
        self._accounts = accounts
        self.limits = limits
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._attachments: dict[tuple[str, int], Attachment] = {}  # by the client's end of the connection

    # Opening -----------------------------------------------------------------------------------------------------------

    def open(self, user_id: int, group_id: int | None = None, *, idle: int = 0, live: int = 0, agent: str = "") -> Session:
        """Open a session for a user in a group (None: the user's default group).

        Raises:
            omero.SecurityViolation: the user is neither a member of that group nor an administrator.
        """
        accounts = self._accounts
        with self._server.database.transaction(write=True):
            groups = accounts.groups_of(user_id)
            if group_id is None:
                group_id = accounts.default_group(user_id)
            elif group_id not in groups and not accounts.is_admin(user_id):
                raise security_violation(f"User {user_id} is not a member of group {group_id}.")
            idle = idle or self.limits.time_to_idle
            row_id = accounts.record_session(user_id, idle, live, agent)
            user_name = accounts.user_name(user_id)
        session = Session(str(uuid.uuid4()), row_id, user_id, user_name, group_id, idle, live, self._server, agent)
        with self._lock:
            self._sessions[session.uuid] = session
        log.info("session %d opened for %s in group %d", row_id, user_name, group_id)
        return session

    def attach(self, session: Session, connection: Any, factory: Ice.Identity) -> Attachment:
        """Sign a connection in to a session. A connection has one session at a time, as with Glacier2.

        Raises:
            omero.SecurityViolation: the connection is signed in to another open session.
        """
        key = _key(connection)
        attachment = Attachment(connection, session, factory)
        with self._lock:
            before = self._attachments.get(key)
            if before is not None and before.connection == connection and not before.session.closed:
                raise security_violation("This connection already has a session; close it first.")
            self._attachments[key] = attachment
            session.references += 1
            session.last_used = time.monotonic()
        connection.setCallback(_ConnectionWatch(self, key))
        return attachment

    # Finding -----------------------------------------------------------------------------------------------------------

    def find(self, key: str) -> Session | None:
        """Return the open session with this key."""
        with self._lock:
            session = self._sessions.get(key)
        if session is not None and session.is_over(time.monotonic()):
            self.close(session)
            return None
        return session

    def of_user(self, user_id: int) -> list[Session]:
        """Return the open sessions of a user, oldest first."""
        with self._lock:
            return [session for session in self._sessions.values() if session.user_id == user_id]

    def attachment_of(self, connection: Any) -> Attachment | None:
        """Return what this very connection is signed in to."""
        with self._lock:
            attachment = self._attachments.get(_key(connection))
        # The address alone could be a later connection from the same port.
        return attachment if attachment is not None and attachment.connection == connection else None

    def require_signed_in(self, session: Session, current: Ice.Current) -> None:
        """Refuse a call that does not come over a connection signed in to ``session``; note that the session is in use.

        Raises:
            Ice.ObjectNotExistException: as Glacier2 answers a client without a session: the servant is not there for it.
        """
        attachment = self.attachment_of(current.con) if current.con is not None else None
        now = time.monotonic()
        if attachment is None or attachment.session is not session or session.closed or session.is_over(now):
            raise Ice.ObjectNotExistException(current.id, current.facet, current.operation)
        session.last_used = now

    # Callers -----------------------------------------------------------------------------------------------------------

    def caller(self, session: Session, context: Mapping[str, str]) -> Caller:
        """Return who calls, in the group that the call's context asks for (default: the session's group).

        Raises:
            omero.SecurityViolation: the user may not work in that group.
        """
        asked = context.get("omero.group", "")
        group_id = self._accounts.group_id(asked) if asked else session.group_id
        caller = self._accounts.caller(session, group_id)
        if group_id >= 0 and group_id not in caller.member_of and not caller.is_admin:
            raise security_violation(f"User {session.user_name} is not a member of group {asked or group_id}.")
        return caller

    def event_context(self, session: Session, caller: Caller) -> omero.sys.EventContext:
        """Return OMERO's description of the caller."""
        group_id = caller.group_id if caller.group_id >= 0 else session.group_id
        group_name, permissions = self._accounts.group(group_id)
        context = omero.sys.EventContext()
        context.shareId = -1
        context.sessionId, context.sessionUuid = session.row_id, session.uuid
        context.userId, context.userName = caller.user_id, caller.user_name
        context.groupId, context.groupName, context.groupPermissions = group_id, group_name, permissions
        context.isAdmin, context.adminPrivileges = caller.is_admin, sorted(caller.privileges)
        context.eventId, context.eventType = -1, "User"
        context.memberOfGroups, context.leaderOfGroups = sorted(caller.member_of), sorted(caller.leader_of)
        return context

    def describe(self, session: Session) -> omero.model.SessionI:
        """Return the session as an object of the model; it holds the key, so it is for the session's user only."""
        described = omero.model.SessionI(session.row_id)
        described.uuid = rstring(session.uuid)
        described.timeToIdle, described.timeToLive = rlong(session.time_to_idle), rlong(session.time_to_live)
        described.started = rtime(int(session.started * 1000))
        described.userAgent = rstring(session.agent)
        described.owner = omero.model.ExperimenterI(session.user_id, False)
        details = omero.model.DetailsI()
        details._owner = described.owner
        details._group = omero.model.ExperimenterGroupI(session.group_id, False)
        described._details = details
        return described

    # Leaving and closing -----------------------------------------------------------------------------------------------

    def leave(self, attachment: Attachment) -> None:
        """End one connection's use of its session; closes the session when it was the last and did not ask to detach."""
        with self._lock:
            self._attachments = {key: other for key, other in self._attachments.items() if other is not attachment}
        self._server.remove_servant(attachment.factory)
        session = attachment.session
        if session.closed:
            return
        if attachment.detach:
            with self._lock:
                session.references = max(0, session.references - 1)
        else:
            self.release_one(session)

    def connection_closed(self, key: tuple[str, int], connection: Any) -> None:
        """A connection is gone, with or without a goodbye."""
        with self._lock:
            attachment = self._attachments.get(key)
        if attachment is not None and attachment.connection == connection:
            self.leave(attachment)

    def close(self, session: Session) -> None:
        """Close a session for everybody: its services and factories go away and its key opens nothing any more."""
        with self._lock:
            if session.closed:
                return
            with session.lock:
                session.closed = True
            self._sessions.pop(session.uuid, None)
            factories = [a.factory for a in self._attachments.values() if a.session is session]
        for service in list(session.services.values()):
            session.remove(service)
            try:
                service.release()
            except Exception:
                log.exception("a service could not be released when session %d ended", session.row_id)
        for factory in factories:
            self._server.remove_servant(factory)
        with self._server.database.transaction(write=True):
            self._accounts.record_session_end(session.row_id)
        log.info("session %d of %s closed", session.row_id, session.user_name)

    def release_one(self, session: Session) -> int:
        """Serve ``ISession.closeSession``: count one reference off and close the session when none is left.

        Returns the references left, or -2 when this call ended the session (OMERO's convention). omero-py's hard close
        repeats the call until the session is gone.
        """
        with self._lock:
            session.references -= 1
            if session.references > 0:
                return session.references
        self.close(session)
        return -2

    def close_expired(self) -> None:
        """Close the sessions that have been idle or alive for too long."""
        now = time.monotonic()
        with self._lock:
            over = [session for session in self._sessions.values() if session.is_over(now)]
        for session in over:
            log.info("session %d of %s has timed out", session.row_id, session.user_name)
            self.close(session)

    def close_all(self) -> None:
        """Close every session, when the server stops."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            self.close(session)

    def require_open(self, key: str) -> Session:
        """Return the open session with this key; raise ``omero.RemovedSessionException`` when there is none."""
        session = self.find(key)
        if session is None:
            raise removed_session("There is no open session with this key.")
        return session


def _proxy_class(interface: type) -> Any:
    """The proxy class that slice2py puts beside an interface class."""
    return getattr(sys.modules[interface.__module__], f"{interface.__name__}Prx")


def _key(connection: Any) -> tuple[str, int]:
    """The client's end of a connection: connections cannot be hashed, but two open ones never share it."""
    info = connection.getInfo()
    return info.remoteAddress, info.remotePort
