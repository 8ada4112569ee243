# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every failure is an OpenHCSError with a sentence; only what cannot happen twice is repeated."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from openhcs_client import OpenHCSError
from openhcs_client._http import ApiConnection, is_confidential, path_of

from .fake_service import envelope


def connection(handler: Callable[[httpx.Request], httpx.Response], **options: object) -> tuple[ApiConnection, list[float]]:
    pauses: list[float] = []
    transport = httpx.MockTransport(handler)
    return ApiConnection("http://127.0.0.1:7777/api/v1/", transport=transport, pause=pauses.append, **options), pauses


def answering(*answers: httpx.Response | Exception) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        answer = answers[min(len(seen), len(answers) - 1)]
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler, seen


def test_an_envelope_becomes_an_error_with_everything_in_it():
    handler, _ = answering(envelope(422, "invalid_parameters", "Check the values.", sigma="too large"))
    api, _ = connection(handler)
    with pytest.raises(OpenHCSError, match="Check the values") as caught:
        api.post("executions/", {})
    error = caught.value
    assert (error.code, error.status, error.field_errors, error.request_id) == (
        "invalid_parameters",
        422,
        {"sigma": "too large"},
        "r-1",
    )


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx.ConnectError("refused"), "Nothing answers at http://127.0.0.1:7777"),
        (httpx.ReadTimeout("slow"), "did not answer in time"),
        (httpx.RemoteProtocolError("cut"), "broke off"),
    ],
)
def test_a_server_that_is_not_there_is_service_unavailable(failure, words):
    handler, seen = answering(failure)
    api, pauses = connection(handler)
    with pytest.raises(OpenHCSError, match=words) as caught:
        api.get("pipelines/")
    assert (caught.value.code, caught.value.status) == ("service_unavailable", 503)
    assert len(seen) == 3
    assert pauses == pytest.approx([0.2, 0.6])


def test_a_real_refused_connection_is_service_unavailable():
    api = ApiConnection("http://127.0.0.1:9/api/v1/", retries=0)
    with pytest.raises(OpenHCSError, match="Nothing answers") as caught:
        api.get("pipelines/")
    assert caught.value.code == "service_unavailable"


def test_reading_is_repeated_until_it_succeeds():
    handler, seen = answering(httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(200, json={}))
    api, _ = connection(handler)
    assert api.get("pipelines/").status_code == 200
    assert len(seen) == 3


def test_a_change_is_never_repeated_without_an_idempotency_key():
    handler, seen = answering(httpx.ReadTimeout("slow"))
    api, pauses = connection(handler)
    with pytest.raises(OpenHCSError):
        api.post("executions/e1/cancel/")
    assert len(seen) == 1
    assert pauses == []


def test_a_submission_with_a_key_is_repeated_with_the_same_key():
    handler, seen = answering(httpx.ReadTimeout("slow"), httpx.Response(201, json={}))
    api, _ = connection(handler)
    api.post("executions/", {"plate_id": 1}, idempotency_key="k-1")
    assert [request.headers["Idempotency-Key"] for request in seen] == ["k-1", "k-1"]


def test_a_refusal_is_not_repeated():
    handler, seen = answering(envelope(403, "forbidden", "Only the owner may do this."))
    api, _ = connection(handler)
    with pytest.raises(OpenHCSError):
        api.get("executions/e1/")
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(502, text="<html>Bad Gateway"), "service_unavailable"),
        (httpx.Response(403, text="<html>Forbidden"), "not_signed_in"),
        (httpx.Response(302, headers={"Location": "/webclient/login/?url=x"}), "not_signed_in"),
        (httpx.Response(404, text="<html>Not found"), "unexpected_answer"),
        (httpx.Response(302, headers={"Location": "/elsewhere"}), "unexpected_answer"),
        (httpx.Response(500, json={"detail": "x"}), "unexpected_answer"),
    ],
)
def test_answers_of_other_servers_are_told_apart(answer, code):
    handler, _ = answering(answer)
    api, _ = connection(handler)
    with pytest.raises(OpenHCSError) as caught:
        api.get("pipelines/")
    assert caught.value.code == code
    assert "<html>" not in caught.value.message


def test_ids_cannot_climb_out_of_their_place_in_the_path():
    assert path_of("executions", "../../admin?x=1#y") == "executions/..%2F..%2Fadmin%3Fx%3D1%23y/"
    handler, seen = answering(httpx.Response(200, json={}))
    api, _ = connection(handler)
    api.get(path_of("executions", "../sign-in"))
    assert seen[0].url.raw_path == b"/api/v1/executions/..%2Fsign-in/"


@pytest.mark.parametrize(
    ("url", "confidential"),
    [
        ("http://127.0.0.1:7777/", True),
        ("http://[::1]:7777/", True),
        ("http://localhost/", True),
        ("https://omero.example.org/", True),
        ("http://omero.example.org/", False),
        ("http://127.0.0.1.example.org/", False),
        ("http://localhost.example.org/", False),
        ("http://10.0.0.5:7777/", False),
    ],
)
def test_where_secrets_may_go(url, confidential):
    assert is_confidential(httpx.URL(url)) is confidential


class CutOff(httpx.SyncByteStream):
    """Half an answer."""

    def __iter__(self):
        yield b"well,area\n"
        raise httpx.ReadError("cut")


def test_a_file_comes_in_pieces_and_half_a_file_is_an_error():
    handler, _ = answering(httpx.Response(200, content=b"a" * 100), httpx.Response(200, stream=CutOff()))
    api, _ = connection(handler)
    assert b"".join(api.stream("table/")) == b"a" * 100
    with pytest.raises(OpenHCSError, match="broke off"):
        list(api.stream("table/"))


def test_a_refused_file_is_refused_before_its_first_byte():
    handler, seen = answering(envelope(422, "unknown_column", "No such column.", sort="x"), httpx.ConnectError("refused"))
    api, _ = connection(handler)
    with pytest.raises(OpenHCSError, match="No such column"):
        api.stream("table/")
    with pytest.raises(OpenHCSError, match="Nothing answers"):
        api.stream("table/")
    assert len(seen) == 2
