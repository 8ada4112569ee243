# SPDX-License-Identifier: AGPL-3.0-or-later
"""Service tokens: short-lived signed claims of who asks (JWT, HS256), made anew for every request to the service."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import jwt

from omero_openhcs.omero_access.people import Person
from openhcs_client import Claims, OpenHCSError

__all__ = ["TOKEN_SECONDS", "read_secret", "sign_token"]

TOKEN_SECONDS = 120
"""Lifetime of a token: longer than any request, shorter than the five minutes that the service accepts at most."""

ISSUER = "omero-web"
_SHORTEST_SECRET = 32


def read_secret(path: str) -> str:
    """Read the secret shared with the execution service.

    Raises:
        OpenHCSError: ``service_not_configured`` (503) when the file is not set, not readable or too short to be a secret.
    """
    if not path:
        raise _not_configured("omero.web.openhcs.service_secret_file is not set")
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _not_configured("the file named by omero.web.openhcs.service_secret_file cannot be read") from error
    if len(secret) < _SHORTEST_SECRET:
        raise _not_configured(
            f"the secret in omero.web.openhcs.service_secret_file has fewer than {_SHORTEST_SECRET} characters"
        )
    return secret


def sign_token(person: Person, secret: str, *, now: float | None = None) -> str:
    """Sign the claims of ``person`` for one request."""
    issued = int(time.time() if now is None else now)
    claims = Claims(
        sub=str(person.user_id),
        name=person.name,
        admin=person.admin,
        groups=list(person.groups),
        iss=ISSUER,
        iat=issued,
        exp=issued + TOKEN_SECONDS,
        jti=secrets.token_urlsafe(12),
    )
    return jwt.encode(claims.model_dump(mode="json"), secret, algorithm="HS256")


def _not_configured(reason: str) -> OpenHCSError:
    return OpenHCSError(
        "service_not_configured",
        f"OMERO.web is not yet connected to the OpenHCS execution service: {reason}. Please tell your administrator.",
        status=503,
    )
