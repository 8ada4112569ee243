# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of administrators: for them, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import omero
import pytest

from .conftest import WebUser, World, sign_in

pytestmark = pytest.mark.stack

PAGES = ("/openhcs/admin/", "/openhcs/admin/audit/")


@pytest.fixture(scope="module")
def administrator(world: World) -> WebUser:
    return sign_in(world.stack.web_url, "root", world.stack.root_password, 0)


@pytest.fixture
def waiting(world: World, ada: WebUser, plate: int, administrator: WebUser) -> Iterator[str]:
    """A run of Ada's, paused; and a queue that was stopped before and goes on."""
    administrator.post(administrator.api("admin/drain/"), {"note": "New disks <b>today</b>"}).raise_for_status()
    administrator.post(administrator.api("admin/undrain/")).raise_for_status()
    answer = ada.post(ada.api("executions/"), {"plate_id": plate, "pipeline_id": "nuclei-count"})
    assert answer.status_code == 201, answer.text
    execution_id = answer.json()["execution_id"]
    ada.post(ada.api(f"executions/{execution_id}/pause/"))
    yield execution_id
    administrator.post(administrator.api(f"executions/{execution_id}/cancel/"))


def test_an_administrator_sees_the_queue_and_the_log(administrator: WebUser, ada: WebUser, waiting: str) -> None:
    page = administrator.get("/openhcs/admin/")
    assert page.status_code == 200
    for text in ("Stop the queue", waiting, "Limits of every user", f'data-oh-user="{ada.user_id}"'):
        assert text in page.text
    log = administrator.get(f"/openhcs/admin/audit/?user={ada.user_id}&action=submit")
    assert waiting in log.text
    assert "<td>Submit</td>" in log.text
    assert "<td>Drain</td>" not in log.text
    drained = administrator.get("/openhcs/admin/audit/?action=drain").text
    assert "New disks &lt;b&gt;today&lt;/b&gt;" in drained


def test_the_link_is_there_for_administrators_only(administrator: WebUser, ada: WebUser) -> None:
    assert 'href="/openhcs/admin/"' in administrator.get("/openhcs/").text
    assert 'href="/openhcs/admin/"' not in ada.get("/openhcs/").text


@pytest.mark.parametrize("address", PAGES)
def test_others_are_refused_with_a_page(ada: WebUser, address: str) -> None:
    refused = ada.get(address)
    assert refused.status_code == 403
    assert "Only an OMERO administrator may see and do this." in refused.text
    assert "Stop the queue" not in refused.text


def test_an_owner_of_a_group_is_no_administrator(world: World) -> None:
    group = world.group("rw----")
    owner = world.person(group)
    administration = world.root.getAdminService()
    administration.setGroupOwner(omero.model.ExperimenterGroupI(group, False), omero.model.ExperimenterI(owner.user_id, False))
    assert [owner.get(address).status_code for address in PAGES] == [403, 403]
    assert owner.post(owner.api("admin/drain/")).status_code == 403


def test_changes_need_the_csrf_token_and_an_administrator(administrator: WebUser, ada: WebUser, waiting: str) -> None:
    for path in ("admin/drain/", "admin/limits/", f"admin/users/{ada.user_id}/limits/", f"executions/{waiting}/cancel/"):
        assert administrator.post(administrator.api(path), csrf=False).status_code == 403
    for path in ("admin/drain/", "admin/limits/", f"admin/users/{ada.user_id}/limits/"):
        assert ada.post(ada.api(path), {}).status_code == 403
    limits = administrator.api(f"admin/users/{ada.user_id}/limits/")
    assert administrator.post(limits, {"executions_at_once": 1}).status_code == 200
    assert administrator.post(limits, {"executions_at_once": None}).status_code == 200


def test_a_wrong_query_of_the_log_is_refused_in_words(administrator: WebUser) -> None:
    assert administrator.get("/openhcs/admin/audit/?user=abc").status_code == 422
    assert administrator.get("/openhcs/admin/audit/?action=drop%20table").status_code == 422
