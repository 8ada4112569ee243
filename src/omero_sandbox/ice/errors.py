# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO's exceptions with a plain sentence in them.

Clients show ``message``; ``serverExceptionClass`` is what OMERO.server would have put there, some clients compare it.
"""

from __future__ import annotations

import omero

__all__ = ["api_usage", "internal_error", "removed_session", "security_violation", "validation_error"]


def security_violation(message: str) -> omero.SecurityViolation:
    """The caller has no right to do this."""
    return omero.SecurityViolation("", "ome.conditions.SecurityViolation", message)


def api_usage(message: str) -> omero.ApiUsageException:
    """The call makes no sense as it stands: a wrong argument, a missing object, an operation that is not there."""
    return omero.ApiUsageException("", "ome.conditions.ApiUsageException", message)


def validation_error(message: str) -> omero.ValidationException:
    """An object breaks a rule of the data model, for example a name that is already taken."""
    return omero.ValidationException("", "ome.conditions.ValidationException", message)


def removed_session(message: str) -> omero.RemovedSessionException:
    """The session is closed or never was."""
    return omero.RemovedSessionException("", "ome.conditions.RemovedSessionException", message)


def internal_error(message: str, traceback: str = "") -> omero.InternalException:
    """A bug in the sandbox; ``traceback`` is for its log and the developer who sees it."""
    return omero.InternalException(traceback, "ome.conditions.InternalException", message)
