# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who asks: the signed-in person of a request, with or without an OMERO connection.

Joining an OMERO session takes a dozen calls, too much for a page that polls. What a session stands for hardly changes, so
each web worker remembers it for a minute, by a hash of the session key. Signing out still takes effect at once, because the
key is looked up in the browser's own session first.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from omeroweb.connector import Connector, Server
from omeroweb.decorators import is_public_user, login_required

from openhcs_client import OpenHCSError

from . import settings
from .omero_access.failures import omero_unreachable, server_answers
from .omero_access.people import Person, person_of
from .service.connection import service_for

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.omero_access.gateway import BlitzGateway
    from openhcs_client import RemoteOrchestrator

__all__ = ["Asker", "OmeroSignIn", "remembered_asker", "signed_in_asker"]

_MOST_REMEMBERED = 2000


@dataclass(frozen=True)
class Asker:
    """The person behind a request. ``connection`` is None where only the execution service is needed."""

    person: Person
    public: bool
    connection: BlitzGateway | None = None

    @property
    def omero(self) -> BlitzGateway:
        """The OMERO connection of a view that was declared to need one."""
        if self.connection is None:
            raise omero_unreachable()
        return self.connection

    @cached_property
    def service(self) -> RemoteOrchestrator:
        """The execution service, asked in this person's name."""
        return service_for(self.person)

    def require_administrator(self) -> None:
        """Refuse everybody but OMERO administrators.

        Raises:
            OpenHCSError: ``not_an_administrator`` (403).
        """
        if self.public or not self.person.admin:
            raise OpenHCSError("not_an_administrator", "Only an OMERO administrator may see and do this.", status=403)

    def refuse_public(self) -> None:
        """Refuse what the public user may not do.

        Raises:
            OpenHCSError: ``public_user`` (403).
        """
        if self.public:
            raise OpenHCSError(
                "public_user",
                "The public account may look at results but not start or change anything. Sign in with your own account.",
                status=403,
            )

    def require_member(self, group_id: int) -> None:
        """Refuse to store something in a group of others.

        Raises:
            OpenHCSError: ``not_a_group_member`` (403).
        """
        if not self.person.is_member(group_id):
            raise OpenHCSError(
                "not_a_group_member", "You are not a member of this group.", status=403, field_errors={"group_id": "not yours"}
            )


class _RememberedPersons:
    """Persons by session key (hashed), the least recently used forgotten first; safe between threads."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[float, Person]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session_key: str) -> Person | None:
        name = self._name(session_key)
        with self._lock:
            entry = self._entries.get(name)
            if entry is None:
                return None
            if entry[0] < time.monotonic():
                del self._entries[name]
                return None
            self._entries.move_to_end(name)
            return entry[1]

    def put(self, session_key: str, person: Person) -> None:
        with self._lock:
            self._entries[self._name(session_key)] = (time.monotonic() + settings.PERSON_CACHE_SECONDS, person)
            while len(self._entries) > _MOST_REMEMBERED:
                self._entries.popitem(last=False)

    @staticmethod
    def _name(session_key: str) -> str:
        return hashlib.sha256(session_key.encode()).hexdigest()


_PERSONS = _RememberedPersons()


def remembered_asker(request: HttpRequest) -> Asker | None:
    """Who asks, without talking to OMERO; None when that is not known (any more)."""
    # These parameters ask OMERO.web to sign in as somebody else.
    if {"bsession", "username"} & request.GET.keys():
        return None
    connector = Connector.from_session(request)
    if connector is None or not connector.omero_session_key:
        return None
    person = _PERSONS.get(connector.omero_session_key)
    return Asker(person, bool(connector.is_public)) if person is not None else None


def signed_in_asker(request: HttpRequest, conn: BlitzGateway | None) -> Asker:
    """Who asks, read from OMERO and remembered.

    Raises:
        OpenHCSError: ``omero_unreachable`` (503) when there is no connection.
    """
    if conn is None:
        raise omero_unreachable()
    remembered = remembered_asker(request)
    person = remembered.person if remembered is not None else person_of(conn)
    connector = Connector.from_session(request)
    if remembered is None and connector is not None and connector.omero_session_key:
        _PERSONS.put(connector.omero_session_key, person)
    return Asker(person, bool(is_public_user(request)), conn)


class OmeroSignIn(login_required):
    """OMERO.web's ``login_required``, except that a silent OMERO server does not sign everybody out.

    OMERO.web forgets a session that cannot be joined, whatever the reason. When the server itself is silent, the session is
    kept and the view is called without a connection, so that it can say what is wrong.
    """

    def get_connection(self, server_id: Any, request: HttpRequest) -> BlitzGateway | None:
        remembered = request.session.get("connector")
        connection = super().get_connection(server_id, request)
        if connection is None and remembered is not None and not _omero_answers(remembered.get("server_id")):
            request.session["connector"] = remembered
            raise ConnectionError("OMERO does not answer")
        return connection


def _omero_answers(server_id: Any) -> bool:
    server = Server.get(server_id)
    return server is None or server_answers(server.host, server.port)
