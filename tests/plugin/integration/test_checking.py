# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checking a pipeline for a plate through OMERO.web: with the eyes of who asks, and by OpenHCS itself."""

from __future__ import annotations

import time
from typing import Any

import pytest

from openhcs_client import RemoteOrchestrator

from .conftest import WebUser, World, error_of

pytestmark = pytest.mark.stack


def body(person: WebUser, plate: int, **changes: Any) -> dict[str, Any]:
    document = person.get(person.api("pipelines/nuclei-count/")).json()["versions"][0]
    return {"document": document, "plate_id": plate, **changes}


def complete(person: WebUser, wanted: dict[str, Any], seconds: float = 120) -> dict[str, Any]:
    """Ask as a page does, until OpenHCS, which starts after the workers, has looked at the pipeline too."""
    deadline = time.monotonic() + seconds
    while True:
        response = person.post(person.api("pipelines/validate/"), wanted)
        assert response.status_code == 200, response.text
        report = response.json()
        if report["complete"]:
            return report
        assert time.monotonic() < deadline, report


def test_a_run_is_checked_by_openhcs_and_estimated(ada: WebUser, plate: int) -> None:
    report = complete(ada, body(ada, plate, wells=["A01"], parameters={"diameter": 11}))
    assert (report["valid"], report["field_errors"]) == (True, {})
    assert report["estimate"]["wells"] == 1
    assert report["estimate"]["seconds"] > 0
    assert report["estimate"]["basis"]


def test_errors_stand_where_they_can_be_corrected(ada: WebUser, plate: int) -> None:
    wrong_value = complete(ada, body(ada, plate, parameters={"nuclei-channel": 9}))
    assert set(wrong_value["field_errors"]) == {"parameters.nuclei-channel"}
    wrong_well = complete(ada, body(ada, plate, wells=["H12"]))
    assert set(wrong_well["field_errors"]) == {"wells"}
    wrong_document = complete(ada, {"document": {"steps": []}, "plate_id": plate})
    assert wrong_document["valid"] is False
    channel_by_name = body(ada, plate)
    channel_by_name["document"]["parameters"] = []
    channel_by_name["document"]["steps"][2]["parameters"]["channel"] = "Mitochondria"
    assert set(complete(ada, channel_by_name)["field_errors"]) == {"steps.2.parameters.channel"}


def test_a_plate_that_one_may_not_read_is_as_good_as_none(stranger: WebUser, plate: int) -> None:
    for number in (plate, 2**62):
        response = stranger.post(stranger.api("pipelines/validate/"), body(stranger, number))
        assert (response.status_code, error_of(response)["code"]) == (404, "plate_not_found")


@pytest.mark.parametrize(
    "changes", [{"plate_id": "x"}, {"plate_id": -1}, {"wells": "A01"}, {"parameters": {"a": {}}}, {"x": 1}]
)
def test_nonsense_is_refused(ada: WebUser, plate: int, changes: dict[str, Any]) -> None:
    response = ada.post(ada.api("pipelines/validate/"), body(ada, plate, **changes))
    assert (response.status_code, error_of(response)["code"]) == (422, "invalid_request")


def test_the_client_asks_the_same(world: World, ada: WebUser, plate: int) -> None:
    client = RemoteOrchestrator.sign_in_to_web(world.stack.web_url, ada.name, ada.password)
    report = client.validate(client.pipeline("nuclei-count")[0], plate_id=plate, wells=["A02"], parameters={"contrast": 4.0})
    assert report.valid
    assert report.estimate is not None and report.estimate.wells == 1
