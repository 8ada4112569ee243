# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting the results of a run through OMERO.web: listed, confirmed with the list's digest, and refused where it must be."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from openhcs_client import DeletionPlan

from .conftest import WebUser, error_of, wait_until_final

pytestmark = pytest.mark.stack

ROUTES = ("deletion-plan", "delete")


@pytest.fixture(scope="module")
def finished(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> str:
    execution_id = submit(ada, make_plate(ada, lab, wells=2))
    assert wait_until_final(ada, execution_id).status == "completed"
    return execution_id


def submit(person: WebUser, plate_id: int) -> str:
    response = person.post(person.api("executions/"), {"plate_id": plate_id, "pipeline_id": "nuclei-count"})
    assert response.status_code == 201, response.text
    return str(response.json()["execution_id"])


def address(person: WebUser, execution_id: str, what: str) -> str:
    return person.api(f"executions/{execution_id}/results/{what}/")


def plan_of(person: WebUser, execution_id: str) -> DeletionPlan:
    response = person.post(address(person, execution_id, "deletion-plan"))
    assert response.status_code == 200, response.text
    return DeletionPlan.model_validate(response.json())


@pytest.mark.parametrize("what", ROUTES)
def test_refusals(ada: WebUser, colleague: WebUser, stranger: WebUser, finished: str, what: str) -> None:
    before = plan_of(ada, finished)
    body = {"digest": before.digest} if what == "delete" else {}
    refused = colleague.post(address(colleague, finished, what), body)
    assert (refused.status_code, error_of(refused)["code"]) == (403, "not_yours")
    assert stranger.post(address(stranger, finished, what), body).status_code == 404
    assert ada.post(address(ada, finished, what), body, csrf=False).status_code == 403
    assert ada.get(address(ada, finished, what)).status_code == 405
    assert plan_of(ada, finished) == before


def test_a_list_that_is_out_of_date_is_refused(ada: WebUser, finished: str) -> None:
    before = plan_of(ada, finished)
    refused = ada.post(address(ada, finished, "delete"), {"digest": "0" * 64})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "plan_changed")
    assert ada.post(address(ada, finished, "delete"), {}).status_code == 422
    assert plan_of(ada, finished) == before


def test_a_run_that_goes_on_keeps_its_results(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> None:
    execution_id = submit(ada, make_plate(ada, lab, wells=6))
    refused = ada.post(address(ada, execution_id, "delete"), {"digest": plan_of(ada, execution_id).digest})
    assert refused.status_code == 409
    assert error_of(refused)["code"] in ("not_finished", "plan_changed")
    ada.post(ada.api(f"executions/{execution_id}/cancel/"))
    wait_until_final(ada, execution_id)


def test_what_was_listed_is_deleted_once(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> None:
    execution_id = submit(ada, make_plate(ada, lab, wells=2))
    wait_until_final(ada, execution_id)
    plan = plan_of(ada, execution_id)
    assert {item.kind: item.count for item in plan.items if item.kind in ("plate", "image", "table")} == {
        "plate": 1,
        "image": 2,
        "table": 1,
    }
    answer = ada.post(address(ada, execution_id, "delete"), {"digest": plan.digest})
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + 60
    while (state := ada.get(ada.api(f"executions/{execution_id}/")).json()["deletion"]["state"]) == "deleting":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert state == "deleted"
    assert plan_of(ada, execution_id).total == 0
    again = ada.post(address(ada, execution_id, "delete"), {"digest": plan.digest})
    assert again.status_code == 409


def test_a_dataset_that_cannot_be_used_is_said_at_its_field(ada: WebUser, plate: int) -> None:
    for saving, field in (
        ({"target": "dataset", "dataset_id": 10**9}, "saving.dataset_id"),
        ({"target": "dataset", "dataset_id": 0}, "saving.dataset_id"),
        ({"target": "dataset"}, "saving"),
    ):
        body = {"plate_id": plate, "pipeline_id": "nuclei-count", "saving": saving}
        refused = ada.post(ada.api("executions/"), body)
        assert refused.status_code == 422
        assert list(error_of(refused)["field_errors"]) == [field]
    body = {"plate_id": plate, "pipeline_id": "nuclei-count", "saving": {"processed": True}}
    refused = ada.post(ada.api("executions/"), body)
    assert (refused.status_code, error_of(refused)["code"]) == (422, "no_processed_images")
    assert list(error_of(refused)["field_errors"]) == ["saving.processed"]
