# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bad requests get the one envelope, the right status and a sentence; good reads are paged and cheap."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from openhcs_client import document_schema
from openhcs_execution.queue import wells
from tests.execution.queued import claim_all, computed, enqueue, execution

KEY = "0b3e53a6-8c21-4c7e-9c59-3a2c9f0d1e11"


def error(answer) -> dict:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field_errors", "request_id"}
    assert body["error"]["request_id"] == answer.headers["x-request-id"]
    assert body["error"]["message"].endswith(".")
    return body["error"]


def submission(**changes) -> dict:
    return {"plate_id": 1, "pipeline_id": "nuclei-count", "omero_session": KEY, **changes}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{not json", 400, "bad_json"),
        (b"", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b"\xff\xfe", 400, "bad_json"),
    ],
)
def test_bodies_that_are_not_what_they_should_be(http, token, body: bytes, status: int, code: str) -> None:
    answer = http.post("/api/v1/executions/", headers={**token(2), "Content-Type": "application/json"}, content=body)
    assert (answer.status_code, error(answer)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"plate_id": 0}, "plate_id"),
        ({"plate_id": "one"}, "plate_id"),
        ({"version": 0}, "version"),
        ({"wells": "A01"}, "wells"),
        ({"parameters": {"x": {"nested": 1}}}, "parameters"),
        ({"more": 1}, "more"),
        ({"omero_session": 5}, "omero_session"),
    ],
)
def test_wrong_fields_are_named_and_values_not_repeated(http, token, changes: dict, field: str) -> None:
    answer = http.post("/api/v1/executions/", headers=token(2), json=submission(**changes))
    assert answer.status_code == 422
    assert any(name == field or name.startswith(f"{field}.") for name in error(answer)["field_errors"])
    assert KEY not in answer.text


def test_unknown_pipelines_and_versions(http, token) -> None:
    answer = http.post("/api/v1/executions/", headers=token(2), json=submission(pipeline_id="nope"))
    assert (answer.status_code, error(answer)["code"]) == (404, "unknown_pipeline")
    answer = http.post("/api/v1/executions/", headers=token(2), json=submission(version=999))
    assert (answer.status_code, error(answer)["code"]) == (404, "unknown_pipeline_version")
    assert http.get("/api/v1/pipelines/nope/", headers=token(2)).status_code == 404


def test_another_omero_server_is_refused(http, token) -> None:
    answer = http.post("/api/v1/executions/", headers=token(2), json=submission(omero_server="omero.example.org:4064"))
    assert (answer.status_code, error(answer)["code"]) == (422, "other_omero_server")
    same = http.post("/api/v1/executions/", headers=token(2), json=submission(omero_server="localhost:1"))
    assert error(same)["code"] == "omero_unreachable"  # ours, and nobody answers there


def test_omero_that_does_not_answer_is_503_and_nothing_is_kept(http, token, service) -> None:
    for url, body in (("executions/", submission()), ("sign-in/", {"omero_session": KEY})):
        answer = http.post(f"/api/v1/{url}", headers=token(2), json=body)
        assert (answer.status_code, error(answer)["code"]) == (503, "omero_unreachable")
    assert http.get("/api/v1/executions/", headers=token(2)).json()["executions"] == []


def test_something_that_is_no_session_key_is_401(http, token) -> None:
    answer = http.post("/api/v1/executions/", headers=token(2), json=submission(omero_session="root"))
    assert (answer.status_code, error(answer)["code"]) == (401, "omero_session_lost")


def test_a_full_disk_refuses_submissions(http, token, service, monkeypatch) -> None:
    object.__setattr__(service.settings, "minimum_free_mb", 10**9)
    answer = http.post("/api/v1/executions/", headers=token(2), json=submission())
    assert (answer.status_code, error(answer)["code"]) == (507, "disk_full")


def test_large_bodies_are_refused_whether_they_say_so_or_not(http, token) -> None:
    large = b'{"x": "' + b"a" * 60_000 + b'"}'
    announced = http.post("/api/v1/executions/", headers=token(2), content=large)
    streamed = http.post(
        "/api/v1/executions/", headers=token(2), content=(large[i : i + 1000] for i in range(0, len(large), 1000))
    )
    for answer in (announced, streamed):
        assert (answer.status_code, error(answer)["code"]) == (413, "body_too_large")


def test_unknown_addresses_and_methods_have_envelopes_too(http) -> None:
    assert error(http.get("/api/v1/nowhere/"))["code"] == "not_found"
    assert http.get("/api/v1/nowhere/").status_code == 404
    assert error(http.put("/healthz"))["code"] == "method_not_allowed"


def test_a_crash_is_an_envelope_without_internals(http, token, service, monkeypatch) -> None:
    monkeypatch.setattr(service.pipelines, "summaries", lambda: 1 / 0)
    answer = http.get("/api/v1/pipelines/", headers=token(2))
    assert (answer.status_code, error(answer)["code"]) == (500, "internal_error")
    assert "ZeroDivision" not in answer.text


def test_request_ids_are_kept_when_well_formed(http) -> None:
    assert http.get("/healthz", headers={"X-Request-ID": "abc-123"}).headers["x-request-id"] == "abc-123"
    assert http.get("/healthz", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"] != "a b\tc"


def test_catalogues(http, token) -> None:
    offered = http.get("/api/v1/functions/", headers=token(2)).json()["functions"]
    assert offered
    assert all(function["offered"] for function in offered)
    everything = http.get("/api/v1/functions/?offered=false", headers=token(2)).json()["functions"]
    assert len(everything) >= len(offered)
    one = http.get(f"/api/v1/functions/{offered[0]['id']}/", headers=token(2))
    assert one.json() == offered[0]
    assert error(http.get("/api/v1/functions/openhcs:nope/", headers=token(2)))["code"] == "unknown_function"
    pipelines = http.get("/api/v1/pipelines/", headers=token(2)).json()["pipelines"]
    for pipeline in pipelines:
        versions = http.get(f"/api/v1/pipelines/{pipeline['id']}/", headers=token(2)).json()
        assert [version["version"] for version in versions["versions"]] == pipeline["versions"]


def test_validation_answers_also_for_nonsense(http, token) -> None:
    [document, *_] = http.get("/api/v1/pipelines/nuclei-count/", headers=token(2)).json()["versions"]
    good = http.post("/api/v1/pipelines/validate/", headers=token(2), json={"document": document, "channels": ["DNA"]})
    assert good.json()["valid"] is True
    bad = http.post("/api/v1/pipelines/validate/", headers=token(2), json={"document": {"steps": []}, "channels": None})
    assert bad.status_code == 200
    assert bad.json()["valid"] is False
    assert {"id", "name", "steps"} <= set(bad.json()["field_errors"])
    document["steps"][0]["function"] = "os:system"
    unknown = http.post("/api/v1/pipelines/validate/", headers=token(2), json={"document": document})
    assert unknown.json()["valid"] is False
    assert http.post("/api/v1/pipelines/render/", headers=token(2), json={"document": document}).status_code == 422


def test_a_document_that_cannot_be_used_is_refused_at_every_door(http, token) -> None:
    [document, *_] = http.get("/api/v1/pipelines/nuclei-count/", headers=token(2)).json()["versions"]
    document |= {"parameters": [], "measurements": [], "primary_measurement": None}
    step = {"name": "Smooth", "function": "openhcs:gaussian_blur"}
    cases: list[tuple[dict, str, str]] = [
        ({"surprise": 1}, "invalid_pipeline", "surprise"),
        ({"schema_version": 2}, "newer_schema", "schema_version"),
        ({"name": 5}, "invalid_pipeline", "name"),
        ({"name": "a\0"}, "invalid_pipeline", "name"),
        ({"steps": [step] * 101}, "invalid_pipeline", "steps"),
        ({"steps": [step | {"parameters": {"x": [[1]]}}]}, "invalid_pipeline", "steps.0.parameters.x"),
        ({"steps": [step | {"function": "skimage:filters.gaussian_of_old"}]}, "invalid_pipeline", "steps.0.function"),
    ]
    for change, code, field in cases:
        wrong = document | change
        report = http.post("/api/v1/pipelines/validate/", headers=token(2), json={"document": wrong})
        assert report.status_code == 200
        assert (report.json()["valid"], field in report.json()["field_errors"]) == (False, True), change
        render = http.post("/api/v1/pipelines/render/", headers=token(2), json={"document": wrong})
        assert (render.status_code, error(render)["code"]) == (422, code)
        assert field in error(render)["field_errors"]


def test_a_submitted_document_is_read_as_strictly(http, token) -> None:
    [document, *_] = http.get("/api/v1/pipelines/nuclei-count/", headers=token(2)).json()["versions"]
    step = {"name": "Smooth", "function": "openhcs:gaussian_blur"}
    for change, code, field in [
        ({"surprise": 1}, "invalid_request", "document.surprise"),
        ({"schema_version": 2}, "newer_schema", "document.schema_version"),
        ({"steps": [step] * 101}, "invalid_request", "document.steps"),
        ({"steps": [step | {"parameters": {"x": {}}}]}, "invalid_request", "document.steps.0.parameters.x"),
    ]:
        body = submission(document=document | change)
        answer = http.post("/api/v1/executions/", headers=token(2), json=body)
        assert (answer.status_code, error(answer)["code"]) == (422, code)
        assert field in error(answer)["field_errors"]
        assert KEY not in answer.text


@pytest.mark.parametrize(
    "text", ['{"document": NaN}', '{"document": 1e999}', '{"document": {}, "document": {}}', '{"document": ' + "[" * 20_000]
)
@pytest.mark.parametrize("path", ["pipelines/validate/", "pipelines/render/", "executions/"])
def test_json_that_python_would_take_is_refused(http, token, path: str, text: str) -> None:
    headers = {**token(2), "Content-Type": "application/json"}
    answer = http.post(f"/api/v1/{path}", headers=headers, content=text.encode())
    assert (answer.status_code, error(answer)["code"]) == (400, "bad_json")


def test_documents_go_to_python_and_back(http, token) -> None:
    [document, *_] = http.get("/api/v1/pipelines/colocalisation/", headers=token(2)).json()["versions"]
    source = http.post("/api/v1/pipelines/render/", headers=token(2), json={"document": document}).json()["python"]
    imported = http.post("/api/v1/pipelines/import-python/", headers=token(2), json={"source": source}).json()
    assert imported["document"] == document
    assert imported["field_errors"] == {}
    assert {note["severity"] for note in imported["notes"]} == {"info"}


def test_scripts_that_cannot_be_read_are_an_answer(http, token) -> None:
    for source in ("import os\nos.system('true')", "(", "\0", "[" * 10_000):
        answer = http.post("/api/v1/pipelines/import-python/", headers=token(2), json={"source": source})
        assert answer.status_code == 200
        assert answer.json()["document"] is None
        assert any(note["severity"] == "error" for note in answer.json()["notes"])
    script = (
        "from openhcs.core.steps.function_step import FunctionStep\n"
        "from openhcs.processing.backends.processors.numpy_processor import gaussian_blur\n"
        "pipeline_steps = [FunctionStep(func=(gaussian_blur, {'sigma': 5000}))]"
    )
    body = {"source": script, "name": "Mine"}
    imported = http.post("/api/v1/pipelines/import-python/", headers=token(2), json=body).json()
    assert imported["document"]["name"] == "Mine"
    assert {"steps", "steps.0.parameters.sigma"} <= set(imported["field_errors"]), "what the validation would say"
    for wrong in ({"source": 5}, {}, {"source": "", "more": 1}, {"source": "x", "name": "n" * 121}):
        answer = http.post("/api/v1/pipelines/import-python/", headers=token(2), json=wrong)
        assert (answer.status_code, error(answer)["code"]) == (422, "invalid_request")
    large = http.post("/api/v1/pipelines/import-python/", headers=token(2), json={"source": "x" * 60_000})
    assert (large.status_code, error(large)["code"]) == (413, "body_too_large")


def test_the_schema_of_a_document_is_served(http, token) -> None:
    assert http.get("/api/v1/pipelines/schema/", headers=token(2)).json() == document_schema()


def test_pages_of_executions(http, token, service) -> None:
    numbers = [enqueue(service.database, 1, owner=2) for _ in range(5)]
    first = http.get("/api/v1/executions/?limit=2", headers=token(2)).json()
    second = http.get(f"/api/v1/executions/?limit=2&cursor={first['next_cursor']}", headers=token(2)).json()
    third = http.get(f"/api/v1/executions/?limit=2&cursor={second['next_cursor']}", headers=token(2)).json()
    ids = [each["execution_id"] for page in (first, second, third) for each in page["executions"]]
    assert ids == [execution(service.database, number).execution_id for number in reversed(numbers)]
    assert third["next_cursor"] is None
    assert error(http.get("/api/v1/executions/?cursor=x", headers=token(2)))["code"] == "bad_cursor"
    assert http.get("/api/v1/executions/?plate=77", headers=token(2)).json()["executions"] == []
    assert len(http.get("/api/v1/executions/?status=queued&owner=2", headers=token(2)).json()["executions"]) == 5
    assert http.get("/api/v1/executions/?status=sleeping", headers=token(2)).status_code == 422


def test_events_come_after_a_cursor(http, token, service) -> None:
    number = enqueue(service.database, 3, owner=2)
    for claimed in claim_all(service.database):
        wells.commit_well(service.database, claimed, computed())
    url = f"/api/v1/executions/{execution(service.database, number).execution_id}/events/"
    first = http.get(f"{url}?limit=2", headers=token(2)).json()
    rest = http.get(f"{url}?since={first['next']}", headers=token(2)).json()
    sequences = [each["sequence"] for each in first["events"] + rest["events"]]
    assert sequences == list(range(1, len(sequences) + 1))
    nothing = http.get(f"{url}?since={rest['next']}", headers=token(2)).json()
    assert (nothing["events"], nothing["next"]) == ([], rest["next"])
    assert http.get(f"{url}?since=-1", headers=token(2)).status_code == 422


def test_status_reads_one_row(http, token, service) -> None:
    """The wells, for the time that is left, are looked at once in a while for all who ask."""
    number = enqueue(service.database, 96, owner=2)
    url = f"/api/v1/executions/{execution(service.database, number).execution_id}/status/"
    claim_all(service.database)  # while wells wait, the place in the queue is looked up too, once a second for all who ask
    statements: list[str] = []
    http.get(url, headers=token(2))
    event.listen(service.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    body = http.get(url, headers=token(2)).json()
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1
    assert body["status"] == "running"
    assert (body["wells_total"], body["wells_completed"], body["estimated_completion"]) == (96, 0, None)


def test_the_detail_has_every_well_and_the_document(http, token, service) -> None:
    number = enqueue(service.database, 3, owner=2)
    body = http.get(f"/api/v1/executions/{execution(service.database, number).execution_id}/", headers=token(2)).json()
    assert [well["well"] for well in body["wells"]] == ["A01", "A02", "A03"]
    assert body["document"]["id"] == "count"
    assert body["last_event"] == 1
