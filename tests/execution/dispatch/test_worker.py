# SPDX-License-Identifier: AGPL-3.0-or-later
"""A worker's side of stopping batches, without an engine and without OMERO."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from openhcs_client import FailureClass, WellFailure
from openhcs_execution.dispatch import worker as module
from openhcs_execution.dispatch.tasks import WellBatch, WorkerSettings
from openhcs_execution.dispatch.worker import WellComputer
from openhcs_execution.engine import EngineJob, EngineLost, EngineResult
from tests.execution.queued import DOCUMENT, plate_layout


@pytest.fixture
def computer(tmp_path: Path) -> Iterator[WellComputer]:
    settings = WorkerSettings(
        scratch=tmp_path / "scratch",
        results=tmp_path / "results",
        engine_home=tmp_path / "home",
        results_mark="mark",
        session_secret=SecretStr("s" * 64),
        omero_host="127.0.0.1",
        omero_port=1,
    )
    computer = WellComputer(settings, "worker-0")
    yield computer
    computer.close()


@pytest.mark.parametrize("order", ["stop", "hold"])
def test_a_stopped_batch_is_forgotten_when_it_ends(computer: WellComputer, order: str) -> None:
    batch = WellBatch(
        batch_id="b1",
        number=1,
        execution_id="e1",
        document=DOCUMENT,
        layout=plate_layout(2),
        attempts={"A01": 1, "A02": 1},
        sealed_session="sealed",
        time_limit=60.0,
    )
    getattr(computer, order)(["b1"])
    reports: list[Any] = []
    outcomes = computer.compute(batch, reports.append)
    assert [outcome.what for outcome in outcomes] == ["stopped", "stopped"]
    assert reports == outcomes
    assert not computer._stopped
    assert not computer._held


def test_batches_of_other_workers_do_not_pile_up(computer: WellComputer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STOPPED_KEPT", 3)
    for number in range(10):
        computer.stop([f"b{number}"])
        computer.hold([f"h{number}"])
    assert list(computer._stopped) == ["b7", "b8", "b9"]
    assert list(computer._held) == ["h7", "h8", "h9"]


class Reader:
    """Stands for OMERO: notes which wells are read, and lets a test wait for that."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.reading: dict[str, threading.Event] = {well: threading.Event() for well in ("A01", "A02", "A03", "A04")}

    def stage(self, _session: str, _layout: Any, well: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "plane.tif").write_bytes(b"pixels")
        self.read.append(well)
        self.reading[well].set()

    def close(self) -> None:
        """Nothing is open."""


class Engine:
    """Stands for OpenHCS: a well takes until the test says so."""

    def __init__(self) -> None:
        self.alive = True
        self.computing = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.killed = threading.Event()

    def run(self, job: EngineJob, _progress: Any, _limit: float, _said: Any) -> EngineResult:
        self.computing.release()
        self.go_on.acquire(timeout=60)
        if self.killed.is_set():
            raise EngineLost("killed")
        failure = WellFailure(cause=FailureClass.ENGINE_ERROR, message="made up")
        return EngineResult(well=job.well, seconds=0.0, failure=failure)

    def kill(self) -> None:
        self.killed.set()
        self.go_on.release()

    def start(self) -> None:
        self.killed.clear()

    def close(self) -> None:
        """Nothing runs."""


def four_wells() -> WellBatch:
    wells = ["A01", "A02", "A03", "A04"]
    return WellBatch(
        batch_id="b1",
        number=1,
        execution_id="e1",
        document=DOCUMENT,
        layout=plate_layout(4),
        attempts=dict.fromkeys(wells, 1),
        sealed_session="sealed",
        time_limit=60.0,
    )


@pytest.fixture
def staffed(computer: WellComputer) -> tuple[WellComputer, Reader, Engine]:
    computer._reader, computer._engine = Reader(), Engine()  # type: ignore[assignment]
    return computer, computer._reader, computer._engine  # type: ignore[return-value]


def staged(computer: WellComputer) -> set[str]:
    return {path.parent.name for path in computer._scratch.glob("e1/*/planes")}


def test_one_well_is_read_ahead_and_no_more(staffed: tuple[WellComputer, Reader, Engine]) -> None:
    computer, reader, engine = staffed
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(computer.compute, four_wells(), lambda _report: None)
        for number, well in enumerate(("A01", "A02", "A03", "A04")):
            assert engine.computing.acquire(timeout=60)
            following = f"A0{number + 2}"
            if following in reader.reading:
                assert reader.reading[following].wait(60)
            # The stager has nothing else to do, so this comes after whatever it was given.
            computer._stager.submit(lambda: None).result(60)
            assert reader.read == ["A01", "A02", "A03", "A04"][: number + 2]
            assert staged(computer) <= {f"{well}.1", f"{following}.1"}
            engine.go_on.release()
        assert [outcome.what for outcome in outcomes.result(60)] == ["failed"] * 4
    assert staged(computer) == set()


@pytest.mark.parametrize("order", ["stop", "hold"])
def test_wells_of_a_stopped_batch_are_not_read_ahead(staffed: tuple[WellComputer, Reader, Engine], order: str) -> None:
    computer, reader, engine = staffed
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(computer.compute, four_wells(), lambda _report: None)
        assert engine.computing.acquire(timeout=60)
        assert reader.reading["A02"].wait(60)
        getattr(computer, order)(["b1"])
        engine.go_on.release()
        what = [outcome.what for outcome in outcomes.result(60)]
    assert what[1:] == ["stopped"] * 3
    assert reader.read == ["A01", "A02"]  # A02 was ready before anybody stopped it
    assert not list(computer._scratch.glob("e1/*/planes"))


def test_a_worker_that_was_killed_while_reading_ahead_leaves_nothing(
    staffed: tuple[WellComputer, Reader, Engine], tmp_path: Path
) -> None:
    """The worker that comes in its place, with the same name, clears up."""
    computer, reader, engine = staffed
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(computer.compute, four_wells(), lambda _report: None)
        assert engine.computing.acquire(timeout=60)
        assert reader.reading["A02"].wait(60)
        assert staged(computer) == {"A01.1", "A02.1"}  # and now it is gone, without a word
        successor = WellComputer(computer._settings, "worker-0")
        assert not successor._scratch.exists()
        successor.close()
        computer.stop(["b1"])
        for _ in range(4):
            engine.go_on.release()
        outcomes.result(60)
