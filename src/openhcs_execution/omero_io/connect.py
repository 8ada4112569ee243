# SPDX-License-Identifier: AGPL-3.0-or-later
"""Joining an OMERO session that somebody else opened, and leaving it running.

An OMERO session is joined by its key. Closing a joined session the default way ends it for everyone who uses it, the user's
web pages included; :func:`join_session` only lets go of its own connection.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import Glacier2
import Ice
import omero
from omero.gateway import BlitzGateway

from openhcs_client import OpenHCSError

from .failures_counted import OMERO_ERRORS

__all__ = ["ALL_GROUPS", "OmeroServer", "join_session", "omero_errors", "open_client"]

logger = logging.getLogger(__name__)

ALL_GROUPS = -1
"""``omero.group`` for reading: whatever the user may see, in any group."""

_CALL_LIMIT_MS = 300_000
"""A call that takes longer than this is given up: a frozen server must not hold a worker for ever."""

_SESSION_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class OmeroServer:
    """Where OMERO.server listens (the SSL port of its router, 4064 by default)."""

    host: str
    port: int = 4064


@contextmanager
def join_session(server: OmeroServer, key: str, *, group_id: int | None = None) -> Iterator[BlitzGateway]:
    """Join the session with this key; at the end the connection is closed and the session goes on.

    Args:
        server: The OMERO server.
        key: The session's key.
        group_id: The group for calls that name none; all readable groups when ``None``.

    Raises:
        OpenHCSError: ``omero_session_lost`` (401) when there is no such session (any more), ``omero_unreachable`` (503)
            when the server does not answer, ``omero_not_allowed`` (403) when it refuses something to this user,
            ``omero_error`` (502) for whatever else it reports, also when that happens inside the ``with`` block.
    """
    with omero_errors():
        client = open_client(server, key)
        try:
            conn = BlitzGateway(client_obj=client)
            conn.SERVICE_OPTS.setOmeroGroup(ALL_GROUPS if group_id is None else group_id)
            yield conn
        finally:
            _let_go(client)


def open_client(server: OmeroServer, key: str) -> omero.client:
    """Join the session and return the low-level client, which the caller closes."""
    # OMERO takes a session key as both user name and password. Anything that is not a key would be tried as a real
    # sign-in, which would let in whoever has an account whose password is its name.
    if not _SESSION_KEY.fullmatch(key):
        raise _session_lost()
    client = omero.client(
        {"omero.host": server.host, "omero.port": str(server.port), "Ice.Default.InvocationTimeout": str(_CALL_LIMIT_MS)}
    )
    try:
        client.joinSession(key).detachOnDestroy()
    except BaseException:
        _let_go(client)
        raise
    return client


@contextmanager
def omero_errors() -> Iterator[None]:
    """Turn OMERO's and Ice's exceptions into :class:`OpenHCSError`, and count them."""
    try:
        yield
    except omero.WrappedCreateSessionException as error:
        # The one refusal that may be about the server instead of the session: it is starting up, or has too much to do.
        raise _counted(_unreachable() if error.concurrency else _session_lost()) from error
    except (
        Glacier2.PermissionDeniedException,
        Glacier2.CannotCreateSessionException,
        Glacier2.SessionNotExistException,
        Ice.ObjectNotExistException,
        omero.RemovedSessionException,
        omero.SessionTimeoutException,
    ) as error:
        raise _counted(_session_lost()) from error
    except omero.SecurityViolation as error:
        raise _counted(
            OpenHCSError(
                "omero_not_allowed",
                "OMERO does not allow this: your rights in the group of the plate do not suffice.",
                status=403,
            )
        ) from error
    except (Ice.LocalException, omero.ClientError, omero.ConcurrencyException) as error:
        raise _counted(_unreachable()) from error
    except omero.ServerError as error:
        logger.exception("OMERO reported an error.")
        message = f"OMERO reported an error: {_first_line(error)}"
        raise _counted(OpenHCSError("omero_error", message, status=502)) from error


def _counted(error: OpenHCSError) -> OpenHCSError:
    """Count an error where it is translated: blocks around this one let it pass."""
    OMERO_ERRORS.labels(error.code).inc()
    return error


def _unreachable() -> OpenHCSError:
    return OpenHCSError(
        "omero_unreachable", "OMERO does not answer at the moment. The execution goes on when it is back.", status=503
    )


def _first_line(error: omero.ServerError) -> str:
    lines = (error.message or type(error).__name__).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _session_lost() -> OpenHCSError:
    return OpenHCSError("omero_session_lost", "Your OMERO session has ended. Sign in to OMERO again.", status=401)


def _let_go(client: omero.client) -> None:
    try:
        client.closeSession()
    except Exception:  # the session or the server may be gone; there is nothing left to close then
        logger.debug("An OMERO connection did not close cleanly.", exc_info=True)
