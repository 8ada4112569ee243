# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whose session it is, and the job's own session: opened beside the user's, kept alive, and ended for good afterwards."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import omero
from omero.gateway import BlitzGateway

from openhcs_client import GroupClaim, OpenHCSError

from .connect import OmeroServer, join_session, omero_errors, open_client
from .services import context_of, project

__all__ = ["SessionUser", "close_job_session", "keep_alive", "open_job_session", "session_user"]

logger = logging.getLogger(__name__)

_NO_TIME_TO_LIVE = 0

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,180}")


@dataclass(frozen=True)
class SessionUser:
    """An OMERO user as OMERO itself describes them. ``reads_all`` of a group is false in a private one they do not own."""

    user_id: int
    name: str
    admin: bool
    groups: tuple[GroupClaim, ...]
    group_names: tuple[str, ...] = ()
    email: str = ""


def session_user(conn: BlitzGateway) -> SessionUser:
    """Ask OMERO whose session this is and in which groups they are."""
    event = conn.c.sf.getAdminService().getEventContext(context_of(conn))
    owned = set(event.leaderOfGroups)
    groups = conn.c.sf.getQueryService().findAllByQuery(
        "select g from ExperimenterGroup g where g.id in (:ids) order by g.id",
        omero.sys.ParametersI().addIds(list(event.memberOfGroups)),
        context_of(conn),
    )
    claims = tuple(
        GroupClaim(
            id=group.id.val, reads_all=bool(event.isAdmin or group.id.val in owned or group.details.permissions.isGroupRead())
        )
        for group in groups
    )
    return SessionUser(
        user_id=event.userId,
        name=_full_name(conn, event),
        admin=bool(event.isAdmin),
        groups=claims,
        group_names=tuple(group.name.val for group in groups),
        email=_email(conn, event.userId),
    )


def _email(conn: BlitzGateway, user_id: int) -> str:
    """The address in the user's own record; empty when there is none, or nothing that looks like one."""
    query = "select e.email from Experimenter e where e.id = :id"
    rows = project(conn, query, omero.sys.ParametersI().addId(user_id), context_of(conn))
    address = (rows[0][0] or "") if rows else ""
    return address if _ADDRESS.fullmatch(address) else ""


def open_job_session(conn: BlitzGateway, group_id: int, *, idle_minutes: int) -> str:
    """Open a second session of the same user with ``group_id`` as its default group, and return its key.

    The session outlives the user's own. OMERO ends it after ``idle_minutes`` without use; it takes no more than the
    server's ``omero.sessions.max_user_time_to_idle`` (100 minutes unless configured).

    Raises:
        OpenHCSError: ``not_a_group_member`` (403) when the user cannot work in this group.
    """
    names = project(
        conn,
        "select g.name from ExperimenterGroup g where g.id = :id",
        omero.sys.ParametersI().addId(group_id),
        context_of(conn),
    )
    if not names:
        raise _not_a_member()
    try:
        session = conn.c.sf.getSessionService().createUserSession(_NO_TIME_TO_LIVE, idle_minutes * 60_000, names[0][0])
    except (omero.SecurityViolation, omero.ApiUsageException, omero.ValidationException) as error:
        raise _not_a_member() from error
    return session.uuid.val


def close_job_session(server: OmeroServer, key: str) -> None:
    """End a session that :func:`open_job_session` opened, for everyone who joined it. A session that is gone is no error.

    Raises:
        OpenHCSError: ``omero_unreachable`` (503).
    """
    try:
        with omero_errors():
            open_client(server, key).killSession()
    except OpenHCSError as error:
        if error.code != "omero_session_lost":
            raise


def keep_alive(server: OmeroServer, key: str) -> bool:
    """Use the session, so that it does not idle out; false when there is no such session any more.

    Raises:
        OpenHCSError: ``omero_unreachable`` (503).
    """
    try:
        with join_session(server, key) as conn:
            conn.c.sf.keepAllAlive([])
    except OpenHCSError as error:
        if error.code == "omero_session_lost":
            return False
        raise
    return True


def _full_name(conn: BlitzGateway, event: omero.sys.EventContext) -> str:
    rows = project(
        conn,
        "select e.firstName, e.lastName from Experimenter e where e.id = :id",
        omero.sys.ParametersI().addId(event.userId),
        context_of(conn),
    )
    return " ".join(part for part in (rows[0] if rows else ()) if part) or event.userName


def _not_a_member() -> OpenHCSError:
    return OpenHCSError(
        "not_a_group_member",
        "You may look at this plate, but you are not a member of its group, so results could not be saved there. "
        "Ask the group's owner to add you.",
        status=403,
    )
