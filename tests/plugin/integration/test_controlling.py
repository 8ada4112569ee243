# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cancelling, running again and signing in again: for the owner and administrators, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import WebUser, World, error_of, sign_in, wait_until_final

pytestmark = pytest.mark.stack

COMMANDS = ("cancel", "retry", "session")


@pytest.fixture(scope="module")
def finished(ada: WebUser, plate: int) -> str:
    body = {"plate_id": plate, "pipeline_id": "nuclei-count", "test_well": "A01"}
    execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
    wait_until_final(ada, execution_id)
    return execution_id


@pytest.mark.parametrize("command", COMMANDS)
def test_a_colleague_may_look_but_not_change(colleague: WebUser, finished: str, command: str) -> None:
    assert colleague.get(colleague.api(f"executions/{finished}/")).status_code == 200
    response = colleague.post(colleague.api(f"executions/{finished}/{command}/"))
    assert response.status_code == 403
    assert error_of(response)["message"].endswith(".")


@pytest.mark.parametrize("command", COMMANDS)
def test_for_a_stranger_it_does_not_exist(stranger: WebUser, finished: str, command: str) -> None:
    response = stranger.post(stranger.api(f"executions/{finished}/{command}/"))
    assert response.status_code == 404
    for path in ("", "status/", "events/", "measurements/", "wells/A01/labels/"):
        assert stranger.get(stranger.api(f"executions/{finished}/{path}")).status_code == 404
    assert stranger.get(f"/openhcs/status/{finished}/").status_code == 404
    assert stranger.get(f"/openhcs/results/{finished}/").status_code == 404


def test_a_ticket_for_live_events_is_for_whoever_may_look(
    world: World, ada: WebUser, colleague: WebUser, stranger: WebUser, finished: str
) -> None:
    path = ada.api(f"executions/{finished}/ticket/")
    for person in (ada, colleague):
        ticket = person.post(path).json()
        assert ticket["url"] == f"ws://127.0.0.1:{world.stack.service_port}/api/v1/live/executions/{finished}/"
        assert ticket["expires_in"] == 60
    assert stranger.post(path).status_code == 404
    assert ada.post(path, csrf=False).status_code == 403
    assert ada.get(path).status_code == 405


def test_a_finished_execution_needs_no_sign_in(ada: WebUser, finished: str) -> None:
    response = ada.post(ada.api(f"executions/{finished}/session/"))
    assert (response.status_code, error_of(response)["code"]) == (409, "not_waiting")


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_need_the_csrf_token(ada: WebUser, finished: str, command: str) -> None:
    assert ada.post(ada.api(f"executions/{finished}/{command}/"), csrf=False).status_code == 403


def test_the_owner_and_an_administrator_cancel(world: World, ada: WebUser, lab: int, make_plate: Callable[..., int]) -> None:
    plate = make_plate(ada, lab, wells=6)
    root = sign_in(world.stack.web_url, "root", world.stack.root_password, 0)
    for person in (ada, root):
        body = {"plate_id": plate, "pipeline_id": "nuclei-count"}
        execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
        response = person.post(person.api(f"executions/{execution_id}/cancel/"))
        assert response.status_code == 200, response.text
        status = wait_until_final(ada, execution_id)
        assert status.status == "cancelled"


def test_cancelled_wells_run_again(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> None:
    plate = make_plate(ada, lab, wells=6)
    body: dict[str, Any] = {"plate_id": plate, "pipeline_id": "nuclei-count", "parameters": {"diameter": 11}}
    execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
    assert ada.post(ada.api(f"executions/{execution_id}/cancel/")).status_code == 200
    wait_until_final(ada, execution_id)
    response = ada.post(ada.api(f"executions/{execution_id}/retry/"))
    assert response.status_code == 200, response.text
    status = wait_until_final(ada, execution_id)
    assert (status.wells_completed, status.wells_failed) == (6, 0)
