# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gets the editor for which pipeline, and what it is given to edit."""

from __future__ import annotations

import html
import json
import re
import secrets
from typing import Any

import pytest

from .conftest import WebUser, error_of

pytestmark = pytest.mark.stack

DATA = re.compile(r'<script id="openhcs-data" type="application/json">(.*?)</script>', re.DOTALL)


def page_data(person: WebUser, path: str) -> dict[str, Any]:
    """What the page's script is given; empty on a page that has nothing to edit."""
    response = person.get(path)
    assert response.status_code == 200, response.text
    found = DATA.search(response.text)
    return json.loads(found[1]) if found else {}


@pytest.fixture
def mine(ada: WebUser) -> dict[str, Any]:
    """Two versions of a pipeline of ada's; the newer one."""
    built_in = ada.get(ada.api("pipelines/nuclei-count/")).json()["versions"][0]
    first = save(ada, built_in | {"id": f"edited-{secrets.token_hex(4)}", "name": "First"}, based_on=0).json()
    return save(ada, first | {"name": "Second <b>"}, based_on=1).json()


def save(person: WebUser, document: dict[str, Any], **more: Any) -> Any:
    return person.post(person.api("pipelines/"), {"document": document, **more})


def test_the_owner_edits_and_others_read(ada: WebUser, colleague: WebUser, mine: dict[str, Any]) -> None:
    path = f"/openhcs/pipelines/{mine['id']}/"
    data = page_data(ada, path)
    assert (data["saved"], data["document"]) == (mine, mine)
    assert page_data(colleague, path) == {}
    text = html.unescape(colleague.get(path).text)
    assert f"/openhcs/pipelines/new/?from={mine['id']}&version=2" in text
    assert "Second <b>" not in colleague.get(path).text


def test_an_older_version_is_read_and_can_be_gone_on_from(ada: WebUser, mine: dict[str, Any]) -> None:
    path = f"/openhcs/pipelines/{mine['id']}/?version=1"
    assert page_data(ada, path) == {}
    assert "Go on from this version" in ada.get(path).text
    data = page_data(ada, path + "&edit=1")
    assert (data["document"]["name"], data["saved"]["name"]) == ("First", "Second <b>")
    assert (data["document"]["version"], data["saved"]["version"]) == (2, 2), "what it would follow is the newest"


def test_a_copy_is_not_saved_yet_and_leaves_golden_wells_behind(ada: WebUser, colleague: WebUser, mine: dict[str, Any]) -> None:
    well = {"plate_id": 1, "well": "A01", "expected": [{"name": "nuclei_count", "value": 3}]}
    newest = save(ada, mine | {"golden_wells": [well]}, based_on=2).json()
    assert len(newest["golden_wells"]) == 1
    data = page_data(colleague, f"/openhcs/pipelines/new/?from={mine['id']}")
    assert data["saved"] is None
    assert data["document"]["name"] == "Second <b> (copy)"
    assert data["document"]["golden_wells"] == []
    assert data["document"]["steps"] == newest["steps"]


def test_a_new_pipeline_begins_empty(ada: WebUser) -> None:
    data = page_data(ada, "/openhcs/pipelines/new/")
    assert (data["document"], data["saved"], data["channels"]) == (None, None, None)


def test_the_channels_of_a_plate_are_offered_to_who_may_read_it(
    ada: WebUser, stranger: WebUser, plate: int, mine: dict[str, Any]
) -> None:
    path = f"/openhcs/pipelines/new/?from=nuclei-count&plate={plate}"
    assert page_data(ada, path)["channels"]
    assert page_data(ada, path)["plate_id"] == plate
    assert page_data(stranger, path)["channels"] is None
    assert page_data(ada, "/openhcs/pipelines/new/?plate=9" + "9" * 30)["channels"] is None
    assert page_data(ada, f"/openhcs/pipelines/{mine['id']}/?plate={plate}")["channels"]


def test_what_may_not_be_read_cannot_be_copied(stranger: WebUser, mine: dict[str, Any]) -> None:
    assert stranger.get(f"/openhcs/pipelines/new/?from={mine['id']}").status_code == 404
    assert stranger.get("/openhcs/pipelines/new/?from=no-such").status_code == 404
    assert stranger.get("/openhcs/pipelines/new/?from=nuclei-count&version=99").status_code == 404


def test_a_new_pipeline_never_becomes_a_version_of_another(ada: WebUser, mine: dict[str, Any]) -> None:
    response = save(ada, mine | {"name": "Something else"}, based_on=0)
    assert (response.status_code, error_of(response)["code"]) == (409, "pipeline_changed")
    assert len(ada.get(ada.api(f"pipelines/{mine['id']}/")).json()["versions"]) == 2
