# SPDX-License-Identifier: AGPL-3.0-or-later
"""Unmodified OMERO.web, over real HTTP, against a sandbox with the demo data: what a user sees and does, and the browser."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from omero_sandbox.testing import RunningSandbox, start_sandbox

from .plain_web import PlainWeb

pytestmark = pytest.mark.stack

PLATE = "Synthetic GFP assay"


@dataclass(frozen=True)
class Site:
    """OMERO.web, the sandbox behind it, and a user who owns the demo plates."""

    web: PlainWeb
    sandbox: RunningSandbox
    user: str
    password: str
    plate: int
    image: int
    well: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("plain-web")
    sandbox = start_sandbox(folder / "omero", options=["--demo"])
    web = PlainWeb(folder / "web", sandbox)
    try:
        user = "anna"
        password = json.loads((folder / "omero" / "demo-users.json").read_text())["users"][user]["password"]
        with sandbox.connection(user, password) as conn:
            plate = conn.getObject("Plate", attributes={"name": PLATE})
            well = next(iter(plate.listChildren()))
            found = (plate.getId(), well.getImage().getId(), well.getId())
        web.start()
        yield Site(web, sandbox, user, password, *found)
    finally:
        web.stop()
        sandbox.stop()


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[httpx.Client]:
    with closing(site.web.sign_in(site.user, site.password)) as client:
        yield client


def ok(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 200, f"{answer.url}: {answer.text[-2000:]}"
    return answer


def test_a_wrong_password_stays_on_the_login_page(site: Site) -> None:
    with pytest.raises(AssertionError, match="password"):
        site.web.sign_in(site.user, "wrong")


def test_the_tree_shows_the_screen_and_its_plates(client: httpx.Client) -> None:
    screens = ok(client.get("/webclient/api/containers/", params={"id": -1})).json()["screens"]
    assert [screen["name"] for screen in screens] == ["Demo screen"]
    assert "isOwned" in screens[0]["permsCss"]
    plates = ok(client.get("/webclient/api/plates/", params={"id": screens[0]["id"]})).json()["plates"]
    assert PLATE in [plate["name"] for plate in plates]


def test_the_plate_grid_has_every_well(client: httpx.Client, site: Site) -> None:
    grid = ok(client.get(f"/webgateway/plate/{site.plate}/0/")).json()
    assert [len(row) for row in grid["grid"]] == [12] * 8
    assert all(well and well["thumb_url"] for row in grid["grid"] for well in row)


def test_thumbnails_and_images_are_pictures_of_the_right_size(client: httpx.Client, site: Site) -> None:
    facts = ok(client.get(f"/webgateway/imgData/{site.image}/")).json()
    size = (facts["size"]["width"], facts["size"]["height"])
    thumbnail = Image.open(io.BytesIO(ok(client.get(f"/webgateway/render_thumbnail/{site.image}/96/")).content))
    assert max(thumbnail.size) == 96
    picture = Image.open(io.BytesIO(ok(client.get(f"/webgateway/render_image/{site.image}/0/0/")).content))
    assert picture.size == size
    assert len(picture.getcolors(maxcolors=2**24) or []) > 100
    tile = client.get(f"/webgateway/render_image_region/{site.image}/0/0/", params={"region": "0,0,64,32", "c": "1"})
    assert Image.open(io.BytesIO(ok(tile).content)).size == (64, 32)


@pytest.mark.parametrize(
    "path",
    [
        "/webclient/",
        "/webclient/usertags/",
        "/webclient/history/",
        "/webclient/load_calendar/",
        "/webclient/search/",
        "/webclient/load_searching/form/?query=Synthetic&datatype=plates&field=name&searchGroup=-1&ownedBy=-1",
        "/webclient/img_detail/{image}/",
        "/webclient/metadata_details/image/{image}/",
        "/webclient/metadata_preview/image/{image}/",
        "/webclient/metadata_acquisition/image/{image}/",
        "/webclient/metadata_details/plate/{plate}/",
        "/webclient/metadata_details/well/{well}/",
        "/webclient/metadata_preview/well/{well}/",
        "/webclient/load_plate/plate/{plate}/",
        "/webclient/list_scripts/",
        "/webclient/batch_annotate/?image={image}",
        "/webclient/api/annotations/?plate={plate}",
        "/webclient/api/paths_to_object/?image={image}",
        "/webclient/load_chgrp_groups/?Plate={plate}",
        "/webclient/fileset_check/delete/?Image={image}",
        "/webgateway/get_rois_json/{image}/",
        "/webgateway/well/{well}/children/",
        "/webgateway/luts/",
        "/webclient/keepalive_ping/",
        "/webclient/avatar/2/",
        "/webadmin/myaccount/",
        "/api/v0/m/plates/",
        "/api/v0/m/plates/{plate}/wells/?limit=3",
        "/api/v0/m/images/{image}/",
        "/api/v0/m/experimenters/",
    ],
)
def test_pages_of_a_user(client: httpx.Client, site: Site, path: str) -> None:
    ok(client.get(path.format(image=site.image, plate=site.plate, well=site.well)))


def test_search_finds_the_plate_and_not_another_word(client: httpx.Client) -> None:
    def found(word: str) -> str:
        parameters = {"query": word, "datatype": "plates", "field": "name", "searchGroup": "-1", "ownedBy": "-1"}
        return ok(client.get("/webclient/load_searching/form/", params=parameters)).text

    assert PLATE in found("synthetic")
    assert PLATE not in found("elephant")


def test_annotate_rename_and_delete(client: httpx.Client) -> None:
    form = {"folder_type": "dataset", "name": "Notes", "description": "", "owner": ""}
    dataset = ok(client.post("/webclient/action/addnewcontainer/", data=form)).json()["id"]
    ok(client.post("/webclient/annotate_comment/", data={"comment": "a remark", "dataset": dataset}))
    pairs = json.dumps([["stain", "DAPI"]])
    ok(client.post("/webclient/annotate_map/", data={"mapAnnotation": pairs, "dataset": dataset}))
    file = {"annotation_file": ("notes.txt", b"three words here", "text/plain")}
    ok(client.post("/webclient/annotate_file/", data={"dataset": dataset}, files=file))
    found = ok(client.get("/webclient/api/annotations/", params={"dataset": dataset})).json()["annotations"]
    assert {each["class"] for each in found} == {"CommentAnnotationI", "MapAnnotationI", "FileAnnotationI"}
    assert [each["values"] for each in found if each["class"] == "MapAnnotationI"] == [[["stain", "DAPI"]]]
    assert all(each["permissions"]["canEdit"] for each in found)
    file_annotation = next(each["id"] for each in found if each["class"] == "FileAnnotationI")
    assert ok(client.get(f"/webclient/annotation/{file_annotation}/")).content == b"three words here"
    ok(client.post(f"/webclient/action/savename/dataset/{dataset}/", data={"name": "Renamed"}))
    assert datasets(client) == ["Renamed"]
    ok(client.post(f"/webclient/action/delete/dataset/{dataset}/"))
    deadline = time.monotonic() + 30
    jobs = {}
    while time.monotonic() < deadline and not any(
        job.get("status") == "finished" for job in jobs.values() if isinstance(job, dict)
    ):
        jobs = ok(client.get("/webclient/activities_json/")).json()
    assert datasets(client) == []


def datasets(client: httpx.Client) -> list[str]:
    found = ok(client.get("/webclient/api/containers/", params={"id": -1})).json()["datasets"]
    return [each["name"] for each in found]


def test_an_administrator_manages_groups_and_users(site: Site) -> None:
    with closing(site.web.sign_in("root", site.sandbox.root_password)) as client:
        for path in ("experimenters/", "groups/", "experimenter/edit/2/", "experimenter/new/", "group/edit/3/", "stats/"):
            ok(client.get(f"/webadmin/{path}"))
        group = {"name": "New lab", "description": "", "permissions": "2"}
        assert client.post("/webadmin/group/create/", data=group).status_code == 302
    with site.sandbox.connection() as conn:
        made = conn.getAdminService().lookupGroup("New lab")
        assert str(made.details.permissions) == "rwra--"
        user = {
            "omename": "dora",
            "first_name": "Dora",
            "last_name": "New",
            "active": "on",
            "role": "user",
            "other_groups": [str(made.id.val)],
            "default_group": str(made.id.val),
            "password": "of dora",
            "confirmation": "of dora",
        }
    with closing(site.web.sign_in("root", site.sandbox.root_password)) as client:
        assert client.post("/webadmin/experimenter/create/", data=user).status_code == 302
    with closing(site.web.sign_in("dora", "of dora")) as client:
        ok(client.get("/webclient/"))


def test_a_user_is_kept_out_of_administration(client: httpx.Client) -> None:
    assert client.get("/webadmin/experimenters/").status_code in (302, 403, 404)
    assert client.post("/webadmin/group/create/", data={"name": "x", "permissions": "0"}).status_code in (302, 403, 404)


def test_logging_out_ends_the_session(site: Site) -> None:
    client = site.web.sign_in(site.user, site.password)
    assert client.post("/webclient/logout/").status_code in (200, 302)
    assert client.get("/webclient/api/containers/", params={"id": -1}).status_code in (302, 403)


@pytest.mark.browser
def test_in_a_browser(site: Site, page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Sign in, open the screen in the tree, see the plate grid with its thumbnails, and the right-hand panel of a well."""
    failures: list[str] = []
    page.on("response", lambda answer: failures.append(answer.url) if answer.status >= 500 else None)
    page.goto(f"{site.web.url}/webclient/login/")
    page.fill("input[name=username]", site.user)
    page.fill("input[name=password]", site.password)
    page.click("input[type=submit], button[type=submit]")
    tree = page.locator("#dataTree .jstree-anchor")
    tree.filter(has_text="Demo screen").dblclick()
    tree.filter(has_text=PLATE).click()
    thumbnails = page.locator("#spw td.well img")
    expect(thumbnails).to_have_count(96, timeout=60_000)
    page.wait_for_function("() => [...document.querySelectorAll('#spw td.well img')].every(i => i.naturalWidth > 0)")
    expect(page.locator("#annotation_tabs, #right_panel").first).to_contain_text(PLATE)
    thumbnails.nth(5).click()
    expect(page.get_by_role("heading", name="A6", exact=True)).to_be_visible()
    page.screenshot(path=tmp_path_factory.getbasetemp() / "omero-web.png")
    assert failures == []
