# SPDX-License-Identifier: AGPL-3.0-or-later
"""A plate that is not like the one of the passport is refused, with every difference in words."""

from __future__ import annotations

import pytest

from openhcs_client import FieldShape, OpenHCSError, PlateShape, WellKind
from openhcs_execution.passport import require_same_plate
from tests.execution.queued import plate_layout


def expected(**changes) -> PlateShape:
    shape = plate_layout(2).shape(["A01", "A02"])
    return shape.model_copy(update=changes)


def refusal(shape: PlateShape) -> str:
    with pytest.raises(OpenHCSError) as refused:
        require_same_plate(shape, plate_layout(3))
    assert (refused.value.code, refused.value.status) == ("plate_differs", 422)
    return refused.value.message


def test_more_wells_and_another_id_do_not_matter() -> None:
    require_same_plate(expected(plate_id=99), plate_layout(3))


def test_names_of_wells_may_be_written_otherwise() -> None:
    [kind] = expected().kinds
    require_same_plate(expected(kinds=(kind.model_copy(update={"wells": ("a1", "A002")}),)), plate_layout(3))


def test_other_channels() -> None:
    assert "its channels are DNA instead of DNA, Actin" in refusal(expected(channels=("DNA", "Actin")))


def test_missing_wells() -> None:
    [kind] = expected().kinds
    assert "it has no images in H12" in refusal(expected(kinds=(kind.model_copy(update={"wells": ("A01", "H12")}),)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([{"size_x": 16}], "1 field of 16 × 8 pixels of uint16"),
        ([{"pixel_type": "uint8"}], "1 field of 8 × 8 pixels of uint8"),
        ([{"size_z": 3}], "1 field of 8 × 8 pixels × 3 focal planes of uint16"),
        ([{}, {}], "2 fields of 8 × 8 pixels of uint16"),
    ],
)
def test_other_images(fields: list[dict], words: str) -> None:
    shapes = tuple(FieldShape(**({"size_x": 8, "size_y": 8, "pixel_type": "uint16"} | field)) for field in fields)
    told = refusal(expected(kinds=(WellKind(wells=("A01",), fields=shapes),)))
    assert f"the images of A01 are 1 field of 8 × 8 pixels of uint16 instead of {words}" in told
