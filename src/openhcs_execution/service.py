# SPDX-License-Identifier: AGPL-3.0-or-later
"""The service put together: what it knows (settings, secret, catalogue, database) and what runs in it (dispatch, saving)."""

from __future__ import annotations

import fcntl
import shutil
from typing import IO

from openhcs_execution.catalogue import FunctionCatalogue, PipelineCatalogue
from openhcs_execution.database import Database, DatabaseRefused, ExecutionRow, migrate
from openhcs_execution.dispatch.cluster import prepare, probe
from openhcs_execution.dispatch.deleter import Deleter
from openhcs_execution.dispatch.desk import EngineDesk
from openhcs_execution.dispatch.dispatcher import Dispatcher
from openhcs_execution.dispatch.saver import Saver
from openhcs_execution.dispatch.sessions import SessionKeeper
from openhcs_execution.engine import catalogue_source, choose_catalogue
from openhcs_execution.forecast.board import ForecastBoard
from openhcs_execution.logging import get_logger
from openhcs_execution.metrics import Meters
from openhcs_execution.metrics.processes import ProcessMeter
from openhcs_execution.metrics.queue_state import QueueMeter
from openhcs_execution.metrics.told import EventMeter
from openhcs_execution.notifying import Notifier
from openhcs_execution.omero_io import OmeroServer
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.limits import change_engine, read_engine
from openhcs_execution.queue.recovery import recover
from openhcs_execution.queue.standing import QueueBoard
from openhcs_execution.readiness import Readiness
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.retention import ResultKeeper
from openhcs_execution.results.tables import TableStore
from openhcs_execution.secrets import SessionVault, load_secret
from openhcs_execution.settings import Settings

__all__ = ["Service"]

log = get_logger(__name__)


class Service:
    """One execution service on one data folder. Make it, :meth:`start` it, serve the API, :meth:`stop` it."""

    def __init__(self, settings: Settings) -> None:
        """Open everything that answers requests need; no process or thread is started.

        Raises:
            SecretError, DatabaseRefused: when the installation must be corrected first; the message says how.
        """
        self.settings = settings
        prepare(settings)
        for folder in (settings.data_dir, settings.scratch, settings.results, settings.engine_home):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _lock_data_folder(settings)
        self.secret = load_secret(settings.secret_path)
        self.vault = SessionVault(self.secret)
        self.database = Database(settings.database)
        migrate(self.database)
        self.database.claim()
        choose_catalogue(settings.engine_home)
        self.functions = FunctionCatalogue.packaged()
        self.tested = catalogue_source()
        for name, (tested, installed) in self.tested.differences.items():
            log.warning("functions_not_tested", package=name, tested=tested, installed=installed, remedy="catalogue build")
        self.pipelines = PipelineCatalogue.with_folders(settings.pipeline_folders)
        for problem in self.pipelines.problems:
            log.warning("pipeline_not_offered", problem=problem)
        self.omero = OmeroServer(settings.omero_host, settings.omero_port)
        self.results = ResultStore(settings.results)
        self.tables = TableStore(self.results)
        self.board = QueueBoard(self.database, settings.limits, lambda: self._dispatcher.kinds())
        self.forecasts = ForecastBoard(self.database, lambda: self.workers)
        self.desk = EngineDesk(settings.engine_home)
        self._keeper = SessionKeeper(self.database, self.vault, self.omero, settings.keep_alive_seconds)
        self._saver = Saver(self.database, self.results, self.vault, self.omero, on_finished=self._keeper.wake)
        self._deleter = Deleter(self.database, self.vault, self.omero)
        self._dispatcher = Dispatcher(self.database, self.results, settings, self.vault, on_change=self._changed)
        self.readiness = Readiness(self.database, settings, self._dispatcher)
        self.meters = Meters()
        self.database.listen(EventMeter(self.database, self.meters))
        self.meters.register(QueueMeter(self.database))
        self._notifier = Notifier(self.database, settings, self.meters.note_notification)
        self.database.listen(self._notifier.told)
        self._result_keeper = ResultKeeper(self.database, self.results, settings.keep_results_days)
        self.meters.register(ProcessMeter(settings, self._dispatcher.alive_workers))

    def start(self) -> None:
        """Put back what a former run left in work, then start the workers and the loops. Returns before workers are up."""
        for well in recover(self.database):
            with self.database.read() as session:
                execution_id = session.get_one(ExecutionRow, well.number).execution_id
            self.results.discard(execution_id, well.name, well.attempt)
            log.info("put_back", execution_id=execution_id, well=well.name, attempt=well.attempt)
        self.results.discard_unfinished()
        for leftover in self.settings.scratch.iterdir():
            shutil.rmtree(leftover, ignore_errors=True)
        self._dispatcher.engines.address = read_engine(self.database)
        self._dispatcher.start()
        self._saver.start()
        self._deleter.start()
        self._keeper.start()
        self._notifier.start()
        self._result_keeper.start()
        self.desk.warm_up(after=self._dispatcher.wait_until_ready)  # computing comes first

    def stop(self) -> None:
        """Stop the loops, the workers and their children. What was in work is put back at the next start."""
        self._dispatcher.stop()
        self._saver.stop()
        self._deleter.stop()
        self._keeper.stop()
        self._notifier.stop()
        self._result_keeper.stop()
        self.close()

    def close(self) -> None:
        """Release the database and the data folder, and end the engine for questions."""
        self.desk.close()
        self.forecasts.close()
        self.database.close()
        self._lock.close()

    @property
    def ready(self) -> bool:
        """Whether wells can be computed."""
        return self._dispatcher.ready

    def alive_workers(self) -> int:
        """Workers that are there now."""
        return self._dispatcher.alive_workers()

    @property
    def workers(self) -> int:
        """Wells that can be computed at the same time; while no worker is there, what the settings say about this machine."""
        return self._dispatcher.slots or self.settings.workers

    @property
    def engine(self) -> str:
        """Where wells are computed: the engine of the settings, or the address of an attached scheduler."""
        return self._dispatcher.engines.address or self.settings.engine

    def move_to(self, address: str | None, by: Actor) -> None:
        """Compute with the scheduler at ``address`` from now on, or again with the engine of the settings.

        Raises:
            OpenHCSError: ``no_certificates``, ``engine_not_safe``, ``engine_unreachable``; then nothing changes.
        """
        if address is not None:
            probe(address, self.settings)
        change_engine(self.database, address, by)
        self._dispatcher.move_to(address)

    def wake(self) -> None:
        """Something was queued or may go on: look at once."""
        self.board.forget()
        self._dispatcher.wake()
        self._saver.wake()

    def wake_deleter(self) -> None:
        """Somebody asked for a deletion."""
        self._deleter.wake()

    def _changed(self) -> None:
        """A well or an execution changed: there may be results to save or sessions to close."""
        self._saver.wake()
        self._keeper.wake()

    def hold_work(self, number: int | None = None) -> None:
        """Begin no further well of a paused execution, or of any; those that are being computed are finished."""
        self.board.forget()
        self._dispatcher.hold(number)

    def stop_work(self, number: int) -> None:
        """Stop what still computes for a cancelled execution."""
        self.board.forget()
        self._dispatcher.stop_execution(number)
        self._keeper.wake()


def _lock_data_folder(settings: Settings) -> IO[str]:
    """Make sure that no second service works on the same folder; the lock ends with the process, however it ends."""
    file = (settings.data_dir / "service.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise DatabaseRefused(f"another execution service is running on {settings.data_dir}") from None
    return file
