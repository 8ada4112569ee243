# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plugin and the execution service read a plate alike: results of field 2 belong to what the page calls field 2."""

from __future__ import annotations

import numpy as np
import omero
import pytest
from omero.gateway import BlitzGateway
from omero.model.enums import UnitsLength
from omero.rtypes import rint, rstring

from omero_openhcs.omero_access.plates import open_plate, read_layout
from openhcs_execution.omero_io import read_layout as read_layout_of_service

from .conftest import WebUser, World

pytestmark = pytest.mark.stack


def plate_of_fields(connection: BlitzGateway) -> tuple[int, dict[str, list[int]]]:
    """A plate said to be 16 x 24 whose pixels are 325 nm wide; returns it and the images of each well in their order."""
    update, context = connection.getUpdateService(), connection.SERVICE_OPTS
    plate = omero.model.PlateI()
    plate.setName(rstring("Three fields"))
    plate.setRows(rint(16))
    plate.setColumns(rint(24))
    plate = update.saveAndReturnObject(plate, context)
    images: dict[str, list[int]] = {}
    for column in range(2):
        well = omero.model.WellI()
        well.plate = omero.model.PlateI(plate.id.val, False)
        well.row, well.column = rint(1), rint(column)
        made = [
            connection.createImageFromNumpySeq(iter([np.zeros((8, 8), np.uint16)]), f"field {number}") for number in range(3)
        ]
        # Later images come first: neither their ids nor those of their pixels give the order.
        for image in reversed(made):
            pixels = image.getPrimaryPixels()._obj
            pixels.setPhysicalSizeX(omero.model.LengthI(325, UnitsLength.NANOMETER))
            update.saveObject(pixels, context)
            sample = omero.model.WellSampleI()
            sample.image = omero.model.ImageI(image.getId(), False)
            well.addWellSample(sample)
        update.saveObject(well, context)
        images[f"B{column + 1:02d}"] = [image.getId() for image in reversed(made)]
    return plate.id.val, images


_CHANGES = {"fields": {"__all__": {"change"}}}


def test_fields_are_numbered_as_the_service_numbers_them(world: World, ada: WebUser, lab: int) -> None:
    connection = world.omero(ada, lab)
    try:
        plate_id, images = plate_of_fields(connection)
        layout = read_layout(connection, open_plate(connection, plate_id))
        of_service = read_layout_of_service(connection, plate_id)
    finally:
        connection.close()
    assert {well.well: [field.image_id for field in well.fields] for well in layout.wells} == images
    assert [field.field for field in layout.wells[0].fields] == [1, 2, 3]
    # Only the service asks when pixels last changed; the plugin computes nothing with them.
    assert [well.model_dump(exclude=_CHANGES) for well in layout.wells] == [
        well.model_dump(exclude=_CHANGES) for well in of_service.wells
    ]
    assert (layout.rows, layout.columns) == (of_service.rows, of_service.columns) == (16, 24)
    assert layout.pixel_size_um == of_service.pixel_size_um == pytest.approx(0.325)
