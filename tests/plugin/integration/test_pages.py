# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages as HTML: they render inside OMERO.web, escape what people wrote, and say plainly what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stack import Stack

from .conftest import WebUser, World, error_of, sign_in, wait_until_final

pytestmark = pytest.mark.stack


def is_in_omero_web(text: str) -> bool:
    """OMERO.web's header and the ping that keeps the session alive."""
    return 'id="middle_header"' in text and "keepalive_ping" in text


@pytest.mark.parametrize(
    "path",
    ["/openhcs/", "/openhcs/?owner=all", "/openhcs/pipelines/", "/openhcs/pipelines/nuclei-count/", "/openhcs/executions/"],
)
def test_a_page_is_part_of_omero_web(ada: WebUser, path: str) -> None:
    response = ada.get(path)
    assert response.status_code == 200, response.text[:500]
    assert is_in_omero_web(response.text)
    assert 'name="csrfmiddlewaretoken"' in response.text
    assert "cannot be listed" not in response.text


def test_the_pages_of_a_plate(ada: WebUser, plate: int) -> None:
    text = ada.get(f"/openhcs/execute/{plate}/").text
    assert is_in_omero_web(text)
    assert text.index('id="oh-test"') < text.index('id="oh-run"'), "testing one well comes first"
    assert f"plate={plate}" in text
    assert ada.get(f"/openhcs/executions/?plate={plate}").status_code == 200


def test_a_plate_appears_on_the_start_page_of_its_owner_only(ada: WebUser, colleague: WebUser, plate: int) -> None:
    link = f"/openhcs/execute/{plate}/"
    assert link in ada.get("/openhcs/").text
    assert link not in colleague.get("/openhcs/").text
    assert link in colleague.get("/openhcs/?owner=all").text
    assert link not in ada.get("/openhcs/?name=no-such-plate").text
    assert link in ada.get("/openhcs/?name=tiny").text


def test_what_people_wrote_is_escaped(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> None:
    evil = "<script>alert(1)</script>"
    plate = make_plate(ada, lab, name=evil, wells=1)
    for path in (
        "/openhcs/",
        f"/openhcs/execute/{plate}/",
        f"/openhcs/executions/?plate={plate}",
        f"/openhcs/panel/plate/{plate}/",
    ):
        text = ada.get(path).text
        assert evil not in text
        assert "alert(1)" in text


@pytest.mark.parametrize(
    "path",
    [
        "/openhcs/execute/987654/",
        "/openhcs/results/no-such-execution/",
        "/openhcs/pipelines/no-such-pipeline/",
        "/openhcs/pipelines/nuclei-count/?version=99",
        "/openhcs/executions/?plate=987654",
        "/openhcs/panel/plate/987654/",
        "/openhcs/panel/dataset/1/",
        "/openhcs/open/?well=987654",
    ],
)
def test_what_does_not_exist_is_a_page_that_says_so(ada: WebUser, path: str) -> None:
    response = ada.get(path)
    assert response.status_code == 404
    assert 'role="alert"' in response.text
    assert "Traceback" not in response.text


def test_open_with(world: World, ada: WebUser, plate: int) -> None:
    assert ada.get(f"/openhcs/open/?plate={plate}").headers["location"] == f"/openhcs/execute/{plate}/"
    connection = world.omero(ada)
    try:
        wells = sorted(well.getId() for well in connection.getObject("Plate", plate).listChildren())
    finally:
        connection.close()
    query = "&".join(f"well={well}" for well in wells)
    assert ada.get(f"/openhcs/open/?{query}").headers["location"] == f"/openhcs/execute/{plate}/?well=A01&well=A02"
    assert ada.get("/openhcs/open/").headers["location"] == "/openhcs/"
    assert ada.get("/openhcs/open/?plate=1%27%3B--").headers["location"] == "/openhcs/"


def test_the_panel_of_a_plate_and_of_a_well(world: World, ada: WebUser, stranger: WebUser, plate: int) -> None:
    response = ada.get(f"/openhcs/panel/plate/{plate}/")
    assert response.status_code == 200
    assert "Run a pipeline" in response.text
    assert "middle_header" not in response.text, "the panel is a part of OMERO.web's page, not a page"
    assert stranger.get(f"/openhcs/panel/plate/{plate}/").status_code == 404
    connection = world.omero(ada)
    try:
        well = min(well.getId() for well in connection.getObject("Plate", plate).listChildren())
    finally:
        connection.close()
    assert f"/openhcs/execute/{plate}/?well=A01" in ada.get(f"/openhcs/panel/well/{well}/").text


def test_under_a_url_prefix_every_address_carries_it(other_web: Callable[..., Stack], ada: WebUser, plate: int) -> None:
    web = other_web(prefix="/omero")
    person = sign_in(web.web_url, ada.name, ada.password, ada.user_id)
    named = ("api", "viewer", "thumbnails", "pipelines_base", "login")
    attributes = ('href="/', 'src="/', 'data-oh-api="/', 'action="/', *(f'"{name}": "/' for name in named))
    for path in (
        "/openhcs/",
        f"/openhcs/execute/{plate}/",
        "/openhcs/pipelines/nuclei-count/",
        "/openhcs/pipelines/new/?from=nuclei-count",
    ):
        text = person.get(path).text
        for attribute in attributes:
            for rest in text.split(attribute)[1:]:
                assert rest.startswith("omero/"), f"{path}: {attribute}{rest[:60]}"
    body = {"plate_id": plate, "pipeline_id": "nuclei-count", "test_well": "A01"}
    created = person.post(person.api("executions/"), body).json()
    assert created["results_url"] == f"/omero/openhcs/results/{created['execution_id']}/"
    script = next(part.split('"')[0] for part in person.get("/openhcs/").text.split('src="') if "omero_openhcs/dist" in part)
    assert person.client.get(f"http://127.0.0.1:{web.web_port}{script}").status_code == 200


def test_without_the_service_pages_render_and_say_so(other_web: Callable[..., Stack], ada: WebUser, plate: int) -> None:
    web = other_web(config={"omero.web.openhcs.service_url": "http://127.0.0.1:9"})
    person = sign_in(web.web_url, ada.name, ada.password, ada.user_id)
    for path in (
        "/openhcs/",
        "/openhcs/pipelines/",
        f"/openhcs/execute/{plate}/",
        "/openhcs/executions/",
        f"/openhcs/panel/plate/{plate}/",
    ):
        response = person.get(path)
        assert response.status_code == 200, path
        assert "does not answer" in response.text
    assert f"/openhcs/execute/{plate}/" in person.get("/openhcs/").text
    assert person.get("/openhcs/results/e1/").status_code == 503
    for response in (
        person.get(person.api("executions/")),
        person.get("/openhcs/status/e1/"),
        person.post(person.api("executions/"), {"plate_id": plate, "pipeline_id": "nuclei-count"}),
    ):
        assert (response.status_code, error_of(response)["code"]) == (503, "service_unavailable")


def test_the_public_user_reads_and_never_submits(
    other_web: Callable[..., Stack], world: World, ada: WebUser, lab: int, plate: int
) -> None:
    visitor = world.person(lab)
    public: dict[str, Any] = {
        "omero.web.public.enabled": "true",
        "omero.web.public.user": visitor.name,
        "omero.web.public.password": visitor.password,
        "omero.web.public.url_filter": "^/",
        # The weakest setting that an administrator may choose.
        "omero.web.public.get_only": "false",
    }
    web = other_web(config=public)
    import httpx

    with httpx.Client(base_url=web.web_url, headers={"Referer": f"{web.web_url}/"}, timeout=60) as anyone:
        page = anyone.get(f"/openhcs/execute/{plate}/")
        assert page.status_code == 200
        assert "The public account may look" in page.text
        assert "Run…" not in anyone.get("/openhcs/").text
        assert anyone.get("/openhcs/pipelines/new/?from=nuclei-count").status_code == 403
        assert "Edit a copy" not in anyone.get("/openhcs/pipelines/nuclei-count/").text
        assert anyone.get("/openhcs/api/v1/pipelines/").status_code == 200
        token = {"X-CSRFToken": anyone.cookies["csrftoken"]}
        document = anyone.get("/openhcs/api/v1/pipelines/nuclei-count/").json()["versions"][0]
        for path, body in (
            ("executions/", {"plate_id": plate, "pipeline_id": "nuclei-count"}),
            ("pipelines/", {"document": document}),
            ("pipelines/nuclei-count/check/", {}),
            ("pipelines/nuclei-count/golden-wells/", {"execution_id": "e1", "well": "A01"}),
            ("pipelines/nuclei-count/copy/", {}),
            ("pipelines/u2-x/rename/", {"revision": 1, "name": "x"}),
            ("pipelines/u2-x/share/", {"revision": 1, "group_id": lab}),
            ("pipelines/u2-x/deprecate/", {"revision": 1}),
            ("executions/e1/cancel/", {}),
            ("executions/e1/pause/", {}),
            ("executions/e1/resume/", {}),
            ("executions/e1/retry/", {}),
            ("executions/e1/rerun/", {}),
            ("admin/limits/", {"executions_at_once": 9}),
            ("admin/users/2/limits/", {"executions_at_once": 9}),
            ("admin/drain/", {}),
            ("admin/undrain/", {}),
            ("admin/engine/", {"address": None}),
            ("executions/e1/session/", {}),
        ):
            response = anyone.post(f"/openhcs/api/v1/{path}", json=body, headers=token)
            assert (response.status_code, error_of(response)["code"]) == (403, "public_user"), path
        response = anyone.delete("/openhcs/api/v1/pipelines/u2-x/?revision=1", headers=token)
        assert (response.status_code, error_of(response)["code"]) == (403, "public_user")
        listed = anyone.get("/openhcs/pipelines/").text
        assert "Count nuclei" in listed
        assert "New pipeline" not in listed
        assert "data-oh-action" not in listed
        assert anyone.get("/openhcs/api/v1/pipelines/nuclei-count/export/").status_code == 200


def test_result_plates_are_listed_when_asked_for(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> None:
    plate = make_plate(ada, lab, name="Plate with a result")
    body = {"plate_id": plate, "pipeline_id": "nuclei-count", "parameters": {"diameter": 11}}
    execution_id = ada.post(ada.api("executions/"), body).json()["execution_id"]
    assert wait_until_final(ada, execution_id).status == "completed"
    result = ada.get(ada.api(f"executions/{execution_id}/")).json()["results"]["plate_id"]
    link = f"/webclient/?show=plate-{result}"
    assert link not in ada.get("/openhcs/?name=plate+with+a+result").text
    assert link in ada.get("/openhcs/?name=plate+with+a+result&results=1").text
