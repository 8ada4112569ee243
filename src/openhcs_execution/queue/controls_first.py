# SPDX-License-Identifier: AGPL-3.0-or-later
"""Controls first: the order in which wells are given out, and the pause when the controls are not told apart.

The Z'-factor is that of :mod:`openhcs_execution.quality.controls`. It is looked at once, when every control well of the run
has an outcome; whoever resumes the run afterwards is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from openhcs_client import (
    ControlsFirst,
    ExecutionStatusName,
    FutilityRule,
    FutilityVerdict,
    OpenHCSError,
    PipelineDocument,
    WellLayout,
    WellRole,
)
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.quality.controls import FEWEST, control_statistics

from .events import lock_execution, record
from .executions import OUTSTANDING, put_back_unbegun

__all__ = ["checked_controls", "judge_controls", "run_order", "unjudged"]


def checked_controls(wanted: ControlsFirst | None, wells: Iterable[str], document: PipelineDocument) -> ControlsFirst | None:
    """What was asked for, with the roles of the wells that are run.

    Raises:
        OpenHCSError: ``no_controls`` (422) when too few of ``wells`` are controls; ``unknown_measurement`` (422) when the
            rule is about something that the pipeline does not measure.
    """
    if wanted is None:
        return None
    there = set(wells)
    chosen = wanted.model_copy(
        update={"roles": {well: role for well, role in (wanted.roles or {}).items() if well in there and role in _CONTROLS}}
    )
    counts = {role: len(chosen.controls(role)) for role in _CONTROLS}
    if not any(counts.values()):
        raise _refusal("no_controls", "None of these wells is marked as a control, so there is nothing to compute first.")
    if wanted.futility is None:
        return chosen
    if min(counts.values()) < FEWEST:
        positive, negative = counts[WellRole.POSITIVE], counts[WellRole.NEGATIVE]
        raise _refusal(
            "no_controls",
            f"A Z′-factor takes at least {FEWEST} positive and {FEWEST} negative control wells; "
            f"these wells have {positive} and {negative}.",
        )
    measured = {measurement.name for measurement in document.measurements}
    if measured and wanted.futility.measurement not in measured:
        raise OpenHCSError(
            "unknown_measurement",
            f"The pipeline does not measure “{wanted.futility.measurement}”.",
            status=422,
            field_errors={"controls_first.futility.measurement": "not measured by this pipeline"},
        )
    return chosen


_CONTROLS = (WellRole.POSITIVE, WellRole.NEGATIVE)


def _refusal(code: str, sentence: str) -> OpenHCSError:
    return OpenHCSError(code, sentence, status=422, field_errors={"controls_first": sentence})


def run_order(wells: Sequence[WellLayout], controls_first: ControlsFirst | None) -> list[WellLayout]:
    """The order of giving out: positive and negative controls in turn, so that both are known early, then the rest."""
    if controls_first is None:
        return list(wells)
    kinds = [[well for well in wells if well.well in controls_first.controls(role)] for role in _CONTROLS]
    first = [well for well in chain.from_iterable(zip_longest(*kinds)) if well is not None]
    names = {well.well for well in first}
    return first + [well for well in wells if well.well not in names]


def unjudged(database: Database) -> list[int]:
    """Open executions with a rule that has not been looked at."""
    with database.read() as session:
        rows = session.execute(
            select(ExecutionRow.number, ExecutionRow.futility).where(
                ExecutionRow.status.in_((ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING)),
                ExecutionRow.futility.is_not(None),
            )
        )
        return [number for number, rule in rows if "verdict" not in rule]


def judge_controls(database: Database, number: int) -> bool:
    """Look at the controls of an execution that has a rule, if all of them are computed; True when it is paused now."""
    with database.read() as session:
        rule = session.scalar(select(ExecutionRow.futility).where(ExecutionRow.number == number))
        if rule is None or "verdict" in rule or _still_computed(session, number):
            return False
    with database.write() as session:
        execution = lock_execution(session, number)
        rule = execution.futility
        if rule is None or "verdict" in rule or ExecutionStatusName(execution.status).is_final:
            return False
        verdict = _verdict(session, number, FutilityRule.model_validate(rule))
        verdict.paused = verdict.paused and execution.status == ExecutionStatusName.RUNNING and _left(execution) > 0
        execution.futility = {**rule, "verdict": verdict.model_dump(mode="json")}
        if not verdict.paused:
            return False
        if not execution.paused:
            execution.paused, execution.paused_by = True, ""
            put_back_unbegun(session, execution)
            record(session, execution, "paused", data={"paused": True, "reason": verdict.note})
        return True


def _still_computed(session: Session, number: int) -> bool:
    """Whether a control well of the execution has no outcome yet."""
    wanted = _controls_of(session, number)
    names = [well for role in _CONTROLS for well in wanted.controls(role)]
    states = [state.value for state in OUTSTANDING]
    open_wells = select(func.count()).where(
        WellRow.execution == number, WellRow.well.in_(names), WellRow.state.in_(states), WellRow.committed_at.is_(None)
    )
    return bool(session.scalar(open_wells))


def _controls_of(session: Session, number: int) -> ControlsFirst:
    wanted = session.scalar(select(ExecutionInput.controls_first).where(ExecutionInput.execution == number))
    return ControlsFirst.model_validate(wanted or {})


def _left(execution: ExecutionRow) -> int:
    return execution.wells_waiting + execution.wells_claimed


def _verdict(session: Session, number: int, rule: FutilityRule) -> FutilityVerdict:
    wanted = _controls_of(session, number)
    values = {role: _values(session, number, wanted.controls(role), rule.measurement) for role in _CONTROLS}
    statistics = control_statistics(values[WellRole.POSITIVE], values[WellRole.NEGATIVE])
    verdict = FutilityVerdict(
        **rule.model_dump(),
        z_prime=statistics.z_prime,
        positive_wells=statistics.positive_wells,
        negative_wells=statistics.negative_wells,
    )
    wells = f"{verdict.positive_wells} positive and {verdict.negative_wells} negative control wells"
    if verdict.z_prime is None:
        reasons = " ".join(statistics.notes)
        verdict.note = f"The run was not stopped early: the Z′-factor of {rule.measurement} cannot be told. {reasons}".strip()
        return verdict
    verdict.paused = verdict.z_prime < rule.z_prime_below
    told = f"the Z′-factor of {rule.measurement} is {verdict.z_prime:.2g} over {wells}"
    if verdict.paused:
        verdict.note = (
            f"Paused because {told}, below {rule.z_prime_below:g}. Look at the controls; then resume the run, or cancel it."
        )
    else:
        verdict.note = f"The run goes on: {told}, not below {rule.z_prime_below:g}."
    return verdict


def _values(session: Session, number: int, wells: frozenset[str], measurement: str) -> list[float | None]:
    rows = session.scalars(
        select(WellRow.measurements).where(
            WellRow.execution == number, WellRow.well.in_(wells), WellRow.committed_at.is_not(None)
        )
    )
    return [measurements.get(measurement) for measurements in rows]
