# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands in the database, read at a scrape and kept for some seconds.

Every query reads open executions only, through their index, or counts rows of a small table; none grows with the history.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from openhcs_client import ExecutionStatusName, WellState
from openhcs_execution.database import Database, ExecutionRow, JobSession, NotificationRow, QueueState, WellRow
from openhcs_execution.queue.adding import PriorityClass, class_of_priority
from openhcs_execution.queue.events import now

from .told import kind_of

__all__ = ["QueueMeter"]

_KEPT_SECONDS = 5.0
_OPEN = [status for status in ExecutionStatusName if not status.is_final]
_BEGUN = (WellState.STAGING, WellState.RUNNING)


@dataclass
class _Reading:
    """Counts of open executions by (class, kind, status), and what else the queue says."""

    executions: dict[tuple[str, str, str], int] = field(default_factory=dict)
    oldest_seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    paused: int = 0
    wells_waiting: int = 0
    wells_in_work: int = 0
    busy_workers: int = 0
    sessions: dict[bool, int] = field(default_factory=dict)
    draining: bool = False
    unsent: int = 0


class QueueMeter(Collector):
    """Gauges of the queue. A database that does not answer leaves ``openhcs_database_up`` at 0 and the others out."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._reading: _Reading | None = None
        self._read_at = -_KEPT_SECONDS

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        reading = self._read()
        yield GaugeMetricFamily("openhcs_database_up", "Whether the database answered.", value=float(reading is not None))
        if reading is not None:
            yield from _families(reading)

    def _read(self) -> _Reading | None:
        with self._lock:
            if time.monotonic() - self._read_at > _KEPT_SECONDS:
                try:
                    self._reading = _read(self._database)
                except OperationalError:
                    self._reading = None
                self._read_at = time.monotonic()
            return self._reading


def _read(database: Database) -> _Reading:
    reading = _Reading()
    moment = now()
    with database.read() as session:
        rows = session.execute(
            select(
                ExecutionRow.priority,
                ExecutionRow.test_well,
                ExecutionRow.status,
                ExecutionRow.paused,
                func.count(),
                func.sum(ExecutionRow.wells_waiting),
                func.sum(ExecutionRow.wells_claimed),
                func.min(ExecutionRow.created_at),
            )
            .where(ExecutionRow.status.in_(_OPEN))
            .group_by(ExecutionRow.priority, ExecutionRow.test_well, ExecutionRow.status, ExecutionRow.paused)
        ).all()
        reading.busy_workers = (
            session.scalar(
                select(func.count(WellRow.worker.distinct())).where(WellRow.claimed.is_(True), WellRow.state.in_(_BEGUN))
            )
            or 0
        )
        sessions = select(JobSession.lost, func.count().label("count")).group_by(JobSession.lost)
        reading.sessions = {lost: count for lost, count in session.execute(sessions)}  # noqa: C416
        unsent = select(func.count()).select_from(NotificationRow).where(NotificationRow.state == "waiting")
        reading.unsent = session.scalar(unsent) or 0
        reading.draining = bool(session.scalar(select(QueueState.draining)))
    for priority, test_well, status, paused, count, waiting, in_work, oldest in rows:
        who = (class_of_priority(priority).name.lower(), kind_of(test_well))
        key = (*who, status)
        reading.executions[key] = reading.executions.get(key, 0) + count
        reading.paused += count if paused else 0
        reading.wells_waiting += int(waiting)
        reading.wells_in_work += int(in_work)
        if status == ExecutionStatusName.QUEUED and not paused:
            age = max(0.0, (moment - oldest).total_seconds())
            reading.oldest_seconds[who] = max(age, reading.oldest_seconds.get(who, 0.0))
    return reading


def _families(reading: _Reading) -> Iterator[Metric]:
    executions = GaugeMetricFamily(
        "openhcs_executions_open", "Executions that have not ended.", labels=["priority_class", "kind", "status"]
    )
    oldest = GaugeMetricFamily(
        "openhcs_queue_oldest_seconds",
        "How long the oldest execution has waited that nothing was computed of; 0 when none waits. Paused ones do not count.",
        labels=["priority_class", "kind"],
    )
    for each in PriorityClass:
        for test_well in (False, True):
            who = (each.name.lower(), kind_of(test_well))
            oldest.add_metric(who, reading.oldest_seconds.get(who, 0.0))
            for status in _OPEN:
                executions.add_metric((*who, status), reading.executions.get((*who, status), 0))
    yield executions
    yield oldest
    yield GaugeMetricFamily("openhcs_executions_paused", "Open executions that somebody paused.", value=reading.paused)
    wells = GaugeMetricFamily("openhcs_wells", "Wells of open executions: waiting, or given to workers.", labels=["state"])
    wells.add_metric(["waiting"], reading.wells_waiting)
    wells.add_metric(["in_work"], reading.wells_in_work)
    yield wells
    yield GaugeMetricFamily("openhcs_workers_busy", "Workers that read or compute a well.", value=reading.busy_workers)
    sessions = GaugeMetricFamily("openhcs_omero_sessions", "OMERO sessions of executions.", labels=["state"])
    sessions.add_metric(["kept"], reading.sessions.get(False, 0))
    sessions.add_metric(["lost"], reading.sessions.get(True, 0))
    yield sessions
    text = "Mails and calls of webhooks that are not delivered yet."
    yield GaugeMetricFamily("openhcs_notifications_waiting", text, value=reading.unsent)
    yield GaugeMetricFamily("openhcs_draining", "Whether an administrator stopped the queue.", value=float(reading.draining))
