# SPDX-License-Identifier: AGPL-3.0-or-later
"""The methods of RemoteOrchestrator against a model of the API."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from openhcs_client import ExecutionStatusName, OpenHCSError, RemoteOrchestrator, SubmitExecution

from .fake_service import DOCUMENT, FakeService, FakeWeb


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def client(service: FakeService) -> RemoteOrchestrator:
    return RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(service))


@pytest.fixture
def web() -> FakeWeb:
    return FakeWeb()


@pytest.fixture
def web_client(web: FakeWeb) -> RemoteOrchestrator:
    return RemoteOrchestrator.sign_in_to_web("https://o.example", "ada", "secret", transport=httpx.MockTransport(web))


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ({"host": "::1", "port": 7000}, "http://[::1]:7000/api/v1/"),
        ({}, "http://127.0.0.1:7777/api/v1/"),
        ({"base_url": "https://o.example/openhcs"}, "https://o.example/openhcs/api/v1/"),
        ({"base_url": "https://o.example/openhcs/api/v1/"}, "https://o.example/openhcs/api/v1/"),
        ({"base_url": "https://o.example/openhcs/api/v1"}, "https://o.example/openhcs/api/v1/"),
    ],
)
def test_the_root_of_the_api(given, root):
    assert RemoteOrchestrator(**given).url == root


def test_one_way_to_sign_in_at_a_time():
    with pytest.raises(ValueError, match="one of"):
        RemoteOrchestrator(token="t", omero_session="k")


def test_quality_takes_the_roles_at_the_service_only(client, service, web_client, web):
    assert client.quality("e1", roles={"A01": "positive"}).measurements[0].controls.verdict == "excellent"
    assert service.bodies("POST", "quality/") == [{"roles": {"A01": "positive"}, "measurement": None}]
    assert web_client.quality("e1", measurement="count").wells_used == 9
    assert dict(web.requests[-1].url.params) == {"measurement": "count"}
    with pytest.raises(OpenHCSError, match="OMERO"):
        web_client.quality("e1", roles={"A01": "positive"})
    assert web_client.controls(51).wells[0].role == "positive"


def test_the_report_is_made_by_omero_web_only(client, service, web_client):
    assert web_client.report("e1").decode().endswith("<title>Zähler</title>")
    asked = len(service.requests)
    with pytest.raises(OpenHCSError, match="made by OMERO") as refused:
        client.report("e1")
    assert refused.value.code == "report_not_here"
    assert len(service.requests) == asked


def test_the_catalogue(client):
    assert client.functions()[0].id == "a:b"
    assert client.pipelines()[0].versions == [2, 1]
    assert client.pipeline("nuclei-count") == [DOCUMENT]
    assert client.render(DOCUMENT) == "pipeline = []\n"
    assert client.validate(DOCUMENT, ["DAPI"]).field_errors == {"steps.0.function": "unknown"}


def test_functions_that_are_not_offered_can_be_asked_for(client, service):
    client.functions(offered=False)
    assert service.requests[-1].url.params["offered"] == "false"


def test_a_run_by_id_carries_the_session_and_the_config(client, service):
    config = {"wells": ["A01"], "parameters": {"sigma": 2.0}, "version": 1, "test_well": None}
    assert client.execute_remote(plate_id=51, pipeline="nuclei-count", config=config) == "e1"
    body = service.bodies("POST", "executions/")[0]
    assert body == {
        "plate_id": 51,
        "pipeline_id": "nuclei-count",
        "version": 1,
        "wells": ["A01"],
        "parameters": {"sigma": 2.0},
        "test_well": None,
        "omero_session": "key-of-ada",
        "session_for_job": False,
        "omero_server": None,
        "document": None,
    }
    assert service.requests[-1].headers["Idempotency-Key"]


@pytest.mark.parametrize("document", [DOCUMENT, DOCUMENT.model_dump(mode="json")])
def test_a_run_of_a_document_sends_it_to_the_service(client, service, document):
    client.execute_remote(plate_id=51, pipeline=document)
    body = service.bodies("POST", "executions/")[0]
    assert (body["pipeline_id"], body["version"]) == ("nuclei-count", 2)
    assert body["document"] == DOCUMENT.model_dump(mode="json")


def test_through_omero_web_no_session_is_sent(web_client, web):
    web_client.execute_remote(plate_id=51, pipeline="nuclei-count")
    options = {"saving", "mail_when_done", "controls_first", "expected_plate"}
    assert set(web.bodies("POST", "executions/")[0]) == set(SubmitExecution.model_fields) - options


@pytest.mark.parametrize("change", [{"name": "Changed"}, {"id": "another"}])
def test_through_omero_web_a_new_document_is_saved_first_and_run_in_the_version_it_got(web_client, web, change):
    web_client.execute_remote(plate_id=51, pipeline=DOCUMENT.model_copy(update=change))
    saved = web.bodies("POST", "pipelines/")
    assert len(saved) == 1
    assert change.items() <= saved[0]["document"].items()
    assert web.bodies("POST", "executions/")[0]["version"] == 7


def test_through_omero_web_a_known_document_is_not_saved_again(web_client, web):
    web_client.execute_remote(plate_id=51, pipeline=DOCUMENT.model_copy(update={"version": 1}))
    assert web.bodies("POST", "pipelines/") == []
    assert web.bodies("POST", "executions/")[0]["version"] == DOCUMENT.version


def test_saving_can_be_refused_when_somebody_was_faster(web_client, web):
    web_client.save_pipeline(DOCUMENT, based_on=2)
    assert web.bodies("POST", "pipelines/")[0]["based_on"] == 2


def test_two_submissions_have_two_keys_unless_told(client, service):
    submission = SubmitExecution(plate_id=1, pipeline_id="p")
    client.submit(submission)
    client.submit(submission)
    client.submit(submission, idempotency_key="mine")
    keys = [request.headers["Idempotency-Key"] for request in service.requests if request.url.path.endswith("executions/")]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_refusals_of_the_service_arrive_whole(client):
    with pytest.raises(OpenHCSError, match="Plate 404 does not exist") as caught:
        client.execute_remote(plate_id=404, pipeline="p")
    assert caught.value.field_errors == {"plate_id": "unknown"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"plate_id": 1, "pipeline": "p", "config": {"well": ["A01"]}}, "invalid_config"),
        ({"plate_id": 0, "pipeline": "p"}, "invalid_submission"),
        ({"plate_id": 1, "pipeline": {"id": "x"}}, "invalid_pipeline"),
        ({"plate_id": 1, "pipeline": "p", "viewer_port": 5555}, "viewer_port_not_supported"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(client, service, arguments, code):
    with pytest.raises(OpenHCSError) as caught:
        client.execute_remote(**arguments)
    assert caught.value.code == code
    assert service.requests == []


def test_running_needs_an_omero_session():
    with pytest.raises(OpenHCSError, match="omero_session"):
        RemoteOrchestrator(token="t").execute_remote(plate_id=1, pipeline="p")


def test_the_session_key_does_not_show_in_representations(client):
    assert "key-of-ada" not in repr(vars(client))


def test_changes_of_an_execution(client, service):
    client.cancel("e1")
    client.retry("e1")
    client.renew_session("e1", "new-key", session_for_job=True)
    paths = [request.url.path for request in service.requests if request.method == "POST"]
    assert paths[1:] == [f"/api/v1/executions/e1/{what}/" for what in ("cancel", "retry", "session")]
    assert service.bodies("POST", "session/") == [{"omero_session": "new-key", "session_for_job": True}]
    # The session of a finished execution is closed, so a retry brings the client's own.
    assert service.bodies("POST", "retry/") == [{"omero_session": "key-of-ada", "session_for_job": False}]


def test_lists_leave_out_what_is_not_asked(client, service):
    assert client.executions(plate=51).executions[0].plate_name == "Plate"
    assert dict(service.requests[-1].url.params) == {"plate": "51"}


def test_results_are_read_page_by_page(client, service):
    results = client.results("e1")
    assert results.links.table_file_id == 9
    assert not any("measurements" in request.url.path for request in service.requests)
    table = results.measurements("well")
    assert table.columns == ["well", "count"]
    assert table.rows == [["A01", 12.0], ["A02", None], ["A03", 7]]
    assert table.column("count") == [12.0, None, 7]
    assert table.records()[1] == {"well": "A02", "count": None}
    assert len(table) == 3
    with pytest.raises(KeyError):
        table.column("area")


def test_rows_come_as_they_are_read(client, service):
    rows = client.results("e1").rows("field")
    assert rows.total_rows == 3
    iterator = iter(rows)
    assert [next(iterator), next(iterator)] == [["A01", 12.0], ["A02", None]]
    pages = [request for request in service.requests if "measurements" in request.url.path]
    assert [page.url.params.get("cursor") for page in pages] == [None]
    assert next(iterator) == ["A03", 7]
    assert service.requests[-1].url.params["cursor"] == "2"


def test_columns_that_change_between_pages_are_an_error(client, service, monkeypatch):
    genuine = service.measurements

    def other_columns(request: httpx.Request) -> httpx.Response:
        body = genuine(request).json()
        return httpx.Response(200, json=body | ({"columns": ["well", "area"]} if "cursor" in request.url.params else {}))

    monkeypatch.setattr(service, "measurements", other_columns)
    with pytest.raises(OpenHCSError, match="changed while"):
        client.results("e1").measurements()


def test_a_label_image_is_an_array_without_numpy(client):
    assert client.labels("e1", "A01")[0].objects == 2
    image = client.label_image("e1", "A01", 1, "nuclei")
    array = np.asarray(image)
    assert array.shape == (2, 3)
    assert array.dtype == np.dtype("<i4")
    assert array.tobytes() == bytes(range(24))


def test_a_label_image_that_is_cut_short_is_an_error(service):
    def cut(request: httpx.Request) -> httpx.Response:
        answer = service(request)
        if "X-Shape" in answer.headers:
            return httpx.Response(200, content=answer.content[:-4], headers={"X-Shape": answer.headers["X-Shape"]})
        return answer

    client = RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(cut))
    with pytest.raises(OpenHCSError, match="incomplete"):
        client.label_image("e1", "A01", 1, "nuclei")


def test_health_needs_no_sign_in():
    service = FakeService()
    assert RemoteOrchestrator(transport=httpx.MockTransport(service)).health().status == "ok"
    assert [request.url.path for request in service.requests] == ["/healthz"]


def test_status_and_events(client):
    assert client.status("e1").status is ExecutionStatusName.RUNNING
    page = client.events("e1", since=4)
    assert (page.next, page.events[0].well) == (5, "A02")


def test_an_answer_in_another_form_is_an_error_with_a_sentence():
    def other(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=["something"])

    client = RemoteOrchestrator(token="t", transport=httpx.MockTransport(other))
    for call in (client.pipelines, lambda: client.status("e1")):
        with pytest.raises(OpenHCSError, match="same version") as caught:
            call()
        assert caught.value.status == 502


def test_it_closes_as_a_context(service):
    with RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(service)) as client:
        client.pipelines()
    with pytest.raises(RuntimeError, match="closed"):
        client.pipelines()


def test_every_page_of_the_list_is_read(web_client, web):
    web.pages = 3
    assert len(web_client.pipelines("nuclei")) == 3
    asked = [dict(request.url.params) for request in web.requests if request.url.path.endswith("/pipelines/")]
    assert [query.get("page") for query in asked[-3:]] == [None, "2", "3"]
    assert {query["q"] for query in asked[-3:]} == {"nuclei"}


def test_a_change_of_what_somebody_else_has_changed_is_told(web_client):
    with pytest.raises(OpenHCSError, match="Somebody has changed it") as told:
        web_client.rename_pipeline("nuclei-count", "New", revision=2)
    assert (told.value.code, told.value.status) == ("pipeline_changed", 409)
