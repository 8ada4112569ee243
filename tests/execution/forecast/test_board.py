# SPDX-License-Identifier: AGPL-3.0-or-later
"""Forecasts of runs in a database: from the run itself, from earlier runs, and none where none can be made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.estimate import WELL_SECONDS
from openhcs_execution.forecast.board import ForecastBoard, past_times, run_so_far
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.events import now
from openhcs_execution.queue.reading import read_status
from tests.execution.queued import DOCUMENT, claim_all, computed, enqueue, execution, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


def begin(database: Database, wells_of_plate: int = 10, **more) -> tuple[int, list]:
    """A run whose wells are all claimed."""
    number = enqueue(database, wells_of_plate, **more)
    return number, [each for each in claim_all(database) if each.number == number]


def compute(database: Database, claimed: list, seconds: float, worker: str = "worker-0") -> None:
    for each in claimed:
        wells.well_staging(database, each, worker)
        wells.commit_well(database, each, computed(seconds=seconds))


def forecast(database: Database, number: int, slots: int = 2):
    return ForecastBoard(database, lambda: slots).of(execution(database, number))


def test_none_before_anything_is_known_and_after_the_end(database: Database) -> None:
    number = enqueue(database, 3)
    assert forecast(database, number) is None
    claimed = claim_all(database)
    wells.well_staging(database, claimed[0], "worker-0")
    assert forecast(database, number) is None
    compute(database, claimed, 10)
    assert forecast(database, number) is None


def test_from_the_wells_of_the_run(database: Database) -> None:
    number, claimed = begin(database, 42)
    compute(database, claimed[:2], 10)
    asked = now()
    found = forecast(database, number)
    assert found is not None
    assert asked < found.earliest < found.completion < found.latest
    assert (found.completion - asked).total_seconds() == pytest.approx(200, rel=0.2)


def test_none_while_it_is_paused(database: Database) -> None:
    number, claimed = begin(database)
    compute(database, claimed[:2], 10)
    executions.pause(database, number, Actor(2, "Ada"))
    assert forecast(database, number) is None
    executions.resume(database, number, Actor(2, "Ada"))
    assert forecast(database, number) is not None


def test_from_an_earlier_run_of_the_same_pipeline(database: Database) -> None:
    _old, claimed = begin(database)
    compute(database, claimed, 10)
    number, claimed = begin(database, 20)
    wells.well_staging(database, claimed[0], "worker-0")
    found = forecast(database, number)
    assert found is not None
    assert (found.completion - now()).total_seconds() == pytest.approx(100, rel=0.25)


@pytest.mark.parametrize(
    "other",
    [
        {"owner": 9, "group": 8},
        {"test_well": True},
        {"document": DOCUMENT.model_copy(update={"description": "another"})},
    ],
)
def test_runs_of_others_tests_and_other_pipelines_are_no_history(database: Database, other: dict) -> None:
    _old, claimed = begin(database, **other)
    compute(database, claimed, 10)
    number = enqueue(database)
    with database.read() as session:
        assert past_times(session, session.get_one(ExecutionRow, number)) == ()


def test_times_on_other_plates_are_scaled_by_the_pixels_of_a_well(database: Database) -> None:
    old, claimed = begin(database)
    compute(database, claimed, 10)
    number = enqueue(database)
    with database.write() as session:
        session.get_one(ExecutionRow, old).plate_id = 77
        inputs = session.get_one(ExecutionInput, old)
        inputs.layout = inputs.layout.replace('"size_x":8', '"size_x":16')
    with database.read() as session:
        times = past_times(session, session.get_one(ExecutionRow, number))
    assert times == pytest.approx([WELL_SECONDS + (10 - WELL_SECONDS) / 2] * 10)


def test_a_well_that_is_only_fetched_is_not_in_work(database: Database) -> None:
    number, claimed = begin(database, 6)
    compute(database, claimed[:1], 10)
    for each in claimed[1:3]:  # of one worker: one is computed while the images of the other are read
        wells.well_staging(database, each, "worker-0")
    wells.well_step(database, claimed[1], 1, 2, "Segment")
    wells.well_staging(database, claimed[3], "worker-1")
    with database.write() as session:
        for each in claimed[1:4]:
            session.get_one(WellRow, (number, each.name)).started_at = now() - timedelta(seconds=60)
        session.get_one(WellRow, (number, claimed[0].name)).committed_at = now() - timedelta(seconds=20)
    with database.read() as session:
        run = run_so_far(session, number, now(), 2, ())
    assert sorted(run.in_work) == pytest.approx([20, 60], abs=5)
    assert (run.done, run.waiting) == ([10.0], 3)


def test_the_status_tells_it(database: Database) -> None:
    number, claimed = begin(database)
    compute(database, claimed[:3], 10)
    found = forecast(database, number)
    status = read_status(execution(database, number), forecast=found)
    assert found is not None
    assert (status.earliest_completion, status.estimated_completion, status.latest_completion) == (
        found.earliest,
        found.completion,
        found.latest,
    )


def test_a_forecast_is_kept_for_a_moment(database: Database) -> None:
    number, claimed = begin(database, 40)
    compute(database, claimed[:3], 10)
    board = ForecastBoard(database, lambda: 2)
    first = board.of(execution(database, number))
    compute(database, claimed[3:20], 1000)
    assert board.of(execution(database, number)) is first


def test_many_who_ask_at_once_wait_for_nobody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    number, claimed = begin(database, 40)
    compute(database, claimed[:3], 10)
    go_on = threading.Event()
    board = ForecastBoard(database, lambda: 2)
    make = board._make
    monkeypatch.setattr(board, "_make", lambda row: go_on.wait(30) and make(row))
    row = execution(database, number)
    assert board.of(row) is None  # not known yet, and not worth waiting for
    go_on.set()
    board._maker.submit(lambda: None).result(30)
    assert board.of(row) is not None
    board.close()


def test_an_old_forecast_is_told_while_the_next_is_made(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    number, claimed = begin(database, 40)
    compute(database, claimed[:3], 10)
    monkeypatch.setattr("openhcs_execution.forecast.board._KEPT_SECONDS", 0.0)
    monkeypatch.setattr("openhcs_execution.forecast.board._KEPT_SHARE", 0.0)
    board = ForecastBoard(database, lambda: 2)
    first = board.of(execution(database, number))
    compute(database, claimed[3:20], 1000)
    assert board.of(execution(database, number)) is first
    board._maker.submit(lambda: None).result(30)
    assert board.of(execution(database, number)).completion > first.completion
    board.close()
