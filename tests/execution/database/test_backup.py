# SPDX-License-Identifier: AGPL-3.0-or-later
"""The backup that the administrators' page tells of, made by the command itself while the queue is written to, and restored."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from openhcs_execution.database import Database, ExecutionRow
from openhcs_execution.queue.recovery import recover
from tests.execution.queued import assert_consistent, claim_all, enqueue, open_database

PAGE = Path(__file__).resolve().parents[3] / "docs" / "administrators" / "deploy.md"


def test_a_backup_of_a_queue_in_use_is_whole(tmp_path: Path) -> None:
    program = shutil.which("sqlite3")
    if program is None:
        pytest.skip("the command sqlite3 is not on this machine")
    (tmp_path / "a").mkdir()
    database = open_database(tmp_path / "a")
    enough, stop = threading.Event(), threading.Event()

    def write() -> None:
        count = 0
        while not stop.is_set():
            enqueue(database, 3)
            claim_all(database)
            count += 1
            if count == 5:
                enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert enough.wait(60)
        copy = tmp_path / "b" / "execution.db"
        copy.parent.mkdir()
        documented = 'sqlite3 /var/lib/openhcs/execution.db ".backup /backup/execution.db"'
        assert documented in PAGE.read_text(encoding="utf-8")
        subprocess.run([program, str(tmp_path / "a" / "execution.db"), f".backup {copy}"], check=True, timeout=60)
    finally:
        stop.set()
        writer.join(60)
    database.close()
    restored = Database(f"sqlite:///{copy}")
    with restored.read() as session:
        numbers = list(session.scalars(select(ExecutionRow.number)))
        assert session.connection().exec_driver_sql("pragma integrity_check").scalar() == "ok"
    assert len(numbers) >= 5
    assert_consistent(restored, numbers)
    recover(restored)  # what the next start does
    with restored.read() as session:
        assert session.scalar(select(func.sum(ExecutionRow.wells_claimed))) == 0
    assert_consistent(restored, numbers)
    restored.close()
