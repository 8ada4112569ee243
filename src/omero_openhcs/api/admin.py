# SPDX-License-Identifier: AGPL-3.0-or-later
"""``admin/``: the queue of everybody, for OMERO administrators.

The execution service checks the signed claims again; here others are refused before it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from openhcs_client import AuditPage, DrainRequest, EngineChange, LimitsChange, PersonLimits, QueueOverview

from .decorators import api_view
from .requests import read_body, read_query

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["audit", "drain", "engine", "limits", "queue", "undrain", "user_limits"]


class _AuditQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    target: str | None = Field(default=None, max_length=64)
    user: int | None = Field(default=None, ge=0, lt=2**63)
    action: str | None = Field(default=None, max_length=32, pattern=r"^[a-z_]+$")
    cursor: str | None = Field(default=None, max_length=18, pattern=r"^[0-9]+$")
    limit: int = Field(default=50, ge=1, le=500)


@api_view("GET")
def queue(request: HttpRequest, asker: Asker) -> QueueOverview:
    """The queue in its order, and everybody's part of the machine."""
    asker.require_administrator()
    return asker.service.administration.queue()


@api_view("POST")
def limits(request: HttpRequest, asker: Asker) -> QueueOverview:
    """Change limits for everybody."""
    asker.require_administrator()
    return asker.service.administration.change_limits(read_body(request, LimitsChange))


@api_view("POST")
def user_limits(request: HttpRequest, asker: Asker, user_id: int) -> QueueOverview:
    """Change the limits of one user."""
    asker.require_administrator()
    return asker.service.administration.change_user_limits(user_id, read_body(request, PersonLimits))


@api_view("POST")
def drain(request: HttpRequest, asker: Asker) -> QueueOverview:
    """Begin no further well and take no submissions."""
    asker.require_administrator()
    return asker.service.administration.drain((read_body(request, DrainRequest) if request.body else DrainRequest()).note)


@api_view("POST")
def undrain(request: HttpRequest, asker: Asker) -> QueueOverview:
    """Let the queue go on."""
    asker.require_administrator()
    return asker.service.administration.undrain()


@api_view("POST")
def engine(request: HttpRequest, asker: Asker) -> QueueOverview:
    """Compute with another scheduler, or with the engine of the service's settings again."""
    asker.require_administrator()
    change = read_body(request, EngineChange)
    administration = asker.service.administration
    return administration.detach() if change.address is None else administration.attach(change.address)


@api_view("GET")
def audit(request: HttpRequest, asker: Asker) -> AuditPage:
    """Who did what, newest first."""
    asker.require_administrator()
    query = read_query(request, _AuditQuery)
    return asker.service.administration.audit(**query.model_dump())
