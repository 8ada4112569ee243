# SPDX-License-Identifier: AGPL-3.0-or-later
"""``/readyz`` says no when wells cannot be computed or nothing can be written, and why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from openhcs_execution.database import Database
from openhcs_execution.readiness import Readiness
from openhcs_execution.settings import Settings
from tests.execution.queued import open_database


@dataclass
class Workers:
    ready: bool = True
    alive: int = 2
    elastic: bool = False

    def alive_workers(self) -> int:
        return self.alive


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path)
    yield opened
    opened.close()


def readiness(tmp_path: Path, database: Database, workers: Workers) -> Readiness:
    settings = Settings(data_dir=tmp_path)
    for folder in (settings.results, settings.scratch):
        folder.mkdir(exist_ok=True)
    return Readiness(database, settings, workers)


def test_nothing_is_wrong(tmp_path: Path, database: Database) -> None:
    assert readiness(tmp_path, database, Workers()).problems() == []


def test_workers_that_are_not_there(tmp_path: Path, database: Database) -> None:
    workers = Workers(ready=False)
    ready = readiness(tmp_path, database, workers)
    assert ready.problems() == ["The workers have not started yet."]
    workers.ready = True
    assert ready.problems() == []  # a start is noticed at once
    workers.alive = 0
    assert readiness(tmp_path, database, workers).problems() == ["There are no workers."]


def test_a_full_disk(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 10**12, 10 * 2**20))
    problems = readiness(tmp_path, database, Workers()).problems()
    assert problems == [
        "The disk for results has less than 200 MiB left.",
        "The disk for images being computed has less than 200 MiB left.",
    ]


def test_a_database_that_takes_nothing(tmp_path: Path, database: Database) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("pragma query_only = on")
    # Every connection of the pool is that one, as nothing else has used the database at the same time.
    assert readiness(tmp_path, database, Workers()).problems() == ["The database cannot be written to."]


def test_the_address_says_it(tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from openhcs_execution.api import create_app
    from openhcs_execution.service import Service

    service = Service(Settings(data_dir=tmp_path / "data", omero_port=1))
    try:
        http = TestClient(create_app(service))
        service.readiness = readiness(tmp_path, service.database, Workers(alive=0))
        answer = http.get("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["There are no workers."])
        service.readiness = readiness(tmp_path, service.database, Workers())
        assert http.get("/readyz").status_code == 200
        assert http.get("/healthz").status_code == 200
    finally:
        service.close()
