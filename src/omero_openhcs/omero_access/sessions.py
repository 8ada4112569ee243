# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job's own OMERO session.

OMERO.web closes its session when the user signs out, for everyone who joined it. An execution therefore gets a second
session of the same user, opened inside the user's request, in the group of the plate so that results are written there.
Its key goes to the execution service and nowhere else: it is never logged, stored or sent to the browser.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import omero
import omero.gateway  # loads OMERO's exceptions into `omero`
import omero.model
from omero.rtypes import rstring
from pydantic import SecretStr

from openhcs_client import OpenHCSError

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["close_session", "open_job_session"]

logger = logging.getLogger(__name__)


def open_job_session(conn: BlitzGateway, group_id: int, *, idle_minutes: int) -> SecretStr:
    """Open a second session of the signed-in user whose default group is ``group_id``.

    Raises:
        OpenHCSError: ``not_a_group_member`` (403) when OMERO does not let the user work in the group.
    """
    group = conn.getObject("ExperimenterGroup", group_id)
    if group is None:
        raise _not_a_member()
    try:
        # Time to live 0: as long as it is used. The service keeps it alive and closes it at the end.
        session = conn.c.sf.getSessionService().createUserSession(0, idle_minutes * 60_000, group.getName())
    except (omero.SecurityViolation, omero.ValidationException) as error:
        raise _not_a_member() from error
    return SecretStr(session.getUuid().getValue())


def close_session(conn: BlitzGateway, key: SecretStr) -> None:
    """Close a session that :func:`open_job_session` opened. A failure is logged: OMERO closes idle sessions by itself."""
    session = omero.model.SessionI()
    session.setUuid(rstring(key.get_secret_value()))
    try:
        conn.c.sf.getSessionService().closeSession(session)
    except Exception:
        logger.exception("A job session could not be closed; OMERO will close it when it has been idle for long enough.")


def _not_a_member() -> OpenHCSError:
    return OpenHCSError(
        "not_a_group_member",
        "You may look at this plate, but you are not a member of its group, so results could not be saved there. "
        "Ask the group's owner to add you.",
        status=403,
    )
