# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logs of wells: kept beside the results, bounded, and told as one story with the events."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from openhcs_client import FailureClass, OpenHCSError, WellFailure
from openhcs_execution.dispatch.dispatcher import Dispatcher
from openhcs_execution.dispatch.tasks import Said
from openhcs_execution.engine import EngineLine
from openhcs_execution.queue import wells
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.well_logs import LARGEST, WellLogs
from openhcs_execution.results.well_story import read_well_log
from openhcs_execution.secrets import SessionVault
from openhcs_execution.settings import Settings
from tests.execution.queued import claim_all, enqueue, execution, open_database


def line(text: str) -> EngineLine:
    return EngineLine(time=datetime.now(UTC), level="info", text=text)


def test_lines_are_kept_by_attempt(tmp_path: Path) -> None:
    logs = WellLogs(tmp_path)
    logs.add("e", "A01", 1, [line("one")])
    logs.add("e", "A01", 1, [line("two")])
    logs.add("e", "A01", 2, [line("three")])
    assert [each.text for each in logs.read("e", "A01", 1)] == ["one", "two"]
    assert [each.text for each in logs.read("e", "A01", 2)] == ["three"]
    assert logs.read("e", "A02", 1) == []


def test_a_log_does_not_grow_beyond_its_bound(tmp_path: Path) -> None:
    logs = WellLogs(tmp_path)
    for _ in range(50):
        logs.add("e", "A01", 1, [line("x" * 390)] * 20)
    [file] = tmp_path.rglob("*.jsonl")
    assert LARGEST - 1000 < file.stat().st_size <= LARGEST
    assert all(each.text == "x" * 390 for each in logs.read("e", "A01", 1))


def test_a_half_written_line_is_left_out(tmp_path: Path) -> None:
    logs = WellLogs(tmp_path)
    logs.add("e", "A01", 1, [line("whole")])
    [file] = tmp_path.rglob("*.jsonl")
    with file.open("a") as more:
        more.write('{"time": "2026')
    assert [each.text for each in logs.read("e", "A01", 1)] == ["whole"]


@pytest.mark.parametrize(("execution_id", "well"), [("../x", "A01"), ("e", "../A01"), ("e/f", "A01"), ("", "A01")])
def test_only_names_of_executions_and_wells_become_a_path(tmp_path: Path, execution_id: str, well: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        WellLogs(tmp_path).add(execution_id, well, 1, [line("x")])


def test_events_and_what_the_engine_said_are_one_story(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    number = enqueue(database, 2)
    [first, *_] = claim_all(database)
    logs = WellLogs(tmp_path / "results")
    wells.well_staging(database, first, "worker-1")
    wells.well_step(database, first, 1, 2, "Segment")
    logs.add(execution(database, number).execution_id, first.name, first.attempt, [line("OpenHCS says this")])
    failure = WellFailure(cause=FailureClass.BAD_INPUT, message="The image is damaged.")
    wells.fail_well(database, first, failure, final=True)
    with database.read() as session:
        log = read_well_log(session, logs, execution(database, number), first.name)
        with pytest.raises(OpenHCSError, match="no such well"):
            read_well_log(session, logs, execution(database, number), "../A01")
    assert [each.text for each in log.lines] == [
        "Attempt 1: reading images on worker-1",
        "Step 1 of 2: Segment",
        "OpenHCS says this",
        "Failed: The image is damaged.",
    ]
    assert [each.source for each in log.lines] == ["service", "service", "engine", "service"]
    database.close()


def test_what_a_worker_reports_is_kept_and_a_full_disk_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(tmp_path)
    store = ResultStore(tmp_path / "results")
    dispatcher = Dispatcher(database, store, Settings(data_dir=tmp_path), SessionVault("s" * 64))
    said = Said(execution_id="e", well="A01", attempt=1, lines=(line("OpenHCS says this"),))
    dispatcher._receive(None, (0.0, {"report": said.model_dump_json()}))
    dispatcher._handle_messages()
    assert [each.text for each in WellLogs(store.root).read("e", "A01", 1)] == ["OpenHCS says this"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WellLogs, "add", full)
    dispatcher._receive(None, (0.0, {"report": said.model_dump_json()}))
    dispatcher._handle_messages()
    database.close()
