# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading the layout of plates as they come."""

from __future__ import annotations

import omero
import pytest
from omero.rtypes import rint, rstring

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import read_layout

from .world import FusedGateway, make_image, make_plate, picture


def image(conn, name="image", **options):
    return make_image(conn, name, [picture(1)] * options.get("c", 1), **options).getId()


def test_wells_fields_and_sizes(plate, ada, lab):
    assert [well.well for well in plate.wells] == ["A01", "A02"]
    assert [[field.field for field in well.fields] for well in plate.wells] == [[1, 2], [1, 2]]
    field = plate.wells[1].fields[1]
    found = ada.getObject("Image", field.image_id)
    assert found.getName() == "A2 field 2"
    assert (field.size_x, field.size_y, field.size_z, field.size_c, field.size_t) == (32, 24, 1, 2, 1)
    assert field.pixel_type == "uint16"
    assert (plate.group_id, plate.owner_id) == (lab.group_id, ada.getUserId())
    assert plate.wells[1].well_id == next(
        well.getId() for well in ada.getObject("Plate", plate.plate_id).listChildren() if well.column == 1
    )


def test_wells_without_images_are_left_out(ada, conn):
    plate = read_layout(conn, make_plate(ada, {(0, 0): [], (7, 11): [image(ada)]}))
    assert [well.well for well in plate.wells] == ["H12"]
    assert (plate.rows, plate.columns) == (8, 12)


@pytest.mark.parametrize(
    ("last", "name", "size"), [((15, 23), "P24", (16, 24)), ((31, 47), "AF48", (32, 48)), ((32, 0), "AG01", (33, 1))]
)
def test_formats_of_plates(ada, conn, last, name, size):
    plate = read_layout(conn, make_plate(ada, {last: [image(ada)]}))
    assert plate.wells[0].well == name
    assert (plate.rows, plate.columns) == size


def test_wells_come_in_the_order_of_the_plate(ada, conn):
    images = [image(ada) for _ in range(3)]
    plate = read_layout(conn, make_plate(ada, {(1, 0): images[:1], (0, 1): images[1:2], (0, 0): images[2:]}))
    assert [well.well for well in plate.wells] == ["A01", "A02", "B01"]


def test_fields_of_a_second_acquisition_follow_the_first(ada, conn):
    ids = [image(ada, f"field {number}") for number in range(4)]
    # The later image has the lower id: the order is that of the samples in the well.
    order = [ids[2], ids[3], ids[0], ids[1]]
    runs = {ids[2]: "run 1", ids[3]: "run 1", ids[0]: "run 2", ids[1]: "run 2"}
    plate = read_layout(conn, make_plate(ada, {(0, 0): order}, acquisitions=runs))
    assert [field.image_id for field in plate.wells[0].fields] == order
    assert [field.field for field in plate.wells[0].fields] == [1, 2, 3, 4]


def test_the_number_of_calls_does_not_grow_with_the_plate(ada, conn):
    image_id = image(ada)
    plate_id = make_plate(ada, {(0, 0): [image_id]})
    wells = []
    for number in range(1, 384):
        well = omero.model.WellI()
        well.plate = omero.model.PlateI(plate_id, False)
        well.row, well.column = rint(number // 24), rint(number % 24)
        sample = omero.model.WellSampleI()
        sample.image = omero.model.ImageI(image_id, False)
        well.addWellSample(sample)
        wells.append(well)
    ada.getUpdateService().saveCollection(wells, ada.SERVICE_OPTS)
    counted = FusedGateway(conn)
    assert len(read_layout(counted, plate_id).wells) == 384
    assert counted.fuse.made <= 4


def named_channels(conn, names, emissions=None):
    image_id = make_image(conn, "named", [picture(1)] * len(names), c=len(names)).getId()
    for position, channel in enumerate(conn.getObject("Image", image_id).getChannels()):
        logical = channel.getLogicalChannel()._obj
        logical.name = rstring(names[position]) if names[position] else None
        wave = (emissions or {}).get(position)
        logical.emissionWave = omero.model.LengthI(wave, "NANOMETER") if wave else None
        conn.getUpdateService().saveObject(logical, conn.SERVICE_OPTS)
    return image_id


def test_channels_have_the_names_of_the_microscope_and_no_two_the_same(ada, conn):
    image_id = named_channels(ada, ["DAPI", " GFP ", None, None, "DAPI"], {2: 525.5})
    plate = read_layout(conn, make_plate(ada, {(0, 0): [image_id]}))
    assert plate.channels == ("DAPI", "GFP", "525.5", "Channel 4", "DAPI (5)")


def test_the_pixel_size_is_in_micrometres(ada, conn):
    image_id = image(ada)
    pixels = ada.getObject("Image", image_id).getPrimaryPixels()._obj
    pixels.physicalSizeX = omero.model.LengthI(645.0, "NANOMETER")
    ada.getUpdateService().saveObject(pixels, ada.SERVICE_OPTS)
    assert read_layout(conn, make_plate(ada, {(0, 0): [image_id]})).pixel_size_um == pytest.approx(0.645)


def test_no_pixel_size_is_none(plate):
    assert plate.pixel_size_um is None


def refusal(conn, plate_id) -> OpenHCSError:
    with pytest.raises(OpenHCSError) as caught:
        read_layout(conn, plate_id)
    return caught.value


def test_a_plate_that_does_not_exist(conn):
    assert (refusal(conn, 10**9).code, refusal(conn, 10**9).status) == ("plate_not_found", 404)


def test_a_plate_that_one_may_not_read_looks_as_if_it_did_not_exist(make_lab):
    lab = make_lab("rw----")
    owner, other = lab.person(), lab.person()
    plate_id = make_plate(owner, {(0, 0): [image(owner)]})
    with lab.joined(owner) as conn:
        assert read_layout(conn, plate_id).plate_id == plate_id
    with lab.joined(other) as conn:
        assert refusal(conn, plate_id).message == refusal(conn, 10**9).message.replace(str(10**9), str(plate_id))


def test_a_plate_without_images(ada, conn):
    assert refusal(conn, make_plate(ada, {})).code == "plate_empty"
    assert refusal(conn, make_plate(ada, {(0, 0): []})).code == "plate_empty"


def test_a_plate_whose_images_have_different_channels_names_the_odd_well(ada, conn):
    places = {(0, 0): [image(ada, c=2)], (0, 1): [image(ada, c=2)], (0, 2): [image(ada, c=1)]}
    error = refusal(conn, make_plate(ada, places))
    assert error.code == "plate_uneven"
    assert "well A03 has 1" in error.message


def test_complex_numbers_are_refused_in_words(ada, conn):
    image_id = image(ada)
    pixels = ada.getObject("Image", image_id).getPrimaryPixels()._obj
    pixels.pixelsType = ada.getQueryService().findByQuery("select t from PixelsType t where t.value = 'complex'", None)
    ada.getUpdateService().saveObject(pixels, ada.SERVICE_OPTS)
    error = refusal(conn, make_plate(ada, {(0, 0): [image_id]}))
    assert (error.code, error.status) == ("pixel_type_not_supported", 422)
    assert "complex" in error.message
