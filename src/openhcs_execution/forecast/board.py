# SPDX-License-Identifier: AGPL-3.0-or-later
"""Forecasts of the runs in the database, for whoever asks how far one is; some seconds old at most, fresher near the end."""

from __future__ import annotations

import statistics
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from openhcs_client import ExecutionStatusName, PlateLayout, WellState
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.estimate import WELL_SECONDS, megapixels
from openhcs_execution.logging import get_logger
from openhcs_execution.queue.events import now

from .remaining import RunSoFar, remaining_time
from .slots import measured_slots

__all__ = ["Forecast", "ForecastBoard", "past_times", "run_so_far"]

log = get_logger(__name__)

_KEPT_SECONDS, _KEPT_AT_MOST = 2.0, 15.0
_KEPT_SHARE = 0.01
"""How old a forecast may be, as a share of the time that it gives: the end of a long run moves little in a moment."""
_PATIENCE = 0.25
"""Seconds that an answer waits for its forecast."""

_KEPT_RUNS = 500
_PAST_RUNS = 3
_PAST_WELLS = 100


@dataclass(frozen=True)
class Forecast:
    """When the last well will be computed: most likely, and the ends of the 80 % interval."""

    completion: datetime
    earliest: datetime
    latest: datetime


@dataclass(frozen=True)
class _Known:
    """A forecast, and until when it is told again without asking anew, and while it is asked anew (monotonic seconds)."""

    forecast: Forecast | None
    fresh_until: float
    good_until: float


class ForecastBoard:
    """Forecasts by execution, made by one thread, one after the other: many pages that ask at once cost the others little.

    What earlier runs took is read once for each execution.
    """

    def __init__(self, database: Database, slots: Callable[[], int]) -> None:
        self._database = database
        self._slots = slots
        self._lock = threading.Lock()
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._history: OrderedDict[int, tuple[float, ...]] = OrderedDict()
        self._being_made: dict[int, Future[Forecast | None]] = {}
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="forecasts")

    def close(self) -> None:
        """Make no more."""
        self._maker.shutdown(cancel_futures=True)

    def of(self, row: ExecutionRow) -> Forecast | None:
        """None while it does not run, is paused, or nothing is known of how long its wells take; also when so many are asked
        for at once that this one would have to be waited for."""
        if row.status != ExecutionStatusName.RUNNING or row.paused or row.test_well:
            return None
        with self._lock:
            known = self._known.get(row.number)
            if known is not None and time.monotonic() < known.fresh_until:
                return known.forecast
            making = self._being_made.get(row.number)
            if making is None:
                making = self._being_made[row.number] = self._maker.submit(self._renew, row)
        if known is not None and time.monotonic() < known.good_until:
            return known.forecast
        try:
            return making.result(_PATIENCE)
        except TimeoutError:
            return None

    def _renew(self, row: ExecutionRow) -> Forecast | None:
        found: _Known | None = None
        try:
            forecast = self._make(row)
            fresh_until = time.monotonic() + _kept(forecast)
            found = _Known(forecast, fresh_until, fresh_until + _KEPT_AT_MOST)
            return forecast
        except Exception:
            log.exception("forecast_failed", number=row.number)  # nobody may be waiting for it who would tell
            raise
        finally:
            with self._lock:
                del self._being_made[row.number]
                if found is not None:
                    _keep(self._known, row.number, found)

    def _make(self, row: ExecutionRow) -> Forecast | None:
        moment = now()
        with self._database.read() as session:
            history = self._history.get(row.number)
            if history is None:
                history = past_times(session, row)
                _keep(self._history, row.number, history)
            remaining = remaining_time(run_so_far(session, row.number, moment, self._slots(), history))
        if remaining is None:
            return None
        completion, earliest, latest = (
            moment + timedelta(seconds=round(seconds, 1))
            for seconds in (remaining.seconds, remaining.earliest, remaining.latest)
        )
        return Forecast(completion, earliest, latest)


def _kept(forecast: Forecast | None) -> float:
    """Seconds for which a forecast is told again."""
    left = 0.0 if forecast is None else (forecast.completion - now()).total_seconds()
    return min(_KEPT_AT_MOST, max(_KEPT_SECONDS, _KEPT_SHARE * left))


def _keep(kept: OrderedDict[int, Any], number: int, value: Any) -> None:
    """Remember the newest of them."""
    kept[number] = value
    kept.move_to_end(number)
    while len(kept) > _KEPT_RUNS:
        kept.popitem(last=False)


def run_so_far(session: Session, number: int, moment: datetime, slots: int, history: Sequence[float]) -> RunSoFar:
    """An execution at ``moment``. A worker computes one well at a time; others that it has begun are only being fetched."""
    columns = (WellRow.state, WellRow.worker, WellRow.seconds, WellRow.started_at, WellRow.committed_at)
    rows = session.execute(select(*columns).where(WellRow.execution == number)).all()
    done = [row for row in rows if row.committed_at is not None and row.seconds is not None]
    free_since: dict[str | None, datetime] = {}
    for row in done:
        free_since[row.worker] = max(row.committed_at, free_since.get(row.worker, row.committed_at))
    begun: dict[str | None, datetime] = {}
    for row in rows:
        if row.committed_at is None and row.state in (WellState.STAGING, WellState.RUNNING) and row.started_at is not None:
            since = max(row.started_at, free_since.get(row.worker, row.started_at))
            begun[row.worker] = min(since, begun.get(row.worker, since))
    over = sum(row.committed_at is not None or row.state in (WellState.FAILED, WellState.SKIPPED) for row in rows)
    return RunSoFar(
        done=[row.seconds for row in done],
        in_work=[max(0.0, (moment - since).total_seconds()) for since in begun.values()],
        waiting=max(0, len(rows) - over - len(begun)),
        slots=measured_slots([(row.committed_at.timestamp(), row.seconds) for row in done], slots),
        history=history,
    )


def past_times(session: Session, row: ExecutionRow) -> tuple[float, ...]:
    """Times of wells of the newest runs of the same pipeline by the owner or in the group, scaled to this plate.

    The part of a time that is above what a well takes anyway is scaled by the pixels of a well.
    """

    query = (
        select(ExecutionRow)
        .where(
            ExecutionRow.pipeline_hash == row.pipeline_hash,
            ExecutionRow.number != row.number,
            ExecutionRow.test_well.is_(False),
            ExecutionRow.wells_computed > 0,
            or_(ExecutionRow.owner_id == row.owner_id, ExecutionRow.group_id == row.group_id),
        )
        .order_by(ExecutionRow.number.desc())
        .limit(_PAST_RUNS)
    )
    times: list[float] = []
    for past in session.scalars(query):
        same = past.plate_id == row.plate_id
        ratio = 1.0 if same else _well_size(session, row.number) / max(_well_size(session, past.number), 1e-6)
        seconds = session.scalars(
            select(WellRow.seconds)
            .where(WellRow.execution == past.number, WellRow.committed_at.is_not(None), WellRow.seconds.is_not(None))
            .order_by(WellRow.committed_at.desc())
            .limit(_PAST_WELLS)
        )
        times += [_scaled(value, ratio) for value in seconds if value]
    return tuple(times)


def _scaled(seconds: float, ratio: float) -> float:
    fixed = min(WELL_SECONDS, seconds)
    return fixed + (seconds - fixed) * ratio


def _well_size(session: Session, number: int) -> float:
    """Megapixels of the median well of an execution, one channel with all focal planes."""
    layout = PlateLayout.model_validate_json(session.get_one(ExecutionInput, number).layout)
    shape = layout.shape([well.well for well in layout.wells])
    return statistics.median(megapixels(kind.fields) for kind in shape.kinds for _well in kind.wells)
