# SPDX-License-Identifier: AGPL-3.0-or-later
"""How soon a live connection brings what happens: many watchers on one execution, over the WebSocket of the service."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import websockets

from openhcs_client import LIVE_PROTOCOL, TICKET_PREFIX, EventPage, RemoteOrchestrator

__all__ = ["Heard", "seconds_to_hear", "watch_together"]

EARLY = 15
"""Events that were there before the last watcher came are no news."""


@dataclass(frozen=True)
class Heard:
    """The number of an event, and how many seconds after its time it was there."""

    sequence: int
    seconds: float


async def watch_together(service_url: str, client: RemoteOrchestrator, execution_id: str, watchers: int) -> list[list[Heard]]:
    """Follow an execution to its end with several connections; what each of them heard, in the order in which it came."""
    return await asyncio.gather(*(_watch(service_url, client, execution_id) for _ in range(watchers)))


async def _watch(service_url: str, client: RemoteOrchestrator, execution_id: str) -> list[Heard]:
    ticket = await asyncio.to_thread(client.live_ticket, execution_id)
    address = f"{service_url.replace('http', 'ws', 1)}/api/v1/live/executions/{execution_id}/?since=0"
    heard: list[Heard] = []
    async with websockets.connect(
        address, subprotocols=[LIVE_PROTOCOL, TICKET_PREFIX + ticket.ticket], max_size=None
    ) as socket:
        async for message in socket:
            now = datetime.now(UTC)
            page = EventPage.model_validate_json(message)
            heard += [Heard(event.sequence, (now - event.time).total_seconds()) for event in page.events]
    if socket.close_code != 1000:
        raise RuntimeError(f"the live connection ended with {socket.close_code}")
    return heard


def seconds_to_hear(watched: list[list[Heard]]) -> list[float]:
    """The delays of everything that was news to all watchers."""
    return [heard.seconds for one in watched for heard in one if heard.sequence > EARLY]
