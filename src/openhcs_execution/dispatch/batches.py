# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a worker is handed for claimed wells, and which worker had best have it."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

from distributed import Future
from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import PipelineDocument, PlateLayout, SavingOptions
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, JobSession
from openhcs_execution.queue.needs import Needs
from openhcs_execution.queue.policy import ClaimedWells

from .cluster import Cluster
from .errands import SessionErrands
from .host import MEMORY, OURS, resource_of
from .tasks import WellBatch

__all__ = ["BatchMaker", "HandedOut", "WarmWorkers", "resources_for"]

_INPUTS_KEPT = 20
"""Executions whose document and layout are kept as they were read: a large plate has many batches."""

_WARM_WELLS = 200
"""Tested wells of which the worker is remembered."""


@dataclass(frozen=True)
class HandedOut:
    """A batch as a task of Dask."""

    batch: WellBatch
    future: Future
    cluster: Cluster
    settled: set[tuple[str, int]] = field(default_factory=set)
    """Wells, with their attempt, whose outcome was taken over when it was reported."""


@dataclass(frozen=True)
class _Inputs:
    """What never changes of an execution."""

    document: PipelineDocument
    layout: PlateLayout
    test_well: bool
    keep_images: bool
    needs: Needs
    futility: bool


class BatchMaker:
    """Makes batches of claimed wells. For one thread."""

    def __init__(self, database: Database, errands: SessionErrands, well_time_limit: float) -> None:
        self._database = database
        self._errands = errands
        self._time_limit = well_time_limit
        self._inputs: OrderedDict[int, _Inputs] = OrderedDict()

    def make(self, claimed: ClaimedWells) -> WellBatch | None:
        """What the worker needs to know; None when the execution has no session just now."""
        with self._database.read() as session:
            job_session = session.get(JobSession, claimed.number)
            if job_session is None or job_session.lost:
                return None
            inputs = self._inputs_of(session, claimed.number)
            wants_python = session.scalars(
                select(ExecutionInput.python.is_(None)).where(ExecutionInput.execution == claimed.number)
            ).one()
        chosen = tuple(well for well in inputs.layout.wells if well.well in claimed.attempts)
        return WellBatch(
            batch_id=uuid.uuid4().hex,
            number=claimed.number,
            execution_id=claimed.execution_id,
            document=inputs.document,
            layout=inputs.layout.model_copy(update={"wells": chosen}),
            attempts=dict(claimed.attempts),
            sealed_session=self._errands.seal(job_session.sealed_key),
            session_name=job_session.sealed_key,
            time_limit=self._time_limit,
            want_python=wants_python and not inputs.test_well,
            test_well=inputs.test_well,
            keep_images=inputs.keep_images,
            needs=inputs.needs,
        )

    def looks_at_controls(self, number: int) -> bool:
        """Whether the controls of an execution decide on the rest of it; also when that is not known any more."""
        inputs = self._inputs.get(number)
        return inputs is None or inputs.futility

    def _inputs_of(self, session: Session, number: int) -> _Inputs:
        if number not in self._inputs:
            row, execution = session.get_one(ExecutionInput, number), session.get_one(ExecutionRow, number)
            self._inputs[number] = _Inputs(
                document=PipelineDocument.model_validate_json(row.applied_document),
                layout=PlateLayout.model_validate_json(row.layout),
                test_well=execution.test_well,
                keep_images=not execution.test_well and SavingOptions.model_validate(row.saving).processed,
                needs=Needs.read(execution.needs, execution.needs_memory_mb),
                futility=execution.futility is not None,
            )
            while len(self._inputs) > _INPUTS_KEPT:
                self._inputs.popitem(last=False)
        return self._inputs[number]


class WarmWorkers:
    """Which worker tested a well last: it has its images and steps at hand, so the next test had best go there again."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[tuple[int, str], str] = OrderedDict()

    def of(self, batch: WellBatch) -> str | None:
        """Address of the worker for a test; None for anything else."""
        return self._addresses.get(_tested(batch)) if batch.test_well else None

    def remember(self, batch: WellBatch, address: str) -> None:
        """This worker has computed a test."""
        self._addresses[_tested(batch)] = address
        self._addresses.move_to_end(_tested(batch))
        while len(self._addresses) > _WARM_WELLS:
            self._addresses.popitem(last=False)


def _tested(batch: WellBatch) -> tuple[int, str]:
    return batch.layout.plate_id, next(iter(batch.attempts))


def resources_for(needs: Needs, cluster: Cluster) -> dict[str, float]:
    """What Dask is to look for in a worker. Memory only where every worker with the labels says how much it has."""
    resources = {OURS: 1.0} | {resource_of(label): 1.0 for label in needs.labels}
    if needs.memory_mb is not None:
        candidates = [slot for slot in cluster.slots.values() if needs.labels <= slot.labels]
        if candidates and all(slot.memory_mb is not None for slot in candidates):
            resources[MEMORY] = float(needs.memory_mb)
    return resources
