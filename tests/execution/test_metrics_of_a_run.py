# SPDX-License-Identifier: AGPL-3.0-or-later
"""The numbers of ``/metrics`` while and after a real service computes a real plate."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from omero_sandbox.testing import RunningSandbox
from tests.execution.api.test_metrics import Scrape
from tests.execution.omero_io.world import Lab

from .service_world import RunningService, finish, nuclei_plate, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture
def lab(omero_sandbox: RunningSandbox) -> Iterator[Lab]:
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


def ask(service: RunningService) -> Scrape:
    return Scrape(httpx.get(f"{service.url}/metrics", timeout=30).raise_for_status().text)


def test_a_run_moves_the_numbers(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn)
    before = ask(service)
    with service.client(conn) as client:
        execution = finish(client, client.execute_remote(plate_id=plate_id, pipeline="nuclei-count"))
        begun = [event for event in client.events(execution.execution_id, limit=2000).events if event.kind == "well_step"]
    assert execution.status == "completed", execution.message
    after = ask(service)

    def moved(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert moved("openhcs_wells_committed_total", kind="plate") == 6
    assert moved("openhcs_well_seconds_count", kind="plate") == 6
    # The engine leaves out the projection of a single focal plane.
    steps = {step["name"]: step["function"] for step in execution.document["steps"] if step.get("enabled", True)}
    ran = {event.data["step_name"] for event in begun}
    assert len(ran) == 2
    for name, function in steps.items():
        assert moved("openhcs_step_seconds_count", function=function) == (6 if name in ran else 0)
        assert (moved("openhcs_step_seconds_sum", function=function) > 0) == (name in ran)
    assert moved("openhcs_executions_ended_total", status="completed") == 1
    assert moved("openhcs_execution_wait_seconds_count", priority_class="user", kind="plate") == 1
    assert moved("openhcs_events_total", kind="well_done") == 6
    assert moved("openhcs_http_requests_total", method="POST", route="/executions/", status="201") == 1
    assert after("openhcs_workers_wanted") == 2
    wait_for(lambda: ask(service)("openhcs_workers_alive") == 2, 60, "both workers")
    assert after("openhcs_memory_bytes", part="engines") > after("openhcs_memory_bytes", part="service") * 0.2
    assert after("openhcs_processes", part="engines") >= 2
    assert after("openhcs_database_up") == 1
    assert after("openhcs_disk_free_bytes", folder="results") > 0
