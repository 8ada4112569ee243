# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue through the API: pauses, places and reasons, limits at run time, draining, and the audit log."""

from __future__ import annotations

import pytest

from openhcs_execution.queue.needs import Needs
from openhcs_execution.queue.policy import claim_wells
from tests.execution.queued import enqueue, execution, states

ADMIN = {"admin": True}


def id_of(service, number: int) -> str:
    return execution(service.database, number).execution_id


def test_an_execution_that_waits_says_why_and_its_place(http, service, token) -> None:
    numbers = [enqueue(service.database, 2, owner=2) for _ in range(3)] + [enqueue(service.database, 2, owner=4)]
    claim_wells(service.database, slots=1, largest=1)
    service.wake()
    answers = [http.get(f"/api/v1/executions/{id_of(service, each)}/status/", headers=token(0, **ADMIN)) for each in numbers]
    told = [(answer.json()["waiting_code"], answer.json()["queue_position"]) for answer in answers]
    assert told == [(None, None), ("workers_busy", 2), ("user_limit", 3), ("workers_busy", 1)]
    assert "user 2 may have 2 runs in work at a time" in answers[2].json()["waiting_reason"]
    assert answers[1].json()["waiting_reason"] == "All workers are busy. 1 other run is before this one."
    # The list and the whole execution say the same.
    page = http.get("/api/v1/executions/", headers=token(0, **ADMIN)).json()["executions"]
    assert [(line["waiting_code"], line["queue_position"]) for line in reversed(page)] == told
    detail = http.get(f"/api/v1/executions/{id_of(service, numbers[2])}/", headers=token(0, **ADMIN)).json()
    assert (detail["waiting_code"], detail["queue_position"]) == told[2]


def test_administrators_see_what_a_run_needs(http, service, token) -> None:
    needing = enqueue(service.database, 1, owner=2, needs=Needs(frozenset({"gpu", "site-b"}), 9000))
    plain = enqueue(service.database, 1, owner=2)
    lines = http.get("/api/v1/admin/queue/", headers=token(0, **ADMIN)).json()["executions"]
    told = {line["execution_id"]: (line["needs_labels"], line["needs_memory_mb"]) for line in lines}
    assert told == {id_of(service, needing): (["gpu", "site-b"], 9000), id_of(service, plain): ([], None)}


@pytest.mark.parametrize("who", [(2, {}), (0, ADMIN)])
def test_a_pause_holds_at_once_and_resuming_ends_it(http, service, token, who) -> None:
    number = enqueue(service.database, 3, owner=2)
    claim_wells(service.database, slots=1, largest=1)
    url, headers = f"/api/v1/executions/{id_of(service, number)}/", token(who[0], **who[1])
    paused = http.post(f"{url}pause/", headers=headers).json()
    assert (paused["status"], paused["paused"], paused["waiting_code"]) == ("running", True, "paused")
    assert paused["waiting_reason"].startswith("Paused by Ada.")
    assert paused["queue_position"] is None
    assert claim_wells(service.database, slots=1, largest=1) is None
    assert http.post(f"{url}pause/", headers=headers).status_code == 200  # a second time is no error
    assert http.post(f"{url}resume/", headers=headers).json()["paused"] is False
    assert claim_wells(service.database, slots=1, largest=1) is not None
    kinds = [event["kind"] for event in http.get(f"{url}events/", headers=headers).json()["events"]]
    assert kinds == ["queued", "started", "paused", "resumed"]
    http.post(f"{url}cancel/", headers=headers)
    for action in ("pause", "resume"):
        assert http.post(f"{url}{action}/", headers=headers).json()["error"]["code"] == "already_finished"


def test_limits_change_while_the_service_runs_and_can_be_given_back(http, service, token) -> None:
    admin = token(0, **ADMIN)
    for _ in range(3):
        enqueue(service.database, 1, owner=2)
    changed = http.post("/api/v1/admin/limits/", headers=admin, json={"executions_at_once": 1, "cpu_hours_per_day": 3}).json()
    assert (changed["limits"]["executions_at_once"], changed["limits"]["cpu_hours_per_day"]) == (1, 3)
    assert changed["defaults"]["executions_at_once"] == 2
    assert [line["waiting_code"] for line in changed["executions"]] == ["workers_busy", "user_limit", "user_limit"]
    own = http.post("/api/v1/admin/users/2/limits/", headers=admin, json={"executions_at_once": 3}).json()
    assert own["people"][0]["own_executions_at_once"] == 3
    assert [line["waiting_code"] for line in own["executions"]] == ["workers_busy"] * 3
    http.post("/api/v1/admin/users/2/limits/", headers=admin, json={"executions_at_once": None})
    back = http.post("/api/v1/admin/limits/", headers=admin, json={"executions_at_once": None}).json()
    assert (back["limits"]["executions_at_once"], back["limits"]["cpu_hours_per_day"]) == (2, 3)
    assert http.post("/api/v1/admin/users/77/limits/", headers=admin, json={}).status_code == 404
    refused = http.post("/api/v1/admin/limits/", headers=admin, json={"executions_at_once": 0})
    assert (refused.status_code, list(refused.json()["error"]["field_errors"])) == (422, ["executions_at_once"])


def test_a_drained_queue_begins_nothing_takes_nothing_and_goes_on_afterwards(http, service, token) -> None:
    admin = token(0, **ADMIN)
    number = enqueue(service.database, 3, owner=2)
    claim_wells(service.database, slots=1, largest=1)
    drained = http.post("/api/v1/admin/drain/", headers=admin).json()
    assert (drained["draining"], drained["drained_by"]) == (True, "Ada")
    assert (drained["executions"][0]["waiting_code"], drained["executions"][0]["wells_in_work"]) == ("draining", 0)
    assert claim_wells(service.database, slots=1, largest=1) is None
    submission = {"plate_id": 5, "pipeline_id": "nuclei-count", "omero_session": "0" * 36}
    refused = http.post("/api/v1/executions/", headers=token(2), json=submission)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
    assert "takes no new runs just now" in refused.json()["error"]["message"]
    retried = http.post(f"/api/v1/executions/{id_of(service, number)}/retry/", headers=token(2))
    assert retried.status_code == 503
    assert http.post("/api/v1/admin/undrain/", headers=admin).json()["draining"] is False
    assert claim_wells(service.database, slots=1, largest=1) is not None


def test_the_audit_log_says_who_did_what(http, service, token) -> None:
    admin = token(0, **ADMIN)
    number = enqueue(service.database, 2, owner=2)
    url = f"/api/v1/executions/{id_of(service, number)}/"
    for action in ("pause", "resume", "cancel", "retry"):
        assert http.post(f"{url}{action}/", headers=token(2)).status_code == 200
    http.post("/api/v1/admin/limits/", headers=admin, json={"ageing_minutes": 5})
    http.post("/api/v1/admin/users/2/limits/", headers=admin, json={"cpu_hours_per_day": 1.5})
    http.post("/api/v1/admin/drain/", headers=admin)
    http.post("/api/v1/admin/undrain/", headers=admin)
    first = http.get("/api/v1/admin/audit/?limit=4", headers=admin).json()
    rest = http.get(f"/api/v1/admin/audit/?cursor={first['next_cursor']}", headers=admin).json()
    entries = first["entries"] + rest["entries"]
    assert [(entry["user_id"], entry["action"]) for entry in entries] == [
        (0, "undrain"),
        (0, "drain"),
        (0, "change_limits"),
        (0, "change_limits"),
        (2, "retry"),
        (2, "cancel"),
        (2, "resume"),
        (2, "pause"),
        (2, "submit"),
    ]
    assert entries[2]["target"] == "user 2"
    assert entries[2]["details"] == {"name": "user 2", "cpu_hours_per_day": 1.5}
    assert entries[4]["details"] == {"wells": 2, "which": "unfinished"}
    only = http.get(f"/api/v1/admin/audit/?target={id_of(service, number)}", headers=admin).json()
    assert len(only["entries"]) == 5


def test_only_one_kind_of_wells_can_be_run_again(http, service, token) -> None:
    number = enqueue(service.database, 2, owner=2)
    url = f"/api/v1/executions/{id_of(service, number)}/"
    http.post(f"{url}cancel/", headers=token(2))
    refused = http.post(f"{url}retry/?which=failed", headers=token(2))
    assert (refused.status_code, refused.json()["error"]["message"]) == (409, "No well of this execution failed.")
    assert http.post(f"{url}retry/?which=skipped", headers=token(2)).status_code == 200
    assert set(states(service.database, number).values()) == {"waiting"}
    assert http.post(f"{url}retry/?which=all", headers=token(2)).status_code == 422


def test_an_engine_is_changed_by_administrators_and_only_to_one_that_answers_over_tls(http, token) -> None:
    admin, somebody = token(0, admin=True), token(2)
    assert http.post("/api/v1/admin/engine/", headers=somebody, json={"address": None}).status_code == 403
    for address, code, status in (
        ("tcp://127.0.0.1:1", "engine_not_safe", 400),
        ("tls://127.0.0.1:1", "no_certificates", 409),
    ):
        refused = http.post("/api/v1/admin/engine/", headers=admin, json={"address": address})
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert http.get("/api/v1/admin/queue/", headers=admin).json()["engine"] == "local"
    assert http.get("/api/v1/admin/audit/", headers=admin).json()["entries"] == []
