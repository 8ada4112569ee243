# SPDX-License-Identifier: AGPL-3.0-or-later
"""Control wells come first, and a run whose controls are not told apart is paused, once."""

from __future__ import annotations

import pytest

from openhcs_client import (
    ControlsFirst,
    FailureClass,
    FutilityRule,
    OpenHCSError,
    PipelineDocument,
    WaitingCode,
    WellFailure,
    WellRole,
)
from openhcs_execution.database import Database, WellRow
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.claims import fail
from openhcs_execution.queue.controls_first import checked_controls, judge_controls, unjudged
from openhcs_execution.queue.events import lock_execution
from openhcs_execution.queue.standing import standing_of
from openhcs_execution.queue.wells import Well

from ..queued import DOCUMENT, assert_consistent, claim_all, computed, enqueue, execution, kinds, states

ANNA = Actor(2, "Anna")
ROLES = {
    "A05": WellRole.POSITIVE,
    "A06": WellRole.POSITIVE,
    "A03": WellRole.NEGATIVE,
    "A04": WellRole.NEGATIVE,
    "A01": WellRole.TREATMENT,
}
GOOD = {"A05": 100.0, "A06": 101.0, "A03": 10.0, "A04": 11.0}
BAD = {"A05": 20.0, "A06": 101.0, "A03": 10.0, "A04": 55.0}


def controls(below: float | None = 0.5, roles: dict[str, WellRole] | None = None) -> ControlsFirst:
    rule = None if below is None else FutilityRule(measurement="count", z_prime_below=below)
    return ControlsFirst(roles=ROLES if roles is None else roles, futility=rule)


def one_by_one(database: Database) -> list[Well]:
    """Claim all wells in batches of one, so that the order of giving out is seen."""
    return claim_all(database, slots=1, largest=1)


def commit(database: Database, given: list[Well], values: dict[str, float]) -> None:
    for well in given:
        if well.name in values:
            assert wells.commit_well(database, well, computed(count=values[well.name]))


def test_controls_are_given_out_first_and_in_turn(database: Database) -> None:
    number = enqueue(database, wells=7, controls_first=controls(None))
    assert [well.name for well in one_by_one(database)] == ["A05", "A03", "A06", "A04", "A01", "A02", "A07"]
    assert_consistent(database, [number])


def test_without_it_the_order_is_that_of_the_plate(database: Database) -> None:
    enqueue(database, wells=3)
    assert [well.name for well in one_by_one(database)] == ["A01", "A02", "A03"]


def test_controls_that_are_told_apart_let_the_run_go_on(database: Database) -> None:
    number = enqueue(database, wells=7, controls_first=controls())
    given = one_by_one(database)
    commit(database, given[:3], GOOD)
    assert not judge_controls(database, number)
    assert execution(database, number).futility == {"measurement": "count", "z_prime_below": 0.5}  # one control is missing
    commit(database, given[3:4], GOOD)
    assert not judge_controls(database, number)
    row = execution(database, number)
    assert not row.paused
    assert row.futility["verdict"]["z_prime"] == pytest.approx(1 - 3 * (2 * 0.5**0.5) / 90)
    assert "goes on" in row.futility["verdict"]["note"]


def test_controls_that_are_not_told_apart_pause_it_once(database: Database) -> None:
    number = enqueue(database, wells=7, controls_first=controls())
    given = one_by_one(database)
    commit(database, given[:4], BAD)
    assert judge_controls(database, number)
    row = execution(database, number)
    assert row.paused
    assert set(states(database, number).values()) == {"done", "waiting"}
    standing = standing_of(row, {})
    assert standing.code == WaitingCode.CONTROLS
    assert "Z′-factor of count" in standing.reason
    assert "below 0.5" in standing.reason
    assert kinds(database, number)[-1] == "paused"
    assert claim_all(database) == []
    assert_consistent(database, [number])

    assert not judge_controls(database, number)  # it is looked at once
    assert executions.resume(database, number, ANNA)
    assert not judge_controls(database, number)
    assert [well.name for well in one_by_one(database)] == ["A01", "A02", "A07"]
    assert_consistent(database, [number])


def test_failed_controls_count_as_having_an_outcome_and_too_few_stop_nothing(database: Database) -> None:
    number = enqueue(database, wells=7, controls_first=controls())
    given = one_by_one(database)
    commit(database, given[:3], BAD)
    executions.pause(database, number, ANNA)
    with database.write() as session:
        fail(
            session,
            lock_execution(session, number),
            session.get_one(WellRow, (number, "A04")),
            WellFailure(cause=FailureClass.BAD_INPUT, message="no image"),
        )
    assert not judge_controls(database, number)
    verdict = execution(database, number).futility["verdict"]
    assert verdict["z_prime"] is None
    assert not verdict["paused"]
    assert "cannot be told" in verdict["note"]


def test_controls_of_a_constant_value_stop_nothing(database: Database) -> None:
    number = enqueue(database, wells=7, controls_first=controls())
    given = one_by_one(database)
    commit(database, given[:4], dict.fromkeys(GOOD, 7.0))
    assert not judge_controls(database, number)
    assert not execution(database, number).paused


def test_nothing_is_paused_when_no_well_is_left(database: Database) -> None:
    roles = {name: role for name, role in ROLES.items() if role != WellRole.TREATMENT}
    roles |= {"A01": WellRole.POSITIVE, "A02": WellRole.NEGATIVE}
    number = enqueue(database, wells=6, controls_first=controls(roles=roles))
    commit(database, one_by_one(database), BAD | {"A01": 1.0, "A02": 2.0})
    assert not judge_controls(database, number)
    assert execution(database, number).status == "saving"


def test_a_rule_that_was_not_looked_at_before_a_stop_is_found(database: Database) -> None:
    number = enqueue(database, wells=7, controls_first=controls())
    enqueue(database, wells=7, controls_first=controls(None))
    assert unjudged(database) == [number]
    commit(database, one_by_one(database), BAD)
    judge_controls(database, number)
    assert unjudged(database) == []


def test_a_run_without_controls_is_refused() -> None:
    with pytest.raises(OpenHCSError) as refused:
        checked_controls(controls(None), ["A01", "A02"], DOCUMENT)
    assert refused.value.code == "no_controls"
    assert checked_controls(controls(None), ["A01", "A05"], DOCUMENT).roles == {"A05": WellRole.POSITIVE}


def test_a_rule_needs_two_controls_of_each_kind() -> None:
    with pytest.raises(OpenHCSError, match=r"at least 2 positive and 2 negative"):
        checked_controls(controls(), ["A03", "A04", "A05"], DOCUMENT)


def test_a_rule_about_what_is_not_measured_is_refused() -> None:
    measured = DOCUMENT.model_dump() | {"measurements": [{"name": "nuclei", "title": "Nuclei"}]}
    with pytest.raises(OpenHCSError) as refused:
        checked_controls(controls(), list(ROLES), PipelineDocument.model_validate(measured))
    assert refused.value.code == "unknown_measurement"
    assert "controls_first.futility.measurement" in refused.value.field_errors


def test_names_of_wells_are_normal_and_what_is_none_is_refused() -> None:
    assert ControlsFirst(roles={"a5": WellRole.POSITIVE}).roles == {"A05": WellRole.POSITIVE}
    with pytest.raises(ValueError, match="well"):
        ControlsFirst(roles={"<b>": WellRole.POSITIVE})
