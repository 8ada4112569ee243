# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checking a pipeline for a plate: errors where they can be corrected, and an estimate when there are none."""

from __future__ import annotations

from typing import Any

import pytest

from openhcs_client import FieldShape, PlateShape, WellKind
from openhcs_execution.engine import TrialResult
from openhcs_execution.queue import wells
from tests.execution.queued import claim_all, computed, enqueue

FIELD = FieldShape(size_x=1000, size_y=1000, pixel_type="uint16")


def plate(**changes: object) -> dict[str, Any]:
    kind = WellKind(wells=("A01", "A02"), fields=(FIELD.model_copy(update=changes),) * 2)
    return PlateShape(plate_id=5, channels=("DAPI", "GFP"), kinds=(kind,)).model_dump(mode="json")


@pytest.fixture
def check(http, token):
    asked_by = token(2)
    [document, *_] = http.get("/api/v1/pipelines/nuclei-count/", headers=token(2)).json()["versions"]

    def ask(headers: dict[str, str] = asked_by, **body: object) -> dict[str, Any]:
        answer = http.post("/api/v1/pipelines/validate/", headers=headers, json={"document": document, **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def test_a_good_run_is_estimated_even_before_openhcs_was_asked(check) -> None:
    report = check(plate=plate())
    assert report["valid"] is True
    assert report["complete"] is False  # the service of this test has no engine
    assert report["estimate"]["wells"] == 2
    assert report["estimate"]["output_mb"] == pytest.approx(2 * (2 * 4 + 0.1), rel=0.01)


def test_what_openhcs_says_is_passed_on(check, service, monkeypatch) -> None:
    monkeypatch.setattr(service.desk, "try_document", lambda *_, **__: TrialResult(warnings=["Careful."]))
    report = check(plate=plate())
    assert (report["valid"], report["complete"]) == (True, True)
    assert "Careful." in report["warnings"]
    monkeypatch.setattr(service.desk, "try_document", lambda *_, **__: TrialResult(error="No."))
    report = check(plate=plate())
    assert (report["valid"], report["field_errors"], report["estimate"]) == (False, {"steps": "No."}, None)


def test_each_error_stands_where_it_can_be_corrected(check) -> None:
    assert set(check(plate=plate(), parameters={"diameter": 1e6})["field_errors"]) == {"parameters.diameter"}
    assert set(check(plate=plate(), parameters={"nuclei-channel": 5})["field_errors"]) == {"parameters.nuclei-channel"}
    assert set(check(plate=plate(size_t=2))["field_errors"]) == {"wells"}


def test_nonsense_for_a_plate_is_refused(http, token) -> None:
    [document, *_] = http.get("/api/v1/pipelines/nuclei-count/", headers=token(2)).json()["versions"]
    for shape in ({}, {**plate(), "kinds": []}, {**plate(), "channels": []}, {**plate(), "more": 1}, plate(size_x=0)):
        answer = http.post("/api/v1/pipelines/validate/", headers=token(2), json={"document": document, "plate": shape})
        assert answer.status_code == 422


def test_earlier_wells_count_only_for_those_who_may_see_them(check, service, token) -> None:
    document = service.pipelines.resolve("nuclei-count")
    enqueue(service.database, 2, owner=2, document=document)
    for well in claim_all(service.database):
        wells.commit_well(service.database, well, computed(seconds=20.0))
    own = check(plate=plate())["estimate"]
    assert (own["seconds_per_well"], own["basis"]) == (20.0, "measured on 2 wells of this plate")
    other = check(headers=token(3, group=99), plate=plate())["estimate"]
    assert other["seconds_per_well"] != 20.0
    assert "of this plate" not in other["basis"]
