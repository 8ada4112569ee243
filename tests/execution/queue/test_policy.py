# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who is served next, and how much at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from openhcs_execution.database import Database, ExecutionRow
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.events import now
from openhcs_execution.queue.policy import batch_size, claim_batches, claim_wells
from tests.execution.queued import assert_consistent, claim_all, computed, enqueue, execution


def test_batches_are_small_at_the_end_and_never_empty() -> None:
    assert [batch_size(waiting, slots=2, largest=4) for waiting in (100, 16, 8, 5, 4, 1)] == [4, 4, 2, 2, 1, 1]
    assert batch_size(3, slots=8, largest=4) == 1


@pytest.mark.parametrize(("seconds", "wells"), [(None, 4), (0.0, 16), (0.1, 16), (1.0, 10), (4.0, 2), (30.0, 1)])
def test_short_wells_are_handed_out_together_and_long_ones_alone(seconds: float | None, wells: int) -> None:
    assert batch_size(1536, slots=8, largest=16, seconds=seconds) == wells


def test_a_plate_of_1536_short_wells_is_far_fewer_tasks(database: Database) -> None:
    number = enqueue(database, 1536)
    tasks = 0
    while (batch := claim_wells(database, slots=4, largest=16)) is not None:
        tasks += 1
        if tasks <= 2:  # what the first ones took is known from then on
            for name, attempt in batch.attempts.items():
                wells.commit_well(database, wells.Well(number, name, attempt), computed(seconds=0.2))
    assert tasks < 130


def test_two_users_share_the_slots_although_one_came_first(database: Database) -> None:
    first, second = enqueue(database, 20, owner=1), enqueue(database, 20, owner=2)
    served = [claim_wells(database, slots=2, largest=2).number for _ in range(4)]
    assert served == [first, second, first, second]


def test_a_test_well_overtakes_a_plate(database: Database) -> None:
    enqueue(database, 20, owner=1)
    urgent = enqueue(database, 20, owner=1, test_well=True)
    assert claim_wells(database, slots=1, largest=4).number == urgent


def test_no_well_is_given_out_twice(database: Database) -> None:
    enqueue(database, 30)
    claimed = claim_all(database, slots=2, largest=4)
    assert len({each.name for each in claimed}) == len(claimed) == 30
    assert claim_wells(database, slots=2, largest=4) is None


def test_the_first_claim_starts_the_execution_and_later_ones_do_not(database: Database) -> None:
    number = enqueue(database, 4)
    claim_wells(database, slots=1, largest=1)
    started = execution(database, number).started_at
    assert started is not None
    claim_wells(database, slots=1, largest=1)
    assert execution(database, number).started_at == started


def test_nothing_is_given_out_while_omero_is_given_time_or_the_user_must_sign_in(database: Database) -> None:
    number = enqueue(database, 4)
    executions.omero_unanswered(database, number)
    assert "goes on by itself" in execution(database, number).message
    assert claim_wells(database, slots=1, largest=1) is None
    with database.write() as session:
        session.get_one(ExecutionRow, number).not_before = now() - timedelta(seconds=1)
    assert claim_wells(database, slots=1, largest=1) is not None
    assert executions.lose_session(database, number, "sealed")
    assert claim_wells(database, slots=1, largest=1) is None


def test_pauses_grow_up_to_twenty_seconds_and_one_silence_counts_once(database: Database) -> None:
    number = enqueue(database, 4)
    lengths = []
    for _ in range(8):
        executions.omero_unanswered(database, number)
        executions.omero_unanswered(database, number)  # a second worker noticed the same silence
        lengths.append(round((execution(database, number).not_before - now()).total_seconds()))
        with database.write() as session:
            session.get_one(ExecutionRow, number).not_before = now() - timedelta(seconds=1)
    assert lengths == [2, 4, 8, 16, 20, 20, 20, 20]


def test_a_well_that_lost_its_worker_is_computed_last_and_alone(database: Database) -> None:
    number = enqueue(database, 8)
    batch = claim_wells(database, slots=1, largest=4)
    assert list(batch.attempts) == ["A01", "A02", "A03", "A04"]
    for name in ("A01", "A02"):
        well = wells.Well(number, name, 1)
        wells.well_staging(database, well, "worker-0")
        wells.lose_worker(database, well)
    others = [wells.Well(number, name, 1) for name in ("A03", "A04", *claim_wells(database, slots=1, largest=4).attempts)]
    others += [wells.Well(number, name, 1) for name in claim_wells(database, slots=1, largest=4).attempts]
    assert [each.name for each in others] == ["A03", "A04", "A05", "A06", "A07", "A08"]
    for each in others:
        assert claim_wells(database, slots=1, largest=4) is None  # others are still in work
        wells.commit_well(database, each, computed())
    assert claim_wells(database, slots=1, largest=4).attempts == {"A01": 2}
    assert claim_wells(database, slots=1, largest=4) is None
    wells.commit_well(database, wells.Well(number, "A01", 2), computed())
    assert claim_wells(database, slots=1, largest=4).attempts == {"A02": 2}
    assert_consistent(database, [number])


def test_what_is_claimed_together_is_what_would_be_claimed_one_by_one(new_url: Callable[[], str]) -> None:
    claimed = []
    for name in ("together", "one by one"):
        database = Database(new_url())
        for owner, plates in ((1, 3), (2, 1), (3, 2)):
            for _ in range(plates):
                enqueue(database, 5, owner=owner)
        enqueue(database, 1, owner=3, test_well=True)
        if name == "together":
            batches = claim_batches(database, places=9, slots=2, largest=2)
        else:
            batches = [claim_wells(database, slots=2, largest=2) for _ in range(9)]
        claimed.append([(batch.number, dict(batch.attempts)) for batch in batches])
        database.close()
    assert claimed[0] == claimed[1]
    assert len(claimed[0]) == 9
