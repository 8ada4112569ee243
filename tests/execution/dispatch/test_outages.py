# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the dispatch does when something around it fails: no room, no OMERO, somebody at the scheduler's door."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator

import psutil
import pytest

from omero_sandbox.testing import RunningSandbox, start_sandbox
from openhcs_client import Measurement, PipelineDocument, PipelineStep
from tests.execution.omero_io.world import PASSWORD, Lab, count_objects, key_of
from tests.execution.service_world import RunningService, expected_nuclei, finish, follow, nuclei_plate

pytestmark = [pytest.mark.stack, pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def own_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """An OMERO that may be stopped without disturbing other tests."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("omero"))
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def own_service(own_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of that OMERO."""
    running = RunningService(tmp_path_factory.mktemp("service") / "data", own_sandbox.port)
    try:
        yield running.start().wait_until_workers_are_there()
    finally:
        running.stop()


@pytest.fixture
def lab(omero_sandbox: RunningSandbox) -> Iterator[Lab]:
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


def test_a_scratch_disk_without_room_fails_the_wells_with_that_reason(
    make_service: Callable[..., RunningService], lab: Lab
) -> None:
    """A limit on the size of files stands for the full disk: the operating system refuses the write in the same way."""
    service = make_service().wait_until_workers_are_there()
    for worker in service.workers():
        # Planes of 300 x 300 x 2 bytes do not fit into 100 kB; Python ignores the signal and gets EFBIG.
        psutil.Process(worker.pid).rlimit(psutil.RLIMIT_FSIZE, (100_000, 100_000))
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=1, columns=2, size=300)
    with service.client(conn) as client:
        execution = finish(client, client.execute_remote(plate_id=plate_id, pipeline="nuclei-count"))
    assert execution.status == "failed"
    for well in execution.wells:
        assert well.failure is not None
        assert well.failure.cause == "disk_full"
        assert "scratch disk" in well.failure.message
        assert well.failure.remedy
        assert well.attempt == 1
    assert not list((service.data / "scratch").rglob("*.tif"))
    assert not list((service.data / "results").rglob("*.parquet"))


def test_an_execution_waits_while_omero_is_away_and_goes_on_with_a_new_session(
    own_sandbox: RunningSandbox, own_service: RunningService
) -> None:
    lab = Lab(own_sandbox)
    conn = lab.person()
    user = conn.getUser().getName()
    plate_id = nuclei_plate(conn, rows=2, columns=4)
    with own_service.client(conn) as client:
        execution_id = client.execute_remote(plate_id=plate_id, pipeline="nuclei-count")
        for event in follow(client, execution_id):
            if event.kind == "well_step":
                own_sandbox.kill()
                break
        own_sandbox.restart()  # the data are there again, the sessions are not
        for event in follow(client, execution_id):
            if event.kind == "waiting_for_sign_in":
                break
        status = client.status(execution_id)
        assert status.status == "waiting_for_sign_in"
        assert "Sign in" in status.message
        again = own_sandbox.connect(user, PASSWORD)
    with own_service.client(again) as client:
        client.renew_session(execution_id, key_of(again))
        execution = finish(client, execution_id)
        assert execution.status == "completed", execution.message
        counts = {well.well: well.measurements["nuclei_count"] for well in execution.wells}
        assert counts == {well.well: expected_nuclei(well.row, well.column) for well in execution.wells}


def grown(sandbox: RunningSandbox, group_id: int, before: dict[str, int]) -> dict[str, int]:
    return {kind: count - before[kind] for kind, count in count_objects(sandbox, group_id).items()}


def test_omero_is_killed_while_results_are_saved(own_sandbox: RunningSandbox, own_service: RunningService) -> None:
    """What was begun is completed with the next session, and there is exactly what an undisturbed run saves."""
    lab = Lab(own_sandbox)
    conn = lab.person()
    user = conn.getUser().getName()
    plate_id = nuclei_plate(conn, rows=2, columns=3, fields=2)
    saving = {"rois": "polygons", "processed": True, "figures": True}
    # With a step that makes images, so that there are processed ones.
    smoothed = PipelineDocument(
        id="smoothed",
        name="Smoothed",
        steps=[
            PipelineStep(name="Smooth", function="openhcs:gaussian_blur", parameters={"sigma": 0.5}),
            PipelineStep(name="Nuclei", function="omero_openhcs:segment_nuclei", parameters={"channel": 1}),
        ],
        measurements=[Measurement(name="nuclei_count", title="Nuclei", unit="nuclei")],
        primary_measurement="nuclei_count",
    )
    with own_service.client(conn) as client:
        before = count_objects(own_sandbox, lab.group_id)
        undisturbed = client.execute_remote(plate_id=plate_id, pipeline=smoothed, config={"saving": saving})
        assert finish(client, undisturbed).status == "completed"
        expected = grown(own_sandbox, lab.group_id, before)
        assert expected["Image"] == 6 * 2 * 2
        before = count_objects(own_sandbox, lab.group_id)
        execution_id = client.execute_remote(plate_id=plate_id, pipeline=smoothed, config={"saving": saving})
        for event in follow(client, execution_id):
            if event.kind == "well_done":  # one is saved; others are being computed and saved
                own_sandbox.kill()
                break
        own_sandbox.restart()
        for event in follow(client, execution_id):
            if event.kind == "waiting_for_sign_in":
                break
        begun = client.execution(execution_id)
        assert 1 <= sum(well.state == "done" for well in begun.wells) < 6
    again = own_sandbox.connect(user, PASSWORD)
    with own_service.client(again) as client:
        client.renew_session(execution_id, key_of(again))
        execution = finish(client, execution_id)
    assert execution.status == "completed", execution.message
    assert grown(own_sandbox, lab.group_id, before) == expected
    wells = {well.getWellPos(): well for well in again.getObject("Plate", execution.results.plate_id).listChildren()}
    for well in execution.wells:
        images = [sample.getImage() for sample in wells[f"{well.well[0]}{well.column + 1}"].listChildren()]
        counts = [int(image.getPrimaryPixels().getPlane(0, 0, 0).max()) for image in images[:2]]
        assert sum(counts) == expected_nuclei(well.row, well.column, fields=2)
        assert all(image.getPrimaryPixels().getPlane(0, 0, 0).std() > 100 for image in images[2:])
    again.close()
    assert not list((own_service.data / "results").rglob("images/*.npy"))


def test_nobody_without_the_certificate_reaches_the_scheduler(service: RunningService) -> None:
    """Dask runs what it is sent, so a stranger on the same machine must not get as far as saying anything."""
    assert service.process is not None
    listening = {
        connection.laddr.port
        for connection in psutil.Process(service.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    used_by_workers = {
        connection.raddr.port
        for worker in service.workers()
        for connection in worker.net_connections("tcp")
        if connection.raddr
    }
    ports = listening & used_by_workers
    assert ports, "the workers talk to the service"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for port in ports:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            plain.sendall(b"\x00" * 64)
            with contextlib.suppress(ConnectionResetError):
                assert plain.recv(64) == b"" or plain.recv(64) == b""  # at most a TLS alert before it is closed
        with pytest.raises((ssl.SSLError, ConnectionResetError)):  # noqa: SIM117 - the handshake or the first word fails
            with (
                socket.create_connection(("127.0.0.1", port), timeout=60) as raw,
                context.wrap_socket(raw) as encrypted,
            ):
                encrypted.sendall(b"\x00" * 64)
                encrypted.recv(64)
