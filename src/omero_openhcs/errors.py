# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every exception that may leave a view, turned into a refusal with a code, a status and a sentence."""

from __future__ import annotations

import logging
import secrets

from django.core.exceptions import RequestDataTooBig
from django.http import Http404

from openhcs_client import OpenHCSError

from .omero_access.failures import as_openhcs_error

__all__ = ["explain", "new_request_id"]

logger = logging.getLogger(__name__)


def new_request_id() -> str:
    """A name for one request, found again in the log."""
    return secrets.token_hex(8)


def explain(error: Exception, request_id: str) -> OpenHCSError:
    """Return what to tell the user about ``error``; what is not theirs to know goes to the log with ``request_id``."""
    if isinstance(error, OpenHCSError):
        return _of_the_service(error, request_id)
    if isinstance(error, Http404):
        return OpenHCSError("not_found", "There is nothing at this address.", status=404)
    if isinstance(error, RequestDataTooBig):
        return OpenHCSError("too_large", "The request is too large.", status=413)
    told = as_openhcs_error(error)
    if told is not None:
        logger.warning("Request %s: OMERO refused or failed: %s", request_id, type(error).__name__)
        return told
    logger.error("Request %s failed", request_id, exc_info=error)
    return OpenHCSError(
        "internal_error",
        f"Something went wrong in OMERO.web. Please tell your administrator this number: {request_id}.",
        status=500,
    )


def _of_the_service(error: OpenHCSError, request_id: str) -> OpenHCSError:
    """Tell the service's failures from the point of view of somebody who sees OMERO.web only."""
    if error.code == "service_unavailable":
        logger.warning("Request %s: the execution service does not answer: %s", request_id, error)
        return OpenHCSError(
            error.code,
            "The OpenHCS execution service does not answer. Nothing is lost: what runs goes on, or continues when the service "
            "is back. Try again in a minute, and tell your administrator if it lasts.",
            status=503,
        )
    if error.status != 401:
        return error
    # The person is signed in; it is OMERO.web that the service does not know. A 401 would mislead the browser.
    logger.error("Request %s: the execution service refused our token: %s", request_id, error)
    return OpenHCSError(
        "service_not_configured",
        "OMERO.web and the OpenHCS execution service do not share the same secret. Please tell your administrator.",
        status=503,
    )
