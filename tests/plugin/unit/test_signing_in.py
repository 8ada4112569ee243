# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gets in: visitors who are not signed in, the public user, and people whose session a worker remembers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from omero_openhcs import identity
from omero_openhcs.omero_access.people import Person
from openhcs_client import GroupClaim

API = "/openhcs/api/v1/"
PAGES = [
    "/openhcs/",
    "/openhcs/pipelines/",
    "/openhcs/execute/1/",
    "/openhcs/executions/",
    "/openhcs/results/e1/",
    "/openhcs/open/",
]
READS = [
    "functions/",
    "pipelines/",
    "pipelines/nuclei-count/",
    "executions/",
    "executions/e1/",
    "executions/e1/events/",
    "health/",
]
WRITES = [
    "pipelines/",
    "pipelines/validate/",
    "pipelines/render/",
    "pipelines/import-python/",
    "executions/",
    "executions/e1/cancel/",
    "executions/e1/retry/",
    "executions/e1/session/",
]


def envelope(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field_errors", "request_id"}
    return body["error"]


@pytest.fixture
def remembered(django_client: Any) -> Callable[..., None]:
    """Sign the browser in as somebody whom this process remembers, so that no OMERO is needed."""

    def sign_in(*, public: bool = False, admin: bool = False) -> None:
        key = f"key-{public}-{admin}"
        session = django_client.session
        session["connector"] = {
            "server_id": 1,
            "is_secure": True,
            "is_public": public,
            "omero_session_key": key,
            "user_id": 2,
        }
        session.save()
        identity._PERSONS.put(key, Person(2, "Ada Lovelace", admin, (GroupClaim(id=4, reads_all=True),)))

    return sign_in


@pytest.mark.parametrize("page", PAGES)
def test_a_page_leads_to_the_login_and_back(django_client: Any, page: str) -> None:
    response = django_client.get(page)
    assert response.status_code == 302
    assert re.fullmatch(r"/webclient/login/\?url=.*", response["Location"])
    assert page.replace("/", "%2F") in response["Location"]


@pytest.mark.parametrize("path", [*READS, "executions/e1/status/", "executions/e1/measurements/"])
def test_reading_needs_a_sign_in(django_client: Any, path: str) -> None:
    response = django_client.get(API + path)
    assert response.status_code == 403
    assert envelope(response)["code"] == "not_signed_in"


@pytest.mark.parametrize("path", WRITES)
def test_writing_needs_a_sign_in(django_client: Any, path: str) -> None:
    response = django_client.post(API + path, {}, content_type="application/json")
    assert response.status_code == 403
    assert envelope(response)["code"] == "not_signed_in"


def test_the_short_status_needs_a_sign_in_too(django_client: Any) -> None:
    response = django_client.get("/openhcs/status/e1/")
    assert response.status_code == 403
    assert envelope(response)["code"] == "not_signed_in"


@pytest.mark.parametrize(
    "path", ["pipelines/validate/", "pipelines/render/", "pipelines/import-python/", "executions/e1/cancel/"]
)
def test_the_public_user_changes_nothing(django_client: Any, remembered: Callable[..., None], path: str) -> None:
    """The other changes need an OMERO connection; they are tested with the whole stack."""
    remembered(public=True)
    response = django_client.post(API + path, {}, content_type="application/json")
    assert response.status_code == 403
    assert envelope(response)["code"] == "public_user"


@pytest.mark.parametrize("path", WRITES)
def test_without_the_csrf_token_nothing_is_changed(remembered: Callable[..., None], path: str) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    response = strict.post(API + path, {}, content_type="application/json")
    assert response.status_code == 403
    assert "CSRF" in response.json()["message"]


@pytest.mark.parametrize(
    "path", ["executions/e1/cancel/", "executions/e1/retry/", "executions/e1/session/", "pipelines/validate/"]
)
def test_nothing_is_changed_by_get(django_client: Any, remembered: Callable[..., None], path: str) -> None:
    remembered()
    response = django_client.get(API + path)
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert envelope(response)["code"] == "method_not_allowed"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(django_client: Any, remembered: Callable[..., None], method: str) -> None:
    remembered()
    response = getattr(django_client, method)(API + "executions/")
    assert response.status_code == 405
    assert envelope(response)["code"] == "method_not_allowed"


def test_a_remembered_person_reads_without_omero_and_hears_that_the_service_is_down(
    django_client: Any, remembered: Callable[..., None]
) -> None:
    remembered()
    response = django_client.get(API + "executions/")
    assert response.status_code == 503
    error = envelope(response)
    assert error["code"] == "service_unavailable"
    assert error["request_id"] == response["X-Request-ID"]


def test_an_address_that_does_not_exist_answers_in_json(django_client: Any) -> None:
    response = django_client.get(API + "plates/")
    assert response.status_code == 404
    assert envelope(response)["code"] == "not_found"


def test_signing_in_by_parameter_is_not_answered_from_memory(remembered: Callable[..., None], django_client: Any) -> None:
    from django.test import RequestFactory

    remembered()
    for query in ("bsession=other", "username=eve&password=x"):
        request = RequestFactory().get(f"{API}executions/?{query}")
        request.session = django_client.session
        assert identity.remembered_asker(request) is None


def test_memory_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    persons = identity._RememberedPersons()
    person = Person(2, "Ada", False, ())
    persons.put("k", person)
    assert persons.get("k") is person
    later = identity.time.monotonic() + identity.settings.PERSON_CACHE_SECONDS + 1
    monkeypatch.setattr(identity.time, "monotonic", lambda: later)
    assert persons.get("k") is None


def test_memory_is_bounded_and_holds_no_session_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_MOST_REMEMBERED", 3)
    persons = identity._RememberedPersons()
    for number in range(5):
        persons.put(f"key-{number}", Person(number, "", False, ()))
    assert [persons.get(f"key-{number}") is None for number in range(5)] == [True, True, False, False, False]
    assert not any("key-" in name for name in persons._entries)


def test_a_silent_omero_does_not_sign_anybody_out(django_client: Any) -> None:
    session = django_client.session
    session["connector"] = {"server_id": 1, "is_secure": True, "is_public": False, "omero_session_key": "gone", "user_id": 2}
    session.save()
    response = django_client.get("/openhcs/")
    assert response.status_code == 503
    assert "OMERO server cannot be reached" in response.content.decode()
    assert django_client.session["connector"]["omero_session_key"] == "gone"
    response = django_client.post(API + "executions/", {}, content_type="application/json")
    assert response.status_code == 503
    assert envelope(response)["code"] == "omero_unreachable"
