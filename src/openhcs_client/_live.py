# SPDX-License-Identifier: AGPL-3.0-or-later
"""The live connection: events of an execution over a WebSocket, as they happen."""

from __future__ import annotations

from pydantic import BaseModel, Field

__all__ = ["LIVE_PROTOCOL", "TICKET_PREFIX", "LiveTicket"]

LIVE_PROTOCOL = "openhcs.events.v1"
"""The WebSocket subprotocol: each message of the service is an :class:`~openhcs_client.EventPage`; the client sends none."""

TICKET_PREFIX = "openhcs.ticket."
"""A second subprotocol that is offered carries the ticket, which so stands in no address and in no log."""


class LiveTicket(BaseModel):
    """What opens one live connection to one execution, once, for a minute."""

    ticket: str = Field(repr=False)
    expires_in: int = Field(description="Seconds within which it must be used.")
    url: str = Field(default="", description="Where to connect, as OMERO.web is configured; add `?since=` the cursor.")
