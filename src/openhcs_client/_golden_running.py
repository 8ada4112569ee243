# SPDX-License-Identifier: AGPL-3.0-or-later
"""Running the golden wells of a pipeline and waiting for what they measure.

Each golden well is a test run of its own: nothing is written to OMERO, and all of them wait in the service's queue together, so
they run side by side as far as the service gives the user room.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from ._answers import version_of
from ._errors import OpenHCSError
from ._executions import ExecutionDetail, ExecutionStatus
from ._golden import GoldenCheck, GoldenRun, GoldenWellCheck, check_golden_well, combined_check, not_run
from ._pipelines import GoldenWell, PipelineDocument

__all__ = ["CheckReporter", "GoldenClient", "check_golden_wells"]

_PATIENCE = 300.0
"""Seconds that a service may be away, for example while it restarts, before the wait gives up."""

CheckReporter = Callable[[int, int, str], None]
"""Called with how many golden wells are over, how many there are, and what one of the others is doing."""


class GoldenClient(Protocol):
    """What a check needs of the client."""

    def pipeline(self, pipeline_id: str) -> list[PipelineDocument]: ...

    def execute_remote(self, *, plate_id: int, pipeline: str, config: dict[str, Any]) -> str: ...

    def status(self, execution_id: str) -> ExecutionStatus: ...

    def execution(self, execution_id: str) -> ExecutionDetail: ...


def check_golden_wells(
    client: GoldenClient,
    pipeline_id: str,
    *,
    version: int | None = None,
    expected_by: int | None = None,
    plates: Collection[int] = (),
    timeout: float | None = None,
    poll_seconds: float = 1.0,
    report: CheckReporter = lambda _over, _total, _text: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> GoldenCheck:
    """Run the golden wells of a pipeline and compare what they measure with what is expected.

    Args:
        client: Who is signed in.
        pipeline_id: The pipeline.
        version: The version to run; the newest when absent.
        expected_by: The version whose golden wells are run; the same one when absent.
        plates: Only golden wells on these plates; all when empty.
        timeout: Seconds after which what still runs is left to itself and told as running.
        poll_seconds: Seconds between two looks.
        report: Told how far it is.
        clock: For tests.
        pause: For tests.

    A golden well that cannot be run, for example on a plate that you may not read, does not keep the others from running; it is
    ``not_run`` in the answer, with the reason.

    Raises:
        OpenHCSError: when the pipeline or the version does not exist, or nobody answers for five minutes.
    """
    versions = client.pipeline(pipeline_id)
    document = version_of(versions, version)
    expecting = document if expected_by is None else version_of(versions, expected_by)
    golden_wells = [golden for golden in expecting.golden_wells if not plates or golden.plate_id in plates]
    started = [_start(client, document, golden) for golden in golden_wells]
    _wait(client, [entry for entry in started if isinstance(entry, str)], timeout, poll_seconds, report, clock, pause)
    wells = [_outcome(client, golden, entry) for golden, entry in zip(golden_wells, started, strict=True)]
    return combined_check(document.id, document.version, expecting.version, wells)


def _start(client: GoldenClient, document: PipelineDocument, golden: GoldenWell) -> str | OpenHCSError:
    """The id of the golden well's test run, or why there is none."""
    config = {"version": document.version, "test_well": golden.well, "parameters": golden.parameters}
    try:
        return client.execute_remote(plate_id=golden.plate_id, pipeline=document.id, config=config)
    except OpenHCSError as error:
        return error


def _wait(
    client: GoldenClient,
    execution_ids: Sequence[str],
    timeout: float | None,
    poll_seconds: float,
    report: CheckReporter,
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> None:
    """Return when all are over, or after ``timeout`` seconds."""
    started = answered = clock()
    pending = list(execution_ids)
    while pending:
        try:
            statuses = [client.status(execution_id) for execution_id in pending]
        except OpenHCSError as error:
            if error.code != "service_unavailable" or clock() - answered > _PATIENCE:
                raise
        else:
            answered = clock()
            pending = [status.execution_id for status in statuses if not status.status.is_final]
            doing = next((status.status.value.replace("_", " ") for status in statuses if not status.status.is_final), "")
            report(len(execution_ids) - len(pending), len(execution_ids), doing)
        if not pending or (timeout is not None and clock() - started >= timeout):
            return
        pause(poll_seconds)


def _outcome(client: GoldenClient, golden: GoldenWell, started: str | OpenHCSError) -> GoldenWellCheck:
    if isinstance(started, OpenHCSError):
        details = "; ".join(started.field_errors.values())
        return not_run(golden, f"{started.message} {details}".strip())
    execution = client.execution(started)
    run = GoldenRun(
        execution_id=execution.execution_id, status=execution.status, message=execution.message, well=execution.wells[0]
    )
    return check_golden_well(golden, run).model_copy(update={"plate_name": execution.plate_name})
