# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading pixels: every type, every dimension, and planes larger than a message."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import omero
import pytest

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import planes, read_layout, read_planes

from .world import FusedGateway, make_image, make_plate, picture


def layout(ada, conn, *images):
    return read_layout(conn, make_plate(ada, {(0, 0): [image.getId() for image in images]}))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_every_pixel_type_arrives_as_it_was_stored(ada, conn, dtype):
    pixels = picture(3, dtype=dtype)
    if np.issubdtype(pixels.dtype, np.floating):
        pixels[0, 0] = 1e-3
    elif np.issubdtype(pixels.dtype, np.signedinteger):
        pixels[0, 0] = -5
    plate = layout(ada, conn, make_image(ada, "typed", [pixels]))
    (plane,) = read_planes(conn, plate.wells[0])
    assert plane.pixels.dtype == np.dtype(dtype)
    assert plane.pixels.dtype.isnative
    assert plane.pixels.flags.writeable
    np.testing.assert_array_equal(plane.pixels, pixels)


def test_z_channels_and_times_are_planes_in_their_places(ada, conn):
    sizes = {"z": 3, "c": 2, "t": 2}
    # createImageFromNumpySeq takes planes by Z, then C, then T.
    places = [(z, c, t) for z in range(3) for c in range(2) for t in range(2)]
    planes = {place: picture(number) for number, place in enumerate(places)}
    plate = layout(ada, conn, make_image(ada, "stack", [planes[place] for place in places], **sizes))
    found = {(plane.z - 1, plane.channel - 1, plane.t - 1): plane.pixels for plane in read_planes(conn, plate.wells[0])}
    assert set(found) == set(places)
    for place in places:
        np.testing.assert_array_equal(found[place], planes[place])


def test_fields_come_one_after_the_other(conn, plate):
    planes = list(read_planes(conn, plate.wells[1]))
    assert [(plane.field, plane.channel) for plane in planes] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    np.testing.assert_array_equal(planes[3].pixels, picture(100 + 10 + 1))


def test_colours_are_channels(ada, conn):
    colours = [picture(number, dtype="uint8") for number in range(3)]
    plate = layout(ada, conn, make_image(ada, "colours", colours, c=3))
    for plane, colour in zip(read_planes(conn, plate.wells[0]), colours, strict=True):
        np.testing.assert_array_equal(plane.pixels, colour)


def test_fields_of_different_sizes_and_types(ada, conn):
    first, second = picture(1, size=(10, 20)), picture(2, size=(30, 5), dtype="uint8")
    plate = layout(ada, conn, make_image(ada, "first", [first]), make_image(ada, "second", [second]))
    found = list(read_planes(conn, plate.wells[0]))
    np.testing.assert_array_equal(found[0].pixels, first)
    np.testing.assert_array_equal(found[1].pixels, second)


@pytest.mark.parametrize("most_bytes", [1, 64, 65 * 7, 24 * 32 * 2 - 1])
def test_large_planes_are_read_in_strips(conn, plate, most_bytes):
    whole = [plane.pixels for plane in read_planes(conn, plate.wells[0])]
    strips = [plane.pixels for plane in read_planes(conn, plate.wells[0], most_bytes=most_bytes)]
    np.testing.assert_array_equal(strips, whole)


@pytest.mark.parametrize(("most_bytes", "calls"), [(2 * 24 * 32 * 2, 2), (2 * 24 * 32 * 2 - 1, 4)])
def test_the_planes_of_a_time_point_come_in_one_call_while_they_are_small_enough(conn, plate, most_bytes, calls):
    counted = FusedGateway(conn)
    found = [plane.pixels for plane in read_planes(counted, plate.wells[0], most_bytes=most_bytes)]
    assert counted.fuse.made == 1 + 1 + 2 + calls + 1  # ids, open the store, its images, the pixels, close the store
    np.testing.assert_array_equal(found, [plane.pixels for plane in read_planes(conn, plate.wells[0])])


@pytest.mark.parametrize("refusal", [omero.ApiUsageException, omero.InternalException])
def test_a_store_that_gives_single_planes_only_is_read_plane_by_plane(conn, plate, monkeypatch, refusal):
    whole = [plane.pixels for plane in read_planes(conn, plate.wells[0])]
    asked = []

    def refuse(self: object, t: int, context: object) -> bytes:
        asked.append(t)
        raise refusal(message="not supported by this format")

    monkeypatch.setattr(omero.api.RawPixelsStorePrx, "getTimepoint", refuse)
    np.testing.assert_array_equal([plane.pixels for plane in read_planes(conn, plate.wells[0])], whole)
    assert asked == [0, 0]  # once for each of two fields


def test_large_time_points_take_no_more_memory_than_they_may(conn, plate, monkeypatch):
    monkeypatch.setattr(omero.api.RawPixelsStorePrx, "getTimepoint", lambda *_: pytest.fail("asked for all at once"))
    assert len(list(read_planes(conn, plate.wells[0], most_bytes=24 * 32 * 2))) == 4


def test_the_store_is_closed_when_reading_stops_early(conn, plate):
    counted = FusedGateway(conn)
    planes = read_planes(counted, plate.wells[0])
    next(planes)
    before = counted.fuse.made
    planes.close()
    assert counted.fuse.made == before + 1


def test_a_plate_that_was_deleted_meanwhile(ada, conn, plate):
    ada.deleteObjects("Plate", [plate.plate_id], deleteChildren=True, wait=True)
    with pytest.raises(OpenHCSError, match="Field 1 of well A01") as caught:
        list(read_planes(conn, plate.wells[0]))
    assert caught.value.code == "image_gone"


def test_an_image_without_pixel_data(conn, plate, monkeypatch):
    class Store:
        def setPixelsId(self, *_: object) -> None:
            raise omero.ResourceError(message="the file is not there")

    monkeypatch.setattr(planes, "raw_pixels", lambda *_: nullcontext(Store()))
    with pytest.raises(OpenHCSError, match="field 1 of well A01") as caught:
        list(read_planes(conn, plate.wells[0]))
    assert (caught.value.code, caught.value.status) == ("pixels_missing", 422)


def test_another_member_reads_what_the_group_allows(lab, plate):
    with lab.joined(lab.person()) as other:
        assert len(list(read_planes(other, plate.wells[0]))) == 4
