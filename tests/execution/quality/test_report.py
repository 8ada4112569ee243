# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report of an execution over the API: from committed wells only, with the caller's word for who is a control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from openhcs_execution.engine import EngineResult
from openhcs_execution.queue import wells
from openhcs_execution.queue.wells import ComputedWell
from openhcs_execution.service import Service
from tests.execution.api.conftest import http, service, token  # noqa: F401 - fixtures
from tests.execution.queued import claim_all, enqueue, execution

VALUES = {"A01": 110.0, "A02": 100.0, "A03": 100.0, "A04": 90.0, "A05": 22.0, "A06": 20.0, "A07": 20.0, "A08": 18.0}
ROLES = {well: "positive" if value > 50 else "negative" for well, value in VALUES.items()}

Ask = Callable[..., Any]


def commit(service: Service, execution_id: str, claimed: Any, folder: Path, **measured: float | None) -> None:  # noqa: F811
    folder.mkdir(parents=True)
    fields = {"field": [1, 2], "sharpness": [0.4, 0.41], "nuclei_count": [4, 0 if claimed.name == "A02" else 5]}
    pd.DataFrame(fields).to_parquet(folder / "f.parquet")
    result = EngineResult(well=claimed.name, seconds=1, fields_table=folder / "f.parquet", objects_table=None, labels=[])
    bundle = service.results.write(execution_id, claimed.attempt, result)
    wells.commit_well(service.database, claimed, ComputedWell(1.0, dict(measured), bundle.field_rows, 0, 0))


@pytest.fixture
def ask(service: Service, http: TestClient, token: Callable, tmp_path: Path) -> Ask:  # noqa: F811
    """Ask for the quality of an execution of 40 wells of which 36 are committed; ``gain`` is missing in one of them."""
    number = enqueue(service.database, 40)
    execution_id = execution(service.database, number).execution_id
    for place, claimed in enumerate(claim_all(service.database)[:36]):
        gain = None if claimed.name == "A12" else VALUES.get(claimed.name, 50.0 + place * place % 13)
        commit(service, execution_id, claimed, tmp_path / claimed.name, gain=gain, flat=7.0)

    def answer(user: int = 2, address: str = execution_id, **body: Any) -> Any:
        return http.post(f"/api/v1/executions/{address}/quality/", headers=token(user), json=body)

    return answer


def test_statistics_of_the_committed_wells(ask: Ask) -> None:
    report = ask(roles={**ROLES, "d1": "positive", "H12": "negative"}).json()
    assert (report["wells_total"], report["wells_used"]) == (40, 36)
    assert (report["positive_wells"], report["negative_wells"]) == (5, 4)  # D01 is not computed yet, H12 not in the run
    gain, flat = report["measurements"]
    assert (gain["name"], gain["wells"], gain["missing"], gain["b_scores"]) == ("gain", 35, 1, None)
    assert gain["controls"]["z_prime"] == pytest.approx(0.632577, abs=1e-6)
    assert (flat["controls"]["z_prime"], flat["controls"]["verdict"]) == (None, None)
    assert "same mean" in flat["controls"]["notes"][0]
    assert [(flag["well"], flag["field"], flag["kind"]) for flag in report["flags"]] == [("A02", 2, "nothing_found")]


def test_without_controls_there_is_a_sentence(ask: Ask) -> None:
    report = ask().json()
    assert report["positive_wells"] == 0
    assert all(entry["controls"]["z_prime"] is None for entry in report["measurements"])
    assert "No control well" in report["measurements"][0]["controls"]["notes"][0]


def test_one_measurement_comes_with_the_b_scores_of_treated_wells(ask: Ask) -> None:
    (gain,) = ask(roles=ROLES, measurement="gain").json()["measurements"]
    assert gain["b_scores"].keys() == {"A09", "A10", "A11", *(f"{row}{column:02d}" for row in "BC" for column in range(1, 13))}
    (flat,) = ask(roles=ROLES, measurement="flat").json()["measurements"]
    assert flat["b_scores"] is None and flat["b_score_note"].endswith(".")


def test_refusals(ask: Ask) -> None:
    for answer, status, code in (
        (ask(user=9), 404, "execution_not_found"),
        (ask(address="nope"), 404, "execution_not_found"),
        (ask(measurement="nope"), 404, "unknown_measurement"),
        (ask(roles={"../x": "positive"}), 422, "unknown_well"),
        (ask(roles={"A01": "king"}), 422, "invalid_request"),
        (ask(more=1), 422, "invalid_request"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_before_the_first_well_there_is_an_empty_report(service: Service, http: TestClient, token: Callable) -> None:  # noqa: F811
    name = execution(service.database, enqueue(service.database, 3)).execution_id
    body = {"measurement": "anything", "roles": ROLES}
    report = http.post(f"/api/v1/executions/{name}/quality/", headers=token(2), json=body).json()
    assert (report["wells_used"], report["measurements"], report["flags"]) == (0, [], [])
