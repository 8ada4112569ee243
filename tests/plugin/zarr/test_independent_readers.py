# SPDX-License-Identifier: AGPL-3.0-or-later
"""What independent software makes of the endpoint: zarr-python, ngio, and the models of the NGFF specification."""

from __future__ import annotations

from collections.abc import Iterator

import ngio
import numpy as np
import pytest
import zarr
from ome_zarr_models import v04, v05
from zarr.storage import FsspecStore

from omero_openhcs.omero_access.label_images import LabelImage
from openhcs_client import FieldLayout, PlateLayout, WellLayout

from .memory import MemoryAccess, served

MODELS = {"0.4": v04, "0.5": v05}
ZARR_FORMAT = {"0.4": 2, "0.5": 3}

pytestmark = pytest.mark.parametrize("version", ["0.4", "0.5"])


@pytest.fixture(scope="module")
def access() -> MemoryAccess:
    """A field of 700 x 601 with two channels, three z and two t; its nuclei; one image of each pixel type; a plate."""
    generator = np.random.default_rng(7)
    access = MemoryAccess()
    access.add(1, generator.integers(0, 60000, (2, 2, 3, 700, 601)).astype("<u2"))
    nuclei = np.kron(generator.integers(0, 900, (1, 1, 1, 70, 61)), np.ones((10, 10), int))[..., :700, :601].astype("<u4")
    access.add(2, nuclei, object_numbers=True)
    access.label_images[1] = {"nuclei": LabelImage(2, 11, "e1", "nuclei", (700, 601))}
    for number, dtype in enumerate(DTYPES):
        pixels = generator.integers(-100 if dtype[1] in "if" else 0, 120, (1, 1, 1, 300, 270)).astype(dtype)
        access.add(10 + number, pixels if dtype[1] != "f" else pixels / np.array(3, dtype), pixel_size_um=(None, None, None))
    fields = tuple(FieldLayout(field=n, image_id=n, size_x=601, size_y=700, pixel_type="uint16") for n in (1, 2))
    wells = tuple(WellLayout(well=name, well_id=n, row=n, column=11, fields=fields) for n, name in enumerate(("A12", "B12")))
    access.layouts[5] = PlateLayout(
        plate_id=5, name="Plate", group_id=3, owner_id=2, rows=8, columns=12, channels=("a", "b"), wells=wells
    )
    return access


@pytest.fixture(scope="module")
def base(access: MemoryAccess) -> Iterator[str]:
    with served(access) as address:
        yield address


DTYPES = ["|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<f4", "<f8"]


def group(base: str, version: str, path: str) -> zarr.Group:
    store = FsspecStore.from_url(f"{base}/{version}/{path}", read_only=True)
    return zarr.open_group(store, mode="r", zarr_format=ZARR_FORMAT[version])  # type: ignore[arg-type]


def ome(found: zarr.Group, version: str) -> dict:
    attributes = found.attrs.asdict()
    return attributes if version == "0.4" else attributes["ome"]


def test_zarr_reads_every_pixel_of_every_level(access: MemoryAccess, base: str, version: str) -> None:
    found = group(base, version, "image/1.zarr")
    pixels = access.readers[1].pixels
    assert found["0"].shape == pixels.shape
    assert found["0"].chunks == (1, 1, 1, 512, 512)
    assert (found["0"][:] == pixels).all()
    mean = pixels[..., :700, :600].astype(float).reshape(2, 2, 3, 350, 2, 300, 2).mean(axis=(4, 6))
    assert np.abs(found["1"][:] - mean).max() <= 0.5
    assert found["2"].shape == (2, 2, 3, 175, 150)
    assert "3" not in found


@pytest.mark.parametrize("number", range(len(DTYPES)), ids=DTYPES)
def test_the_type_of_the_pixels_is_kept(access: MemoryAccess, base: str, version: str, number: int) -> None:
    found = group(base, version, f"image/{10 + number}.zarr")
    assert found["0"].dtype == np.dtype(DTYPES[number])
    assert (found["0"][:] == access.readers[10 + number].pixels).all()
    assert found["1"].dtype == np.dtype(DTYPES[number])


def test_labels_are_the_same_objects_at_every_level(access: MemoryAccess, base: str, version: str) -> None:
    found = group(base, version, "image/1.zarr/labels")
    MODELS[version].labels.LabelsAttrs.model_validate(ome(found, version))
    assert found.attrs["openhcs"]["labels"]["nuclei"] == {"execution_id": "e1", "name": "nuclei", "image_id": 2}
    nuclei = found["nuclei"]
    MODELS[version].image_label.ImageLabelAttrs.model_validate(ome(nuclei, version))
    assert nuclei["0"].dtype == np.dtype("<i4")
    expected = access.readers[2].pixels[:, 0]
    assert (nuclei["0"][:] == expected).all()
    assert (nuclei["1"][:] == expected[..., :700:2, :600:2]).all()


def test_the_models_of_the_specification_accept_the_metadata(base: str, version: str) -> None:
    image = MODELS[version].image.ImageAttrs.model_validate(ome(group(base, version, "image/1.zarr"), version))
    multiscale = image.multiscales[0]
    assert [axis.name for axis in multiscale.axes] == ["t", "c", "z", "y", "x"]
    assert [axis.unit for axis in multiscale.axes][2:] == ["micrometer"] * 3
    scales = [dataset.coordinateTransformations[0].scale for dataset in multiscale.datasets]
    assert scales[0] == [1, 1, 2.0, 0.5, 0.25]
    assert scales[2] == [1, 1, 2.0, 2.0, 1.0]
    MODELS[version].hcs.HCSAttrs.model_validate(ome(group(base, version, "plate/5.zarr"), version))
    MODELS[version].well.WellAttrs.model_validate(ome(group(base, version, "plate/5.zarr/B/12"), version))


def test_an_image_without_pixel_size_claims_no_unit(base: str, version: str) -> None:
    image = MODELS[version].image.ImageAttrs.model_validate(ome(group(base, version, "image/11.zarr"), version))
    assert all(axis.unit is None for axis in image.multiscales[0].axes)


def test_ngio_opens_image_labels_and_plate(access: MemoryAccess, base: str, version: str) -> None:
    container = ngio.open_ome_zarr_container(group(base, version, "image/1.zarr"), mode="r")
    image = container.get_image()
    assert (image.get_as_numpy() == access.readers[1].pixels).all()
    assert (image.pixel_size.z, image.pixel_size.y, image.pixel_size.x) == (2.0, 0.5, 0.25)
    assert image.channel_labels == ["Channel 0", "Channel 1"]
    assert container.list_labels() == ["nuclei"]
    label = container.get_label("nuclei")
    assert (np.squeeze(label.get_as_numpy()) == access.readers[2].pixels[0, 0, 0]).all()
    plate = ngio.open_ome_zarr_plate(group(base, version, "plate/5.zarr"), mode="r")
    assert plate.wells_paths() == ["A/12", "B/12"]
    assert plate.get_image("B", 12, "0").get_image().shape == (2, 2, 3, 700, 601)
