# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who asks: the bearer token's claims, and what they allow. Routes take :data:`ServiceOf` and :data:`ClaimsOf` as arguments."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import Depends, Request

from openhcs_client import Claims, OpenHCSError
from openhcs_execution.database import ExecutionRow
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.reading import reader_of
from openhcs_execution.service import Service
from openhcs_execution.tokens import read_token

__all__ = ["AdministratorOf", "ClaimsOf", "ServiceOf", "actor_of", "reader_of", "require_owner"]


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _claims(request: Request) -> Claims:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OpenHCSError("token_missing", "This address needs a service token.", status=401)
    service: Service = request.app.state.service
    claims = read_token(service.secret, token.strip())
    structlog.contextvars.bind_contextvars(user_id=claims.user_id)
    return claims


ServiceOf = Annotated[Service, Depends(_service)]
ClaimsOf = Annotated[Claims, Depends(_claims)]


def actor_of(claims: Claims) -> Actor:
    """Who is responsible for what these claims let a user do."""
    return Actor(claims.user_id, claims.name)


async def _administrator(claims: ClaimsOf) -> Claims:
    if not claims.admin:
        raise OpenHCSError("not_an_administrator", "Only an OMERO administrator may do this.", status=403)
    return claims


AdministratorOf = Annotated[Claims, Depends(_administrator)]


def require_owner(claims: Claims, execution: ExecutionRow) -> None:
    """Let only the owner or an administrator pass.

    Raises:
        OpenHCSError: ``not_yours``, status 403.
    """
    if not claims.admin and execution.owner_id != claims.user_id:
        raise OpenHCSError("not_yours", "Only its owner or an administrator may change this execution.", status=403)
