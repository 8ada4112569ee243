# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nothing but health without a good token, and only what its claims allow with one."""

from __future__ import annotations

import time

import jwt
import pytest

from openhcs_execution.queue import executions
from tests.execution.queued import enqueue, execution

ADMIN_ROUTES = [
    ("GET", "admin/queue/"),
    ("POST", "admin/limits/"),
    ("POST", "admin/users/1/limits/"),
    ("POST", "admin/drain/"),
    ("POST", "admin/undrain/"),
    ("GET", "admin/audit/"),
    ("POST", "admin/engine/"),
]
ROUTES = [
    ("GET", "functions/"),
    ("GET", "functions/x/"),
    ("GET", "pipelines/"),
    ("GET", "pipelines/x/"),
    ("POST", "pipelines/validate/"),
    ("POST", "pipelines/render/"),
    ("POST", "pipelines/import-python/"),
    ("GET", "pipelines/schema/"),
    ("POST", "pipelines/golden-check/"),
    ("POST", "executions/"),
    ("GET", "executions/"),
    ("GET", "executions/x/"),
    ("GET", "executions/x/status/"),
    ("GET", "executions/x/events/"),
    ("POST", "executions/x/ticket/"),
    ("POST", "executions/x/cancel/"),
    ("POST", "executions/x/pause/"),
    ("POST", "executions/x/resume/"),
    ("POST", "executions/x/retry/"),
    ("POST", "executions/x/rerun/"),
    ("POST", "executions/x/session/"),
    *ADMIN_ROUTES,
    ("GET", "executions/x/measurements/"),
    ("POST", "executions/x/quality/"),
    ("GET", "executions/x/table/"),
    ("GET", "executions/x/table/wells/"),
    ("GET", "executions/x/table/histogram/"),
    ("GET", "executions/x/table/points/"),
    ("GET", "executions/x/table/download/"),
    ("GET", "executions/x/label-thumbnails/"),
    ("POST", "executions/x/results/deletion-plan/"),
    ("POST", "executions/x/results/delete/"),
    ("GET", "executions/x/passport/"),
    ("GET", "executions/x/methods/"),
    ("GET", "executions/x/wells/A01/log/"),
    ("GET", "executions/x/wells/A01/labels/"),
    ("GET", "executions/x/wells/A01/labels/1/nuclei/"),
]


def test_every_route_of_the_api_is_listed_here(service, http) -> None:
    """A new route must be added above, and is then known to need a token."""
    paths = http.get("/api/v1/openapi.json").json()["paths"]
    protected = {
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, methods in paths.items()
        if path.startswith("/api/v1/") and not path.endswith("/sign-in/")
        for method in methods
    }
    known = set()
    for method, path in ROUTES:
        parts = [("{x}" if part in ("x", "A01", "1", "nuclei") else part) for part in path.split("/")]
        known.add((method, "/".join(parts)))
    assert {
        (method, "/".join("{x}" if part.startswith("{") else part for part in path.split("/"))) for method, path in protected
    } == known


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_answers_without_a_token(http, method: str, path: str) -> None:
    answer = http.request(method, f"/api/v1/{path}", json={})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "token_missing"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/version"])
def test_health_needs_no_token_and_tells_nothing_of_anybody(http, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert "owner" not in answer.text


def test_not_ready_before_there_are_workers(http) -> None:
    assert http.get("/readyz").status_code == 503
    assert http.get("/healthz").json()["status"] == "starting"


def test_a_good_token_is_taken(http, token) -> None:
    assert http.get("/api/v1/pipelines/", headers=token(2)).status_code == 200


def test_tokens_of_another_secret_are_refused(http, token) -> None:
    answer = http.get("/api/v1/pipelines/", headers=token(2, secret="another secret of more than thirty-two characters"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_invalid")


def test_tokens_that_live_longer_than_five_minutes_are_refused(http, token) -> None:
    assert http.get("/api/v1/pipelines/", headers=token(2, lifetime=301)).status_code == 401


def claims(**changes: object) -> dict[str, object]:
    """Good claims but for ``changes``; times among these are seconds from now, as tests are collected long before they run."""
    now = int(time.time())
    changes |= {name: now + value for name in ("iat", "exp") if isinstance(value := changes.get(name), int)}
    good = {
        "sub": "2", "name": "Ada", "admin": False, "groups": [], "aud": "openhcs-execution", "iss": "web",
        "iat": now, "exp": now + 60, "jti": "1",
    }  # fmt: skip
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody-else"},
        {"exp": -60, "iat": -120},
        {"exp": None},
        {"iat": None},
        {"sub": "root"},
        {"sub": "-1"},
        {"jti": None},
        {"iat": 600, "exp": 700},
        {"more": "claims"},
        {"admin": "very"},
    ],
)
def test_tokens_with_wrong_claims_are_refused(http, service, changes: dict[str, object]) -> None:
    assert http.get("/api/v1/pipelines/", headers=_bearer(jwt.encode(claims(), service.secret))).status_code == 200
    assert http.get("/api/v1/pipelines/", headers=_bearer(jwt.encode(claims(**changes), service.secret))).status_code == 401


def test_unsigned_tokens_are_refused(http) -> None:
    assert http.get("/api/v1/pipelines/", headers=_bearer(jwt.encode(claims(), None, algorithm="none"))).status_code == 401


def _bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


READS = ["", "status/", "events/", "measurements/", "wells/A01/labels/"]


def test_who_sees_an_execution(http, service, token) -> None:
    row = execution(service.database, enqueue(service.database, owner=2, group=3))
    seen = {"owner": token(2), "reads_all": token(9, reads_all=True), "admin": token(0, admin=True)}
    hidden = {"private": token(9, reads_all=False), "other_group": token(9, reads_all=True, group=4)}
    for path in READS:
        url = f"/api/v1/executions/{row.execution_id}/{path}"
        for who, headers in seen.items():
            assert http.get(url, headers=headers).status_code == 200, (who, path)
        for who, headers in hidden.items():
            answer = http.get(url, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "execution_not_found"), (who, path)
    for who, headers in seen.items():
        assert len(http.get("/api/v1/executions/", headers=headers).json()["executions"]) == 1, who
    for who, headers in hidden.items():
        assert http.get("/api/v1/executions/", headers=headers).json()["executions"] == [], who


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "retry", "session"])
def test_who_may_change_an_execution(http, service, token, action: str) -> None:
    number = enqueue(service.database, owner=2, group=3)
    url = f"/api/v1/executions/{execution(service.database, number).execution_id}/{action}/"
    body = {"omero_session": "0" * 36}
    onlooker = http.post(url, headers=token(9, reads_all=True), json=body)
    assert (onlooker.status_code, onlooker.json()["error"]["code"]) == (403, "not_yours")
    assert http.post(url, headers=token(9), json=body).status_code == 404
    assert execution(service.database, number).status == "queued"


def test_the_owner_and_administrators_may_cancel(http, service, token) -> None:
    for headers in (token(2), token(0, admin=True)):
        number = enqueue(service.database, owner=2)
        url = f"/api/v1/executions/{execution(service.database, number).execution_id}/cancel/"
        assert http.post(url, headers=headers).json()["status"] == "cancelled"
        assert http.post(url, headers=headers).json()["status"] == "cancelled"


def test_a_finished_execution_is_not_cancelled(http, service, token) -> None:
    number = enqueue(service.database, owner=2)
    executions.cancel(service.database, number)
    with service.database.write() as session:
        session.get_one(type(execution(service.database, number)), number).status = "completed"
    url = f"/api/v1/executions/{execution(service.database, number).execution_id}/cancel/"
    assert http.post(url, headers=token(2)).status_code == 409


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_only_administrators_have_a_say_in_the_queue(http, service, token, method: str, path: str) -> None:
    number = enqueue(service.database, owner=1)
    refused = http.request(method, f"/api/v1/{path}", headers=token(2, reads_all=True), json={"executions_at_once": 9})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_an_administrator")
    board = http.get("/api/v1/admin/queue/", headers=token(0, admin=True)).json()
    assert (board["draining"], board["limits"]["executions_at_once"]) == (False, 2)
    assert board["executions"][0]["execution_id"] == execution(service.database, number).execution_id
    bodies = {"admin/limits/": {"executions_at_once": 9}, "admin/users/1/limits/": {"executions_at_once": 9}}
    bodies["admin/engine/"] = {"address": None}
    body = bodies.get(path)
    assert http.request(method, f"/api/v1/{path}", headers=token(0, admin=True), json=body).status_code == 200
