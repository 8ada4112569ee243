# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO's own exceptions, told in the plugin's words."""

from __future__ import annotations

import socket

import Ice
import omero
import omero.gateway  # loads OMERO's exceptions into `omero`

from openhcs_client import OpenHCSError

__all__ = ["as_openhcs_error", "omero_unreachable", "server_answers"]

_PROBE_SECONDS = 2.0


def omero_unreachable() -> OpenHCSError:
    """OMERO does not answer: a refusal that may pass by itself."""
    return OpenHCSError(
        "omero_unreachable",
        "The OMERO server cannot be reached at the moment. Nothing is lost; try again in a minute.",
        status=503,
    )


def as_openhcs_error(error: Exception) -> OpenHCSError | None:
    """Translate an exception raised by OMERO, or return None when it is not one of OMERO's."""
    if isinstance(error, omero.SecurityViolation):
        return OpenHCSError("not_allowed", "OMERO does not allow you to do this with this data.", status=403)
    # RemovedSessionException and SessionTimeoutException; a session that is gone also looks like an unknown object to Ice.
    if isinstance(error, omero.SessionException | Ice.ObjectNotExistException):
        return OpenHCSError("session_expired", "Your OMERO session has ended. Sign in again.", status=403)
    if isinstance(error, Ice.LocalException):
        return omero_unreachable()
    return None


def server_answers(host: str, port: int) -> bool:
    """Whether something listens where OMERO should be: tells a dead server from an ended session."""
    try:
        with socket.create_connection((host, int(port)), timeout=_PROBE_SECONDS):
            return True
    except OSError:
        return False
