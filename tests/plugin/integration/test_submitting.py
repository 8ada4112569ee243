# SPDX-License-Identifier: AGPL-3.0-or-later
"""Submitting through OMERO.web: what runs, what is refused and why, and that a refusal leaves nothing behind."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import omero
import pytest
from omero.rtypes import rstring

from .conftest import WebUser, World, error_of, wait_until_final

pytestmark = pytest.mark.stack


def wanted(plate: int, **changes: Any) -> dict[str, Any]:
    return {"plate_id": plate, "pipeline_id": "nuclei-count", "parameters": {"diameter": 11}, **changes}


def open_sessions(world: World, person: WebUser) -> int:
    connection = world.omero(person)
    try:
        return len(connection.c.sf.getSessionService().getMyOpenSessions())
    finally:
        connection.close()


def executions_of(person: WebUser, plate: int) -> list[dict[str, Any]]:
    return person.get(person.api(f"executions/?plate={plate}")).json()["executions"]


def ids_of(executions: list[dict[str, Any]]) -> set[str]:
    return {execution["execution_id"] for execution in executions}


def test_a_run_from_submit_to_measurements(ada: WebUser, plate: int) -> None:
    response = ada.post(ada.api("executions/"), wanted(plate))
    assert response.status_code == 201, response.text
    created = response.json()
    execution_id = created["execution_id"]
    assert created == {
        "execution_id": execution_id,
        "status_url": f"/openhcs/status/{execution_id}/",
        "results_url": f"/openhcs/results/{execution_id}/",
    }
    status = wait_until_final(ada, execution_id)
    assert (status.wells_completed, status.wells_failed) == (2, 0), status
    page = ada.get(ada.api(f"executions/{execution_id}/measurements/?level=well")).json()
    counts = {row[page["columns"].index("well")]: row[page["columns"].index("nuclei_count")] for row in page["rows"]}
    assert counts == {"A01": 3, "A02": 3}
    detail = ada.get(ada.api(f"executions/{execution_id}/")).json()
    assert detail["owner_id"] == ada.user_id
    assert detail["parameters"] == {"diameter": 11}
    assert "session" not in json.dumps(detail)


def test_signing_out_does_not_end_a_run(world: World, lab: int, make_plate: Callable[..., int], colleague: WebUser) -> None:
    person = world.person(lab)
    plate = make_plate(person, lab)
    execution_id = person.post(person.api("executions/"), wanted(plate)).json()["execution_id"]
    person.post("/webclient/logout/")
    assert person.get(person.api("executions/")).status_code == 403
    status = wait_until_final(colleague, execution_id)
    assert status.wells_completed == 2


def test_a_test_of_one_well_saves_nothing(ada: WebUser, lab: int, make_plate: Callable[..., int], world: World) -> None:
    plate = make_plate(ada, lab)
    execution_id = ada.post(ada.api("executions/"), wanted(plate, test_well="A02")).json()["execution_id"]
    assert wait_until_final(ada, execution_id).wells_total == 1
    detail = ada.get(ada.api(f"executions/{execution_id}/")).json()
    assert detail["test_well"] is True
    assert not any(detail["results"].values())
    connection = world.omero(ada, lab)
    try:
        assert list(connection.getObject("Plate", plate).listAnnotations()) == []
    finally:
        connection.close()
    labels = ada.get(ada.api(f"executions/{execution_id}/wells/A02/labels/")).json()
    pixels = ada.get(ada.api(f"executions/{execution_id}/wells/A02/labels/1/{labels[0]['name']}/"))
    assert pixels.headers["x-shape"] == "64,64"
    assert len(pixels.content) == 4 * 64 * 64


def test_the_same_key_gives_the_same_execution(ada: WebUser, plate: int) -> None:
    key = secrets.token_hex(8)
    body = wanted(plate, test_well="A01")
    ids = {ada.post(ada.api("executions/"), body, **{"Idempotency-Key": key}).json()["execution_id"] for _ in range(2)}
    assert len(ids) == 1
    other = ada.post(ada.api("executions/"), body, **{"Idempotency-Key": secrets.token_hex(8)}).json()["execution_id"]
    assert other not in ids


def test_the_same_again(ada: WebUser, stranger: WebUser, plate: int) -> None:
    first = ada.post(ada.api("executions/"), wanted(plate, test_well="A02")).json()["execution_id"]
    path, key = f"executions/{first}/rerun/", {"Idempotency-Key": secrets.token_hex(8)}
    answers = [ada.post(ada.api(path), {}, **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    [again] = {answer.json()["execution_id"] for answer in answers}
    assert again != first
    detail = ada.get(ada.api(f"executions/{again}/")).json()
    assert (detail["test_well"], detail["parameters"], detail["plate_id"]) == (True, {"diameter": 11}, plate)
    assert [well["well"] for well in detail["wells"]] == ["A02"]
    assert stranger.post(stranger.api(path), {}).status_code == 404
    assert wait_until_final(ada, again).wells_completed == 1


def test_a_paused_run_says_so_and_goes_on_when_resumed(
    ada: WebUser, colleague: WebUser, lab: int, make_plate: Callable[..., int]
) -> None:
    execution_id = ada.post(ada.api("executions/"), wanted(make_plate(ada, lab))).json()["execution_id"]
    here = f"executions/{execution_id}"
    paused = ada.post(ada.api(f"{here}/pause/"), {}).json()
    assert (paused["paused"], paused["waiting_code"]) == (True, "paused")
    assert error_of(colleague.post(colleague.api(f"{here}/resume/"), {}))["code"] == "not_yours"
    assert ada.get(ada.api(f"{here}/status/")).json()["paused"] is True
    assert ada.post(ada.api(f"{here}/resume/"), {}).json()["paused"] is False
    assert wait_until_final(ada, execution_id).wells_completed == 2
    assert error_of(ada.post(ada.api(f"{here}/pause/"), {}))["code"] == "already_finished"


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"plate_id": 987_654}, 404, "plate_not_found", ""),
        ({"pipeline_id": "no-such-pipeline"}, 404, "unknown_pipeline", ""),
        ({"pipeline_id": "u1-no-such-pipeline"}, 404, "unknown_pipeline", ""),
        ({"version": 99}, 404, "", ""),
        ({"wells": ["A01", "H12"]}, 422, "", "wells"),
        ({"wells": ["not a well"]}, 422, "", "wells"),
        ({"test_well": "H12"}, 422, "", "wells"),
        ({"parameters": {"diameter": 1e9}}, 422, "", "parameters.diameter"),
        ({"parameters": {"diameter": "wide"}}, 422, "", "parameters.diameter"),
        ({"parameters": {"colour": 1}}, 422, "", "parameters.colour"),
        ({"parameters": {"nuclei-channel": 7}}, 422, "", "parameters.nuclei-channel"),
    ],
)
def test_what_cannot_run_is_refused_and_leaves_nothing(
    world: World, ada: WebUser, plate: int, changes: dict[str, Any], status: int, code: str, field: str
) -> None:
    before, sessions = ids_of(executions_of(ada, plate)), open_sessions(world, ada)
    response = ada.post(ada.api("executions/"), wanted(plate) | changes)
    assert response.status_code == status, response.text
    error = error_of(response)
    assert error["message"].endswith(".")
    assert error["request_id"]
    if code:
        assert error["code"] == code
    if field:
        assert field in error["field_errors"], error
    assert ids_of(executions_of(ada, plate)) == before
    # Earlier executions may end meanwhile and close theirs; none may be added.
    assert open_sessions(world, ada) <= sessions


def test_a_plate_without_images_is_refused(world: World, ada: WebUser, lab: int) -> None:
    connection = world.omero(ada, lab)
    try:
        empty = omero.model.PlateI()
        empty.setName(rstring("Empty plate"))
        plate = connection.getUpdateService().saveAndReturnObject(empty, connection.SERVICE_OPTS).id.val
    finally:
        connection.close()
    response = ada.post(ada.api("executions/"), wanted(plate))
    assert (response.status_code, error_of(response)["code"]) == (422, "plate_empty")
    page = ada.get(f"/openhcs/execute/{plate}/")
    assert page.status_code == 422
    assert "has no images" in page.text


def test_a_plate_that_may_not_be_read_does_not_exist(stranger: WebUser, plate: int) -> None:
    response = stranger.post(stranger.api("executions/"), wanted(plate))
    assert (response.status_code, error_of(response)["code"]) == (404, "plate_not_found")


def test_an_administrator_outside_the_group_does_not_run_in_somebody_elses_name(world: World, plate: int) -> None:
    from .conftest import sign_in

    root = sign_in(world.stack.web_url, "root", world.stack.root_password, 0)
    response = root.post(root.api("executions/"), wanted(plate))
    assert (response.status_code, error_of(response)["code"]) == (403, "not_a_group_member")
    page = root.get(f"/openhcs/execute/{plate}/")
    assert page.status_code == 200
    assert "You cannot run pipelines on this plate" in page.text


@pytest.mark.parametrize("permissions", ["rwra--", "rwrw--"])
def test_a_colleague_may_run_on_the_plate(world: World, make_plate: Callable[..., int], permissions: str) -> None:
    group = world.group(permissions)
    owner, member = world.person(group), world.person(group)
    plate = make_plate(owner, group)
    response = member.post(member.api("executions/"), wanted(plate, test_well="A01"))
    assert response.status_code == 201, response.text
    detail = member.get(member.api(f"executions/{response.json()['execution_id']}/")).json()
    assert (detail["owner_id"], detail["group_id"]) == (member.user_id, group)


def test_in_a_read_only_group_a_colleague_is_told_where_results_go(world: World, make_plate: Callable[..., int]) -> None:
    group = world.group("rwr---")
    owner, member = world.person(group), world.person(group)
    plate = make_plate(owner, group)
    page = member.get(f"/openhcs/execute/{plate}/")
    assert page.status_code == 200
    assert "a plate of your own in the same group" in page.text
    response = member.post(member.api("executions/"), wanted(plate, test_well="A01"))
    assert response.status_code == 201, response.text


def test_in_a_private_group_plates_are_their_owners(world: World, make_plate: Callable[..., int]) -> None:
    group = world.group("rw----")
    owner, member = world.person(group), world.person(group)
    plate = make_plate(owner, group)
    assert member.get(f"/openhcs/execute/{plate}/").status_code == 404
    response = owner.post(owner.api("executions/"), wanted(plate, test_well="A01"))
    execution_id = response.json()["execution_id"]
    assert owner.get(f"/openhcs/results/{execution_id}/").status_code == 200
    assert member.get(f"/openhcs/results/{execution_id}/").status_code == 404
    assert member.get(member.api(f"executions/{execution_id}/")).status_code == 404
    assert executions_of(member, plate) == []


def test_a_body_that_is_not_json_and_a_missing_csrf_token(ada: WebUser, plate: int) -> None:
    response = ada.post(ada.api("executions/"), content=b"plate_id=1")
    assert (response.status_code, error_of(response)["code"]) == (400, "bad_json")
    response = ada.post(ada.api("executions/"), wanted(plate), csrf=False)
    assert response.status_code == 403
    assert "CSRF" in response.json()["message"]
