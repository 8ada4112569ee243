# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real execution service beside the embedded OMERO, for the tests that need both; a PostgreSQL server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omero_sandbox.testing import RunningSandbox

from .postgresql import PostgresServer, why_not
from .queued import new_sqlite
from .service_world import RunningService
from .slurm import SlurmMachine
from .slurm import why_not as why_no_slurm


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server without data, for this session alone."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture
def slurm() -> Iterator[SlurmMachine]:
    """Slurm with one node, for one test."""
    if (reason := why_no_slurm()) is not None:
        pytest.skip(reason)
    machine = SlurmMachine().start()
    yield machine
    machine.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes databases with our tables, of SQLite in one run of the test and of PostgreSQL in the other."""
    made: list[str] = []
    if request.param == "sqlite":
        yield lambda: new_sqlite(tmp_path / uuid.uuid4().hex)
        return
    server: PostgresServer = request.getfixturevalue("postgres")

    def new() -> str:
        made.append(server.new())
        return made[-1]

    yield new
    for url in made:
        server.drop(url)


@pytest.fixture
def make_service(
    omero_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RunningService]]:
    """Services of a test's own, with settings of its own; whatever still runs at the end is stopped."""
    started: list[RunningService] = []

    def make(environment: dict[str, str] | None = None, **settings: str) -> RunningService:
        folder = tmp_path_factory.mktemp("service") / "data"
        service = RunningService(folder, omero_sandbox.port, settings, environment or {})
        started.append(service)
        return service.start()

    yield make
    for service in started:
        service.stop()


@pytest.fixture(scope="session")
def service(omero_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One service with two workers that the tests share."""
    running = RunningService(tmp_path_factory.mktemp("service") / "data", omero_sandbox.port)
    try:
        yield running.start().wait_until_workers_are_there()
    finally:
        running.stop()
