# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stands where Glacier2's router stands: it signs clients in and out.

Clients find it under the identity ``OMERO.Glacier2/router``. They then talk to services over the same connection: the
router gives no proxy of its own for clients, so Ice uses the router's endpoint for everything.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import Glacier2
import Ice
import omero

from omero_sandbox.ice.sessions import Session

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer

__all__ = ["ROUTER_IDENTITY", "Router"]

log = logging.getLogger(__name__)
ROUTER_IDENTITY = "OMERO.Glacier2/router"
_LONGEST_NAME = 255


class Router(Glacier2.Router):
    """Glacier2's interface, as far as omero-py and OMERO.web use it."""

    def __init__(self, server: SandboxServer) -> None:
        self._server = server

    def getCategoryForClient(self, current: Any = None) -> str:
        """The category of the callback objects that clients host."""
        return "client"

    def getClientProxy(self, current: Any = None) -> None:
        """None: the client's calls go to the router's own endpoint."""

    def getServerProxy(self, current: Any = None) -> Ice.ObjectPrx:
        """A proxy with this server's endpoints; nothing listens under its identity."""
        return self._server.proxy_with_endpoints()

    def addProxies(self, proxies: Any, current: Any = None) -> list[Any]:
        """Nothing is evicted from a routing table that does not exist."""
        return []

    def addProxy(self, proxy: Any, current: Any = None) -> None:
        """Deprecated form of addProxies."""

    def getSessionTimeout(self, current: Any = None) -> int:
        """Seconds after which an idle session ends; clients ping more often than this."""
        return max(1, self._server.sessions.limits.time_to_idle // 1000)

    def getACMTimeout(self, current: Any = None) -> int:
        """Seconds after which Ice closes an idle connection: 0, never. Only calls decide about sessions."""
        return 0

    def refreshSession_async(self, callback: Any, current: Any = None) -> None:
        """Keep alive the session that this connection is signed in to."""
        attachment = self._server.sessions.attachment_of(current.con)
        if attachment is None or attachment.session.closed:
            callback.ice_exception(Glacier2.SessionNotExistException())
            return
        self._server.sessions.require_signed_in(attachment.session, current)
        callback.ice_response()

    def createSession_async(self, callback: Any, user: str, password: str, current: Any = None) -> None:
        """Sign in with a name and a password, or join a session with its key as both."""
        try:
            callback.ice_response(self._sign_in(user, password, current))
        except (Glacier2.PermissionDeniedException, Glacier2.CannotCreateSessionException) as refusal:
            callback.ice_exception(refusal)
        except omero.ServerError as refusal:
            callback.ice_exception(Glacier2.CannotCreateSessionException(refusal.message))
        except Exception as error:
            log.exception("sign-in failed")
            callback.ice_exception(Glacier2.CannotCreateSessionException(type(error).__name__))

    def createSessionFromSecureConnection_async(self, callback: Any, current: Any = None) -> None:
        """Client certificates are not a way in."""
        callback.ice_exception(Glacier2.PermissionDeniedException("Sign-in by certificate is not supported."))

    def destroySession(self, current: Any = None) -> None:
        """Leave the session of this connection.

        Not an error when the session was closed meanwhile: the connection's sign-in was still there.
        """
        attachment = self._server.sessions.attachment_of(current.con)
        if attachment is None:
            raise Glacier2.SessionNotExistException()
        self._server.sessions.leave(attachment)

    def _sign_in(self, user: str, password: str, current: Any) -> Ice.ObjectPrx:
        session = self._session(user, password, current.ctx)
        # A name of its own per client: one client's leaving does not take another's ServiceFactory away.
        identity = Ice.Identity(session.uuid, f"factory-{uuid.uuid4()}")
        attachment = self._server.sessions.attach(session, current.con, identity)
        return self._server.add_factory(attachment)

    def _session(self, user: str, password: str, context: Mapping[str, str]) -> Session:
        if not user or len(user) > _LONGEST_NAME:
            raise Glacier2.PermissionDeniedException("A user name is needed.")
        accounts = self._server.accounts
        if user == password:
            session = self._server.sessions.find(user)
            if session is not None:
                log.info("joined session %d of %s, agent %s", session.row_id, session.user_name, context.get("omero.agent", ""))
                return session
        user_id = accounts.check_password(user, password)
        if user_id is None:
            # One sentence for an unknown user and a wrong password: it says nothing about who exists.
            raise Glacier2.PermissionDeniedException(f"Password check failed for '{user}'")
        group = context.get("omero.group", "")
        group_id = accounts.group_id(group) if group else None
        if group_id is not None and group_id < 0:
            group_id = None
        return self._server.sessions.open(user_id, group_id, agent=context.get("omero.agent", ""))
