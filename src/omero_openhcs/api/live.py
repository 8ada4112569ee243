# SPDX-License-Identifier: AGPL-3.0-or-later
"""``executions/<id>/ticket/``: what a page needs for a live connection to the execution service.

The connection itself does not pass through OMERO.web, whose workers serve one request at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omero_openhcs import settings
from openhcs_client import LiveTicket, OpenHCSError

from .decorators import api_view

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["ticket"]


@api_view("POST")
def ticket(request: HttpRequest, asker: Asker, execution_id: str) -> LiveTicket:
    """A ticket for one connection, for whoever may see the execution; the service looks whether that is so."""
    if not settings.LIVE_URL:
        raise OpenHCSError("live_not_offered", "Live connections are not set up here; the page polls.", status=404)
    address = f"{settings.LIVE_URL}executions/{execution_id}/"
    return asker.service.live_ticket(execution_id).model_copy(update={"url": address})
