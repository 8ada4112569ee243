# SPDX-License-Identifier: AGPL-3.0-or-later
"""A deletion is durable: asked for once, told as it goes on, and open until it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhcs_client import OpenHCSError
from openhcs_execution.queue import deletions, executions
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.reading import read_detail
from tests.execution.queued import assert_consistent, enqueue, events, execution, open_database

ADA = Actor(2, "Ada")


@pytest.fixture
def ended(tmp_path: Path):
    database = open_database(tmp_path)
    number = enqueue(database)
    executions.cancel(database, number)
    executions.keep_results(database, number, {"plate_id": 7})
    yield database, number
    database.close()


def test_it_is_open_until_it_ends_also_for_the_next_service(ended) -> None:
    database, number = ended
    deletions.begin(database, number, ADA, "sealed", 5)
    (found,) = deletions.open_deletions(database)
    assert (found.number, found.sealed_key) == (number, "sealed")
    deletions.progress(database, number, 3, 5)
    assert deletions.open_deletions(database) == [found]
    deletions.end(database, number)
    assert deletions.open_deletions(database) == []
    with database.read() as session:
        detail = read_detail(session, execution(database, number))
    assert detail.deletion is not None
    assert (detail.deletion.state, detail.deletion.by_name, detail.deletion.done) == ("deleted", "Ada", 5)
    assert detail.results.plate_id is None
    assert [event.data["deletion"]["done"] for event in events(database, number)[-3:]] == [0, 3, 5]
    assert_consistent(database, [number])


def test_what_is_gone_is_neither_saved_nor_deleted_again(ended) -> None:
    database, number = ended
    deletions.begin(database, number, ADA, "sealed", 5)
    deletions.end(database, number)
    for again in (lambda: executions.retry(database, number), lambda: deletions.begin(database, number, ADA, "s", 1)):
        with pytest.raises(OpenHCSError) as caught:
            again()
        assert (caught.value.code, caught.value.status) == ("results_deleted", 409)


def test_one_that_broke_off_can_be_asked_for_again(ended) -> None:
    database, number = ended
    deletions.begin(database, number, ADA, "sealed", 5)
    deletions.end(database, number, "OMERO did not let you.")
    with database.read() as session:
        state = deletions.read_deletion(session, number)
    assert state is not None
    assert (state.state, state.message) == ("failed", "OMERO did not let you.")
    assert execution(database, number).results == {"plate_id": 7}
    deletions.begin(database, number, Actor(0, "root"), "another", 2)
    assert [each.sealed_key for each in deletions.open_deletions(database)] == ["another"]


def test_what_still_runs_is_not_deleted(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    number = enqueue(database)
    with pytest.raises(OpenHCSError) as caught:
        deletions.begin(database, number, ADA, "sealed", 5)
    assert caught.value.code == "not_finished"
    database.close()
