# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may take the passport of a run: whoever may see the run, once it has ended."""

from __future__ import annotations

import io
import zipfile

import pytest

from openhcs_execution.queue import executions
from tests.execution.queued import enqueue, execution

PLACES = ["passport", "methods"]


@pytest.fixture
def ended(service) -> str:
    number = enqueue(service.database, 1)
    executions.cancel(service.database, number)
    return execution(service.database, number).execution_id


@pytest.mark.parametrize("place", PLACES)
def test_only_for_who_may_see_the_run(http, token, ended: str, place: str) -> None:
    address = f"/api/v1/executions/{ended}/{place}/"
    assert http.get(address).status_code == 401
    assert http.get(address, headers=token(9)).status_code == 404
    assert http.get(address, headers=token(9, reads_all=True)).status_code == 200
    assert http.get(address, headers=token(2)).status_code == 200


@pytest.mark.parametrize("place", PLACES)
def test_not_before_the_end(service, http, token, place: str) -> None:
    running = execution(service.database, enqueue(service.database, 1)).execution_id
    answer = http.get(f"/api/v1/executions/{running}/{place}/", headers=token(2))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_ended")


def test_a_run_without_results_has_a_passport_without_tables(service, http, token, ended: str) -> None:
    answer = http.get(f"/api/v1/executions/{ended}/passport/", headers=token(2))
    assert answer.headers["content-type"] == "application/zip"
    assert f"passport-{ended}.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert {"ro-crate-metadata.json", "pipeline.json", "methods.txt"} <= set(archive.namelist())
    assert not list(service.settings.scratch.glob("passport-*"))


def test_methods_are_text(http, token, ended: str) -> None:
    answer = http.get(f"/api/v1/executions/{ended}/methods/", headers=token(2)).json()
    assert answer["execution_id"] == ended
    assert "0 of 1 well gave results" in answer["text"]
