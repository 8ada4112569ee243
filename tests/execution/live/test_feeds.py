# SPDX-License-Identifier: AGPL-3.0-or-later
"""Feeds: everything, in order and once, at once after a commit, and also what another process wrote."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from openhcs_client import Event, EventPage, ExecutionStatusName
from openhcs_execution.database import Database, ExecutionRow
from openhcs_execution.live import feeds as module
from openhcs_execution.live.feeds import Feed, Feeds
from openhcs_execution.queue.events import record
from tests.execution.coroutines import run_coroutine
from tests.execution.queued import enqueue, events, open_database


@pytest.fixture
def database(tmp_path: Path):
    database = open_database(tmp_path)
    yield database
    database.close()


def tell(database: Database, number: int, count: int = 1) -> None:
    with database.write() as session:
        for _ in range(count):
            record(session, session.get_one(ExecutionRow, number), "well_step", well="A01", data={})


async def pages(feeds: Feeds, feed: Feed, cursor: int, until: int):
    """Follow as a connection does, until an event number is reached."""
    while cursor < until:
        version = feed.version
        page = feed.page_after(cursor) or await feeds.read(feed.number, cursor)
        assert page is not None
        cursor = page.next
        if page.events:
            yield page
        else:
            await feed.wait_beyond(version, 20)


async def sequences(feeds: Feeds, number: int, since: int, until: int, began: asyncio.Event | None = None) -> list[int]:
    found: list[int] = []
    async with feeds.watch(number) as feed:
        if began is not None:
            began.set()
        async for page in pages(feeds, feed, since, until):
            found += [event.sequence for event in page.events]
    return found


def test_what_was_there_and_what_comes_is_told_once_and_in_order(database: Database) -> None:
    number = enqueue(database)
    tell(database, number, 20)
    last = len(events(database, number))

    async def run() -> list[list[int]]:
        feeds = Feeds(database)
        began = asyncio.Event()
        watchers = [asyncio.create_task(sequences(feeds, number, since, last + 50, began)) for since in (0, 7, last)]
        await began.wait()
        for _ in range(50):
            await asyncio.to_thread(tell, database, number)
        return await asyncio.gather(*watchers)

    for since, found in zip((0, 7, last), run_coroutine(run()), strict=True):
        assert found == list(range(since + 1, last + 51))


def test_a_commit_wakes_the_watchers_long_before_the_next_look(database: Database, monkeypatch) -> None:
    monkeypatch.setattr(module, "_TICK", 60.0)
    number = enqueue(database)
    last = len(events(database, number))

    async def run() -> float:
        feeds = Feeds(database)
        async with feeds.watch(number) as feed:
            while feed.base is None:
                await feed.wait_beyond(feed.version, 20)
            version, began = feed.version, time.monotonic()
            await asyncio.to_thread(tell, database, number)
            await feed.wait_beyond(version, 30)
            assert feed.page_after(last).next == last + 1
            return time.monotonic() - began

    assert run_coroutine(run()) < 15


def test_what_another_process_wrote_is_found_by_looking(database: Database, tmp_path: Path) -> None:
    number = enqueue(database)
    last = len(events(database, number))
    other = Database(f"sqlite:///{tmp_path / 'execution.db'}")

    async def run() -> list[int]:
        feeds = Feeds(database)
        began = asyncio.Event()
        watcher = asyncio.create_task(sequences(feeds, number, last, last + 2, began))
        await began.wait()
        await asyncio.to_thread(tell, other, number, 2)
        return await watcher

    assert run_coroutine(run()) == [last + 1, last + 2]
    other.close()


def test_whoever_is_far_behind_reads_from_the_database(database: Database, monkeypatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 10)
    number = enqueue(database)

    async def run() -> list[int]:
        feeds = Feeds(database)
        tell(database, number, 35)
        return await sequences(feeds, number, 0, len(events(database, number)))

    assert run_coroutine(run()) == list(range(1, len(events(database, number)) + 1))


def test_the_newest_events_are_kept_and_older_ones_asked_for() -> None:
    def page(first: int, last: int) -> EventPage:
        made = [Event(sequence=n, time="2026-01-01T00:00:00Z", kind="well_step", well="A01") for n in range(first, last + 1)]
        return EventPage(events=made, next=last, status=ExecutionStatusName.RUNNING)

    async def run() -> None:
        feed = Feed(1)
        await feed.take(page(1, 0).model_copy(update={"next": 5}))
        assert feed.base == 5
        await feed.take(page(6, 700))
        await feed.take(page(701, 1400))
        assert feed.base == 400
        assert feed.page_after(399) is None
        assert [event.sequence for event in feed.page_after(400).events] == list(range(401, 1401))
        assert feed.page_after(1400).events == []
        assert feed.page_after(1401) is None, "it is behind the one who asks"

    run_coroutine(run())


def test_nothing_runs_while_nobody_watches(database: Database) -> None:
    number = enqueue(database)

    async def run() -> None:
        feeds = Feeds(database)
        async with feeds.watch(number):
            assert feeds._task is not None
        assert feeds._task is None
        assert not feeds._feeds
        await asyncio.to_thread(tell, database, number)

    run_coroutine(run())
