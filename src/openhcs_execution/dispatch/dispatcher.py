# SPDX-License-Identifier: AGPL-3.0-or-later
"""The loop that keeps the workers busy and writes down what they say.

One thread makes every change that computing brings about, in the order in which the workers reported it. The window of wells
handed out is small (two batches per slot): what is in the window is out of the policy's hands.
"""

from __future__ import annotations

import queue
import threading
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from distributed import Future
from distributed.scheduler import KilledWorker
from sqlalchemy.exc import OperationalError

from openhcs_client import FailureClass, PipelineDocument, PlateLayout
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, JobSession
from openhcs_execution.engine.failures import well_failure
from openhcs_execution.logging import get_logger
from openhcs_execution.queue import wells
from openhcs_execution.queue.controls_first import judge_controls, unjudged
from openhcs_execution.queue.policy import ClaimedWells, claim_batches
from openhcs_execution.queue.wells import Well
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.tidying import discard_unwanted
from openhcs_execution.results.well_logs import WellLogs
from openhcs_execution.settings import Settings

from .cluster import Cluster
from .outcomes import apply_outcome, apply_progress
from .tasks import TOPIC, Outcome, Progress, Report, Said, WellBatch, WorkerSettings, read_report
from .worker import compute_batch, hold_batches, stop_batches

__all__ = ["Dispatcher"]

log = get_logger(__name__)

_TICK = 1.0
"""Seconds between two looks at the queue when nobody wakes the loop: pauses end without a word."""

_LONGEST_PAUSE = 60.0
"""Seconds between two attempts to start the workers, at most."""


_WARM_WELLS = 200
"""Tested wells of which the worker is remembered."""


@dataclass(frozen=True)
class _Task:
    batch: WellBatch
    future: Future


class Dispatcher:
    """Owns the cluster and the thread that feeds it."""

    def __init__(
        self, database: Database, store: ResultStore, settings: Settings, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """``on_change`` is called when a well was committed, or an execution may have nothing left to compute."""
        self._database = database
        self._store = store
        self._logs = WellLogs(store.root)
        self._settings = settings
        self._cluster: Cluster | None = None
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._tasks: dict[str, _Task] = {}
        self._warm_workers: OrderedDict[tuple[int, str], str] = OrderedDict()
        self._stopping = threading.Event()
        self._decided = threading.Event()
        """Set when the workers are there, or will not come."""
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._stoppers = ThreadPoolExecutor(2, thread_name_prefix="stop-work")
        self._on_change = on_change

    @property
    def ready(self) -> bool:
        return self._cluster is not None

    def alive_workers(self) -> int:
        """Workers that are there now; 0 also when the scheduler does not answer."""
        cluster = self._cluster
        if cluster is None or self._stopping.is_set():
            return 0
        try:
            return cluster.alive()
        except (OSError, TimeoutError, RuntimeError) as error:
            log.warning("workers_not_counted", reason=type(error).__name__)
            return 0

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
        self._stoppers.shutdown(wait=False, cancel_futures=True)
        if self._cluster is not None:
            self._cluster.close()

    def wake(self) -> None:
        """Look at the queue at once."""
        self._inbox.put(lambda: None)

    def stop_execution(self, number: int) -> None:
        """Stop the tasks of an execution, which the database already says is cancelled. Returns at once."""
        tasks = [task for task in list(self._tasks.values()) if task.batch.number == number]
        if tasks:
            self._stoppers.submit(self._stop_tasks, tasks)

    def hold(self, number: int | None = None) -> None:
        """Begin no further well of an execution's tasks, or of all; wells that are being computed are finished.

        The database says already that these wells are not in work. Returns at once.
        """
        batches = [task.batch.batch_id for task in list(self._tasks.values()) if number in (None, task.batch.number)]
        if batches:
            self._stoppers.submit(self._hold_batches, batches)

    def _hold_batches(self, batches: list[str]) -> None:
        if self._cluster is None:
            return
        try:
            self._cluster.client.run(hold_batches, batches, on_error="ignore")
        except Exception:
            log.exception("holding_failed", batches=len(batches))

    def _stop_tasks(self, tasks: list[_Task]) -> None:
        cluster = self._cluster
        if cluster is None:
            return
        try:
            cluster.client.cancel([task.future for task in tasks], reason="the execution was cancelled")
            # Dask does not interrupt a task that runs; its engine process is killed instead.
            cluster.client.run(stop_batches, [task.batch.batch_id for task in tasks], on_error="ignore")
        except Exception:
            log.exception("stopping_failed", execution_id=tasks[0].batch.execution_id)

    # ----------------------------------------------------------------- the loop

    def _run(self) -> None:
        cluster = self._start_workers()
        if cluster is None:
            return
        if self._stopping.is_set():
            cluster.close()
            return
        cluster.client.subscribe_topic(TOPIC, self._receive)
        self._cluster = cluster
        self._decided.set()
        log.info("workers_ready", workers=self._settings.workers)
        self._persist(self._look_at_all_controls)
        while not self._stopping.is_set():
            self._persist(lambda: self._fill(cluster))
            self._handle_messages()

    def _start_workers(self) -> Cluster | None:
        """Start the cluster, again and again with growing pauses while it does not come up; None when we are to stop."""
        pause = _TICK
        while not self._stopping.is_set():
            try:
                return Cluster(self._settings.workers, self._worker_settings(), self._settings.scratch)
            except Exception:
                log.exception("workers_did_not_start", next_try_seconds=pause)
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return None

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

    def _worker_settings(self) -> WorkerSettings:
        settings = self._settings
        return WorkerSettings(
            scratch=settings.scratch,
            results=settings.results,
            engine_home=settings.engine_home,
            secret_file=settings.secret_path,
            omero_host=settings.omero_host,
            omero_port=settings.omero_port,
            repository=settings.repository_path,
            memory_limit_mb=settings.engine_memory_limit_mb,
            test_memory_mb=settings.test_memory_mb,
            test_images_mb=settings.test_images_mb,
            test_images_minutes=settings.test_images_minutes,
        )

    def _handle_messages(self) -> None:
        """Wait for a message, then do what all that are there ask for."""
        try:
            handle = self._inbox.get(timeout=_TICK)
            while True:
                self._persist(handle)
                handle = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _receive(self, event: tuple[float, Any]) -> None:
        """Dask's thread brings a worker's report."""
        self._inbox.put(lambda: self._apply(read_report(event[1]["report"])))

    def _apply(self, message: Report) -> None:
        if isinstance(message, Said):
            self._keep_lines(message)
        elif isinstance(message, Progress):
            apply_progress(self._database, message)
        elif apply_outcome(self._database, message):
            self._look_at_controls(message.number)
            self._on_change()
        elif message.what == "computed":
            discard_unwanted(self._database, self._store, Well(message.number, message.well, message.attempt))

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
        places = 2 * settings.workers - len(self._tasks)
        if places <= 0:
            return
        batches = claim_batches(
            self._database,
            places=places,
            slots=settings.workers,
            largest=settings.wells_per_task,
            defaults=settings.limits,
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
            batch = self._batch(claimed)
            if batch is None:
                self._put_back_later(attempts)
                return
            warm = self._warm_workers.get(_tested(batch))
            future = cluster.client.submit(
                compute_batch,
                batch.model_dump_json(),
                key=f"wells-{batch.batch_id}",
                pure=False,
                retries=0,
                priority=claimed.priority,
                workers=warm,
                allow_other_workers=warm is not None,
            )
        except OperationalError:
            self._put_back_later(attempts)
            raise
        except Exception as error:
            log.exception("not_submitted", execution_id=claimed.execution_id, wells=list(claimed.attempts))
            failed = error  # the name of a caught exception ends with its clause
            self._inbox.put(lambda: self._fail(attempts, failed))
            return
        self._tasks[batch.batch_id] = _Task(batch, future)
        future.add_done_callback(lambda _: self._inbox.put(lambda: self._end(batch.batch_id)))

    def _batch(self, claimed: ClaimedWells) -> WellBatch | None:
        """What the worker needs to know; None when the execution has no session just now."""
        with self._database.read() as session:
            inputs = session.get_one(ExecutionInput, claimed.number)
            job_session = session.get(JobSession, claimed.number)
            test_well = session.get_one(ExecutionRow, claimed.number).test_well
        if job_session is None or job_session.lost:
            return None
        layout = PlateLayout.model_validate_json(inputs.layout)
        chosen = tuple(well for well in layout.wells if well.well in claimed.attempts)
        return WellBatch(
            batch_id=uuid.uuid4().hex,
            number=claimed.number,
            execution_id=claimed.execution_id,
            document=PipelineDocument.model_validate_json(inputs.applied_document),
            layout=layout.model_copy(update={"wells": chosen}),
            attempts=dict(claimed.attempts),
            sealed_session=job_session.sealed_key,
            time_limit=self._settings.well_time_limit,
            want_python=inputs.python is None and not test_well,
            test_well=test_well,
        )

    # ----------------------------------------------------------------- taking back

    def _end(self, batch_id: str) -> None:
        """A task ended, one way or another: every well of it gets an outcome, and its slot is free.

        While the database takes nothing, all of it is done again; nothing else may keep the slot.
        """
        task = self._tasks[batch_id]
        batch = task.batch
        attempts = _attempts(batch.number, batch.attempts)
        try:
            self._take_back(task, attempts)
        except OperationalError:
            raise
        except Exception as error:
            log.exception("not_taken_back", execution_id=batch.execution_id, wells=list(batch.attempts))
            self._fail(attempts, error)
        del self._tasks[batch_id]
        task.future.release()
        self._on_change()

    def _take_back(self, task: _Task, attempts: Sequence[Well]) -> None:
        batch, future = task.batch, task.future
        if future.status == "finished":
            for text in future.result():
                report = read_report(text)
                self._apply(report)
                if batch.test_well and isinstance(report, Outcome) and report.address:
                    self._remember_worker(batch, report.address)
        elif future.status == "error" and isinstance(future.exception(), KilledWorker):
            log.warning("worker_lost", execution_id=batch.execution_id, wells=list(batch.attempts))
            for well in attempts:
                wells.lose_worker(self._database, well)
                discard_unwanted(self._database, self._store, well)
        elif future.status == "error":
            error = future.exception()
            log.error("task_failed", execution_id=batch.execution_id, error="".join(traceback.format_exception(error)))
            self._fail(attempts, error)
        # A cancelled future belongs to a cancelled execution, whose wells are skipped; anything else is put back.
        self._put_back(attempts)

    def _remember_worker(self, batch: WellBatch, address: str) -> None:
        """The worker that tested a well has its images and steps at hand: the next test of it had best go there again."""
        self._warm_workers[_tested(batch)] = address
        self._warm_workers.move_to_end(_tested(batch))
        while len(self._warm_workers) > _WARM_WELLS:
            self._warm_workers.popitem(last=False)

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


def _tested(batch: WellBatch) -> tuple[int, str]:
    """The plate and well of a test; for anything else a name that no worker is remembered under."""
    return (batch.layout.plate_id, next(iter(batch.attempts))) if batch.test_well else (0, "")


def _attempts(number: int, attempts: Mapping[str, int]) -> list[Well]:
    return [Well(number, name, attempt) for name, attempt in attempts.items()]
