# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the service knows about golden wells: the newest test run of exactly that version, as far as the asker may see it."""

from __future__ import annotations

import pytest

from openhcs_client import ExpectedMeasurement, FailureClass, GoldenCheck, GoldenWell, WellFailure
from openhcs_execution.queue import executions, wells
from tests.execution.queued import DOCUMENT, claim_all, computed, enqueue, execution


def question(**changes) -> dict:
    golden = GoldenWell(plate_id=5, well="a1", expected=[ExpectedMeasurement(name="count", value=3.0)])
    return {
        "pipeline_id": DOCUMENT.id,
        "version": DOCUMENT.version,
        "pipeline_hash": DOCUMENT.content_hash(),
        "expected_by": 1,
        "golden_wells": [(golden.model_copy(update=changes)).model_dump(mode="json")],
    }


def ask(http, headers, **changes) -> GoldenCheck:
    answer = http.post("/api/v1/pipelines/golden-check/", headers=headers, json=question(**changes))
    assert answer.status_code == 200, answer.text
    return GoldenCheck.model_validate(answer.json())


def run_test_well(service, count: float, **more) -> int:
    number = enqueue(service.database, 1, test_well=True, **more)
    [claimed] = claim_all(service.database)
    wells.commit_well(service.database, claimed, computed(count=count))
    return number


def test_a_well_that_was_never_run_is_not_checked(http, token) -> None:
    check = ask(http, token(2))
    assert (check.state, check.wells[0].well) == ("not_checked", "A01")


def test_the_newest_run_counts(service, http, token) -> None:
    run_test_well(service, 3.0)
    assert ask(http, token(2)).state == "agrees"
    newest = run_test_well(service, 4.0)
    check = ask(http, token(2))
    assert check.state == "differs"
    [well] = check.wells
    assert well.execution_id == execution(service.database, newest).execution_id
    assert [(entry.expected, entry.found, entry.agrees) for entry in well.differences] == [(3.0, 4.0, False)]


def test_a_run_that_is_not_over_is_shown_as_running(service, http, token) -> None:
    run_test_well(service, 3.0)
    enqueue(service.database, 1, test_well=True)
    assert ask(http, token(2)).state == "running"


def test_a_cancelled_run_is_as_if_it_had_never_been(service, http, token) -> None:
    run_test_well(service, 3.0)
    executions.cancel(service.database, enqueue(service.database, 1, test_well=True))
    assert ask(http, token(2)).state == "agrees"


def test_a_failed_run_tells_why(service, http, token) -> None:
    enqueue(service.database, 1, test_well=True)
    [claimed] = claim_all(service.database)
    wells.fail_well(service.database, claimed, WellFailure(cause=FailureClass.BAD_INPUT, message="It is empty."))
    check = ask(http, token(2))
    assert (check.state, check.wells[0].message) == ("not_run", "It is empty.")


def test_a_run_of_the_whole_plate_is_no_check(service, http, token) -> None:
    enqueue(service.database, 1)
    [claimed] = claim_all(service.database)
    wells.commit_well(service.database, claimed, computed(count=3.0))
    assert ask(http, token(2)).state == "not_checked"


@pytest.mark.parametrize("other", [{"plate_id": 6}, {"well": "A02"}, {"parameters": {"diameter": 3}}])
def test_a_run_of_something_else_is_no_check(service, http, token, other) -> None:
    run_test_well(service, 3.0)
    assert ask(http, token(2), **other).state == "not_checked"


@pytest.mark.parametrize("other", [{"version": 2}, {"pipeline_hash": "0" * 64}, {"pipeline_id": "another"}])
def test_a_run_of_another_version_is_no_check(service, http, token, other) -> None:
    run_test_well(service, 3.0)
    answer = http.post("/api/v1/pipelines/golden-check/", headers=token(2), json={**question(), **other})
    assert answer.json()["state"] == "not_checked"


def test_only_what_the_asker_may_see_counts(service, http, token) -> None:
    run_test_well(service, 3.0)
    assert ask(http, token(9)).state == "not_checked", "a stranger in a private group"
    assert ask(http, token(9, reads_all=True)).state == "agrees", "a member who may read the group's data"
    assert ask(http, token(0, admin=True)).state == "agrees"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pipeline_hash": "' or 1=1"},
        {"golden_wells": [{"plate_id": 5, "well": "A0", "expected": [{"name": "count", "value": 1}]}]},
        {"golden_wells": [{"plate_id": 5, "well": "A1", "expected": []}]},
        {"golden_wells": question()["golden_wells"] * 21},
        {"more": 1},
    ],
)
def test_a_senseless_question_is_refused(http, token, wrong) -> None:
    answer = http.post("/api/v1/pipelines/golden-check/", headers=token(2), json={**question(), **wrong})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")


def test_nobody_asks_without_a_token(http) -> None:
    assert http.post("/api/v1/pipelines/golden-check/", json=question()).status_code == 401
