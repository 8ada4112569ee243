# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many machines: a scheduler and worker hosts in processes of their own, with their own disks, reached over TLS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from omero_sandbox.testing import RunningSandbox
from tests.execution.omero_io.world import Lab

from .hosts import Hosts
from .service_world import RunningService, finish, follow, nuclei_plate, wait_for
from .test_service import assert_complete, run

pytestmark = [pytest.mark.stack, pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture
def lab(omero_sandbox: RunningSandbox) -> Iterator[Lab]:
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    hosts = Hosts(tmp_path / "hosts")
    yield hosts
    hosts.close()


def workers_of(service: RunningService) -> int:
    return httpx.get(f"{service.url}/healthz", timeout=30).json()["workers"]


def test_one_of_two_hosts_dies_and_the_other_computes_its_wells(
    make_service: Callable[..., RunningService], lab: Lab, hosts: Hosts
) -> None:
    scheduler, address = hosts.scheduler()
    first, second = (hosts.worker(name, address, "--own-results") for name in ("first", "second"))
    service = make_service(ENGINE="scheduler", SCHEDULER_ADDRESS=address, **hosts.settings())
    assert {first.ready(), second.ready()} == {"first-0", "second-0"}
    wait_for(lambda: workers_of(service) == 2, 60, "both hosts")
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=2, columns=6)
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
        killed = False
        workers: dict[str, str] = {}
        for event in follow(client, execution_id):
            if event.kind == "well_staging":
                workers[event.well] = event.data["worker"]
            if not killed and "worker-first-0" in workers.values() and event.kind == "well_saving":
                first.kill()
                killed = True
        assert killed
        assert set(workers.values()) <= {"worker-first-0", "worker-second-0"}
        assert_complete(client, execution_id)
        assert client.measurements(execution_id, level="field").total_rows == 12
    assert workers_of(service) == 1
    # Nothing of the run is left on the host, and the installation's secret never came there.
    host = hosts.folder / "second"
    assert list(host.rglob("*.npy")) == []
    assert not any(service.secret.encode() in path.read_bytes() for path in hosts.folder.rglob("*") if path.is_file())
    assert scheduler.process.poll() is None


def test_a_run_moves_to_a_scheduler_and_back(make_service: Callable[..., RunningService], lab: Lab, hosts: Hosts) -> None:
    _scheduler, address = hosts.scheduler()
    hosts.worker("elsewhere", address, "--own-results", "--label", "site=basel").ready()
    service = make_service(WORKERS="1", WELLS_PER_TASK="2", **hosts.settings()).wait_until_workers_are_there()
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=2, columns=5)

    def clusters_opened() -> int:
        return service.tail(1000).count("workers_ready")

    with lab.sandbox.connection() as signed_in, service.client(signed_in) as root, service.client(conn) as client:
        execution_id = run(client, plate_id)
        for event in follow(client, execution_id):
            if event.kind == "well_saving":
                break
        client.pause(execution_id)  # so that there is something left when the other engine is there
        assert root.administration.attach(address).engine == address
        wait_for(lambda: clusters_opened() == 2, 120, "the attached scheduler")
        client.resume(execution_id)
        assert finish(client, execution_id).status == "completed"
        assert_complete(client, execution_id)
        assert {well.worker for well in client.execution(execution_id).wells} == {"worker-0", "worker-elsewhere-0"}
        assert root.administration.detach().engine == "local"
        wait_for(lambda: clusters_opened() == 3, 120, "the workers of this machine")
        back = finish(client, run(client, plate_id, test_well="A01"))
        assert (back.status, [well.worker for well in back.wells]) == ("completed", ["worker-0"])


def test_the_death_of_a_scheduler_is_survived(make_service: Callable[..., RunningService], lab: Lab, hosts: Hosts) -> None:
    scheduler, address = hosts.scheduler()
    port = int(address.rpartition(":")[2])
    hosts.worker("before", address, "--own-results").ready()
    service = make_service(ENGINE="scheduler", SCHEDULER_ADDRESS=address, **hosts.settings())
    wait_for(lambda: workers_of(service) == 1, 60, "the host")
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=2, columns=4)
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
        back = 0.0
        committed: list[str] = []
        waited: list[float] = []
        for event in follow(client, execution_id):
            if event.kind == "well_saving":
                committed.append(event.well)
            if event.kind == "well_saving" and not back:
                scheduler.kill()
                assert hosts.scheduler(port)[1] == address  # as a process manager does it
                hosts.worker("after", address, "--own-results").ready()
                back = time.monotonic()
            elif back and not waited and event.kind == "well_staging" and event.data["worker"] == "worker-after-0":
                waited.append(time.monotonic() - back)
        assert sorted(committed) == sorted(well.well for well in client.execution(execution_id).wells)
        assert_complete(client, execution_id)
        print(f"the work went on {waited[0]:.1f} s after the host was back")
        assert waited[0] < 30
