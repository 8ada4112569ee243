# SPDX-License-Identifier: AGPL-3.0-or-later
"""The service as a whole: real embedded OMERO, real OpenHCS, real processes, and what happens when they die."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest
from omero.gateway import BlitzGateway

from omero_sandbox.testing import RunningSandbox
from openhcs_client import OpenHCSError, RemoteOrchestrator, ServiceSubmission
from openhcs_execution.omero_io import close_job_session, keep_alive, open_job_session
from openhcs_execution.tokens import issue_token
from tests.execution.omero_io.world import Lab, key_of

from .service_world import RunningService, expected_nuclei, finish, follow, is_engine, nuclei_plate, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture
def lab(omero_sandbox: RunningSandbox) -> Iterator[Lab]:
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


def run(client: RemoteOrchestrator, plate_id: int, **config: object) -> str:
    return client.execute_remote(plate_id=plate_id, pipeline="nuclei-count", config=config or None)


def job_session(lab: Lab, conn: BlitzGateway) -> str:
    """A session for the job, as the plugin opens one inside the user's request."""
    with lab.joined(conn) as joined:
        return open_job_session(joined, lab.group_id, idle_minutes=10)


def assert_complete(client: RemoteOrchestrator, execution_id: str) -> None:
    """Every well is done, was committed once, and has the nuclei that were painted; the log has no gap."""
    execution = client.execution(execution_id)
    assert execution.status == "completed", execution.message
    counts = {well.well: well.measurements["nuclei_count"] for well in execution.wells}
    assert counts == {well.well: expected_nuclei(well.row, well.column) for well in execution.wells}
    events = client.events(execution_id, limit=2000).events
    assert [event.sequence for event in events] == list(range(1, execution.last_event + 1))
    for kind in ("well_saving", "well_done"):
        told = [event.well for event in events if event.kind == kind]
        assert sorted(told) == sorted(well.well for well in execution.wells)


def test_a_plate_is_computed_saved_and_closed(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn)
    with service.client(conn) as client:
        client.pipelines()  # signed in, as a page that a person looks at is
        begun = time.monotonic()
        execution_id = run(client, plate_id)
        for event in follow(client, execution_id):
            if event.kind == "well_staging":
                first_progress = time.monotonic() - begun
                break
        finish(client, execution_id)
        print(f"submit to first progress: {first_progress:.2f} s")
        assert first_progress < 10  # the target is 2 s on a machine of one's own; `make bench` measures it
        assert_complete(client, execution_id)
        links = client.execution(execution_id).results
        fields = client.measurements(execution_id, level="field")
        assert fields.total_rows == 6
        objects = client.measurements(execution_id, level="object", limit=5)
        assert objects.total_rows == sum(expected_nuclei(row, column) for row in range(2) for column in range(3))
        [label] = client.labels(execution_id, "A02")
        assert label.omero_image_id is not None
        image = client.label_image(execution_id, "A02", 1, "nuclei")
        assert image.shape == (96, 96)
    with lab.joined(conn) as joined:  # seen with plain omero-py
        assert joined.getObject("Plate", links.plate_id).countChildren() == 6
        assert joined.getObject("Image", label.omero_image_id) is not None
        assert joined.getObject("FileAnnotation", links.table_annotation_id).getFile().getId() == links.table_file_id
        provenance = dict(joined.getObject("MapAnnotation", links.provenance_annotation_id).getValue())
        assert provenance["execution_id"] == execution_id
        assert provenance["wells"] == "6 of 6"
        assert provenance["software.openhcs"]


def test_a_test_well_leaves_nothing_in_omero(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn)
    with service.client(conn) as client:
        execution = finish(client, run(client, plate_id, test_well="b2"))
        assert (execution.status, [well.well for well in execution.wells]) == ("completed", ["B02"])
        assert execution.results.plate_id is None
        [label] = client.labels(execution.execution_id, "B02")
        assert (label.objects, label.omero_image_id) == (expected_nuclei(1, 1), None)
    with lab.joined(conn) as joined:
        assert [plate.getId() for plate in joined.getObjects("Plate")] == [plate_id]


def test_kill_of_a_worker_loses_no_well_and_doubles_none(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=2, columns=4, fields=1, size=256)
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
        victims: list[psutil.Process] = []
        for event in follow(client, execution_id):
            if event.kind == "well_step" and not victims:
                worker = service.workers()[0]
                victims = [worker, *worker.children(recursive=True)]
                worker.kill()
        _gone, alive = psutil.wait_procs(victims, timeout=30)
        assert not alive, "the engine outlived its worker"
        assert {event.kind for event in client.events(execution_id, limit=2000).events} >= {"well_retried"}
        execution = client.execution(execution_id)
        assert execution.status == "completed", execution.message
        assert max(well.attempt for well in execution.wells) > 1
    wait_for(lambda: len(service.workers()) == 2, 60, "the worker's successor")


@pytest.mark.parametrize("new_url", ["postgresql"], indirect=True)  # the chaos test does it with SQLite
def test_kill_of_the_service_and_another_start(
    make_service: Callable[..., RunningService], lab: Lab, new_url: Callable[[], str]
) -> None:
    service = make_service(DATABASE_URL=new_url()).wait_until_workers_are_there()
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=2, columns=5)
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
        since = 0
        for event in follow(client, execution_id):
            since = event.sequence
            if event.kind == "well_done":
                break
        orphans = service.kill()
        assert orphans
    _gone, alive = psutil.wait_procs(orphans, timeout=30)
    assert not alive, f"left running: {alive}"
    service.start()
    with service.client(conn) as client:
        before = client.execution(execution_id)
        assert before.wells_completed >= 1
        events = list(follow(client, execution_id, since=since))
        assert events[-1].kind == "finished"
        execution = client.execution(execution_id)
        assert_complete(client, execution_id)
        assert max(well.attempt for well in execution.wells) == 2
        kept = {well.well for well in before.wells if well.state == "done"}
        assert all(well.attempt == 1 for well in execution.wells if well.well in kept)
    assert not list((service.data / "results").glob("*/.unfinished-*"))


def test_cancelling_a_running_execution_stops_its_engine_and_frees_the_workers(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=2, columns=4, fields=2, size=512)
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
        for event in follow(client, execution_id):
            if event.kind == "well_done":
                break
        computing = [engine for worker in service.workers() for engine in worker.children() if is_engine(engine)]
        begun = time.monotonic()
        client.cancel(execution_id)
        status = client.status(execution_id)
        assert status.status == "cancelled"
        assert time.monotonic() - begun < 5
        _gone, alive = psutil.wait_procs(computing, timeout=5)
        print(f"engines gone {time.monotonic() - begun:.2f} s after the request")
        # One that was between two wells, with nothing to kill, may go on for others.
        assert len(alive) < len(computing)
        last = status.last_event
        kept = {well.well for well in client.execution(execution_id).wells if well.state == "done"}
        assert kept, "what was done before is kept"
        # The next execution gets the workers, and the cancelled one has not moved meanwhile.
        following = finish(client, run(client, plate_id, wells=["A01"]))
        assert following.status == "completed"
        cancelled = client.execution(execution_id)
        assert cancelled.last_event == last  # not a single well was begun after the request
        assert {well.state for well in cancelled.wells} == {"done", "skipped"}
        assert {well.well for well in cancelled.wells if well.state == "done"} == kept
        assert cancelled.message == "Cancelled. Wells that were done before are kept."
        # What was skipped can be taken up again, with the user's session as the old one is closed.
        client._api.post(f"executions/{execution_id}/retry/", {"omero_session": key_of(conn)})
        resumed = finish(client, execution_id)
        assert resumed.status == "completed"
        assert all(well.state == "done" for well in resumed.wells)


def test_logging_out_does_not_end_a_run_and_its_session_is_closed_with_it(
    service: RunningService, lab: Lab, omero_sandbox: RunningSandbox
) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn)
    own = key_of(conn)
    user_id = conn.getUserId()
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
    conn.c.closeSession()
    with omero_sandbox.connection() as root:
        root.c.sf.getSessionService().closeSession(_session(own))
    assert not keep_alive(lab.server, own)
    token = issue_token(service.secret, user_id=user_id, name="x", admin=False, groups=[])
    with RemoteOrchestrator(base_url=service.url, token=token) as client:
        finish(client, execution_id)
        assert_complete(client, execution_id)


def _session(key: str):  # type: ignore[no-untyped-def]
    import omero.model
    from omero.rtypes import rstring

    session = omero.model.SessionI()
    session.setUuid(rstring(key))
    return session


def test_a_session_that_ends_makes_the_execution_wait_for_sign_in(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=2, columns=4)
    job_key = job_session(lab, conn)
    with service.client(conn) as client:
        execution_id = client.submit(
            ServiceSubmission(plate_id=plate_id, pipeline_id="nuclei-count", omero_session=job_key, session_for_job=True)
        ).execution_id
        for event in follow(client, execution_id):
            if event.kind == "well_staging":
                close_job_session(lab.server, job_key)
            if event.kind == "waiting_for_sign_in":
                break
        assert client.status(execution_id).status == "waiting_for_sign_in"
        client.renew_session(execution_id, key_of(conn))
        finish(client, execution_id)
        assert_complete(client, execution_id)


def test_session_keys_are_nowhere_in_clear(make_service: Callable[..., RunningService], lab: Lab) -> None:
    service = make_service(LOG_LEVEL="DEBUG").wait_until_workers_are_there()
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=1, columns=1)
    answers: list[str] = []
    job_key = job_session(lab, conn)
    keys = [key_of(conn), job_key]
    with service.client(conn) as client:
        client._api._client.event_hooks["response"].append(lambda answer: (answer.read(), answers.append(answer.text)))
        execution_id = client.submit(
            ServiceSubmission(plate_id=plate_id, pipeline_id="nuclei-count", omero_session=job_key, session_for_job=True)
        ).execution_id
        finish(client, execution_id)
        client.measurements(execution_id)
        with pytest.raises(OpenHCSError):
            client.submit(ServiceSubmission(plate_id=10**9, pipeline_id="nuclei-count", omero_session=keys[0]))
    # A body that is refused must not come back in the error either.
    refused = httpx.post(f"{service.url}/api/v1/sign-in/", json={"omero_session": keys[0], "omero_sesion": keys[0]}, timeout=30)
    assert refused.status_code == 422
    answers.append(refused.text)
    service.stop()
    written = [path for path in service.data.rglob("*") if path.is_file()] + [service.log]
    for key in keys:
        assert not any(key in answer for answer in answers)
        assert not any(key.encode() in path.read_bytes() for path in written)


def test_the_job_session_is_closed_when_the_execution_ends(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=1, columns=1)
    job_key = job_session(lab, conn)
    with service.client(conn) as client:
        execution_id = client.submit(
            ServiceSubmission(plate_id=plate_id, pipeline_id="nuclei-count", omero_session=job_key, session_for_job=True)
        ).execution_id
        assert finish(client, execution_id).status == "completed"
    wait_for(lambda: not keep_alive(lab.server, job_key), 20, "the end of the job's session")


def test_status_stays_fast_while_a_plate_runs_and_twenty_look_on(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=4, columns=12)
    token = issue_token(service.secret, user_id=conn.getUserId(), name="x", admin=False, groups=[])
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
        seconds: list[float] = []
        ended = threading.Event()

        def poll(offset: float) -> None:
            with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as http:
                ended.wait(offset)
                while True:
                    begun = time.perf_counter()
                    answer = http.get(f"{service.url}/api/v1/executions/{execution_id}/status/")
                    seconds.append(time.perf_counter() - begun)
                    assert answer.status_code == 200
                    if ended.wait(1.0):
                        return

        pollers = [threading.Thread(target=poll, args=(number / 20,)) for number in range(20)]
        for poller in pollers:
            poller.start()
        finish(client, execution_id)
        ended.set()
        for poller in pollers:
            poller.join()
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(f"status: {len(seconds)} polls, median {1000 * statistics.median(seconds):.1f} ms, p95 {1000 * p95:.1f} ms")
    assert p95 < 3  # the target is 50 ms on a machine of one's own, which `make bench` measures; test machines are shared


def test_sigterm_stops_everything_and_the_output_is_one_line(make_service: Callable[..., RunningService]) -> None:
    service = make_service().wait_until_workers_are_there()
    started = service.processes()
    assert len(service.engines()) >= 2  # and one for questions, which starts after the workers
    service.stop()
    assert service.process is not None and service.process.returncode == 0
    _gone, alive = psutil.wait_procs(started, timeout=20)
    assert not alive
    assert service.output == [f"READY {service.url}\n"]


def test_a_second_service_on_the_same_folder_is_refused(make_service: Callable[..., RunningService]) -> None:
    service = make_service()
    second = RunningService(service.folder, service.omero_port)
    with pytest.raises(AssertionError, match="another execution service is running"):
        second.start()
