# SPDX-License-Identifier: AGPL-3.0-or-later
"""Following an execution by its events until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ._errors import OpenHCSError
from ._executions import Event, EventPage, ExecutionStatus

__all__ = ["Followed", "Reporter", "follow", "wait_for"]

_PATIENCE = 300.0
"""Seconds that a service may be away, for example while it restarts, before the wait gives up."""


class Followed(Protocol):
    """What following needs of the client."""

    def status(self, execution_id: str) -> ExecutionStatus: ...

    def events(self, execution_id: str, since: int = 0) -> EventPage: ...


Reporter = Callable[[ExecutionStatus, list[Event]], None]
"""Called whenever something happened."""


def wait_for(
    client: Followed, execution_id: str, *, progress: bool, timeout: float | None, poll_seconds: float
) -> ExecutionStatus:
    """Wait for the end, with or without a progress bar."""
    if not progress:
        return follow(client, execution_id, lambda _status, _events: None, timeout=timeout, poll_seconds=poll_seconds)
    from ._progress import progress_bar  # rich is only loaded when a bar is wanted

    with progress_bar() as report:
        return follow(client, execution_id, report, timeout=timeout, poll_seconds=poll_seconds)


def follow(
    client: Followed,
    execution_id: str,
    report: Reporter,
    *,
    timeout: float | None = None,
    poll_seconds: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> ExecutionStatus:
    """Report each batch of events until the status is final, and return that status.

    Raises:
        OpenHCSError: ``wait_timed_out`` after ``timeout`` seconds; whatever the client raises, except that a service that
            does not answer is given five minutes to come back.
    """
    started = answered = clock()
    status = client.status(execution_id)
    report(status, [])
    cursor = status.last_event
    while not status.status.is_final:
        if timeout is not None and clock() - started >= timeout:
            raise OpenHCSError(
                "wait_timed_out",
                f"The execution is still {status.status.value} after {timeout:g} seconds; it goes on.",
                status=504,
            )
        pause(poll_seconds)
        try:
            page = client.events(execution_id, since=cursor)
            if page.events or page.status != status.status:
                status = client.status(execution_id)
                report(status, page.events)
        except OpenHCSError as error:
            if error.code != "service_unavailable" or clock() - answered > _PATIENCE:
                raise
            continue
        answered = clock()
        cursor = page.next
    return status
