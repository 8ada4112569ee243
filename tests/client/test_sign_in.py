# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing in: with an OMERO session at the service, with a password at OMERO.web, and never in the clear."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from openhcs_client import OpenHCSError, RemoteOrchestrator, ServiceSubmission
from openhcs_client._sign_in import OmeroSessionAuth, web_root

from .fake_service import FakeService, FakeWeb


def test_an_omero_session_is_exchanged_once_and_the_token_used_again():
    service = FakeService()
    client = RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(service))
    client.pipelines()
    client.functions()
    assert [request.url.path for request in service.requests] == [
        "/api/v1/sign-in/",
        "/api/v1/pipelines/",
        "/api/v1/functions/",
    ]


def test_a_token_is_renewed_before_it_ends():
    service = FakeService()
    now = [0.0]
    auth = OmeroSessionAuth(httpx.URL("http://127.0.0.1/api/v1/sign-in/"), SecretStr("key-of-ada"), clock=lambda: now[0])
    client = httpx.Client(auth=auth, transport=httpx.MockTransport(service), base_url="http://127.0.0.1/api/v1/")
    client.get("pipelines/")
    now[0] = 269.0
    client.get("pipelines/")
    assert len(service.bodies("POST", "sign-in/")) == 1
    now[0] = 271.0
    client.get("pipelines/")
    assert len(service.bodies("POST", "sign-in/")) == 2


def test_a_token_that_the_service_no_longer_takes_is_renewed_once():
    service = FakeService()
    client = RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(service))
    client.pipelines()
    service.tokens.clear()
    assert client.pipelines()[0].id == "nuclei-count"
    assert len(service.bodies("POST", "sign-in/")) == 2


def test_a_session_that_is_over_is_said_plainly():
    client = RemoteOrchestrator(omero_session="old", transport=httpx.MockTransport(FakeService()))
    with pytest.raises(OpenHCSError, match="Your OMERO session has ended") as caught:
        client.pipelines()
    assert (caught.value.code, caught.value.status) == ("omero_session_lost", 401)


def test_a_function_gives_a_fresh_token_to_every_request():
    service = FakeService()
    service.tokens = {"t-1", "t-2"}
    tokens = iter(["t-1", "t-2"])
    client = RemoteOrchestrator(token=lambda: next(tokens), transport=httpx.MockTransport(service))
    client.pipelines()
    client.pipelines()
    assert [request.headers["Authorization"] for request in service.requests] == ["Bearer t-1", "Bearer t-2"]


@pytest.mark.parametrize("prefix", ["", "/omero"])
def test_signing_in_to_omero_web_and_changing_something(prefix):
    web = FakeWeb(prefix)
    url = f"https://omero.example.org{prefix}/webclient/?show=plate-51"
    client = RemoteOrchestrator.sign_in_to_web(url, "ada", "secret", server="omero", transport=httpx.MockTransport(web))
    assert client.url == f"https://omero.example.org{prefix}/openhcs/api/v1/"
    assert b"server=2" in web.requests[0].content
    client.cancel("e1")
    sent = web.requests[-1]
    assert sent.headers["X-CSRFToken"] == "csrf-2"
    assert sent.headers["Referer"].startswith("https://omero.example.org")


def test_no_secret_is_in_an_address():
    web = FakeWeb()
    client = RemoteOrchestrator.sign_in_to_web("https://o.example", "ada", "secret", transport=httpx.MockTransport(web))
    client.execute_remote(plate_id=51, pipeline="nuclei-count")
    service = FakeService()
    RemoteOrchestrator(omero_session="key-of-ada", transport=httpx.MockTransport(service)).execute_remote(
        plate_id=51, pipeline="nuclei-count"
    )
    for request in web.requests + service.requests:
        assert not any(secret in str(request.url) for secret in ("secret", "web-1", "key-of-ada"))


def test_a_wrong_password_is_said_plainly():
    with pytest.raises(OpenHCSError, match="did not accept this user name and password") as caught:
        RemoteOrchestrator.sign_in_to_web("https://o.example", "ada", "wrong", transport=httpx.MockTransport(FakeWeb()))
    assert (caught.value.code, caught.value.status) == ("sign_in_refused", 401)


def test_an_unknown_server_names_the_known_ones():
    with pytest.raises(OpenHCSError, match="archive, omero"):
        RemoteOrchestrator.sign_in_to_web(
            "https://o.example", "ada", "secret", server="nowhere", transport=httpx.MockTransport(FakeWeb())
        )


def test_a_site_that_is_no_omero_web_is_said_plainly():
    def elsewhere(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<html>Hello")

    with pytest.raises(OpenHCSError, match="does not answer like"):
        RemoteOrchestrator.sign_in_to_web("https://o.example", "ada", "secret", transport=httpx.MockTransport(elsewhere))


def refuse(_request: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing may be sent")


def test_secrets_are_not_sent_in_the_clear_to_another_machine():
    transport = httpx.MockTransport(refuse)
    submission = ServiceSubmission(plate_id=1, pipeline_id="p", omero_session=SecretStr("k"))
    attempts = [
        lambda: RemoteOrchestrator.sign_in_to_web("http://o.example/", "ada", "secret", transport=transport),
        lambda: RemoteOrchestrator("o.example", 7777, omero_session="k", transport=transport),
        lambda: RemoteOrchestrator("o.example", 7777, token="t", transport=transport).submit(submission),
        lambda: RemoteOrchestrator("o.example", 7777, token="t", transport=transport).renew_session("e1", "k"),
    ]
    for attempt in attempts:
        with pytest.raises(OpenHCSError, match="not encrypted") as caught:
            attempt()
        assert caught.value.code == "insecure_address"


def test_a_trusted_network_can_be_allowed():
    service = FakeService()
    RemoteOrchestrator(
        "service", 7777, omero_session="key-of-ada", allow_insecure=True, transport=httpx.MockTransport(service)
    ).pipelines()
    assert service.requests[0].url.host == "service"


@pytest.mark.parametrize("url", ["omero.example.org", "ftp://o.example/", "https://", ""])
def test_addresses_that_are_none_are_refused(url):
    with pytest.raises(OpenHCSError, match="not the address"):
        web_root(url)
