# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wells that failed are tried again by themselves, by class of failure and never without an end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openhcs_client import FailureClass, WellFailure
from openhcs_execution.database import Database
from openhcs_execution.queue import wells
from openhcs_execution.queue.policy import claim_wells
from openhcs_execution.queue.retrying import automatic
from tests.execution.queued import assert_consistent, enqueue, execution, kinds, states

PAGE = Path(__file__).resolve().parents[3] / "docs" / "administrators" / "queue.md"


def fail_all(database: Database, number: int, cause: FailureClass) -> list[list[str]]:
    """Fail whatever is given out until nothing is; returns the batches."""
    batches = []
    while (batch := claim_wells(database, slots=1, largest=4)) is not None:
        batches.append(list(batch.attempts))
        for name, attempt in batch.attempts.items():
            well = wells.Well(number, name, attempt)
            wells.well_staging(database, well, "worker-0")
            assert wells.fail_well(database, well, WellFailure(cause=cause, message="It failed."), 1.0)
            assert not wells.fail_well(database, well, WellFailure(cause=cause, message="Twice."), 1.0)
    assert_consistent(database, [number])
    return batches


@pytest.mark.parametrize(
    ("cause", "batches"),
    [
        (FailureClass.BAD_INPUT, [["A01", "A02"], ["A03"], ["A04"]]),
        (FailureClass.TIME_LIMIT, [["A01", "A02"], ["A03"], ["A04"]]),
        (FailureClass.ENGINE_ERROR, [["A01", "A02"], ["A01", "A02"], ["A03"], ["A03"], ["A04"], ["A04"]]),
        (FailureClass.OUT_OF_MEMORY, [["A01", "A02"], ["A03", "A04"], ["A01"], ["A02"], ["A03"], ["A04"]]),
    ],
)
def test_by_class_and_never_without_an_end(database: Database, cause: FailureClass, batches: list[list[str]]) -> None:
    number = enqueue(database, 4)
    assert fail_all(database, number, cause) == batches
    assert set(states(database, number).values()) == {"failed"}
    assert kinds(database, number).count("well_retried") == 4 * automatic(cause).retries


def test_a_test_well_is_not_tried_again(database: Database) -> None:
    number = enqueue(database, 1, test_well=True)
    assert fail_all(database, number, FailureClass.ENGINE_ERROR) == [["A01"]]
    assert execution(database, number).status == "failed"


def test_the_page_for_administrators_says_the_same() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {cause: (int(retries), "alone" in more) for cause, retries, more in rows}
    assert told == {cause.value: (automatic(cause).retries, automatic(cause).alone) for cause in FailureClass}
