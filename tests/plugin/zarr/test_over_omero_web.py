# SPDX-License-Identifier: AGPL-3.0-or-later
"""The endpoint as it runs: unmodified OMERO.web on the embedded OMERO, read by other software with a browser's cookies."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import ngio
import numpy as np
import pytest
import zarr
from stack import Stack
from zarr.storage import FsspecStore

from tests.plugin.omero_images import Planted, omero_of, plant, plant_image, sign_in

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def planted(stack: Stack) -> Planted:
    with omero_of(stack, "anna") as conn:
        return plant(conn, "Discs for Zarr")


@pytest.fixture(scope="module")
def private_image(stack: Stack) -> int:
    """An image of Clara, in a group where nobody else may read."""
    with omero_of(stack, "clara") as conn:
        return plant_image(conn, "Private", np.full((1, 1, 1, 40, 40), 7, "u1"))


@pytest.fixture
def anna(stack: Stack) -> Iterator[httpx.Client]:
    with sign_in(stack, "anna") as client:
        yield client


def opened(client: httpx.Client, version: str, path: str) -> zarr.Group:
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    options = {"client_kwargs": {"headers": {"Cookie": cookies}}}
    address = str(client.base_url.join(f"openhcs/zarr/{version}/{path}"))
    store = FsspecStore.from_url(address, storage_options=options, read_only=True)
    return zarr.open_group(store, mode="r", zarr_format=2 if version == "0.4" else 3)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_pixels_and_labels_come_as_they_are_in_omero(anna: httpx.Client, planted: Planted, version: str) -> None:
    image = opened(anna, version, f"image/{planted.image_id}.zarr")
    assert image["0"].dtype == np.dtype("<u2")
    assert (image["0"][:] == planted.pixels).all()
    labels = opened(anna, version, f"image/{planted.image_id}.zarr/labels")
    assert (labels["discs/0"][0, 0] == planted.labels).all()
    assert set(np.unique(labels["discs/2"][:])) <= set(np.unique(planted.labels))
    origin = {"execution_id": planted.execution_id, "name": "discs", "image_id": planted.label_image_id}
    assert labels.attrs["openhcs"] == {"labels": {"discs": origin}}


def test_a_label_image_on_its_own_keeps_its_object_numbers(anna: httpx.Client, planted: Planted) -> None:
    image = opened(anna, "0.4", f"image/{planted.label_image_id}.zarr")
    assert image["0"].dtype == np.dtype("<i4")
    assert (image["1"][0, 0, 0] == planted.labels[::2, ::2]).all()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ngio_opens_a_demo_plate(anna: httpx.Client, stack: Stack, version: str) -> None:
    with omero_of(stack, "anna") as conn:
        plate = next(iter(conn.getObjects("Plate", attributes={"name": "Synthetic GFP assay"})))
        plate_id = plate.getId()
        well = next(well for well in plate.listChildren() if (well.row, well.column) == (1, 2))
        expected = well.getImage(1).getPrimaryPixels().getPlane(0, 1, 0)
    plate = ngio.open_ome_zarr_plate(opened(anna, version, f"plate/{plate_id}.zarr"), mode="r")
    assert len(plate.wells_paths()) == 96
    container = plate.get_image("B", 3, "1")
    image = container.get_image()
    assert (image.get_as_numpy()[0, 1, 0] == expected).all()
    assert image.channel_labels == ["DAPI", "GFP"]
    assert image.pixel_size.x == pytest.approx(0.65)
    assert image.pixel_size.z == 1.0


def test_what_one_session_may_read_is_not_believed_of_another(stack: Stack, anna: httpx.Client, private_image: int) -> None:
    key = f"/openhcs/zarr/0.4/image/{private_image}.zarr/0/0/0/0/0/0"
    with sign_in(stack, "clara") as clara:
        assert set(clara.get(key).content) == {7}
        refused = [anna.get(key) for _ in range(6)]
    # Both web workers are asked, also the one that has the pixels in memory.
    assert {answer.status_code for answer in refused} == {404}
    assert refused[0].json()["error"]["code"] == "image_not_found"
    assert refused[0].headers["Cache-Control"] == "no-store"


def test_signing_out_ends_it_at_once(stack: Stack, planted: Planted) -> None:
    key = f"/openhcs/zarr/0.5/image/{planted.image_id}.zarr/zarr.json"
    with sign_in(stack, "anna") as client:
        cookies = dict(client.cookies)
        assert client.get(key).status_code == 200
        form = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/webclient/logout/", data=form, headers={"Referer": stack.web_url})
        for kept in (dict(client.cookies), cookies):
            answer = httpx.get(f"{stack.web_url}{key}", cookies=kept)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "not_signed_in"


def test_a_browser_asks_again_without_loading_again(anna: httpx.Client, planted: Planted) -> None:
    for key in (".zattrs", "0/0/1/0/1/1", "labels/discs/0/0/0/0/0"):
        address = f"/openhcs/zarr/0.4/image/{planted.image_id}.zarr/{key}"
        first = anna.get(address)
        assert first.status_code == 200
        assert first.headers["Cache-Control"].startswith("private")
        assert "Cookie" in first.headers["Vary"]
        again = anna.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]


def test_data_can_only_be_read(anna: httpx.Client, planted: Planted, stack: Stack) -> None:
    address = f"/openhcs/zarr/0.4/image/{planted.image_id}.zarr/.zattrs"
    assert anna.head(address).status_code == 200
    headers = {"X-CSRFToken": anna.cookies["csrftoken"], "Referer": stack.web_url}
    assert anna.post(address, headers=headers).status_code == 405


@pytest.mark.parametrize(
    "address",
    [
        "0.4/image/999999.zarr/.zattrs",
        "0.4/image/99999999999999999999.zarr/.zattrs",
        "0.3/image/1.zarr/.zattrs",
        "0.4/plate/999999.zarr/.zattrs",
        "0.4/image/1.zarr/9/.zarray",
        "0.4/image/1.zarr/",
    ],
)
def test_what_is_not_there_is_404_in_json(anna: httpx.Client, address: str) -> None:
    answer = anna.get(f"/openhcs/zarr/{address}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]
