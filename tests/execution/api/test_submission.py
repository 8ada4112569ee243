# SPDX-License-Identifier: AGPL-3.0-or-later
"""Submissions against a real OMERO: what is refused leaves nothing behind, what is repeated is done once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from omero.gateway import BlitzGateway
from sqlalchemy import func, select

from omero_sandbox.testing import RunningSandbox
from openhcs_client import PlateLayout
from openhcs_execution import submission
from openhcs_execution.api import create_app
from openhcs_execution.database import Base, JobSession
from openhcs_execution.engine import TrialResult
from openhcs_execution.omero_io import keep_alive, open_job_session, read_layout
from openhcs_execution.service import Service
from openhcs_execution.settings import Settings
from openhcs_execution.submission import chosen_wells
from openhcs_execution.tokens import issue_token
from tests.execution.omero_io.world import Lab, key_of, make_plate
from tests.execution.queued import plate_layout
from tests.execution.service_world import nuclei_plate

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def service(omero_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("service")
    service = Service(Settings(data_dir=data, omero_host=omero_sandbox.host, omero_port=omero_sandbox.port))
    yield service
    service.close()


@pytest.fixture(scope="module")
def lab(omero_sandbox: RunningSandbox) -> Iterator[Lab]:
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def ada(lab: Lab) -> BlitzGateway:
    return lab.person()


@pytest.fixture(scope="module")
def plate_id(ada: BlitzGateway) -> int:
    return nuclei_plate(ada, rows=1, columns=3)


@pytest.fixture
def http(service: Service, ada: BlitzGateway) -> TestClient:
    token = issue_token(service.secret, user_id=ada.getUserId(), name="Ada", admin=False, groups=[])
    return TestClient(create_app(service), headers={"Authorization": f"Bearer {token}"})


def rows(service: Service) -> int:
    with service.database.read() as session:
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in Base.metadata.sorted_tables)


def body(ada: BlitzGateway, plate_id: int, /, **changes: object) -> dict[str, object]:
    return {"plate_id": plate_id, "pipeline_id": "nuclei-count", "omero_session": key_of(ada)} | changes


@pytest.mark.parametrize(
    ("changes", "status", "code", "fields"),
    [
        ({"plate_id": 10**9}, 404, "plate_not_found", set()),
        ({"plate_id": 10**30}, 404, "plate_not_found", set()),
        ({"wells": ["A01", "Z99"]}, 422, "unknown_wells", {"wells"}),
        ({"wells": ["nonsense"]}, 422, "unknown_wells", {"wells"}),
        ({"test_well": "H12"}, 422, "unknown_wells", {"wells"}),
        ({"parameters": {"nope": 1}}, 422, "bad_parameters", {"parameters.nope"}),
        ({"pipeline_id": "colocalisation"}, 422, "too_few_channels", set()),
        ({"saving": {"rois": "masks", "rois_per_field": 20_001}}, 422, "too_many_rois", {"saving.rois_per_field"}),
        ({"saving": {"rois": "masks", "rois_per_run": 500_001}}, 422, "too_many_rois", {"saving.rois_per_run"}),
        ({"saving": {"target": "dataset", "dataset_id": 10**9}}, 422, "dataset_not_usable", {"saving.dataset_id"}),
        ({"saving": {"name": "{__class__}"}}, 422, "invalid_request", {"saving.name"}),
    ],
)
def test_what_is_wrong_is_said_and_leaves_nothing(
    http: TestClient, service: Service, ada: BlitzGateway, plate_id: int, changes: dict, status: int, code: str, fields: set
) -> None:
    before = rows(service)
    answer = http.post("/api/v1/executions/", json=body(ada, plate_id, **changes))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]["field_errors"]) == fields
    assert rows(service) == before


def test_parameters_out_of_range_are_named(http: TestClient, service: Service, ada: BlitzGateway, plate_id: int) -> None:
    document = service.pipelines.resolve("nuclei-count")
    limited = next(parameter for parameter in document.parameters if parameter.maximum is not None)
    answer = http.post("/api/v1/executions/", json=body(ada, plate_id, parameters={limited.name: limited.maximum + 1}))
    error = answer.json()["error"]
    assert answer.status_code == 422
    assert f"at most {limited.maximum:g}" in error["field_errors"][f"parameters.{limited.name}"]


def test_a_plate_without_images(http: TestClient, ada: BlitzGateway) -> None:
    answer = http.post("/api/v1/executions/", json=body(ada, make_plate(ada, {})))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "plate_empty")


def changed_layout(monkeypatch: pytest.MonkeyPatch, *changes: dict[str, object]) -> None:
    """Let the first well of every plate have a field for each of ``changes``, which differ from the real one by them."""

    def read(conn: BlitzGateway, plate: int) -> PlateLayout:
        layout = read_layout(conn, plate)
        first, *others = layout.wells
        fields = [first.fields[0].model_copy(update={"field": n, **change}) for n, change in enumerate(changes, start=1)]
        return layout.model_copy(update={"wells": (first.model_copy(update={"fields": tuple(fields)}), *others)})

    monkeypatch.setattr(submission, "read_layout", read)


def document(*steps: dict[str, object], **more: object) -> dict[str, object]:
    named = [{"name": str(step["function"]), **step} for step in steps]
    return {"schema_version": 1, "id": "nuclei-count", "name": "Under test", "steps": named, **more}


SEGMENT = {"function": "omero_openhcs:segment_nuclei"}
ILLUMINATION = {"function": "omero_openhcs:correct_illumination"}
EXPOSED = {"name": "where", "title": "Where", "step": 0, "parameter": "channel", "type": "channel", "default": 4}


@pytest.mark.parametrize(
    ("layout", "pipeline", "code", "field"),
    [
        ([{"size_t": 3}], document(SEGMENT), "time_series", "wells"),
        ([{"size_z": 3}, {}], document(SEGMENT), "stacks_differ", "wells"),
        ([{"size_z": 3}], document(SEGMENT), "too_many_planes", "document.steps.0.function"),
        ([{}, {"size_x": 7}], document(ILLUMINATION, SEGMENT), "sizes_differ", "document.steps.0.function"),
        (
            [{}],
            document({**SEGMENT, "parameters": {"channel": "GFP"}}),
            "invalid_pipeline",
            "document.steps.0.parameters.channel",
        ),
        ([{}], document(SEGMENT, parameters=[EXPOSED]), "invalid_pipeline", "parameters.where"),
        (
            [{}],
            document({"function": "omero_openhcs:measure_nuclei_intensity"}),
            "invalid_pipeline",
            "document.steps.0.function",
        ),
    ],
    ids=["time series", "uneven stacks", "unprojected", "sizes differ", "channel", "exposed channel", "objects missing"],
)
def test_what_would_fail_at_the_first_well_is_refused(
    http: TestClient,
    service: Service,
    ada: BlitzGateway,
    plate_id: int,
    monkeypatch: pytest.MonkeyPatch,
    layout: list[dict[str, object]],
    pipeline: dict[str, object],
    code: str,
    field: str,
) -> None:
    changed_layout(monkeypatch, *layout)
    before = rows(service)
    answer = http.post("/api/v1/executions/", json=body(ada, plate_id, document=pipeline))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert field in answer.json()["error"]["field_errors"]
    assert rows(service) == before


def test_wells_that_fit_are_taken_beside_one_that_does_not(
    http: TestClient, ada: BlitzGateway, plate_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_layout(monkeypatch, {"size_t": 3})
    answer = http.post("/api/v1/executions/", json=body(ada, plate_id))
    assert "A01" in answer.json()["error"]["message"]
    assert http.post("/api/v1/executions/", json=body(ada, plate_id, wells=["A02"])).status_code == 201


@pytest.mark.parametrize("test_well", [None, "A02"])
def test_what_openhcs_does_not_take_is_refused(
    http: TestClient,
    service: Service,
    ada: BlitzGateway,
    plate_id: int,
    monkeypatch: pytest.MonkeyPatch,
    test_well: str | None,
) -> None:
    refusal = TrialResult(error="The pipeline cannot work with images of type int8.")
    monkeypatch.setattr(service.desk, "try_document", lambda *_, **__: refusal)
    before = rows(service)
    answer = http.post("/api/v1/executions/", json=body(ada, plate_id, test_well=test_well))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "pipeline_fails")
    assert "int8" in answer.json()["error"]["field_errors"]["document.steps"]
    assert rows(service) == before


def test_a_pipeline_whose_default_is_not_its_steps_value(
    http: TestClient, service: Service, ada: BlitzGateway, plate_id: int
) -> None:
    document = service.pipelines.resolve("nuclei-count").model_copy(deep=True)
    exposed = next(each for each in document.parameters if each.type == "number")
    document.steps[exposed.step].parameters[exposed.parameter] = exposed.default + 1
    answer = http.post("/api/v1/executions/", json=body(ada, plate_id, document=document.model_dump(mode="json")))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_pipeline")
    assert f"document.parameters.{document.parameters.index(exposed)}.default" in answer.json()["error"]["field_errors"]


def test_a_plate_that_the_user_may_not_read(http: TestClient, omero_sandbox: RunningSandbox, ada: BlitzGateway) -> None:
    private = Lab(omero_sandbox, "rw----")
    try:
        hidden = nuclei_plate(private.person(), rows=1, columns=1)
        answer = http.post("/api/v1/executions/", json=body(ada, hidden))
    finally:
        private.close()
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "plate_not_found")


def test_the_session_of_another_user_is_refused(http: TestClient, service: Service, lab: Lab, plate_id: int) -> None:
    before = rows(service)
    answer = http.post("/api/v1/executions/", json=body(lab.person(), plate_id))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "session_of_another_user")
    assert rows(service) == before


def test_an_ended_session_is_401(http: TestClient, lab: Lab, ada: BlitzGateway, plate_id: int) -> None:
    answer = http.post("/api/v1/executions/", json=body(ada, plate_id, omero_session="00000000-0000-4000-8000-000000000000"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "omero_session_lost")


def test_a_repeated_key_gives_the_first_execution(http: TestClient, service: Service, ada: BlitzGateway, plate_id: int) -> None:
    headers = {"Idempotency-Key": "first-try"}
    first = http.post("/api/v1/executions/", json=body(ada, plate_id), headers=headers)
    assert first.status_code == 201
    before = rows(service)
    again = http.post("/api/v1/executions/", json=body(ada, plate_id), headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    other = http.post("/api/v1/executions/", json=body(ada, plate_id, wells=["A01"]), headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert rows(service) == before
    assert http.get(first.json()["status_url"]).json()["wells_total"] == 3


def test_a_repeat_leaves_no_session_open_but_the_one_in_use(
    http: TestClient, lab: Lab, ada: BlitzGateway, plate_id: int
) -> None:
    group_id = ada.getEventContext().groupId
    first, second = (open_job_session(ada, group_id, idle_minutes=5) for _ in range(2))
    headers = {"Idempotency-Key": "with-sessions-of-its-own"}
    for session in (first, first, second):
        sent = body(ada, plate_id, omero_session=session, session_for_job=True)
        assert http.post("/api/v1/executions/", json=sent, headers=headers).status_code in (200, 201)
    assert keep_alive(lab.server, first)
    assert not keep_alive(lab.server, second)


def test_the_job_gets_a_session_of_its_own_encrypted(
    http: TestClient, service: Service, lab: Lab, ada: BlitzGateway, plate_id: int
) -> None:
    created = http.post("/api/v1/executions/", json=body(ada, plate_id, wells=["a2", "A02", "A1"])).json()
    detail = http.get(f"/api/v1/executions/{created['execution_id']}/").json()
    assert [well["well"] for well in detail["wells"]] == ["A01", "A02"]
    with service.database.read() as session:
        sealed = list(session.scalars(select(JobSession.sealed_key)))[-1]
    assert service.vault.open(sealed) != key_of(ada)
    assert keep_alive(lab.server, service.vault.open(sealed))


def test_sign_in_gives_a_token_for_the_sessions_user(http: TestClient, lab: Lab, ada: BlitzGateway) -> None:
    signed = http.post("/api/v1/sign-in/", json={"omero_session": key_of(ada)}).json()
    assert signed["user_id"] == ada.getUserId()
    headers = {"Authorization": f"Bearer {signed['token']}"}
    assert http.get("/api/v1/pipelines/", headers=headers).status_code == 200
    assert http.post("/api/v1/sign-in/", json={"omero_session": "root"}).status_code == 401


def test_wells_are_chosen_in_plate_order_and_once() -> None:
    layout: PlateLayout = plate_layout(14)
    assert chosen_wells(layout, None) == [well.well for well in layout.wells]
    assert chosen_wells(layout, ["B02", "a1", "A01", "B2"]) == ["A01", "B02"]
