# SPDX-License-Identifier: AGPL-3.0-or-later
"""Read tokens: addresses by which software without a browser's cookie reads one image or one plate for a while.

A token is signed with OMERO.web's secret key and says what it is for, for whom, and until when. It carries no credential.
Reading with it is reading by the browser session in which it was made: the token's handle leads to a record, kept where
OMERO.web keeps its sessions, and the record to that session. So OMERO decides at each request as for that user, and signing
out ends every token at once. The record is no sign-in: the handle as a cookie would open nothing.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings as django_settings
from django.core.signing import BadSignature, Signer
from omeroweb.connector import Connector

from omero_openhcs import settings
from openhcs_client import OpenHCSError

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["IssuedToken", "Kind", "issue_token", "redeem_token"]

Kind = Literal["image", "plate"]

RECORD = "openhcs_zarr"
LONGEST = 500
"""Characters; ours have about 150."""


@dataclass(frozen=True)
class IssuedToken:
    """A token and when it ends, in seconds since 1970."""

    text: str
    expires: int


def issue_token(request: HttpRequest, kind: Kind, object_id: int, user_id: int) -> IssuedToken:
    """Make a token for an object that the signed-in user was found to be allowed to read."""
    connector = Connector.from_session(request)
    if connector is None or request.session.session_key is None:
        raise _refused()
    seconds = 60 * settings.ZARR_TOKEN_MINUTES
    expires = int(time.time()) + seconds
    record = _session(None)
    record[RECORD] = {"session": request.session.session_key, "omero": _name_of(connector)}
    # A moment and not a number of seconds, which Django would count anew from each look.
    record.set_expiry(timedelta(seconds=seconds))
    record.create()
    claims = {"handle": record.session_key, "kind": kind, "id": object_id, "user": user_id, "expires": expires}
    return IssuedToken(_signer().sign_object(claims), expires)


def redeem_token(token: str, kind: Kind, object_id: int) -> Connector:
    """Return the sign-in that a token stands for.

    Raises:
        OpenHCSError: ``token_expired`` (403); ``token_refused`` (403) when it was changed, is for something else, or was made
            in a session that has ended or now belongs to somebody else.
    """
    try:
        claims = _signer().unsign_object(token) if len(token) <= LONGEST else {}
    except BadSignature:
        raise _refused() from None
    if claims.get("kind") != kind or claims.get("id") != object_id:
        raise _refused()
    if claims["expires"] <= time.time():
        raise OpenHCSError(
            "token_expired", "This address has expired. Make a new one in the viewer of OMERO.openhcs.", status=403
        )
    record = _session(claims["handle"]).get(RECORD) or {}
    kept = _session(record["session"]).get("connector") if record else None
    connector = Connector(**kept) if kept else None
    if connector is None or _name_of(connector) != record["omero"] or connector.user_id != claims["user"]:
        raise _refused()
    return connector


def _refused() -> OpenHCSError:
    return OpenHCSError(
        "token_refused",
        "This address does not open this image or plate, or the OMERO session in which it was made has ended. "
        "Make a new one in the viewer of OMERO.openhcs.",
        status=403,
    )


def _signer() -> Signer:
    # The usual colon would have to be escaped by some readers of Zarr.
    return Signer(salt="openhcs.zarr.token", sep=".")


def _session(key: str | None) -> Any:
    return import_module(django_settings.SESSION_ENGINE).SessionStore(key)


def _name_of(connector: Connector) -> str:
    return hashlib.sha256(str(connector.omero_session_key).encode()).hexdigest()
