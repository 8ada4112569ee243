# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cancel, retry, losing and renewing the OMERO session, restarting, and a random walk through all of it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from openhcs_client import FailureClass, OpenHCSError, WellFailure
from openhcs_execution.database import Database, JobSession
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.policy import claim_wells
from openhcs_execution.queue.recovery import recover
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

FAILURE = WellFailure(cause=FailureClass.BAD_INPUT, message="It failed.")


def test_cancelling_a_queued_execution_skips_its_wells(database: Database) -> None:
    number = enqueue(database, 3)
    assert executions.cancel(database, number)
    assert set(states(database, number).values()) == {"skipped"}
    assert execution(database, number).status == "cancelled"
    assert claim_wells(database, slots=1, largest=1) is None
    assert not executions.cancel(database, number)  # a second time is no error
    assert_consistent(database, [number])


def test_cancelling_keeps_committed_wells_and_refuses_what_comes_late(database: Database) -> None:
    number = enqueue(database, 4)
    done, saving, running, waiting = claim_all(database)
    wells.commit_well(database, done, computed())
    wells.commit_well(database, saving, computed(labels=1))
    wells.well_staging(database, running, "worker-0")
    executions.cancel(database, number)
    assert states(database, number) == {"A01": "done", "A02": "done", "A03": "skipped", "A04": "skipped"}
    assert not wells.commit_well(database, running, computed())
    assert not wells.saved_well(database, number, "A02", {})
    assert not wells.lose_worker(database, waiting)
    assert_consistent(database, [number])


def test_a_finished_execution_cannot_be_cancelled(database: Database) -> None:
    number = enqueue(database, 1)
    wells.commit_well(database, *claim_all(database), computed())
    executions.finish(database, number)
    with pytest.raises(OpenHCSError) as refused:
        executions.cancel(database, number)
    assert (refused.value.code, refused.value.status) == ("already_finished", 409)


def test_retry_queues_failed_and_skipped_wells_again(database: Database) -> None:
    number = enqueue(database, 3)
    first, second, _third = claim_all(database)
    wells.commit_well(database, first, computed())
    wells.fail_well(database, second, FAILURE)
    executions.cancel(database, number)
    assert executions.retry(database, number) == 2
    assert states(database, number) == {"A01": "done", "A02": "waiting", "A03": "waiting"}
    assert execution(database, number).status == "running"
    assert execution(database, number).ended_at is None
    assert {each.attempt for each in claim_all(database)} == {2}
    assert_consistent(database, [number])


def test_retry_of_a_finished_execution_waits_for_sign_in_unless_a_session_comes_with_it(database: Database) -> None:
    number = enqueue(database, 1)
    wells.fail_well(database, *claim_all(database), FAILURE)
    executions.drop_session(database, number, "sealed")
    executions.retry(database, number)
    assert execution(database, number).status == "waiting_for_sign_in"
    assert claim_wells(database, slots=1, largest=1) is None
    assert executions.renew_session(database, number, "sealed again") is None
    assert execution(database, number).status == "running"
    wells.fail_well(database, *claim_all(database), FAILURE)
    executions.drop_session(database, number, "sealed again")
    executions.retry(database, number, "third")
    assert execution(database, number).status == "running"
    assert_consistent(database, [number])


def test_a_well_that_was_computed_is_only_saved_again(database: Database) -> None:
    number = enqueue(database, 1)
    wells.commit_well(database, *claim_all(database), computed(labels=1))
    for _try in range(3):
        wells.save_failed(database, number, "A01", FAILURE)
    executions.finish(database, number)
    executions.retry(database, number)
    assert states(database, number) == {"A01": "saving"}
    assert execution(database, number).status == "saving"
    wells.saved_well(database, number, "A01", {})
    assert executions.finish(database, number)
    assert execution(database, number).status == "completed"
    assert_consistent(database, [number])


def test_results_that_could_not_all_be_saved_can_be_saved_again(database: Database) -> None:
    number = enqueue(database, 1)
    wells.commit_well(database, *claim_all(database), computed())
    executions.finish(database, number, "OMERO.tables is off.", troubled=True)
    assert execution(database, number).status == "completed_with_errors"
    assert executions.retry(database, number) == 0
    assert execution(database, number).status == "saving"


def test_nothing_to_retry_is_said(database: Database) -> None:
    number = enqueue(database, 1)
    with pytest.raises(OpenHCSError) as refused:
        executions.retry(database, number)
    assert (refused.value.code, refused.value.status) == ("nothing_to_retry", 409)


def test_a_lost_session_makes_the_execution_wait_and_a_new_one_makes_it_go_on(database: Database) -> None:
    number = enqueue(database, 2)
    first, second = claim_all(database)
    assert executions.lose_session(database, number, "sealed")
    assert not executions.lose_session(database, number, "sealed")  # told once
    assert execution(database, number).status == "waiting_for_sign_in"
    # What was already on a worker may still come in, and the rest is put back.
    assert wells.commit_well(database, first, computed(labels=1))
    assert wells.put_back(database, second)
    assert execution(database, number).status == "waiting_for_sign_in"
    assert executions.renew_session(database, number, "new") == "sealed"
    assert execution(database, number).status == "running"
    assert not executions.lose_session(database, number, "sealed")  # the old one is not the new one
    assert kinds(database, number)[-2:] == ["signed_in", "started"]
    wells.commit_well(database, *claim_all(database), computed())
    assert execution(database, number).status == "saving"
    assert_consistent(database, [number])


def test_neither_a_silence_of_omero_nor_its_end_takes_the_request_to_sign_in_away(database: Database) -> None:
    """OMERO is restarted: first it does not answer, then it does not know the session, and another worker is late."""
    number = enqueue(database)
    late = claim_all(database)[1]
    executions.omero_unanswered(database, number)
    assert executions.lose_session(database, number, "sealed")
    executions.omero_unanswered(database, number)
    assert wells.well_staging(database, late, "worker-2")
    waiting = execution(database, number)
    assert (waiting.status, waiting.message) == ("waiting_for_sign_in", executions.SIGN_IN_MESSAGE)
    assert waiting.not_before is None


def test_a_finished_execution_takes_no_session(database: Database) -> None:
    number = enqueue(database, 1)
    executions.cancel(database, number)
    with pytest.raises(OpenHCSError, match="needs no OMERO session"):
        executions.renew_session(database, number, "new")
    with database.read() as session:
        assert session.get_one(JobSession, number).sealed_key == "sealed"


def test_finish_waits_for_wells_that_are_still_to_be_saved(database: Database) -> None:
    number = enqueue(database, 1)
    wells.commit_well(database, *claim_all(database), computed(labels=1))
    assert not executions.finish(database, number)
    assert execution(database, number).status == "saving"


def test_a_restart_puts_uncommitted_wells_back(new_url: Callable[[], str]) -> None:
    url = new_url()
    database = Database(url)
    number = enqueue(database, 4)
    done, staging, running, _claimed = claim_all(database)
    wells.commit_well(database, done, computed())
    wells.well_staging(database, staging, "worker-0")
    wells.well_step(database, running, 1, 2, "Find")
    database.close()

    database = Database(url)
    assert {each.name for each in recover(database)} == {"A02", "A03", "A04"}
    assert states(database, number) == {"A01": "done", "A02": "waiting", "A03": "waiting", "A04": "waiting"}
    assert execution(database, number).status == "running"
    assert not wells.commit_well(database, running, computed())
    assert {each.attempt for each in claim_all(database)} == {2}
    assert well(database, number, "A03").losses == 0  # the service is no fault of the well
    assert recover(database)
    assert_consistent(database, [number])
    database.close()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_no_well_is_lost_and_none_is_committed_twice(database: Database, seed: int) -> None:
    """A random walk: commits, duplicates, failures, deaths of workers and of the service, lost sessions, sign-ins."""
    choice = random.Random(seed)
    numbers = [enqueue(database, 6, owner=owner) for owner in (1, 2)]
    everything_sent: list[Well] = []
    keys = dict.fromkeys(numbers, "sealed")
    for step in range(150):
        batch = claim_wells(database, slots=2, largest=3)
        if batch is not None:
            everything_sent += [Well(batch.number, name, attempt) for name, attempt in batch.attempts.items()]
        if not everything_sent:
            continue
        reported = choice.choice(everything_sent)  # a worker of now, or a ghost of long ago
        action = choice.randrange(10)
        if action < 4:
            wells.commit_well(database, reported, computed(labels=choice.randrange(2)))
        elif action == 4:
            wells.well_staging(database, reported, "worker-0")
        elif action == 5:
            wells.lose_worker(database, reported)
        elif action == 6:
            recover(database)
        elif action == 7:
            executions.lose_session(database, reported.number, keys[reported.number])
        elif action == 8:
            keys[reported.number] = f"sealed {step}"
            if execution(database, reported.number).status not in ("completed", "completed_with_errors", "failed"):
                executions.renew_session(database, reported.number, keys[reported.number])
        else:
            wells.saved_well(database, reported.number, reported.name, {})
    # Now everything works again; whatever is left must come to its end.
    recover(database)
    for number in numbers:
        if execution(database, number).status == "waiting_for_sign_in":
            executions.renew_session(database, number, "last")
    for _round in range(40):
        for each in claim_all(database):
            wells.commit_well(database, each, computed())
        for number in numbers:
            for name, state in states(database, number).items():
                if state == "saving":
                    wells.saved_well(database, number, name, {})
            executions.finish(database, number)
    for number in numbers:
        assert execution(database, number).status in ("completed", "completed_with_errors", "failed")
        assert set(states(database, number).values()) <= {"done", "failed"}
        committed = [event.well for event in events(database, number) if event.kind in ("well_done",)]
        assert len(committed) == len(set(committed))
    assert_consistent(database, numbers)
