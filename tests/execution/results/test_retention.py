# SPDX-License-Identifier: AGPL-3.0-or-later
"""Old results are removed from the disk of the service, and only those."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from openhcs_client import OpenHCSError
from openhcs_execution.database import Database, ExecutionRow
from openhcs_execution.queue import executions, wells
from openhcs_execution.queue.events import now
from openhcs_execution.queue.reading import read_detail
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.labels import list_labels
from openhcs_execution.results.retention import ResultKeeper, remove_old_results
from tests.execution.queued import claim_all, computed, enqueue, execution, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    (tmp_path / "results").mkdir()
    return ResultStore(tmp_path / "results")


def ended(database: Database, store: ResultStore, days_ago: float) -> int:
    number = enqueue(database, 1)
    for well in claim_all(database):
        wells.commit_well(database, well, computed())
    executions.finish(database, number)
    with database.write() as session:
        session.get_one(ExecutionRow, number).ended_at = now() - timedelta(days=days_ago)
    keep_something(database, store, number)
    return number


def folder_of(database: Database, store: ResultStore, number: int) -> Path:
    return store.root / execution(database, number).execution_id


def keep_something(database: Database, store: ResultStore, number: int) -> None:
    folder = folder_of(database, store, number) / "A01.1"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("{}")


def test_only_old_and_ended_ones_go(database: Database, store: ResultStore, tmp_path: Path) -> None:
    old, young = ended(database, store, 31), ended(database, store, 29)
    running = enqueue(database, 1)
    keep_something(database, store, running)
    other = store.root / "not-an-execution"
    other.mkdir()
    assert remove_old_results(database, store, 30) == 1
    assert not folder_of(database, store, old).exists()
    for kept in (folder_of(database, store, young), folder_of(database, store, running), other):
        assert kept.exists()
    assert remove_old_results(database, store, 30) == 0
    with database.read() as session:
        detail = read_detail(session, session.get_one(ExecutionRow, old))
        assert detail.results_removed_at is not None
        assert detail.wells[0].measurements == {"count": 3.0}  # numbers of wells stay
        with pytest.raises(OpenHCSError) as refused:
            list_labels(session, store, session.get_one(ExecutionRow, old), "A01")
    assert (refused.value.code, refused.value.status) == ("results_removed", 410)
    with pytest.raises(OpenHCSError) as refused:
        executions.retry(database, old)
    assert refused.value.code == "results_removed"


def test_a_service_that_died_in_between_goes_on(database: Database, store: ResultStore) -> None:
    old = ended(database, store, 31)
    with database.write() as session:
        session.get_one(ExecutionRow, old).results_removed_at = now()
    remove_old_results(database, store, 30)
    assert not folder_of(database, store, old).exists()


def test_nothing_is_removed_unless_it_was_asked_for(database: Database, store: ResultStore) -> None:
    old = ended(database, store, 9999)
    keeper = ResultKeeper(database, store, None)
    keeper.start()
    keeper.stop()
    assert folder_of(database, store, old).exists()
