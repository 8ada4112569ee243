# SPDX-License-Identifier: AGPL-3.0-or-later
"""Live connections: a ticket for somebody who may see an execution, and the WebSocket that a ticket opens.

The service sends pages of events, as ``executions/<id>/events/`` gives them: first what came after the cursor, then what
happens. A page without events tells a change of status, or only that the connection is alive.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Query, Request, WebSocket
from starlette.websockets import WebSocketDisconnect

from openhcs_client import LIVE_PROTOCOL, TICKET_PREFIX, EventPage, LiveTicket, OpenHCSError
from openhcs_execution.database import ExecutionRow
from openhcs_execution.live.feeds import Feeds
from openhcs_execution.live.origins import check_origin
from openhcs_execution.live.room import Room
from openhcs_execution.live.tickets import LIFETIME, Ticket, TicketOffice
from openhcs_execution.logging import get_logger
from openhcs_execution.queue import reading
from openhcs_execution.service import Service

from .authentication import ClaimsOf, ServiceOf, reader_of
from .errors import error_response

__all__ = ["Live", "router"]

log = get_logger(__name__)

router = APIRouter()

ENDED, RENEW, UNEXPECTED = 1000, 4001, 1008
"""Close codes: all is told; come again with a new ticket; the client sent something."""
_ALIVE_SECONDS = 15.0
"""Between two pages at most: a page that hears nothing for longer knows that the connection is dead."""


class Live:
    """What live connections share; one for each app."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        self.office = TicketOffice(service.secret)
        self.room = Room(settings.live_connections, settings.live_connections_per_user)
        self.feeds = Feeds(service.database)
        self.origins = settings.live_origins
        self.seconds = 60 * settings.live_minutes


@router.post("/executions/{execution_id}/ticket/")
def ticket(request: Request, service: ServiceOf, claims: ClaimsOf, execution_id: str) -> LiveTicket:
    """A ticket for one connection; for whoever may read the execution's events."""
    if service.settings.live_connections == 0:
        raise OpenHCSError("live_not_offered", "This service offers no live connections; ask for the events.", status=404)
    with service.database.read() as session:
        reading.find_execution(session, execution_id, reader_of(claims))
    live: Live = request.app.state.live
    return LiveTicket(ticket=live.office.issue(claims.user_id, execution_id), expires_in=LIFETIME)


@router.websocket("/live/executions/{execution_id}/")
async def events(socket: WebSocket, execution_id: str, since: Annotated[int, Query(ge=0, lt=2**31)] = 0) -> None:
    """Send every event after ``since`` and then the new ones, until the execution has ended or the time is over."""
    live: Live = socket.app.state.live
    with ExitStack() as stack:
        try:
            shown = _admit(socket, live, execution_id)
            stack.enter_context(live.room.place(shown.user_id))
            number = await asyncio.to_thread(_number, socket.app.state.service, execution_id)
        except OpenHCSError as error:
            log.info("live_refused", execution_id=execution_id, code=error.code)
            await socket.send_denial_response(error_response(error))
            return
        live.office.use(shown)
        await socket.accept(LIVE_PROTOCOL)
        await _converse(socket, live, number, since)


def _admit(socket: WebSocket, live: Live, execution_id: str) -> Ticket:
    """Check where the page is from and the ticket that it shows.

    Raises:
        OpenHCSError: ``wrong_origin``, ``ticket_missing``, or what :meth:`TicketOffice.check` says.
    """
    check_origin(socket.headers.get("origin"), socket.headers.get("host"), live.origins)
    offered = socket.scope["subprotocols"]
    texts = [name.removeprefix(TICKET_PREFIX) for name in offered if name.startswith(TICKET_PREFIX)]
    if LIVE_PROTOCOL not in offered or len(texts) != 1:
        raise OpenHCSError("ticket_missing", "A live connection needs a ticket.", status=401)
    return live.office.check(texts[0], execution_id)


def _number(service: Service, execution_id: str) -> int:
    """The internal number of an execution of which a ticket was given."""
    with service.database.read() as session:
        row: ExecutionRow | None = reading.execution_of(session, execution_id)
    if row is None:
        raise OpenHCSError("execution_not_found", "This execution does not exist any more.", status=404)
    return row.number


async def _converse(socket: WebSocket, live: Live, number: int, since: int) -> None:
    """Send until there is no more to say, or the other end hangs up."""
    sending = asyncio.create_task(_send_events(socket, live, number, since))
    listening = asyncio.create_task(_hang_up(socket))
    tasks = {sending, listening}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if listening.done() and listening.result():
            await socket.close(UNEXPECTED, "this connection is for listening")
        elif sending.done():
            await socket.close(sending.result())
    except WebSocketDisconnect:
        pass  # the other end was faster
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _hang_up(socket: WebSocket) -> bool:
    """Wait for the end of the connection; true when the client sent something instead."""
    message = await socket.receive()
    return bool(message["type"] != "websocket.disconnect")


async def _send_events(socket: WebSocket, live: Live, number: int, cursor: int) -> int:
    """Send page after page; returns the code to close with."""
    ends = time.monotonic() + live.seconds
    said: EventPage | None = None
    async with live.feeds.watch(number) as feed:
        while time.monotonic() < ends:
            version = feed.version
            page = feed.page_after(cursor) or await live.feeds.read(number, cursor)
            if page is None:
                return RENEW
            cursor = page.next
            if page.events or said is None or page.status != said.status:
                await socket.send_text(page.model_dump_json())
                said = page
                continue
            if page.status.is_final and not said.events:
                return ENDED  # an empty page with a final status was sent: all is told
            if page.status.is_final:
                said = None
                continue
            await feed.wait_beyond(version, min(_ALIVE_SECONDS, max(0.0, ends - time.monotonic())))
            if feed.version == version:
                said = None  # nothing happened: say that we are here
    return RENEW
