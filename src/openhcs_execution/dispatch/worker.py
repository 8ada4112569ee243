# SPDX-License-Identifier: AGPL-3.0-or-later
"""What runs in a Dask worker process: fetch the images of a well, let the engine compute it, write its result bundle.

A worker keeps two things warm: the engine process (seconds to start) and the OMERO connection of the execution it works for
(most of a second to join). While the engine computes one well, a second thread fetches the images of the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from openhcs_client import FailureClass, OpenHCSError, WellFailure
from openhcs_execution.catalogue.scripts import script_of
from openhcs_execution.engine import EngineJob, EngineLine, EngineLost, EngineProcess, EngineProgress, EngineResult
from openhcs_execution.engine.failures import failure_from, well_failure
from openhcs_execution.engine.staging import read_input_hashes
from openhcs_execution.logging import get_logger
from openhcs_execution.queue.needs import GPU
from openhcs_execution.results.bundle import ResultStore

from .hardware import this_machine
from .host import WorkerHost
from .kept_images import KeptImages
from .parcels import OUTBOX, list_parcel
from .reading import ImageReader
from .tasks import TOPIC, Outcome, Progress, Report, Said, WellBatch, WorkerSettings

__all__ = ["EnginePlugin", "WellComputer", "compute_batch", "hold_batches", "stop_batches"]

_ATTRIBUTE = "openhcs_computer"

_STOPPED_KEPT = 1000
"""Stopped batches that a worker remembers: far more than are ever given out at a time."""

_GENTLE_SECONDS = 3.0
"""How long a stopped test may take to end by itself: a killed engine takes longer to start again than most steps to end."""

log = get_logger(__name__)

Tell = Callable[[Report], None]


class EnginePlugin(WorkerPlugin):
    """Gives each worker its :class:`WellComputer`, also workers that Dask starts in the place of dead ones."""

    name = "openhcs-engine"

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    async def setup(self, worker: Worker) -> None:  # Dask awaits what it returns
        host = WorkerHost.of_this_process()
        computer = WellComputer(self._settings, f"worker-{worker.name}", worker.address, host)
        setattr(worker, _ATTRIBUTE, computer)
        setattr(worker, OUTBOX, computer.outbox)
        await asyncio.to_thread(computer.warm_up)

    def teardown(self, worker: Worker) -> None:
        # Also when another start of the service brings its own settings: whatever this one computes, nobody waits for it.
        getattr(worker, _ATTRIBUTE).close()


def compute_batch(batch: str) -> list[str]:
    """The Dask task: compute a :class:`WellBatch` given as JSON and return its outcomes as JSON.

    Each outcome is also reported as soon as it is there, so a well need not wait for the rest of its batch.
    """
    worker = get_worker()

    def report(message: Report) -> None:
        # As text: Dask adds entries of its own to the dictionary.
        worker.log_event(TOPIC, {"report": message.model_dump_json()})

    computer: WellComputer = getattr(worker, _ATTRIBUTE)
    return [outcome.model_dump_json() for outcome in computer.compute(WellBatch.model_validate_json(batch), report)]


def stop_batches(batches: list[str], dask_worker: Worker) -> None:
    """Stop what this worker does for these batches. Dask runs it beside the task, not after it."""
    getattr(dask_worker, _ATTRIBUTE).stop(batches)


def hold_batches(batches: list[str], dask_worker: Worker) -> None:
    """Begin no further well of these batches on this worker; the one that is being computed is finished."""
    getattr(dask_worker, _ATTRIBUTE).hold(batches)


class WellComputer:
    """The worker's side of computing; used by one task at a time."""

    def __init__(self, settings: WorkerSettings, name: str, address: str = "", host: WorkerHost | None = None) -> None:
        """``host`` is None for a worker of the embedded engine, which lives in the folders of the service."""
        if host is not None:
            settings = _as_seen_from(host, settings)
        self._settings = settings
        self._name = name
        self._address = address
        self._gpu = host is not None and GPU in host.labels
        self._scratch = settings.scratch / re.sub(r"[^\w.-]", "_", name)  # a scheduler of somebody else may name it anything
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._openhcs_scratch = self._scratch / "openhcs"
        self.outbox = ResultStore(self._scratch / "outbox")
        """Results that the service has yet to fetch."""
        shared = not (host is not None and host.own_results) and _shares_disk(settings)
        self._store = ResultStore(settings.results) if shared else self.outbox
        self._reader = ImageReader(settings)
        self._kept_images = KeptImages(
            self._scratch / "tested",
            most_bytes=settings.test_images_mb * 2**20,
            seconds=60 * settings.test_images_minutes,
        )
        self._engine = EngineProcess(
            settings.engine_home, memory_limit_mb=settings.memory_limit_mb, step_memory_mb=settings.test_memory_mb
        )
        self._engine_lock = threading.Lock()
        self._state = threading.Lock()
        self._current: WellBatch | None = None
        self._stopped: dict[str, None] = {}  # in the order in which they were stopped
        self._held: dict[str, None] = {}
        # All OMERO calls of this worker are made by one thread: a connection is not for several.
        self._stager = ThreadPoolExecutor(1, thread_name_prefix="staging")

    def close(self) -> None:
        """End the engine process and the OMERO connection."""
        self._engine.kill()
        self._engine.close()
        self._stager.submit(self._reader.close)
        self._stager.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def stop(self, batches: list[str]) -> None:
        """Kill the engine if it computes for one of these batches, and begin no further well of them."""
        with self._state:
            _remember(self._stopped, batches)
            current = self._current
            if current is not None and current.batch_id in batches:
                self._stop_engine(current)

    def _stop_engine(self, batch: WellBatch) -> None:
        """Kill the engine, or let a test end between two calls of a function, which keeps it warm; if it does, soon enough."""
        if not batch.test_well:
            self._engine.kill()
            return
        self._engine.stop(batch.execution_id)

        def kill_if_still_there() -> None:
            with self._state:
                if self._current is batch:
                    self._engine.kill()

        timer = threading.Timer(_GENTLE_SECONDS, kill_if_still_there)
        timer.daemon = True
        timer.start()

    def hold(self, batches: list[str]) -> None:
        """Begin no further well of these batches, and let the engine finish the one that it computes."""
        with self._state:
            _remember(self._held, batches)

    def _is_over(self, batch_id: str) -> bool:
        """Whether no further well of a batch is to be begun."""
        return batch_id in self._stopped or batch_id in self._held

    def warm_up(self) -> None:
        """Start the engine, so that it is there when a well is; a failure to start is told by the first well."""
        with self._engine_lock, contextlib.suppress(EngineLost):
            self._engine.start()

    def _warm_up_again(self) -> None:
        threading.Thread(target=self.warm_up, daemon=True, name="engine-start").start()

    def compute(self, batch: WellBatch, report: Tell) -> list[Outcome]:
        """Compute the wells of a batch one after the other; a failing one does not keep the next from being computed."""
        work = _Work(batch, self._name, self._address, self._gpu, report)
        wells = list(batch.attempts)
        outcomes: list[Outcome] = []
        try:
            self._compute_wells(work, wells, outcomes, report)
        finally:
            with self._state:
                self._stopped.pop(batch.batch_id, None)
                self._held.pop(batch.batch_id, None)
        return outcomes

    def _compute_wells(self, work: _Work, wells: list[str], outcomes: list[Outcome], report: Tell) -> None:
        free_since = time.monotonic()
        staged = self._stager.submit(self._stage, work, wells[0])
        for position, well in enumerate(wells):
            error = staged.exception()
            if position + 1 < len(wells):
                staged = self._stager.submit(self._stage, work, wells[position + 1])
            outcome = work.outcome(well, **self._outcome(work, well, error), seconds=time.monotonic() - free_since)
            free_since = time.monotonic()
            for folder in (self._folder(work, well), self._openhcs_scratch):  # the engine may have been killed
                shutil.rmtree(folder, ignore_errors=True)
            report(outcome)
            outcomes.append(outcome)

    def _folder(self, work: _Work, well: str) -> Path:
        return self._scratch / work.batch.execution_id / f"{well}.{work.batch.attempts[well]}"

    def _stage(self, work: _Work, well: str) -> None:
        if self._is_over(work.batch.batch_id):
            raise _Stopped
        work.progress(well)
        batch, folder = work.batch, self._folder(work, well) / "planes"

        def fetch() -> None:
            self._reader.stage(batch.sealed_session, batch.layout, well, folder)

        # A later attempt may be made long after the user's right to read was looked at.
        if batch.test_well and batch.attempts[well] == 1:
            self._kept_images.stage(batch.layout, well, folder, fetch)
        else:
            fetch()

    def _outcome(self, work: _Work, well: str, staging_error: BaseException | None) -> dict[str, Any]:
        """What became of a well, as the fields of an :class:`Outcome`."""
        try:
            if staging_error is not None:
                raise staging_error
            return self._computed(work, well)
        except _Stopped:
            return {"what": "stopped"}
        except EngineLost as error:
            self._warm_up_again()
            if work.batch.batch_id in self._stopped:
                return {"what": "stopped"}
            return {"what": "engine_lost", "failure": _engine_lost(well, error)}
        except OpenHCSError as error:
            if error.code == "omero_session_lost":
                return {"what": "session_lost", "session_name": work.batch.session_name}
            if error.code == "omero_unreachable":
                return {"what": "omero_unanswered"}
            return {"what": "failed", "failure": failure_from(error, well)}
        except Exception as error:
            return {"what": "failed", "failure": failure_from(error, well)}

    def _computed(self, work: _Work, well: str) -> dict[str, Any]:
        batch = work.batch
        result, python = self._run_engine(work, well)
        if result.failure is not None:
            if batch.batch_id in self._stopped:
                raise _Stopped
            return {"what": "failed", "failure": result.failure, "versions": result.versions}
        result.input_sha256 = read_input_hashes(self._folder(work, well) / "planes")
        result.hardware = this_machine()
        bundle = self._store.write(batch.execution_id, batch.attempts[well], result)
        return {
            "what": "computed",
            "measurements": result.well_measurements,
            "field_rows": bundle.field_rows,
            "object_rows": bundle.object_rows,
            "label_count": len(result.labels),
            "parcel": list_parcel(bundle) if self._store is self.outbox else [],
            "versions": result.versions,
            "python": python,
            "reused_steps": result.reused_steps,
        }

    def _run_engine(self, work: _Work, well: str) -> tuple[EngineResult, str | None]:
        batch = work.batch
        folder = self._folder(work, well)
        output = folder / "output"
        output.mkdir(parents=True)
        layout = batch.layout.well(well)
        job = EngineJob(
            execution_id=batch.execution_id,
            well=well,
            document=batch.document,
            channels=list(batch.layout.channels),
            fields=[field.field for field in layout.fields],
            planes=folder / "planes",
            output=output,
            scratch=self._openhcs_scratch,
            remember=batch.test_well,
            keep_images=batch.keep_images,
        )
        with self._engine_lock:
            with self._state:
                if self._is_over(batch.batch_id):
                    raise _Stopped
                self._current = batch
            try:
                result = self._engine.run(
                    job,
                    lambda progress: work.progress(well, progress),
                    batch.time_limit,
                    lambda lines: work.said(well, lines),
                )
                python = script_of(batch.document) if work.python_wanted() else None
            finally:
                with self._state:
                    self._current = None
        if result.failure is not None and not self._engine.alive:
            self._warm_up_again()
        return result, python


class _Work:
    """A batch in work, and how to tell about it."""

    def __init__(self, batch: WellBatch, worker: str, address: str, gpu: bool, report: Tell) -> None:
        self.batch = batch
        self._worker = worker
        self._address = address
        self._gpu = gpu
        self._report = report
        self._python_wanted = batch.want_python

    def python_wanted(self) -> bool:
        """Whether the document is to be rendered as OpenHCS source now; true once."""
        wanted, self._python_wanted = self._python_wanted, False
        return wanted

    def progress(self, well: str, progress: EngineProgress | None = None) -> None:
        step = {} if progress is None else progress.model_dump()
        attempt = self.batch.attempts[well]
        self._report(Progress(number=self.batch.number, well=well, attempt=attempt, worker=self._worker, **step))

    def said(self, well: str, lines: Sequence[EngineLine]) -> None:
        attempt = self.batch.attempts[well]
        self._report(Said(execution_id=self.batch.execution_id, well=well, attempt=attempt, lines=tuple(lines)))

    def outcome(self, well: str, **what: Any) -> Outcome:
        attempt = self.batch.attempts[well]
        return Outcome(number=self.batch.number, well=well, attempt=attempt, address=self._address, gpu=self._gpu, **what)


class _Stopped(Exception):  # noqa: N818 - not an error
    """The execution was cancelled or paused meanwhile."""


def _as_seen_from(host: WorkerHost, settings: WorkerSettings) -> WorkerSettings:
    """The service's settings with what is different on a host of its own."""
    own: dict[str, Any] = {"scratch": host.scratch, "engine_home": host.engine_home}
    if host.omero_host is not None:
        own["omero_host"] = host.omero_host
    if host.omero_port is not None:
        own["omero_port"] = host.omero_port
    return settings.model_copy(update=own)


def _shares_disk(settings: WorkerSettings) -> bool:
    """Whether the folder for results is the service's own, and not one that has the same name on another disk."""
    return (settings.results / settings.results_mark).is_file() and os.access(settings.results, os.W_OK)


def _remember(stopped: dict[str, None], batches: list[str]) -> None:
    """Every worker is told of every batch; those that never come here must not pile up."""
    stopped.update(dict.fromkeys(batches))
    while len(stopped) > _STOPPED_KEPT:
        del stopped[next(iter(stopped))]


def _engine_lost(well: str, error: EngineLost) -> WellFailure:
    failure = well_failure(FailureClass.WORKER_LOST, f"The engine process ended while it computed well {well}. {error}")
    return failure.model_copy(update={"traceback": error.log})
