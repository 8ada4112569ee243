# SPDX-License-Identifier: AGPL-3.0-or-later
"""The loop that writes results into OMERO while a plate is still being computed, and ends executions.

Label images are written well by well as they are committed; the table, the provenance and the attachments when no well is
left. Everything that is called here may be repeated without creating anything twice, so after a crash it simply is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import or_, select

from openhcs_client import ExecutionStatusName, FailureClass, OpenHCSError, PlateLayout, WellState
from openhcs_execution.background import BackgroundLoop
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, JobSession, WellRow
from openhcs_execution.engine.failures import omero_remedy, well_failure
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import OmeroServer
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.events import now
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.secrets import SessionVault

from .connection import KeptConnection
from .saving import SavedExecution, forget_images, save_summary, save_well

__all__ = ["Saver"]

log = get_logger(__name__)

_WELLS_PER_TURN = 4
"""Executions take turns, so a large plate does not keep a small one from being finished."""
_TRIES = 3
_PAUSE = 3.0
_TICK = 2.0


@dataclass
class _Trouble:
    """Unexpected failures in a row to save the summary of an execution."""

    times: int = 0
    not_before: float = 0.0


class Saver:
    """One thread with one OMERO connection."""

    def __init__(
        self,
        database: Database,
        store: ResultStore,
        vault: SessionVault,
        server: OmeroServer,
        on_finished: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._store = store
        self._connection = KeptConnection(server, vault)
        self._on_finished = on_finished
        self._trouble: dict[int, _Trouble] = {}
        self._loop = BackgroundLoop("saver", self._turn_of_all, trouble="saving_failed", ended=self._connection.close)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def wake(self) -> None:
        """There may be something to save."""
        self._loop.wake()

    def _turn_of_all(self) -> float:
        """Give each execution that has something to save a turn."""
        numbers = [number for number in self._to_save() if self._may_try(number)]
        for number in numbers:
            if self._loop.stopping:
                break
            self._turn(number)
        return 0.0 if numbers else _TICK

    def _may_try(self, number: int) -> bool:
        return time.monotonic() >= self._trouble.get(number, _Trouble()).not_before

    def _to_save(self) -> list[int]:
        saving = (
            select(WellRow.well).where(WellRow.execution == ExecutionRow.number, WellRow.state == WellState.SAVING).exists()
        )
        statement = (
            select(ExecutionRow.number)
            .where(
                or_(
                    ExecutionRow.status == ExecutionStatusName.SAVING,
                    (ExecutionRow.status == ExecutionStatusName.RUNNING) & saving,
                ),
                or_(ExecutionRow.not_before.is_(None), ExecutionRow.not_before <= now()),
            )
            .order_by(ExecutionRow.number)
        )
        with self._database.read() as session:
            return list(session.scalars(statement))

    def _turn(self, number: int) -> None:
        saved = self._load(number)
        if saved is None:
            return
        try:
            names = self._wells_to_save(number)
            for name in names:
                self._save_well(saved, name)
            if not names and saved.execution.status == ExecutionStatusName.SAVING:
                self._save_summary(saved)
        except OpenHCSError as error:
            if error.code == "omero_session_lost":
                executions.lose_session(self._database, number, saved.sealed_session)
            elif error.code == "omero_unreachable":
                executions.omero_unanswered(self._database, number)
            else:
                raise

    def _load(self, number: int) -> SavedExecution | None:
        with self._database.read() as session:
            execution = session.get_one(ExecutionRow, number)
            inputs = session.get_one(ExecutionInput, number)
            job_session = session.get(JobSession, number)
        if job_session is None or job_session.lost:
            return None
        return SavedExecution(execution, inputs, PlateLayout.model_validate_json(inputs.layout), job_session.sealed_key)

    def _wells_to_save(self, number: int) -> list[str]:
        statement = (
            select(WellRow.well)
            .where(WellRow.execution == number, WellRow.state == WellState.SAVING)
            .order_by(WellRow.position)
            .limit(_WELLS_PER_TURN)
        )
        with self._database.read() as session:
            return list(session.scalars(statement))

    def _save_well(self, saved: SavedExecution, name: str) -> None:
        number = saved.execution.number
        try:
            images = self._connection.use(
                saved.sealed_session,
                saved.layout.group_id,
                lambda conn: save_well(conn, self._database, self._store, saved, name),
            )
        except Exception as error:
            if isinstance(error, OpenHCSError) and error.code in ("omero_session_lost", "omero_unreachable"):
                raise
            log.exception("labels_not_saved", execution_id=saved.execution.execution_id, well=name)
            reason = error.message if isinstance(error, OpenHCSError) else "OMERO did not take them."
            message = f"The label images of well {name} could not be saved to OMERO. {reason}"
            failure = well_failure(FailureClass.OMERO_LOST, message, error).model_copy(update={"remedy": omero_remedy(error)})
            wells.save_failed(self._database, number, name, failure)
        else:
            wells.saved_well(self._database, number, name, images)
            forget_images(self._database, self._store, saved, name)

    def _save_summary(self, saved: SavedExecution) -> None:
        number = saved.execution.number
        try:
            note = self._connection.use(
                saved.sealed_session,
                saved.layout.group_id,
                lambda conn: save_summary(conn, self._database, self._store, saved),
            )
        except Exception as error:
            if isinstance(error, OpenHCSError) and error.code in ("omero_session_lost", "omero_unreachable"):
                raise
            log.exception("summary_not_saved", execution_id=saved.execution.execution_id)
            self._note_trouble(number, error)
        else:
            self._end(number, note)

    def _note_trouble(self, number: int, error: Exception) -> None:
        trouble = self._trouble.setdefault(number, _Trouble())
        trouble.times += 1
        trouble.not_before = time.monotonic() + _PAUSE
        if trouble.times >= _TRIES:
            reason = error.message if isinstance(error, OpenHCSError) else "OMERO did not take them."
            message = f"The measurements are kept here, but not everything could be saved to OMERO. {reason}"
            self._end(number, message, troubled=True)

    def _end(self, number: int, message: str = "", *, troubled: bool = False) -> None:
        self._trouble.pop(number, None)
        if executions.finish(self._database, number, message, troubled=troubled):
            log.info("finished", execution=number, troubled=troubled)
            self._on_finished()
