# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is at an address, and above all what is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from omero_openhcs.omero_access.label_images import LabelImage
from omero_openhcs.omero_access.made_images import MadeImage
from omero_openhcs.zarr.access import label_paths
from omero_openhcs.zarr.formats import FORMATS
from omero_openhcs.zarr.hierarchy import find_in_image, find_in_plate
from openhcs_client import FieldLayout, OpenHCSError, PlateLayout, WellLayout

from .memory import MemoryAccess


@pytest.fixture
def access() -> MemoryAccess:
    access = MemoryAccess()
    access.add(1, np.zeros((1, 1, 1, 600, 600), "u2"))
    access.add(2, np.zeros((1, 1, 1, 600, 600), "u2"), object_numbers=True)
    access.label_images[1] = {"nuclei": LabelImage(2, 3, "e1", "nuclei", (600, 600))}
    field = FieldLayout(field=1, image_id=1, size_x=600, size_y=600, pixel_type="uint16")
    well = WellLayout(well="AF48", well_id=1, row=31, column=47, fields=(field,))
    access.layouts[5] = PlateLayout(
        plate_id=5, name="P", group_id=3, owner_id=2, rows=32, columns=48, channels=("a",), wells=(well,)
    )
    return access


PRESENT_04 = [".zgroup", ".zattrs", "0/.zarray", "1/.zarray", "0/0/0/0/1/1", "labels/.zattrs", "labels/nuclei/.zattrs",
              "labels/nuclei/0/.zarray", "labels/nuclei/0/0/0/1/1"]  # fmt: skip
PRESENT_05 = ["zarr.json", "0/zarr.json", "0/c/0/0/0/1/1", "labels/zarr.json", "labels/nuclei/0/c/0/0/0/0"]
ABSENT = ["", "x", "3/.zarray", "00/.zarray", "-1/.zarray", "0", "0/", "0/0/0/0/1", "0/0/0/0/2/0", "0/0/0/0/01/0",
          "0/0/0/0/1/1/0", "0/0/0/0/٣/0", "0/0/0/0/99999999999/0", "0/.zattrs", "labels", "labels/",
          "labels/cells/.zattrs", "labels/nuclei",
          "labels/nuclei/labels/.zattrs", "labels/../.zattrs", "../2.zarr/.zattrs", "c/0/0/0/0/0", ".zmetadata"]  # fmt: skip


@pytest.mark.parametrize(("version", "present"), [("0.4", PRESENT_04), ("0.5", PRESENT_05)])
def test_every_node_has_its_documents_and_chunks(access: MemoryAccess, version: str, present: list[str]) -> None:
    for key in present:
        entry = find_in_image(access, FORMATS[version], 1, key.split("/"))  # type: ignore[arg-type]
        assert entry is not None, key
        assert entry.content(), key


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("key", ABSENT)
def test_anything_else_is_absent(access: MemoryAccess, version: str, key: str) -> None:
    assert find_in_image(access, FORMATS[version], 1, key.split("/")) is None  # type: ignore[arg-type]


def test_the_documents_of_one_version_are_absent_in_the_other(access: MemoryAccess) -> None:
    for key in (".zgroup", ".zattrs", "0/.zarray", "0/0/0/0/0/0"):
        assert find_in_image(access, FORMATS["0.5"], 1, key.split("/")) is None  # type: ignore[arg-type]
    for key in ("zarr.json", "0/zarr.json", "0/c/0/0/0/0/0"):
        assert find_in_image(access, FORMATS["0.4"], 1, key.split("/")) is None  # type: ignore[arg-type]


def test_an_image_names_the_images_that_executions_left_of_it(access: MemoryAccess) -> None:
    access.processed_images[1] = [MadeImage(9, 90, (10, 10), {"execution_id": "e2"}), MadeImage(8, 80, (10, 10), {})]
    for version, key, read in (("0.4", ".zattrs", lambda it: it), ("0.5", "zarr.json", lambda it: it["attributes"])):
        entry = find_in_image(access, FORMATS[version], 1, [key])  # type: ignore[arg-type]
        assert entry is not None
        named = read(json.loads(entry.content()))["openhcs"]
        assert named == {"processed": [{"execution_id": "e2", "image_id": 9}, {"execution_id": "", "image_id": 8}]}
    entry = find_in_image(access, FORMATS["0.4"], 2, [".zattrs"])  # type: ignore[arg-type]
    assert entry is not None
    assert "openhcs" not in json.loads(entry.content())


def test_an_image_without_labels_has_no_labels_group(access: MemoryAccess) -> None:
    assert find_in_image(access, FORMATS["0.4"], 2, ["labels", ".zattrs"]) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [".zattrs", "AF/.zgroup", "AF/48/.zattrs", "AF/48/0/.zattrs", "AF/48/0/0/0/0/0/0/0"])
def test_a_plate_has_rows_wells_and_fields(access: MemoryAccess, key: str) -> None:
    assert find_in_plate(access, FORMATS["0.4"], 5, key.split("/")) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "key", ["", "A/.zgroup", "A/1/.zattrs", "AF/048/.zattrs", "AF/48/1/.zattrs", "AF/48/-1/.zattrs", "af/48/.zattrs"]
)
def test_wells_and_fields_that_are_not_there_are_absent(access: MemoryAccess, key: str) -> None:
    assert find_in_plate(access, FORMATS["0.4"], 5, key.split("/")) is None  # type: ignore[arg-type]


def test_an_image_that_may_not_be_read_is_refused_and_not_absent(access: MemoryAccess) -> None:
    with pytest.raises(OpenHCSError) as refused:
        find_in_image(access, FORMATS["0.4"], 99, [".zattrs"])  # type: ignore[arg-type]
    assert refused.value.status == 404


def test_the_revision_of_metadata_follows_its_content(access: MemoryAccess) -> None:
    before = find_in_image(access, FORMATS["0.4"], 1, ["labels", ".zattrs"])  # type: ignore[arg-type]
    access.label_images[1]["cells"] = LabelImage(2, 4, "e2", "cells", (600, 600))
    after = find_in_image(access, FORMATS["0.4"], 1, ["labels", ".zattrs"])  # type: ignore[arg-type]
    assert before is not None
    assert after is not None
    assert before.revision != after.revision
    assert json.loads(after.content())["labels"] == ["nuclei", "cells"]


def test_intensities_that_json_cannot_hold_are_replaced(access: MemoryAccess) -> None:
    from omero_openhcs.omero_access.images import ChannelInfo

    odd = ChannelInfo("a", "FFFFFF", True, float("nan"), float("inf"), None, None)
    access.add(7, np.zeros((1, 1, 1, 8, 8), "f4"), channels=(odd,))
    entry = find_in_image(access, FORMATS["0.4"], 7, [".zattrs"])  # type: ignore[arg-type]
    assert entry is not None
    assert json.loads(entry.content())["omero"]["channels"][0]["window"] == {"start": 0.0, "end": 1.0, "min": 0.0, "max": 1.0}


def test_names_of_labels_cannot_leave_their_folder() -> None:
    odd = ["../../secret", ".zattrs", "", "a/b", "née", "x" * 500]
    paths = label_paths([LabelImage(n, n, "e", name, (1, 1)) for n, name in enumerate(odd)])
    for path in paths:
        assert "/" not in path
        assert not path.startswith(".")
        assert 0 < len(path) <= 120


def test_the_newest_execution_has_the_plain_name() -> None:
    labels = [
        LabelImage(3, 3, "new", "nuclei", (1, 1)),
        LabelImage(2, 2, "old", "nuclei", (1, 1)),
        LabelImage(1, 1, "old", "nuclei", (1, 1)),
    ]
    assert {path: label.image_id for path, label in label_paths(labels).items()} == {"nuclei": 3, "nuclei.old": 2}
