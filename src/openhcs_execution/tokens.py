# SPDX-License-Identifier: AGPL-3.0-or-later
"""Service tokens: who asks, signed by somebody who knows the shared secret (OMERO.web, or the service itself at sign-in)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import jwt
from pydantic import ValidationError

from openhcs_client import AUDIENCE, Claims, GroupClaim, OpenHCSError

__all__ = ["ISSUER", "LIFETIME", "issue_token", "read_token"]

ALGORITHM = "HS256"
ISSUER = "openhcs-execution"
LIFETIME = 300
"""Seconds between ``iat`` and ``exp``, at most: a leaked token is soon worth nothing."""
CLOCK_SKEW = 10
"""Seconds by which the clocks of OMERO.web and of the service may differ."""


def issue_token(
    secret: str,
    *,
    user_id: int,
    name: str,
    admin: bool,
    groups: Sequence[GroupClaim],
    issuer: str = ISSUER,
    lifetime: int = LIFETIME,
) -> str:
    """Sign a token for a user whom OMERO has vouched for."""
    now = int(time.time())
    claims = Claims(
        sub=str(user_id),
        name=name,
        admin=admin,
        groups=list(groups),
        iss=issuer,
        iat=now,
        exp=now + lifetime,
        jti=uuid.uuid4().hex,
    )
    return jwt.encode(claims.model_dump(mode="json"), secret, algorithm=ALGORITHM)


def read_token(secret: str, token: str) -> Claims:
    """Check a token's signature, audience and times, and return its claims.

    Raises:
        OpenHCSError: ``token_invalid`` or ``token_expired``, status 401; the reason is not told in detail.
    """
    try:
        payload = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            leeway=CLOCK_SKEW,
            options={"require": ["exp", "iat", "sub", "aud", "iss", "jti"]},
        )
        claims = Claims.model_validate(payload)
        if not claims.sub.isascii() or not claims.sub.isdigit():
            raise ValueError("the subject is not a user id")
    except jwt.ExpiredSignatureError as error:
        raise OpenHCSError("token_expired", "The service token has expired. Sign in again.", status=401) from error
    except (jwt.InvalidTokenError, ValidationError, ValueError) as error:
        raise OpenHCSError("token_invalid", "The service token is not valid. Sign in again.", status=401) from error
    if claims.exp - claims.iat > LIFETIME:
        raise OpenHCSError("token_invalid", "The service token lives too long. Sign in again.", status=401)
    return claims
