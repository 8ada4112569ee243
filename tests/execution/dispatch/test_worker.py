# SPDX-License-Identifier: AGPL-3.0-or-later
"""A worker's side of stopping batches, without an engine and without OMERO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openhcs_execution.dispatch import worker as module
from openhcs_execution.dispatch.tasks import WellBatch, WorkerSettings
from openhcs_execution.dispatch.worker import WellComputer
from tests.execution.queued import DOCUMENT, plate_layout


@pytest.fixture
def computer(tmp_path: Path) -> Iterator[WellComputer]:
    settings = WorkerSettings(
        scratch=tmp_path / "scratch",
        results=tmp_path / "results",
        engine_home=tmp_path / "home",
        secret_file=tmp_path / "secret",
        omero_host="127.0.0.1",
        omero_port=1,
    )
    (tmp_path / "secret").write_text("s" * 64)
    (tmp_path / "secret").chmod(0o600)
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
