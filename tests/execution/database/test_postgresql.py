# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is different on PostgreSQL: several transactions write at the same time, and the server is a program of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import InternalError

from openhcs_execution.database import Database, DatabaseRefused, ExecutionRow, migrate
from openhcs_execution.database.migrate import current_revision
from openhcs_execution.queue import limits, wells
from openhcs_execution.queue.adding import NewExecution, add_execution
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.policy import claim_batches
from openhcs_execution.queue.wells import Well
from tests.execution.postgresql import PostgresServer
from tests.execution.queued import DOCUMENT, assert_consistent, computed, enqueue, execution, plate_layout, states


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new()
    yield url
    postgres.drop(url)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


def at_the_same_time(*deeds: Callable[[], object]) -> list[object]:
    """Do everything at once, each in a thread, and return what each returned."""
    ready = threading.Barrier(len(deeds))

    def begin(deed: Callable[[], object]) -> object:
        ready.wait(30)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(begin, deeds))


def test_an_empty_database_gets_its_tables_at_the_first_start(postgres: PostgresServer) -> None:
    url = postgres.new(empty=True)
    database = Database(url)
    assert current_revision(database) is None
    assert migrate(database) == current_revision(database) is not None
    database.close()
    postgres.drop(url)


def test_no_well_is_given_out_twice_to_threads_that_ask_at_once(database: Database) -> None:
    numbers = [enqueue(database, 12, owner=owner) for owner in (2, 3, 4, 5)]
    given: list[Well] = []

    def work() -> None:
        while batches := claim_batches(database, places=2, slots=2, largest=2):
            for batch in batches:
                mine = [Well(batch.number, name, attempt) for name, attempt in batch.attempts.items()]
                given.extend(mine)
                for well in mine:
                    assert wells.commit_well(database, well, computed())

    at_the_same_time(*[work] * 6)
    while batches := claim_batches(
        database, places=2, slots=2, largest=2
    ):  # a worker may end while others commit the last ones
        for batch in batches:
            for name, attempt in batch.attempts.items():
                given.append(Well(batch.number, name, attempt))
                wells.commit_well(database, given[-1], computed())
    assert set(Counter((well.number, well.name) for well in given).values()) == {1}
    assert len(given) == 48
    for number in numbers:
        assert set(states(database, number).values()) == {"done"}
    assert_consistent(database, numbers)


def test_a_second_report_of_the_same_moment_commits_nothing(database: Database) -> None:
    number = enqueue(database, 8)
    claimed = [
        Well(number, name, attempt)
        for batch in claim_batches(database, places=1, slots=1, largest=8)
        for name, attempt in batch.attempts.items()
    ]
    for well in claimed:
        deed = lambda well=well: wells.commit_well(database, well, computed())  # noqa: E731
        assert sorted(at_the_same_time(deed, deed, deed)) == [False, False, True]
    assert execution(database, number).wells_computed == len(claimed)
    assert_consistent(database, [number])


def test_draining_and_giving_out_at_the_same_time_do_not_wait_for_each_other_in_a_circle(database: Database) -> None:
    numbers = [enqueue(database, 30, owner=owner) for owner in (2, 3, 4)]
    root = Actor(0, "root")

    def drain() -> None:
        for _ in range(15):
            limits.drain(database, root)
            limits.undrain(database, root)

    def claim() -> None:
        for _ in range(15):
            claim_batches(database, places=3, slots=1, largest=1)

    at_the_same_time(drain, claim, claim)
    assert_consistent(database, numbers)


def test_a_submission_that_is_repeated_at_once_is_one_execution(database: Database) -> None:
    layout = plate_layout(2)

    def submit() -> str:
        new = NewExecution(
            owner_id=2,
            owner_name="ada",
            document=DOCUMENT,
            applied=DOCUMENT,
            parameters={},
            layout=layout,
            wells=["A01"],
            sealed_session="sealed",
            idempotency_key="once",
            request_hash="same",
        )
        return add_execution(database, new)

    assert len(set(at_the_same_time(*[submit] * 4))) == 1


def test_a_reader_sees_one_state_however_long_it_looks(database: Database) -> None:
    number = enqueue(database, 1)
    with database.read() as session:
        before = session.scalar(text("select message from executions"))
        with database.write() as writer:
            writer.execute(update(ExecutionRow).where(ExecutionRow.number == number).values(message="changed"))
        assert session.scalar(text("select message from executions")) == before
    with database.read() as session:
        assert session.scalar(text("select message from executions")) == "changed"


def test_a_reading_session_cannot_write(database: Database) -> None:
    number = enqueue(database, 1)
    with pytest.raises(InternalError, match="read-only"), database.read() as session:
        session.execute(update(ExecutionRow).where(ExecutionRow.number == number).values(message="changed"))


def test_two_services_do_not_work_on_one_database(url: str) -> None:
    first, second = Database(url), Database(url)
    first.claim()
    with pytest.raises(DatabaseRefused, match="another execution service"):
        second.claim()
    first.close()
    second.claim()
    second.close()


def test_a_server_that_was_restarted_is_found_again(postgres: PostgresServer, database: Database) -> None:
    number = enqueue(database, 2)
    postgres.restart()
    assert execution(database, number).wells_total == 2
    assert len(claim_batches(database, places=1, slots=1, largest=2)) == 1


def test_a_database_that_does_not_answer_is_said_in_a_sentence(tmp_path: Path) -> None:
    database = Database(f"postgresql://ada:hidden@/openhcs?host={tmp_path}")
    with pytest.raises(DatabaseRefused, match="does not answer") as refused:
        migrate(database)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "sentence"), [("mysql://db/x", "SQLite or PostgreSQL"), ("postgresql+psycopg2://db/x", "not installed")]
)
def test_other_databases_and_drivers_are_refused(url: str, sentence: str) -> None:
    with pytest.raises(DatabaseRefused, match=sentence):
        Database(url)
