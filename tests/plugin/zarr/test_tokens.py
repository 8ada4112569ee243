# SPDX-License-Identifier: AGPL-3.0-or-later
"""Read tokens: what they open, and everything that makes them worthless."""

from __future__ import annotations

import base64
import json
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from openhcs_client import OpenHCSError

IMAGE = 7
SIGN_IN = {"server_id": 1, "is_secure": True, "is_public": False, "omero_session_key": "an-omero-session", "user_id": 5}


def store(key: str | None = None) -> Any:
    from django.conf import settings

    return import_module(settings.SESSION_ENGINE).SessionStore(key)


@pytest.fixture
def web_session() -> Any:
    """The session of a browser that is signed in to OMERO.web."""
    session = store()
    session["connector"] = SIGN_IN
    session.save()
    return session


def issued(web_session: Any, kind: str = "image") -> str:
    """A token, which was seen to work."""
    from omero_openhcs.zarr.tokens import issue_token, redeem_token

    token = issue_token(SimpleNamespace(session=web_session), kind, IMAGE, 5).text  # type: ignore[arg-type]
    assert redeem_token(token, kind, IMAGE).omero_session_key == SIGN_IN["omero_session_key"]  # type: ignore[arg-type]
    return token


def refusal_of(token: str, kind: str = "image", object_id: int = IMAGE) -> str:
    from omero_openhcs.zarr.tokens import redeem_token

    with pytest.raises(OpenHCSError) as refused:
        redeem_token(token, kind, object_id)  # type: ignore[arg-type]
    assert refused.value.status == 403
    return refused.value.code


def test_it_opens_what_it_was_made_for_and_carries_no_credential(web_session: Any) -> None:
    from omero_openhcs.zarr.tokens import RECORD, redeem_token

    token = issued(web_session)
    assert redeem_token(token, "image", IMAGE).omero_session_key == "an-omero-session"
    payload = token.split(".")[0]
    said = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    assert json.loads(said).keys() == {"handle", "kind", "id", "user", "expires"}
    assert "an-omero-session" not in said
    assert web_session.session_key not in said
    # Nor would the handle, as a cookie, sign a browser in.
    assert set(store(json.loads(said)["handle"]).keys()) - {"_session_expiry"} == {RECORD}


def test_it_opens_nothing_else(web_session: Any) -> None:
    assert refusal_of(issued(web_session), object_id=IMAGE + 1) == "token_refused"
    assert refusal_of(issued(web_session), kind="plate") == "token_refused"
    assert refusal_of(issued(web_session, "plate")) == "token_refused"


def test_it_expires(web_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from omero_openhcs import settings
    from omero_openhcs.zarr import tokens

    token = issued(web_session)
    later = time.time() + 60 * settings.ZARR_TOKEN_MINUTES
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    assert refusal_of(token) == "token_expired"


def test_a_changed_one_is_refused(web_session: Any) -> None:
    token = issued(web_session)
    payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    longer = base64.urlsafe_b64encode(json.dumps(claims | {"expires": 2**40}).encode()).decode().rstrip("=")
    flipped = signature[:-2] + ("A" if signature[-2] != "A" else "B") + signature[-1]
    for changed in (f"{longer}.{signature}", f"{payload}.{flipped}", payload, "", "x" * 100_000, f"{payload}.", "\x00.é"):
        assert refusal_of(changed) == "token_refused", changed[:200]


def test_it_ends_when_its_maker_signs_out(web_session: Any) -> None:
    token = issued(web_session)
    web_session.flush()
    assert refusal_of(token) == "token_refused"


@pytest.mark.parametrize("other", [{"omero_session_key": "another"}, {"user_id": 6}])
def test_it_is_worthless_when_somebody_else_signed_in_with_the_same_browser(web_session: Any, other: dict[str, Any]) -> None:
    token = issued(web_session)
    web_session["connector"] = SIGN_IN | other
    web_session.save()
    assert refusal_of(token) == "token_refused"


def test_other_sites_may_read_only_by_token_and_only_the_vizarr_that_is_configured(
    django_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omero_openhcs import settings

    by_token, by_cookie = "/openhcs/zarr/token/x.y/0.4/image/7.zarr/.zattrs", "/openhcs/zarr/0.4/image/7.zarr/.zattrs"
    header = "Access-Control-Allow-Origin"
    assert header not in django_client.get(by_token, headers={"Origin": "https://vizarr.example.org"})
    monkeypatch.setattr(settings, "VIZARR_URL", "https://vizarr.example.org/app/")
    answer = django_client.get(by_token, headers={"Origin": "https://elsewhere.example.org"})
    assert answer.status_code == 403
    assert answer[header] == "https://vizarr.example.org"
    assert "Access-Control-Allow-Credentials" not in answer
    asked_before = django_client.options(by_token)
    assert (asked_before.status_code, asked_before["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
    assert header not in django_client.get(by_cookie)
    assert header not in django_client.options(by_cookie)
