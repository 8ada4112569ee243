# SPDX-License-Identifier: AGPL-3.0-or-later
"""The loop that keeps the workers busy and writes down what they say.

One thread makes every change that computing brings about, in the order in which the workers reported it. The window of wells
handed out is small (two batches per worker that is there): what is in the window is out of the policy's hands.

The workers may change under it: hosts come and go, and an administrator may move the work to another cluster. What the old one
computes is finished there, the rest goes to the new one.
"""

from __future__ import annotations

import math
import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from distributed.scheduler import KilledWorker
from sqlalchemy.exc import OperationalError

from openhcs_client import FailureClass
from openhcs_execution.database import Database, ExecutionRow
from openhcs_execution.engine.failures import failure_from, well_failure
from openhcs_execution.logging import get_logger
from openhcs_execution.queue import wells
from openhcs_execution.queue.controls_first import judge_controls, unjudged
from openhcs_execution.queue.needs import WorkerKind, some_fit
from openhcs_execution.queue.policy import ClaimedWells, claim_batches, unfinished_wells
from openhcs_execution.queue.wells import Well
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.tidying import discard_unwanted
from openhcs_execution.results.well_logs import WellLogs
from openhcs_execution.secrets import SessionVault
from openhcs_execution.settings import Settings

from .batches import BatchMaker, HandedOut, WarmWorkers, resources_for
from .cluster import Cluster
from .collecting import Collector
from .engines import Engines
from .errands import SessionErrands
from .outcomes import apply_outcome, apply_progress
from .parcels import ParcelLost
from .stopping import Stopper
from .tasks import TOPIC, Outcome, Progress, Said, read_report
from .worker import compute_batch

__all__ = ["Dispatcher"]

log = get_logger(__name__)

_TICK = 1.0
"""Seconds between two looks at the queue when nobody wakes the loop: pauses end without a word."""

_MOST_TOGETHER = 200
"""Reports that become one transaction: more would keep others waiting who want to write."""

_GATHER_SECONDS = 0.05
"""Reports that come sooner than this after the last transaction wait for others, to share the next one with them."""


@dataclass(frozen=True)
class _Reported:
    """What a worker of a cluster said, not read yet."""

    cluster: Cluster
    text: str


class Dispatcher:
    """Owns the cluster and the thread that feeds it."""

    def __init__(
        self,
        database: Database,
        store: ResultStore,
        settings: Settings,
        vault: SessionVault,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_change`` is called when a well was committed, or an execution may have nothing left to compute."""
        self._database = database
        self._store = store
        self._logs = WellLogs(store.root)
        self._settings = settings
        self._cluster: Cluster | None = None
        errands = SessionErrands(vault)
        self._batches = BatchMaker(database, errands, settings.well_time_limit)
        self._collector = Collector(store, lambda *result: self._inbox.put(lambda: self._collected(*result)))
        self.engines = Engines(
            settings,
            store,
            errands.secret,
            on_open=lambda cluster: self._inbox.put(lambda: self._switch_to(cluster)),
            on_change=self.wake,
            on_lost=lambda cluster: self._inbox.put(lambda: self._lose(cluster)),
        )
        self._inbox: queue.SimpleQueue[Callable[[], None] | _Reported] = queue.SimpleQueue()
        self._tasks: dict[str, HandedOut] = {}
        self._warm_workers = WarmWorkers()
        self._stopping = threading.Event()
        self._decided = threading.Event()
        """Set when the workers are there, or will not come."""
        self._taken_at = -math.inf
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._stopper = Stopper()
        self._on_change = on_change

    @property
    def ready(self) -> bool:
        return self._cluster is not None

    def kinds(self) -> set[WorkerKind] | None:
        """The kinds of workers that are there; None while no cluster is, and for one that brings them when wells wait."""
        cluster = self._cluster
        if cluster is None or (cluster.elastic and not cluster.slots):
            return None
        return {slot.kind for slot in cluster.slots.values()}

    def move_to(self, address: str | None) -> None:
        """Compute with the scheduler at ``address``, or again with the engine of the settings. Returns at once."""
        self.engines.move(address)

    @property
    def elastic(self) -> bool:
        """Whether workers come when wells wait."""
        cluster = self._cluster
        return cluster is not None and cluster.elastic

    def alive_workers(self) -> int:
        """Workers that were there a moment ago; 0 also when the scheduler does not answer."""
        return 0 if self._stopping.is_set() else self.slots

    @property
    def slots(self) -> int:
        """Wells that can be computed at the same time, by the workers that are there."""
        cluster = self._cluster
        return 0 if cluster is None else len(cluster.slots)

    def wait_until_ready(self) -> bool:
        """Wait for the workers; False when the dispatcher was stopped instead."""
        self._decided.wait()
        return self.ready and not self._stopping.is_set()

    def start(self) -> None:
        """Start the loop; it starts the cluster."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the loop and the workers with their engines."""
        self._stopping.set()
        self._decided.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(30)
        self._collector.stop()
        self._stopper.close()
        self.engines.stop()

    def wake(self) -> None:
        """Look at the queue at once."""
        self._inbox.put(lambda: None)

    def stop_execution(self, number: int) -> None:
        """Stop the tasks of an execution, which the database already says is cancelled. Returns at once."""
        self._stopper.stop([task for task in list(self._tasks.values()) if task.batch.number == number])

    def hold(self, number: int | None = None) -> None:
        """Begin no further well of an execution's tasks, or of all; wells that are being computed are finished.

        The database says already that these wells are not in work. Returns at once.
        """
        self._stopper.hold([task for task in list(self._tasks.values()) if number in (None, task.batch.number)])

    # ----------------------------------------------------------------- the loop

    def _run(self) -> None:
        self.engines.open()
        self._persist(self._look_at_all_controls)
        while not self._stopping.is_set():
            self._handle_messages()
            cluster = self._cluster
            if cluster is not None:
                self._give_up_stranded(cluster)
                self._persist(partial(self._fill, cluster))

    def _switch_to(self, cluster: Cluster) -> None:
        """Work goes to this cluster from now on; what is being computed elsewhere is finished there."""
        cluster.client.subscribe_topic(TOPIC, partial(self._receive, cluster))
        old, self._cluster = self._cluster, cluster
        self._decided.set()
        log.info("workers_ready", workers=len(cluster.slots))
        if old is not None:
            self._stopper.hold(self._tasks_of(old))
        self._leave_idle()

    def _lose(self, cluster: Cluster) -> None:
        """The scheduler of a cluster is gone; its tasks have ended as cancelled, and another one is being opened."""
        if self._cluster is cluster:
            self._cluster = None
            self.engines.open()
        self.engines.leave(cluster)

    def _leave_idle(self) -> None:
        """Close clusters that are no longer worked with and have nothing of ours left."""
        for cluster in self.engines.others(self._cluster):
            if not self._tasks_of(cluster):
                self.engines.leave(cluster)
            else:
                self._give_up_stranded(cluster)

    def _tasks_of(self, cluster: Cluster) -> list[HandedOut]:
        return [task for task in self._tasks.values() if task.cluster is cluster]

    def _give_up_stranded(self, cluster: Cluster) -> None:
        """Take back what no worker of a cluster could begin: its wells wait in our queue, which says why, and not in Dask's."""
        kinds = {slot.kind for slot in cluster.slots.values()}
        stranded = [task for task in self._tasks_of(cluster) if not some_fit(task.batch.needs, kinds)]
        if stranded:
            log.warning("no_workers", batches=len(stranded))
            cluster.client.cancel([task.future for task in stranded], reason="no worker is left for it")

    def _persist(self, handle: Callable[[], None]) -> None:
        """Do something that changes the database, again and again while the database does not take it (its disk is full)."""
        while not self._stopping.is_set():
            try:
                handle()
                return
            except OperationalError as error:
                log.error("database_error", reason=str(error.orig))
                self._stopping.wait(_TICK)
            except Exception:
                log.exception("dispatch_failed")
                return

    def _handle_messages(self) -> None:
        """Wait for a message, then do what all that are there ask for.

        A report that comes alone is taken at once; while they come thick and fast, some are taken together.
        """
        reports: list[_Reported] = []
        patience = _TICK
        try:
            while True:
                message = self._inbox.get(timeout=patience)
                if isinstance(message, _Reported):
                    reports.append(message)
                else:
                    self._take_reports(reports)
                    self._persist(message)
                if len(reports) >= _MOST_TOGETHER:
                    self._take_reports(reports)
                patience = max(0.0, self._taken_at + _GATHER_SECONDS - time.monotonic()) if reports else 0.0
        except queue.Empty:
            self._take_reports(reports)

    def _receive(self, cluster: Cluster, event: tuple[float, Any]) -> None:
        """Dask's thread brings a worker's report."""
        self._inbox.put(_Reported(cluster, event[1]["report"]))

    def _take_reports(self, reports: list[_Reported]) -> None:
        """Write down what was reported, in one transaction per execution, and empty the list."""
        by_execution: dict[int, list[Progress | Outcome]] = {}

        def take(reported: _Reported) -> None:
            report = read_report(reported.text)
            if isinstance(report, Said):
                self._keep_lines(report)
            elif isinstance(report, Outcome) and report.parcel:
                self._collect(reported.cluster, report)
            else:
                by_execution.setdefault(report.number, []).append(report)

        for reported in reports:
            self._persist(partial(take, reported))
        reports.clear()
        for together in by_execution.values():
            self._persist(partial(self._apply, together))
            self._taken_at = time.monotonic()

    def _apply(self, reports: Sequence[Progress | Outcome]) -> None:
        """Take reports of one execution over in one transaction; one that is at fault does not take the others with it."""
        try:
            with wells.many_reports(self._database, reports[0].number, [report.well for report in reports]):
                changed = [self._write(report) for report in reports]
        except OperationalError:
            raise
        except Exception:
            if len(reports) == 1:
                raise
            log.exception("reports_not_taken_together", number=reports[0].number)
            for report in reports:
                self._persist(partial(self._apply, [report]))
            return
        for report, done in zip(reports, changed, strict=True):
            if isinstance(report, Outcome):
                self._follow_up(report, changed=done)

    def _write(self, report: Progress | Outcome) -> bool:
        if isinstance(report, Progress):
            return apply_progress(self._database, report)
        return apply_outcome(self._database, report)

    def _follow_up(self, outcome: Outcome, *, changed: bool) -> None:
        """What an outcome leads to once it is committed."""
        if changed:
            for task in self._tasks.values():
                if task.batch.number == outcome.number and task.batch.attempts.get(outcome.well) == outcome.attempt:
                    task.settled.add((outcome.well, outcome.attempt))
            if self._batches.looks_at_controls(outcome.number):
                self._look_at_controls(outcome.number)
            self._on_change()
        elif outcome.what == "computed":
            discard_unwanted(self._database, self._store, _well_of(outcome))

    def _collect(self, cluster: Cluster, outcome: Outcome) -> None:
        """Fetch the results of a well that is still waited for; it is committed when they are here."""
        with self._database.read() as session:
            execution_id = session.get_one(ExecutionRow, outcome.number).execution_id
            expected = wells.is_expected(session, _well_of(outcome))
        if expected:
            self._collector.fetch(cluster.client, execution_id, outcome)
        else:
            self._collector.forget(cluster.client, execution_id, outcome)

    def _collected(self, outcome: Outcome, error: Exception | None) -> None:
        well = _well_of(outcome)
        if error is None:
            self._apply([outcome])
        elif isinstance(error, ParcelLost):
            wells.put_back(self._database, well)
        else:
            wells.fail_well(self._database, well, failure_from(error, well.name), outcome.seconds)
        self._collector.ended(outcome)
        for batch_id, task in list(self._tasks.items()):
            if task.future.done() and task.batch.number == well.number and well.name in task.batch.attempts:
                self._end(batch_id)

    def _look_at_all_controls(self) -> None:
        """The service may have been stopped between the last control well and the look at them."""
        for number in unjudged(self._database):
            self._look_at_controls(number)

    def _look_at_controls(self, number: int) -> None:
        if judge_controls(self._database, number):
            self.hold(number)

    def _keep_lines(self, said: Said) -> None:
        try:
            self._logs.add(said.execution_id, said.well, said.attempt, said.lines)
        except OSError as error:  # a full disk: the well itself will tell, if it matters
            log.warning("well_log_not_kept", execution_id=said.execution_id, well=said.well, reason=str(error))

    # ----------------------------------------------------------------- giving out

    def _fill(self, cluster: Cluster) -> None:
        settings = self._settings
        if cluster.elastic:
            cluster.want(unfinished_wells(self._database))
        slots = len(cluster.slots)
        places = 2 * slots - len(self._tasks_of(cluster))
        if places <= 0:
            return
        batches = claim_batches(
            self._database,
            places=places,
            slots=slots,
            largest=settings.wells_per_task,
            defaults=settings.limits,
            workers={slot.kind for slot in cluster.slots.values()},
        )
        for position, claimed in enumerate(batches):
            try:
                self._submit(cluster, claimed)
            except OperationalError:
                for rest in batches[position + 1 :]:
                    self._put_back_later(_attempts(rest.number, rest.attempts))
                raise

    def _submit(self, cluster: Cluster, claimed: ClaimedWells) -> None:
        """Hand claimed wells to a worker. Whatever keeps them from getting there, they do not stay claimed."""
        attempts = _attempts(claimed.number, claimed.attempts)
        try:
            batch = self._batches.make(claimed)
            if batch is None:
                self._put_back_later(attempts)
                return
            warm = self._warm_workers.of(batch)
            future = cluster.client.submit(
                compute_batch,
                batch.model_dump_json(),
                key=f"wells-{batch.batch_id}",
                pure=False,
                retries=0,
                priority=claimed.priority,
                workers=warm,
                allow_other_workers=warm is not None,
                resources=resources_for(batch.needs, cluster),
            )
        except OperationalError:
            self._put_back_later(attempts)
            raise
        except Exception as error:
            log.exception("not_submitted", execution_id=claimed.execution_id, wells=list(claimed.attempts))
            failed = error  # the name of a caught exception ends with its clause
            self._inbox.put(lambda: self._fail(attempts, failed))
            return
        self._tasks[batch.batch_id] = HandedOut(batch, future, cluster)
        future.add_done_callback(lambda _: self._inbox.put(lambda: self._end(batch.batch_id)))

    # ----------------------------------------------------------------- taking back

    def _end(self, batch_id: str) -> None:
        """A task ended, one way or another: every well of it gets an outcome, and its slot is free.

        While the database takes nothing, all of it is done again; nothing else may keep the slot.
        """
        task = self._tasks.get(batch_id)
        if task is None:
            return
        batch = task.batch
        attempts = _attempts(batch.number, batch.attempts)
        try:
            if not self._take_back(task, attempts):
                return  # results are on their way; it is asked again when they are here
        except OperationalError:
            raise
        except Exception as error:
            log.exception("not_taken_back", execution_id=batch.execution_id, wells=list(batch.attempts))
            self._fail(attempts, error)
        del self._tasks[batch_id]
        task.future.release()
        self._on_change()
        self._leave_idle()

    def _take_back(self, task: HandedOut, attempts: Sequence[Well]) -> bool:
        """Give every well an outcome; False while results of some are being fetched."""
        batch, future = task.batch, task.future
        if future.status == "finished":
            for text in future.result():
                report = read_report(text)
                if not isinstance(report, Said) and (report.well, report.attempt) not in task.settled:
                    if isinstance(report, Outcome) and report.parcel:
                        self._collect(task.cluster, report)
                    else:
                        self._apply([report])
                if batch.test_well and isinstance(report, Outcome) and report.address:
                    self._warm_workers.remember(batch, report.address)
        elif future.status == "error" and isinstance(future.exception(), KilledWorker):
            log.warning("worker_lost", execution_id=batch.execution_id, wells=list(batch.attempts))
            suspects = wells.suspects(self._database, attempts)
            for well in attempts:
                wells.lose_worker(self._database, well, suspect=well in suspects)
                discard_unwanted(self._database, self._store, well)
        elif future.status == "error":
            error = future.exception()
            log.error("task_failed", execution_id=batch.execution_id, error="".join(traceback.format_exception(error)))
            self._fail(attempts, error)
        if any(self._collector.is_fetching(well) for well in attempts):
            return False
        # A cancelled future belongs to a cancelled execution, whose wells are skipped, or to a cluster that has gone; whatever
        # has no outcome is put back.
        self._put_back([well for well in attempts if (well.name, well.attempt) not in task.settled])
        return True

    def _put_back_later(self, attempts: Sequence[Well]) -> None:
        self._inbox.put(lambda: self._put_back(attempts))

    def _put_back(self, attempts: Sequence[Well]) -> None:
        """Let the attempts that have no outcome yet be made again."""
        for well in attempts:
            wells.put_back(self._database, well)

    def _fail(self, attempts: Sequence[Well], error: BaseException) -> None:
        """Fail the attempts that have no outcome yet: what went wrong would go wrong again."""
        for well in attempts:
            message = f"The worker could not compute well {well.name}: {type(error).__name__}."
            try:
                failure = well_failure(FailureClass.ENGINE_ERROR, message, error)
                wells.fail_well(self._database, well, failure, final=True)
            except OperationalError:
                raise
            except Exception:
                log.exception("well_not_failed", number=well.number, well=well.name)


def _well_of(outcome: Outcome) -> Well:
    return Well(outcome.number, outcome.well, outcome.attempt)


def _attempts(number: int, attempts: Mapping[str, int]) -> list[Well]:
    return [Well(number, name, attempt) for name, attempt in attempts.items()]
