# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages for OMERO administrators: the queue of everybody with its limits, and the audit log. Everybody else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs.api.requests import read_query
from openhcs_client import AuditAction

from .decorators import page

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["administration", "audit"]

AUDIT_LINES = 50


class AuditQuery(BaseModel):
    """The query of the audit page, as its form sends it."""

    model_config = ConfigDict(extra="ignore")

    user: int | None = Field(default=None, ge=0, lt=2**63)
    action: str | None = Field(default=None, max_length=32, pattern=r"^[a-z_]+$")
    target: str | None = Field(default=None, max_length=64)
    cursor: str | None = Field(default=None, max_length=18, pattern=r"^[0-9]+$")

    def without_cursor(self) -> str:
        """The query of the next page, to which its cursor is added."""
        query = QueryDict(mutable=True)
        query.update({name: str(value) for name, value in self.model_dump(exclude_none=True, exclude={"cursor"}).items()})
        return f"{query.urlencode()}&" if query else ""


@page("omero_openhcs/admin.html")
def administration(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """The queue, who uses it, its limits, and whether it is stopped."""
    asker.require_administrator()
    return {"section": "admin", "queue": asker.service.administration.queue()}


@page("omero_openhcs/admin_audit.html")
def audit(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """Who did what, newest first."""
    asker.require_administrator()
    query = read_query(request, AuditQuery)
    found = asker.service.administration.audit(limit=AUDIT_LINES, **query.model_dump())
    return {
        "section": "admin",
        "search": query,
        "actions": get_args(AuditAction),
        "entries": found.entries,
        "next_cursor": found.next_cursor,
        "query": query.without_cursor(),
    }
