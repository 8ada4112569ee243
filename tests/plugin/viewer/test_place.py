# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where an image lies on its plate, and which images are its neighbours."""

from __future__ import annotations

from omero_openhcs.viewer.place import Step, find_place
from openhcs_client import FieldLayout, PlateLayout, WellLayout


def well(name: str, column: int, *images: int) -> WellLayout:
    fields = tuple(
        FieldLayout(field=number, image_id=image, size_x=1, size_y=1, pixel_type="uint8")
        for number, image in enumerate(images, 1)
    )
    return WellLayout(well=name, well_id=column, row=0, column=column, fields=fields)


LAYOUT = PlateLayout(
    plate_id=5, name="Plate", group_id=3, owner_id=2, rows=8, columns=12, channels=("a",),
    wells=(well("A01", 0, 11, 12, 13), well("A02", 1, 21), well("A05", 4, 51, 52, 53)),
)  # fmt: skip


def test_the_neighbouring_wells_are_shown_at_the_same_field_or_their_last() -> None:
    place = find_place(LAYOUT, 13)
    assert place is not None
    assert (place.well, place.field, place.plate_id) == ("A01", 3, 5)
    assert place.fields == (Step("Field 1", 11), Step("Field 2", 12), Step("Field 3", 13))
    assert place.previous_well is None
    assert place.next_well == Step("A02", 21)


def test_empty_wells_are_stepped_over() -> None:
    place = find_place(LAYOUT, 21)
    assert place is not None
    assert (place.previous_well, place.next_well) == (Step("A01", 11), Step("A05", 51))


def test_the_last_well_has_no_next() -> None:
    place = find_place(LAYOUT, 52)
    assert place is not None
    assert place.next_well is None


def test_an_image_that_is_not_on_the_plate_has_no_place() -> None:
    assert find_place(LAYOUT, 99) is None
