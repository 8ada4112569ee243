# SPDX-License-Identifier: AGPL-3.0-or-later
"""News of executions: read once for everybody who watches, as soon as they are committed.

The database tells which executions a transaction wrote events of (:meth:`Database.listen`), which wakes one task that reads
what is new of those that are watched. What another process wrote is found by a look each second. The newest events are kept in
memory; whoever is further behind reads from the database, so a slow reader costs no memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from openhcs_client import Event, EventPage, ExecutionStatusName
from openhcs_execution.database import Database, ExecutionRow, Told
from openhcs_execution.logging import get_logger
from openhcs_execution.queue.reading import read_events

__all__ = ["Feed", "Feeds"]

log = get_logger(__name__)

_TICK = 1.0
"""Seconds between two looks for what another process wrote."""
_GATHER = 0.02
"""Seconds for which news is gathered: a burst of events is read and sent together."""
_KEPT = 1000
"""Events of one execution that are kept in memory; also the most that are read at once."""


@dataclass
class Feed:
    """What is known of an execution that somebody watches: its newest events, those after ``base`` up to ``cursor``."""

    number: int
    base: int | None = None
    cursor: int = 0
    status: ExecutionStatusName | None = None
    recent: deque[Event] = field(default_factory=lambda: deque(maxlen=_KEPT))
    watchers: int = 0
    version: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def page_after(self, cursor: int) -> EventPage | None:
        """What is new for somebody who knows the events up to ``cursor``; None when the database must be asked."""
        if self.base is None or self.status is None or not self.base <= cursor <= self.cursor:
            return None
        events = [event for event in self.recent if event.sequence > cursor]
        return EventPage(events=events, next=self.cursor, status=self.status)

    async def take(self, page: EventPage) -> None:
        """Add what was read, and wake the watchers."""
        if self.base is None:
            self.base = page.next
        overflow = len(self.recent) + len(page.events) - _KEPT
        self.recent.extend(page.events)
        if overflow > 0:
            self.base = self.recent[0].sequence - 1
        self.cursor, self.status = page.next, page.status
        self.version += 1
        async with self.changed:
            self.changed.notify_all()

    async def wait_beyond(self, version: int, seconds: float) -> None:
        """Wait until there is something newer than ``version``, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self.changed:
                await self.changed.wait_for(lambda: self.version > version)


class Feeds:
    """The feeds of the executions that are watched just now, and the task that fills them while there are any."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._feeds: dict[int, Feed] = {}
        self._rung = asyncio.Event()
        self._news: set[int] = set()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        database.listen(self._ring)

    @asynccontextmanager
    async def watch(self, number: int) -> AsyncIterator[Feed]:
        """Follow an execution, by its internal number, for as long as the block lasts."""
        feed = self._feeds.setdefault(number, Feed(number))
        feed.watchers += 1
        self._loop = asyncio.get_running_loop()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._fill(), name="live-feeds")
        self._note({number})
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if not feed.watchers:
                self._feeds.pop(number, None)
            if not self._feeds and self._task is not None:
                self._task.cancel()
                self._task = None

    async def read(self, number: int, since: int) -> EventPage | None:
        """Events from the database, for those who are behind; None when the execution is gone."""
        pages = await asyncio.to_thread(_read, self._database, {number: since})
        return pages.get(number)

    def _ring(self, told: Sequence[Told]) -> None:
        """Some thread has committed these events."""
        loop = self._loop
        numbers = {execution.number for execution, _event in told} & self._feeds.keys()
        if loop is None or not numbers:
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: the service ends
            loop.call_soon_threadsafe(self._note, numbers)

    def _note(self, numbers: set[int]) -> None:
        self._news |= numbers
        self._rung.set()

    async def _fill(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_TICK):
                    await self._rung.wait()
            except TimeoutError:
                numbers = set(self._feeds)
            else:
                self._rung.clear()
                numbers, self._news = self._news & self._feeds.keys(), set()
            try:
                await self._read_news(numbers)
            except SQLAlchemyError as error:
                log.error("live_feed_failed", reason=str(error))
                await asyncio.sleep(_TICK)
            await asyncio.sleep(_GATHER)

    async def _read_news(self, numbers: Collection[int]) -> None:
        cursors = {number: None if self._feeds[number].base is None else self._feeds[number].cursor for number in numbers}
        if not cursors:
            return
        pages = await asyncio.to_thread(_read, self._database, cursors)
        for number, page in pages.items():
            feed = self._feeds.get(number)
            if feed is None or (cursors[number] is None) != (feed.base is None):
                continue  # nobody watches it any more, or somebody else began to
            if feed.base is None or page.events or page.status != feed.status:
                await feed.take(page)
            if len(page.events) == _KEPT:
                self._note({number})


def _read(database: Database, cursors: Mapping[int, int | None]) -> dict[int, EventPage]:
    """A page of each execution after its cursor; one whose cursor is None begins at its end."""
    with database.read() as session:
        rows = list(session.scalars(select(ExecutionRow).where(ExecutionRow.number.in_(cursors))))
        pages = {}
        for row in rows:
            since = cursors[row.number]
            since = row.last_event if since is None else since
            if row.last_event > since:
                pages[row.number] = read_events(session, row, since, _KEPT)
            else:
                pages[row.number] = EventPage(events=[], next=since, status=ExecutionStatusName(row.status))
        return pages
