# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real execution service beside the embedded OMERO, for the tests that need both."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from omero_sandbox.testing import RunningSandbox

from .service_world import RunningService


@pytest.fixture
def make_service(
    omero_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RunningService]]:
    """Services of a test's own, with settings of its own; whatever still runs at the end is stopped."""
    started: list[RunningService] = []

    def make(**settings: str) -> RunningService:
        service = RunningService(tmp_path_factory.mktemp("service") / "data", omero_sandbox.port, settings)
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
