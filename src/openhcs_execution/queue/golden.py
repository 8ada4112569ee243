# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is known about golden wells: the newest test run of each, looked up among the executions.

Nothing is stored for a check. A test run of exactly this version of a pipeline, on this well with these parameters, *is* a
check of it, whoever started it; so what a page says about a version never differs from the executions behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from openhcs_client import (
    ExecutionStatusName,
    GoldenCheck,
    GoldenQuestion,
    GoldenRun,
    GoldenWell,
    ParameterValue,
    check_golden_well,
    combined_check,
    well_name,
    well_position,
)
from openhcs_execution.database import ExecutionInput, ExecutionRow, WellRow

from .reading import Reader, read_well

__all__ = ["check_golden_wells"]

MOST_RUNS = 1000
"""So many of the newest test runs are looked at; older ones are taken for never run."""

_Found = tuple[int, str, dict[str, ParameterValue], GoldenRun]


def check_golden_wells(session: Session, reader: Reader, question: GoldenQuestion) -> GoldenCheck:
    """Compare the newest run of each golden well that ``reader`` may see. A cancelled run is as if it had never been."""
    found = _runs(session, reader, question)
    wells = [check_golden_well(golden, _run_of(golden, found)) for golden in question.golden_wells]
    return combined_check(question.pipeline_id, question.version, question.expected_by, wells)


def _runs(session: Session, reader: Reader, question: GoldenQuestion) -> list[_Found]:
    """Plate, well, parameters and outcome of each test run that may be one of a golden well, newest first."""
    conditions = [
        ExecutionRow.plate_id.in_({golden.plate_id for golden in question.golden_wells}),
        ExecutionRow.pipeline_id == question.pipeline_id,
        ExecutionRow.pipeline_version == question.version,
        ExecutionRow.pipeline_hash == question.pipeline_hash,
        ExecutionRow.test_well.is_(True),
        ExecutionRow.status != ExecutionStatusName.CANCELLED,
        WellRow.well.in_({_plain_name(golden) for golden in question.golden_wells}),
    ]
    visible = reader.condition()
    if visible is not None:
        conditions.append(visible)
    rows = session.execute(
        select(ExecutionRow, WellRow, ExecutionInput.parameters, ExecutionInput.versions)
        .join(WellRow, WellRow.execution == ExecutionRow.number)
        .join(ExecutionInput, ExecutionInput.execution == ExecutionRow.number)
        .where(*conditions)
        .order_by(ExecutionRow.number.desc())
        .limit(MOST_RUNS)
    )
    return [
        (
            execution.plate_id,
            well.well,
            parameters,
            GoldenRun(
                execution_id=execution.execution_id,
                status=ExecutionStatusName(execution.status),
                message=execution.message,
                well=read_well(well),
                versions=versions,
            ),
        )
        for execution, well, parameters, versions in rows
    ]


def _run_of(golden: GoldenWell, found: Sequence[_Found]) -> GoldenRun | None:
    wanted = (golden.plate_id, _plain_name(golden), golden.parameters)
    return next((run for *key, run in found if tuple(key) == wanted), None)


def _plain_name(golden: GoldenWell) -> str:
    """The well's name as executions write it: ``a1`` is ``A01``."""
    return well_name(*well_position(golden.well))
