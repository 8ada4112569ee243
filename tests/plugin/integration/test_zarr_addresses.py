# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses with a token, read by software that knows nothing of OMERO: with no cookie, as the user who made them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import ngio
import numpy as np
import ome_zarr.io
import ome_zarr.reader
import pytest
import zarr
from stack import Stack
from zarr.storage import FsspecStore

from tests.plugin.omero_images import Planted, omero_of, plant

from .conftest import WebUser, World, error_of, sign_in

pytestmark = pytest.mark.stack

PATIENCE = 30


def address(person: WebUser, kind: str, object_id: int, version: str = "0.4") -> str:
    answer = person.post(person.api("zarr-addresses/"), {"kind": kind, "id": object_id})
    assert answer.status_code == 201, answer.text
    return person.base + answer.json()["urls"][version]


def opened(url: str, version: str) -> zarr.Group:
    store = FsspecStore.from_url(url.rstrip("/"), read_only=True)
    return zarr.open_group(store, mode="r", zarr_format=2 if version == "0.4" else 3)


@pytest.fixture(scope="module")
def planted(stack: Stack) -> Planted:
    with omero_of(stack, "anna") as conn:
        return plant(conn, "Discs for tokens")


@pytest.fixture(scope="module")
def anna(stack: Stack) -> WebUser:
    account = stack.users()["anna"]
    return sign_in(stack.web_url, account.name, account.password, 0)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_independent_readers_open_image_and_labels(anna: WebUser, planted: Planted, version: str) -> None:
    url = address(anna, "image", planted.image_id, version)
    assert (opened(url, version)["0"][:] == planted.pixels).all()
    # What napari-ome-zarr uses.
    nodes = list(ome_zarr.reader.Reader(ome_zarr.io.parse_url(url))())
    assert (np.asarray(nodes[0].data[0]) == planted.pixels).all()
    label = next(node for node in nodes if node.zarr.path.rstrip("/").endswith("discs"))
    assert (np.asarray(label.data[0])[0, 0] == planted.labels).all()
    container = ngio.open_ome_zarr_container(opened(url, version), mode="r")
    assert container.list_labels() == ["discs"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_is_read_as_a_plate(ada: WebUser, plate: int, version: str) -> None:
    url = address(ada, "plate", plate, version)
    found = ngio.open_ome_zarr_plate(opened(url, version), mode="r")
    assert found.wells_paths() == ["A/1", "A/2"]
    assert found.get_image("A", 2, "0").get_image().get_as_numpy().max() > 2000


@pytest.mark.parametrize("permissions", ["rw----", "rwr---", "rwra--", "rwrw--"])
def test_omero_decides_who_may_make_one(
    world: World, make_plate: Callable[..., int], stranger: WebUser, permissions: str
) -> None:
    group = world.group(permissions)
    owner, member = world.person(group), world.person(group)
    plate = make_plate(owner, group, wells=1, name=f"Plate in {permissions}")
    assert httpx.get(address(owner, "plate", plate) + "A/1/0/.zattrs").status_code == 200
    may_read = permissions != "rw----"
    answer = member.post(member.api("zarr-addresses/"), {"kind": "plate", "id": plate})
    assert answer.status_code == (201 if may_read else 404)
    if may_read:
        assert httpx.get(address(member, "plate", plate) + ".zattrs").status_code == 200
    refused = stranger.post(stranger.api("zarr-addresses/"), {"kind": "plate", "id": plate})
    assert (refused.status_code, error_of(refused)["code"]) == (404, "plate_not_found")


def test_it_opens_one_thing_and_only_for_reading(ada: WebUser, stranger: WebUser, plate: int, planted: Planted) -> None:
    url = address(ada, "plate", plate)
    assert httpx.get(url + ".zattrs").status_code == 200
    for other in (url.replace(f"/{plate}.zarr", f"/{plate + 1}.zarr"), url.replace("/plate/", "/image/")):
        # Also not with the cookie of somebody who could read it.
        for ask in (httpx.get, ada.client.get):
            refused = ask(other + ".zattrs")
            assert (refused.status_code, error_of(refused)["code"]) == (403, "token_refused")
    assert ada.client.post(url + ".zattrs", headers={"X-CSRFToken": ada._csrf_token()}).status_code == 405
    tampered = url.replace("/token/", "/token/e")
    assert error_of(httpx.get(tampered + ".zattrs"))["code"] == "token_refused"
    # The one who has it reads as the one who made it, which is what it is for.
    assert stranger.client.get(url + ".zattrs").status_code == 200


@pytest.mark.parametrize("body", [{}, {"kind": "screen", "id": 1}, {"kind": "image", "id": 0}, {"kind": "image", "id": "x"}])
def test_nonsense_is_refused(ada: WebUser, body: dict[str, Any]) -> None:
    assert ada.post(ada.api("zarr-addresses/"), body).status_code == 422


def test_without_the_csrf_token_nothing_is_made(ada: WebUser, plate: int) -> None:
    assert ada.post(ada.api("zarr-addresses/"), {"kind": "plate", "id": plate}, csrf=False).status_code == 403


def test_it_ends_with_the_session_with_the_image_and_with_the_membership(
    world: World, make_plate: Callable[..., int], stack: Stack
) -> None:
    group, elsewhere = world.group("rwr---"), world.group("rwrw--")
    owner, leaving, signing_out = world.person(group), world.person(elsewhere, group), world.person(group)
    deleted, left = (make_plate(owner, group, wells=1, name=name) for name in ("Deleted", "Left"))
    image = opened(address(owner, "plate", deleted), "0.4")
    assert image["A/1/0/0"].shape == (1, 1, 1, 64, 64)
    pages = {
        "deleted": (owner, address(owner, "plate", deleted), f"/openhcs/zarr/0.4/plate/{deleted}.zarr/"),
        "left": (leaving, address(leaving, "plate", left), f"/openhcs/zarr/0.4/plate/{left}.zarr/"),
        "signed out": (signing_out, address(signing_out, "plate", left), f"/openhcs/zarr/0.4/plate/{left}.zarr/"),
    }
    for person, url, path in pages.values():
        assert httpx.get(url + "A/1/0/0/0/0/0/0/0").status_code == 200
        assert person.get(path + "A/1/0/0/0/0/0/0/0").status_code == 200

    form = {"csrfmiddlewaretoken": signing_out._csrf_token()}
    signing_out.client.post(f"{stack.web_url}/webclient/logout/", data=form)
    answer = httpx.get(pages["signed out"][1] + "A/1/0/0/0/0/0/0/0")
    assert (answer.status_code, error_of(answer)["code"]) == (403, "token_refused")

    connection = world.omero(owner, group)
    connection.deleteObjects("Plate", [deleted], wait=True)
    connection.close()
    admin = world.root.getAdminService()
    admin.removeGroups(admin.getExperimenter(leaving.user_id), [admin.getGroup(group)])
    for name in ("deleted", "left"):
        person, url, path = pages[name]
        for ask in (lambda url=url: httpx.get(url + ".zattrs"), lambda person=person, path=path: person.get(path + ".zattrs")):
            end = time.monotonic() + PATIENCE
            while (answer := ask()).status_code == 200 and time.monotonic() < end:
                time.sleep(0.5)
            assert (answer.status_code, error_of(answer)["code"]) == (404, "plate_not_found"), name
