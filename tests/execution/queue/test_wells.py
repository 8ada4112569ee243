# SPDX-License-Identifier: AGPL-3.0-or-later
"""A well is committed once or not at all, whoever reports what and when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from sqlalchemy import select

from openhcs_client import FailureClass, WellFailure
from openhcs_execution.database import Database, UsageRow
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.wells import Well
from tests.execution.queued import (
    assert_consistent,
    claim_all,
    computed,
    enqueue,
    events,
    execution,
    kinds,
    states,
    well,
)

FAILURE = WellFailure(cause=FailureClass.BAD_INPUT, message="An image is damaged.", remedy="Import it again.", traceback="…")


def test_a_well_goes_its_way_and_tells_of_it(database: Database) -> None:
    number = enqueue(database, 1)
    [claimed] = claim_all(database)
    assert wells.well_staging(database, claimed, "worker-0")
    assert execution(database, number).current_step == "Reading images"
    assert wells.well_step(database, claimed, 1, 2, "Find")
    assert (execution(database, number).current_well, execution(database, number).current_step) == ("A01", "Find")
    assert wells.commit_well(database, claimed, computed(2.5, labels=1, count=7.0))
    assert kinds(database, number) == ["queued", "started", "well_staging", "well_step", "well_saving", "saving"]
    assert wells.saved_well(database, number, "A01", {"1/nuclei": 77})
    assert executions.finish(database, number)
    assert kinds(database, number)[6:] == ["well_done", "finished"]
    row = well(database, number, "A01")
    assert (row.seconds, row.measurements, row.label_images) == (2.5, {"count": 7.0}, {"1/nuclei": 77})
    assert execution(database, number).status == "completed"
    assert_consistent(database, [number])


def test_the_same_commit_twice_changes_nothing(database: Database) -> None:
    number = enqueue(database, 2)
    first, _second = claim_all(database)
    assert wells.commit_well(database, first, computed(count=1.0))
    before = events(database, number)
    assert not wells.commit_well(database, first, computed(count=99.0))
    assert not wells.fail_well(database, first, FAILURE)
    assert not wells.put_back(database, first)
    assert not wells.lose_worker(database, first)
    assert not wells.well_step(database, first, 1, 1, "late")
    assert len(events(database, number)) == len(before)
    assert well(database, number, "A01").measurements == {"count": 1.0}
    assert_consistent(database, [number])


def test_a_commit_of_a_former_attempt_is_refused(database: Database) -> None:
    number = enqueue(database, 1)
    [old] = claim_all(database)
    wells.well_staging(database, old, "worker-0")
    assert wells.put_back(database, old)
    assert not wells.commit_well(database, old, computed())  # nobody waits for it now
    [new] = claim_all(database)
    assert new.attempt == old.attempt + 1
    assert not wells.commit_well(database, old, computed(count=1.0))
    assert not wells.well_staging(database, old, "worker-0")
    assert wells.commit_well(database, new, computed(count=2.0))
    assert well(database, number, "A01").measurements == {"count": 2.0}
    assert_consistent(database, [number])


def test_two_threads_that_commit_the_same_well_commit_it_once(database: Database) -> None:
    number = enqueue(database, 8)
    claimed = claim_all(database)
    taken: list[bool] = []
    barrier = threading.Barrier(4)

    def commit() -> None:
        barrier.wait()
        taken.extend(wells.commit_well(database, each, computed()) for each in claimed)

    threads = [threading.Thread(target=commit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 8
    assert execution(database, number).wells_completed == 8
    assert_consistent(database, [number])


def test_a_failing_well_does_not_stop_the_others(database: Database) -> None:
    number = enqueue(database, 2)
    first, second = claim_all(database)
    assert wells.fail_well(database, first, FAILURE, 0.5)
    assert execution(database, number).status == "running"
    assert wells.commit_well(database, second, computed(labels=1))
    wells.saved_well(database, number, second.name, {})
    assert executions.finish(database, number)
    row = execution(database, number)
    assert (row.status, row.wells_completed, row.wells_failed) == ("completed_with_errors", 1, 1)
    failed = next(event for event in events(database, number) if event.kind == "well_failed")
    assert failed.data["failure"] == FAILURE.model_dump(mode="json")
    assert_consistent(database, [number])


def test_an_execution_without_a_computed_well_failed(database: Database) -> None:
    number = enqueue(database, 2)
    for claimed in claim_all(database):
        wells.fail_well(database, claimed, FAILURE)
    assert execution(database, number).status == "failed"
    assert kinds(database, number)[-1] == "finished"


def test_a_test_well_ends_without_being_saved(database: Database) -> None:
    number = enqueue(database, 3, test_well=True)
    [claimed] = claim_all(database)
    wells.commit_well(database, claimed, computed(labels=2))
    assert execution(database, number).status == "completed"
    assert "saving" not in kinds(database, number)
    assert "well_saving" not in kinds(database, number)


@pytest.mark.parametrize("begun", [True, False])
def test_a_lost_worker_is_forgiven_twice_for_a_well_that_had_begun(database: Database, begun: bool) -> None:
    number = enqueue(database, 1)
    for attempt in (1, 2, 3):
        [claimed] = claim_all(database)
        assert claimed.attempt == attempt
        if begun:
            wells.well_staging(database, claimed, "worker-0")
        assert wells.lose_worker(database, claimed)
    if not begun:  # it was only waiting for its turn on a worker that others brought down
        assert states(database, number) == {"A01": "waiting"}
        return
    row = well(database, number, "A01")
    assert (row.state, row.failure["cause"]) == ("failed", "worker_lost")
    assert row.failure["remedy"]
    assert execution(database, number).status == "failed"
    assert_consistent(database, [number])


def test_only_the_well_that_was_computed_is_blamed_for_a_lost_worker(database: Database) -> None:
    number = enqueue(database, 3)
    batch = claim_all(database)
    computing, fetched, waiting = batch
    wells.well_staging(database, computing, "worker-0")
    wells.well_step(database, computing, 1, 2, "Nuclei")
    wells.well_staging(database, fetched, "worker-0")
    assert wells.suspects(database, batch) == [computing]
    assert wells.suspects(database, [fetched, waiting]) == [fetched]  # nothing was computed: fetching may have been too much
    assert wells.suspects(database, [waiting]) == []
    former = Well(number, computing.name, computing.attempt - 1)
    assert wells.suspects(database, [former, fetched]) == [fetched]  # what runs now is another process's attempt
    for each in batch:
        assert wells.lose_worker(database, each, suspect=each == computing)
    rows = {name: well(database, number, name) for name in states(database, number)}
    assert {name: (row.losses, row.alone) for name, row in rows.items()} == {
        computing.name: (1, True),
        fetched.name: (0, False),
        waiting.name: (0, False),
    }
    assert set(states(database, number).values()) == {"waiting"}
    assert_consistent(database, [number])


def test_a_well_that_is_always_lost_before_it_begins_fails_at_last(database: Database) -> None:
    number = enqueue(database, 1)
    for _attempt in range(wells.MAXIMUM_FALSE_STARTS):
        assert states(database, number) == {"A01": "waiting"}
        [claimed] = claim_all(database)
        wells.lose_worker(database, claimed)
    row = well(database, number, "A01")
    assert row.state == "failed"
    assert row.failure is not None
    assert "20 times the process that was to compute this well ended before it began" in row.failure["message"]


def test_a_well_that_was_put_back_through_a_night_is_not_given_up_at_the_next_loss(database: Database) -> None:
    """While OMERO does not answer, a well is begun and put back three times a minute."""
    number = enqueue(database, 1)
    for _attempt in range(2 * wells.MAXIMUM_FALSE_STARTS):
        [claimed] = claim_all(database)
        wells.well_staging(database, claimed, "worker-1")
        wells.put_back(database, claimed)
    for loss in range(1, wells.MAXIMUM_LOSSES + 1):
        [claimed] = claim_all(database)
        wells.well_staging(database, claimed, "worker-1")
        wells.lose_worker(database, claimed)
        assert states(database, number) == {"A01": "failed" if loss == wells.MAXIMUM_LOSSES else "waiting"}
    failure = well(database, number, "A01").failure
    assert failure is not None
    assert f"ended unexpectedly, {wells.MAXIMUM_LOSSES} times" in failure["message"]


def test_a_well_that_cannot_be_saved_fails_after_three_tries_and_keeps_its_measurements(database: Database) -> None:
    number = enqueue(database, 1)
    [claimed] = claim_all(database)
    wells.commit_well(database, claimed, computed(labels=1, count=4.0))
    for _try in range(3):
        assert wells.save_failed(database, number, "A01", FAILURE)
    row = well(database, number, "A01")
    assert (row.state, row.measurements) == ("failed", {"count": 4.0})
    assert row.committed_at is not None
    assert executions.finish(database, number)
    assert execution(database, number).status == "completed_with_errors"
    assert_consistent(database, [number])


def test_reports_about_unknown_wells_are_ignored(database: Database) -> None:
    number = enqueue(database, 1)
    assert not wells.commit_well(database, Well(number, "P24", 1), computed())


def test_reports_taken_together_are_what_they_are_one_by_one(new_url: Callable[[], str]) -> None:
    found = []
    for together in (True, False):
        database = Database(new_url())
        number = enqueue(database, 3)
        attempts = claim_all(database)
        with wells.many_reports(database, number, ["A01", "A02"]) if together else nullcontext():
            for attempt in attempts[:2]:
                assert wells.well_staging(database, attempt, "worker-0")
                assert wells.well_step(database, attempt, 1, 1, "Count")
            assert wells.commit_well(database, attempts[0], computed(2.0))
            assert not wells.commit_well(database, attempts[0], computed(2.0))  # a second report of the same
            assert wells.commit_well(database, attempts[1], computed(3.0))
        assert_consistent(database, [number])
        with database.read() as session:
            usage = session.execute(select(UsageRow.wells, UsageRow.cpu_seconds)).all()
        told = [(event.kind, event.well) for event in events(database, number)]
        found.append((states(database, number), told, usage, execution(database, number).seconds_total))
        database.close()
    assert found[0] == found[1]
    assert found[0][2] == [(2, 5.0)]


def test_one_report_that_raises_takes_back_all_of_its_transaction(database: Database) -> None:
    number = enqueue(database, 2)
    attempts = claim_all(database)
    with pytest.raises(ZeroDivisionError), wells.many_reports(database, number, ["A01"]):
        assert wells.commit_well(database, attempts[0], computed())
        raise ZeroDivisionError
    assert states(database, number) == {"A01": "waiting", "A02": "waiting"}
    assert wells.commit_well(database, attempts[0], computed())  # and the next transaction is its own again
    assert_consistent(database, [number])
