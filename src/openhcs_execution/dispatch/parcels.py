# SPDX-License-Identifier: AGPL-3.0-or-later
"""Result bundles of workers that do not share the service's disk: fetched in pieces, so neither side holds more than one.

The service asks, one piece after the other, on the connection that is there anyway. A worker answers beside the task that it
runs. It keeps a bundle until the service has all of it, or has told it to forget it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhcs_execution.results.bundle import Bundle, ResultStore

from .tasks import Outcome, ParcelFile

if TYPE_CHECKING:
    from distributed import Client, Worker

__all__ = ["OUTBOX", "ParcelLost", "fetch_parcel", "list_parcel"]

PIECE = 4 * 2**20
"""Bytes that are asked for at a time."""

OUTBOX = "openhcs_outbox"
"""The attribute of a Dask worker that holds the :class:`ResultStore` with its parcels."""


class ParcelLost(Exception):  # noqa: N818 - says what happened
    """The worker went away, or no longer has the results: the well must be computed again."""


def list_parcel(bundle: Bundle) -> list[ParcelFile]:
    """What there is to fetch."""
    files = (file for file in bundle.folder.rglob("*") if file.is_file())
    return [ParcelFile(name=file.relative_to(bundle.folder).as_posix(), size=file.stat().st_size) for file in sorted(files)]


async def read_piece(execution_id: str, well: str, attempt: int, name: str, offset: int, dask_worker: Worker) -> bytes:
    """Runs on the worker. Only names that :class:`ParcelFile` allows are read."""
    file = _parcel(dask_worker, execution_id, well, attempt) / ParcelFile(name=name, size=0).name
    return await asyncio.to_thread(_read, file, offset)


async def forget_parcel(execution_id: str, well: str, attempt: int, dask_worker: Worker) -> None:
    """Runs on the worker."""
    store: ResultStore = getattr(dask_worker, OUTBOX)
    await asyncio.to_thread(store.discard, execution_id, well, attempt)


def _parcel(worker: Worker, execution_id: str, well: str, attempt: int) -> Path:
    store: ResultStore = getattr(worker, OUTBOX)
    return store.folder(execution_id, well, attempt)


def _read(file: Path, offset: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(offset)
        return opened.read(PIECE)


def fetch_parcel(client: Client, store: ResultStore, execution_id: str, outcome: Outcome) -> None:
    """Bring the bundle of an outcome into ``store``, whole or not at all.

    Raises:
        ParcelLost: when the worker cannot give it any more.
        OSError: when it cannot be written here.
        ValueError: when what came is not what was announced.
    """
    key = (execution_id, outcome.well, outcome.attempt)
    with store.receive(*key) as draft:
        for file in outcome.parcel:
            with (draft / file.name).open("wb") as target:
                while (done := target.tell()) < file.size:
                    piece = _ask(client, outcome.address, read_piece, *key, file.name, done)
                    if not isinstance(piece, bytes) or not 0 < len(piece) <= file.size - done:
                        raise ValueError(f"{file.name} of well {outcome.well} is not as long as it was announced")
                    target.write(piece)
    _ask(client, outcome.address, forget_parcel, *key)


def _ask(client: Client, address: str, question: Any, *arguments: Any) -> Any:
    try:
        return client.run(question, *arguments, workers=[address])[address]
    except Exception as error:  # whatever is wrong there or on the way, the results cannot be had
        raise ParcelLost(f"{type(error).__name__}: {error}") from error
