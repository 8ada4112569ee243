# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tables over HTTP: who may ask, and what is left when old results were removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhcs_execution.database import ExecutionRow
from openhcs_execution.queue import wells
from openhcs_execution.queue.events import now
from openhcs_execution.queue.wells import ComputedWell
from tests.execution.queued import claim_all, enqueue, execution
from tests.execution.results.test_results import engine_result

QUESTIONS = [
    "table/",
    "table/?level=object",
    "table/histogram/?column=count",
    "table/points/?x=count&y=count",
    "table/wells/?column=count",
    "table/download/",
    "label-thumbnails/",
]


@pytest.fixture
def measured(service, tmp_path: Path) -> str:
    """An execution of user 2 in group 3 with two committed wells."""
    number = enqueue(service.database, 2)
    execution_id = execution(service.database, number).execution_id
    for position, claimed in enumerate(claim_all(service.database)):
        bundle = service.results.write(
            execution_id, claimed.attempt, engine_result(tmp_path / claimed.name, claimed.name, position + 2)
        )
        done = ComputedWell(1.0, {"count": float(position)}, bundle.field_rows, bundle.object_rows, 1)
        wells.commit_well(service.database, claimed, done)
    return execution_id


@pytest.mark.parametrize("question", QUESTIONS)
def test_strangers_get_nothing(http, token, measured: str, question: str) -> None:
    address = f"/api/v1/executions/{measured}/{question}"
    assert http.get(address).status_code == 401
    assert http.get(address, headers=token(9)).status_code == 404
    assert http.get(address, headers=token(9, reads_all=True)).status_code == 200
    assert http.get(address, headers=token(2)).status_code == 200


def test_of_removed_results_the_values_of_wells_are_left(http, token, service, measured: str) -> None:
    with service.database.write() as session:
        session.query(ExecutionRow).filter_by(execution_id=measured).one().results_removed_at = now()
    ask = lambda rest: http.get(f"/api/v1/executions/{measured}/{rest}", headers=token(2))  # noqa: E731
    for gone in ("table/?level=object", "table/download/?level=field", "label-thumbnails/"):
        answer = ask(gone)
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "results_removed"), gone
    assert ask("table/").json()["matching_rows"] == 2
    assert ask("table/wells/?column=count").json()["values"] == {"A01": 0.0, "A02": 1.0}


def test_only_the_wells_that_are_asked_for_are_drawn(http, token, measured: str) -> None:
    sheet = http.get(f"/api/v1/executions/{measured}/label-thumbnails/?wells=A02,Z99", headers=token(2)).json()
    assert sheet["wells"] == ["A02"]
