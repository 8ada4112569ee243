# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fetching the results of workers that do not share the service's disk, beside everything else that the dispatcher does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from distributed import Client

from openhcs_execution.logging import get_logger
from openhcs_execution.queue.wells import Well
from openhcs_execution.results.bundle import ResultStore

from .parcels import fetch_parcel, forget_parcel
from .tasks import Outcome

__all__ = ["Collector"]

_AT_ONCE = 4
"""Bundles that are fetched at the same time; each holds one piece of some MiB in memory."""

log = get_logger(__name__)


class Collector:
    """Its methods are called by the dispatcher's thread; ``done`` is called by one of its own."""

    def __init__(self, store: ResultStore, done: Callable[[Outcome, Exception | None], None]) -> None:
        self._store = store
        self._done = done
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="collect")
        self._under_way: set[Well] = set()

    def is_fetching(self, well: Well) -> bool:
        return well in self._under_way

    def fetch(self, client: Client, execution_id: str, outcome: Outcome) -> None:
        """Bring a bundle here, unless that is under way; then ``done(outcome, error)``."""
        well = Well(outcome.number, outcome.well, outcome.attempt)
        if well in self._under_way:
            return
        self._under_way.add(well)

        def work() -> None:
            error: Exception | None = None
            try:
                fetch_parcel(client, self._store, execution_id, outcome)
            except Exception as caught:  # told to the dispatcher, which knows what becomes of the well
                error = caught
                log.warning("results_not_fetched", execution_id=execution_id, well=outcome.well, reason=str(caught))
            self._done(outcome, error)

        self._pool.submit(work)

    def ended(self, outcome: Outcome) -> None:
        """The dispatcher has dealt with what ``done`` told it."""
        self._under_way.discard(Well(outcome.number, outcome.well, outcome.attempt))

    def forget(self, client: Client, execution_id: str, outcome: Outcome) -> None:
        """Let the worker remove a bundle that nobody waits for."""

        def work() -> None:
            try:
                client.run(forget_parcel, execution_id, outcome.well, outcome.attempt, workers=[outcome.address])
            except Exception as error:  # it removes everything when it ends
                log.info("parcel_not_forgotten", execution_id=execution_id, well=outcome.well, reason=str(error))

        self._pool.submit(work)

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
