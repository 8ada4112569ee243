# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a worker reports, as a change in the queue."""

from __future__ import annotations

from typing import assert_never

from openhcs_client import FailureClass
from openhcs_execution.database import Database
from openhcs_execution.engine.failures import well_failure
from openhcs_execution.omero_io.failures_counted import OMERO_ERRORS
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.wells import ComputedWell, Well

from .tasks import Outcome, Progress

__all__ = ["apply_outcome", "apply_progress"]


def apply_progress(database: Database, progress: Progress) -> bool:
    """Note how far a well is; False when nobody waits for it."""
    well = Well(progress.number, progress.well, progress.attempt)
    if progress.step == 0:
        return wells.well_staging(database, well, progress.worker)
    return wells.well_step(database, well, progress.step, progress.step_count, progress.step_name)


def apply_outcome(database: Database, outcome: Outcome) -> bool:
    """Commit a well, fail it, or put it back; False when the attempt is not the one that is waited for."""
    well = Well(outcome.number, outcome.well, outcome.attempt)
    match outcome.what:
        case "computed":
            computed = ComputedWell(
                seconds=outcome.seconds,
                measurements=outcome.measurements,
                field_rows=outcome.field_rows,
                object_rows=outcome.object_rows,
                label_count=outcome.label_count,
                versions=outcome.versions,
                python=outcome.python,
                reused_steps=outcome.reused_steps,
                gpu=outcome.gpu,
            )
            return wells.commit_well(database, well, computed)
        case "failed":
            failure = outcome.failure or well_failure(FailureClass.ENGINE_ERROR, f"Well {well.name} failed without a reason.")
            return wells.fail_well(database, well, failure, outcome.seconds, gpu=outcome.gpu)
        case "engine_lost":
            return wells.lose_worker(database, well, outcome.failure)
        case "session_lost":
            OMERO_ERRORS.labels("omero_session_lost").inc()  # the worker's own counter is in its process
            executions.lose_session(database, outcome.number, outcome.session_name)
            return wells.put_back(database, well)
        case "omero_unanswered":
            OMERO_ERRORS.labels("omero_unreachable").inc()
            executions.omero_unanswered(database, outcome.number)
            return wells.put_back(database, well)
        case "stopped":
            return wells.put_back(database, well)
        case _ as unknown:
            assert_never(unknown)
