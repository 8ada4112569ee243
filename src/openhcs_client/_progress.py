# SPDX-License-Identifier: AGPL-3.0-or-later
"""The progress bar of ``wait`` and of ``openhcs watch``, in a terminal or a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ._executions import Event, ExecutionStatus, ExecutionStatusName
from ._waiting import Reporter

__all__ = ["count_bar", "describe", "progress_bar"]


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[Reporter]:
    """Show a bar of finished wells; yields the function that moves it. Failed wells are printed above it as they come."""
    bar = Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("wells"),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=console or Console(stderr=True),
    )
    with bar:
        task = bar.add_task("", total=None)

        def report(status: ExecutionStatus, events: list[Event]) -> None:
            for event in events:
                if event.kind == "well_failed":
                    bar.console.print(f"{event.well} failed{_reason(event)}", markup=False, highlight=False)
            bar.update(
                task,
                total=status.wells_total,
                completed=status.wells_completed + status.wells_failed,
                description=describe(status),
            )

        yield report


@contextmanager
def count_bar(things: str, console: Console | None = None) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar of so many things; yields a function that takes how many are over, how many there are, and what goes on."""
    bar = Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(things, markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=console or Console(stderr=True),
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda over, total, text: bar.update(task, completed=over, total=total, description=text)


def describe(status: ExecutionStatus) -> str:
    """What is going on, in a few words."""
    match status.status:
        case ExecutionStatusName.RUNNING if status.current_well:
            text = f"{status.current_well}: {status.current_step}" if status.current_step else status.current_well
        case ExecutionStatusName.WAITING_FOR_SIGN_IN:
            text = "waits for you to sign in again"
        case other:
            text = other.value.replace("_", " ")
    if status.wells_failed:
        text += f" ({status.wells_failed} failed)"
    if status.estimated_completion and not status.status.is_final:
        text += f", ready about {status.estimated_completion.astimezone():%H:%M}"
    return text


def _reason(event: Event) -> str:
    failure = event.data.get("failure")
    message = failure.get("message") if isinstance(failure, dict) else None
    return f": {message}" if message else ""
