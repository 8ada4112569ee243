# SPDX-License-Identifier: AGPL-3.0-or-later
"""The dispatcher's loop with futures of our own: no cluster, no engine, a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from openhcs_execution.database import Database
from openhcs_execution.dispatch import dispatcher as module
from openhcs_execution.dispatch import engines
from openhcs_execution.dispatch.cluster import Slot
from openhcs_execution.dispatch.dispatcher import Dispatcher
from openhcs_execution.dispatch.tasks import Outcome, WellBatch
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.secrets import SessionVault
from openhcs_execution.settings import Settings
from tests.execution.queued import claim_all, enqueue, open_database, states, well


class EndedFuture:
    """A task that ended with these texts before anybody asked."""

    def __init__(self, texts: list[str]) -> None:
        self.status, self._texts, self.released = "finished", texts, False

    def result(self) -> list[str]:
        return self._texts

    def add_done_callback(self, done: Callable[[object], None]) -> None:
        done(self)

    def release(self) -> None:
        self.released = True


class FakeCluster:
    """Ends every task at once."""

    elastic = False

    def __init__(self, texts: list[str]) -> None:
        self.future = EndedFuture(texts)
        self.client = SimpleNamespace(submit=lambda *_, **__: self.future, subscribe_topic=lambda *_: None)
        self.slots = {"tls://127.0.0.1:1": Slot("tls://127.0.0.1:1", "0")}

    def close(self) -> None:
        """Nothing runs."""


class OpenFuture(EndedFuture):
    """A task that ends when the test says so."""

    def __init__(self) -> None:
        super().__init__([])
        self.status = "pending"
        self._callbacks: list[Callable[[object], None]] = []

    def add_done_callback(self, done: Callable[[object], None]) -> None:
        self._callbacks.append(done)

    def end(self, texts: list[str]) -> None:
        self.status, self._texts = "finished", texts
        for done in self._callbacks:
            done(self)


class OpenCluster(FakeCluster):
    """Keeps what it is given, and says when it was told to begin nothing more and when it was closed."""

    def __init__(self) -> None:
        super().__init__([])
        self.tasks: list[tuple[WellBatch, OpenFuture]] = []
        self.held, self.closed = threading.Event(), threading.Event()
        self.client.submit = self._submit
        self.client.run = lambda *_, **__: self.held.set()

    def _submit(self, _function: object, batch: str, **_: object) -> OpenFuture:
        self.tasks.append((WellBatch.model_validate_json(batch), OpenFuture()))
        return self.tasks[-1][1]

    def close(self) -> None:
        self.closed.set()


class SealsAnything(SessionVault):
    """Opens what tests have stored without sealing it."""

    def open(self, sealed: str) -> str:
        return sealed


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def dispatcher(database: Database, tmp_path: Path) -> Dispatcher:
    settings = Settings(data_dir=tmp_path, workers=1, wells_per_task=1)
    return Dispatcher(database, ResultStore(tmp_path / "results"), settings, SealsAnything("s" * 64))


def test_a_report_that_cannot_be_read_fails_its_well_and_frees_the_slot(dispatcher: Dispatcher, database: Database) -> None:
    number = enqueue(database, 3)
    cluster: Any = FakeCluster(["not a report"])
    for _ in range(3):  # a slot that leaked would leave later wells waiting
        dispatcher._persist(lambda: dispatcher._fill(cluster))
        dispatcher._handle_messages()
    assert set(states(database, number).values()) == {"failed"}
    assert not dispatcher._tasks
    assert cluster.future.released
    failure = well(database, number, "A01").failure
    assert failure is not None
    assert failure["cause"] == "engine_error"


def test_wells_that_cannot_be_handed_out_are_failed(
    dispatcher: Dispatcher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = enqueue(database, 1)

    def refuse(_: object) -> None:
        raise ValueError("the document cannot be read")

    monkeypatch.setattr(dispatcher._batches, "make", refuse)
    cluster: Any = FakeCluster([])
    dispatcher._persist(lambda: dispatcher._fill(cluster))
    dispatcher._handle_messages()
    assert states(database, number) == {"A01": "failed"}


def test_wells_claimed_while_the_database_fails_wait_again(
    dispatcher: Dispatcher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(database, 1)

    def fail(_: object) -> None:
        raise OperationalError("select", {}, OSError("disk full"))

    monkeypatch.setattr(dispatcher._batches, "make", fail)
    cluster: Any = FakeCluster([])
    with pytest.raises(OperationalError):
        dispatcher._fill(cluster)
    dispatcher._handle_messages()
    assert [each.name for each in claim_all(database)] == ["A01"]


def test_the_end_of_a_task_waits_for_the_database(
    dispatcher: Dispatcher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = enqueue(database, 1)
    real, failures = module.wells.put_back, iter([OperationalError("update", {}, OSError("disk full"))])

    def sometimes(*arguments: Any) -> bool:
        if (error := next(failures, None)) is not None:
            raise error
        return real(*arguments)

    monkeypatch.setattr(module.wells, "put_back", sometimes)
    monkeypatch.setattr(module, "_TICK", 0.01)
    cluster: Any = FakeCluster([])
    dispatcher._persist(lambda: dispatcher._fill(cluster))
    dispatcher._handle_messages()
    assert not dispatcher._tasks
    assert states(database, number) == {"A01": "waiting"}


def test_workers_that_do_not_start_are_started_again(dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[object] = []
    (dispatcher._store.root).mkdir()

    def start(*arguments: object) -> FakeCluster:
        attempts.append(arguments)
        if len(attempts) < 3:
            raise OSError("no room for another process")
        return FakeCluster([])

    monkeypatch.setattr(engines, "open_cluster", start)
    monkeypatch.setattr(engines, "_FIRST_PAUSE", 0.01)
    dispatcher.start()
    assert dispatcher.wait_until_ready()
    dispatcher.stop()
    assert len(attempts) == 3


def test_a_report_that_cannot_be_written_does_not_take_the_others_with_it(
    dispatcher: Dispatcher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = enqueue(database, 3)
    attempts = claim_all(database)
    real = module.apply_outcome

    def refuse_one(database: Database, outcome: Outcome) -> bool:
        if outcome.well == "A02":
            raise ValueError("this one cannot be written")
        return real(database, outcome)

    monkeypatch.setattr(module, "apply_outcome", refuse_one)
    for each in attempts:
        outcome = Outcome(number=number, well=each.name, attempt=each.attempt, what="computed")
        dispatcher._receive(None, (0.0, {"report": outcome.model_dump_json()}))
    dispatcher._receive(None, (0.0, {"report": "not a report"}))
    dispatcher._handle_messages()
    assert states(database, number) == {"A01": "done", "A02": "waiting", "A03": "done"}


def test_a_report_alone_is_taken_at_once_and_those_that_follow_it_together(
    dispatcher: Dispatcher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = enqueue(database, 3)
    attempts = claim_all(database)
    taken: list[int] = []
    real = dispatcher._apply
    monkeypatch.setattr(dispatcher, "_apply", lambda reports: (taken.append(len(reports)), real(reports)))

    def receive(each: Any) -> None:
        outcome = Outcome(number=number, well=each.name, attempt=each.attempt, what="computed")
        dispatcher._receive(None, (0.0, {"report": outcome.model_dump_json()}))

    monkeypatch.setattr(module, "_GATHER_SECONDS", 3600.0)  # it would wait that long if it waited
    receive(attempts[0])
    dispatcher._handle_messages()
    assert taken == [1]

    monkeypatch.setattr(module, "_GATHER_SECONDS", 0.5)
    receive(attempts[1])
    later = threading.Timer(0.05, receive, [attempts[2]])
    later.start()
    dispatcher._handle_messages()
    later.join()
    assert taken == [1, 2]
    assert set(states(database, number).values()) == {"done"}


def test_wells_in_work_at_a_move_are_finished_where_they_are_and_the_rest_goes_on_elsewhere(
    dispatcher: Dispatcher, database: Database
) -> None:
    number = enqueue(database, 4)
    old, new = OpenCluster(), OpenCluster()
    dispatcher.engines._open.append(old)

    def end(cluster: OpenCluster, place: int, what: str) -> None:
        batch, future = cluster.tasks[place]
        [(name, attempt)] = batch.attempts.items()
        outcome = Outcome(number=number, well=name, attempt=attempt, what=what).model_dump_json()
        dispatcher._receive(cluster, (0.0, {"report": outcome}))
        future.end([outcome])
        dispatcher._handle_messages()
        dispatcher._fill(new)

    dispatcher._switch_to(old)
    dispatcher._fill(old)
    assert [list(batch.attempts) for batch, _ in old.tasks] == [["A01"], ["A02"]]  # the second is handed out ahead
    dispatcher.engines._open.append(new)
    dispatcher._switch_to(new)
    assert old.held.wait(10)
    dispatcher._fill(new)
    assert [list(batch.attempts) for batch, _ in new.tasks] == [["A03"], ["A04"]]
    end(new, 0, "computed")
    assert not old.closed.is_set()  # it still computes
    end(old, 0, "computed")
    end(old, 1, "stopped")
    assert old.closed.wait(10)
    end(new, 1, "computed")
    assert new.tasks[-1][0].attempts == {"A02": 2}
    end(new, 2, "computed")
    assert set(states(database, number).values()) == {"done"}
    assert [well(database, number, name).attempt for name in ("A01", "A02", "A03", "A04")] == [1, 2, 1, 1]
    assert not new.closed.is_set()
