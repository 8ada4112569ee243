# SPDX-License-Identifier: AGPL-3.0-or-later
"""A client with an OMERO session of its own (a notebook, the command line) gets a service token for it."""

from __future__ import annotations

from fastapi import APIRouter

from openhcs_client import SignedIn, SignIn
from openhcs_execution.omero_io import join_session, session_user
from openhcs_execution.tokens import LIFETIME, issue_token

from .authentication import ServiceOf

__all__ = ["router"]

router = APIRouter(prefix="/sign-in")


@router.post("/")
def sign_in(service: ServiceOf, body: SignIn) -> SignedIn:
    """Join the session, ask OMERO whose it is, and sign a token for that user. The session is left as it is."""
    with join_session(service.omero, body.omero_session.get_secret_value()) as conn:
        user = session_user(conn)
    token = issue_token(service.secret, user_id=user.user_id, name=user.name, admin=user.admin, groups=user.groups)
    return SignedIn(token=token, expires_in=LIFETIME, user_id=user.user_id, user_name=user.name)
