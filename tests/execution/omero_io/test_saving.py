# SPDX-License-Identifier: AGPL-3.0-or-later
"""Label images in OMERO, read back with plain omero-py."""

from __future__ import annotations

import numpy as np
import omero
import pytest

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import ensure_result_plate, new_images, read_layout, save_images

from .world import count_objects, key_of, label_array, label_files, make_image, make_plate, make_target, picture, small_plate


@pytest.fixture
def target(conn, plate):
    return make_target(conn, plate)


def samples(conn, plate_id):
    """Image ids of the result plate: {(row, column): [image id by field]}."""
    return {
        (well.row, well.column): [sample.getImage().getId() for sample in well.listChildren()]
        for well in conn.getObject("Plate", plate_id).listChildren()
    }


def test_the_result_plate_is_like_its_source_and_in_its_screen(ada, conn, lab, plate, target):
    result = ada.getObject("Plate", ensure_result_plate(conn, target))
    assert result.getName() == f"Plate – Count nuclei v2 ({target.execution_id[:8]})"
    assert (result.rows, result.columns) == (plate.rows, plate.columns)
    assert (result.getRowNamingConvention(), result.getColumnNamingConvention()) == ("letter", "number")
    assert result.getParent().getId() == ada.getObject("Plate", plate.plate_id).getParent().getId()
    assert result.getDetails().getOwner().getId() == ada.getUserId()
    assert result.getDetails().getGroup().getId() == lab.group_id
    assert target.execution_id in result.getDescription()


def test_a_plate_without_a_screen_gives_a_result_plate_without_one(ada, conn):
    plate = read_layout(conn, small_plate(ada, wells=1, fields=1, screen=False))
    result = ensure_result_plate(conn, make_target(conn, plate))
    assert ada.getObject("Plate", result).getParent() is None


def test_a_very_long_plate_name_leaves_room_for_what_matters(ada, conn):
    plate_id = make_plate(ada, {(0, 0): [make_image(ada, "i", [picture(1)]).getId()]}, name="p" * 255)
    target = make_target(conn, read_layout(conn, plate_id))
    name = ada.getObject("Plate", ensure_result_plate(conn, target)).getName()
    assert len(name) == 255
    assert name.endswith(f" – Count nuclei v2 ({target.execution_id[:8]})")


def test_there_is_one_result_plate_per_execution(conn, plate, target):
    first = ensure_result_plate(conn, target)
    assert ensure_result_plate(conn, target) == first
    assert ensure_result_plate(conn, make_target(conn, plate)) != first


def test_somebody_elses_plate_with_the_same_mark_is_not_taken(lab, conn, plate, target):
    with lab.joined(lab.person()) as other:
        forged = omero.model.PlateI()
        forged.setName(omero.rtypes.rstring("forged"))
        forged.setExternalIdentifier(omero.rtypes.rstring(target.execution_id))
        context = {"omero.group": str(lab.group_id)}
        forged_id = other.c.sf.getUpdateService().saveAndReturnObject(forged, context).id.val
    assert ensure_result_plate(conn, target) != forged_id


def test_labels_are_where_their_images_are(ada, conn, plate, target, tmp_path):
    result = ensure_result_plate(conn, target)
    saved = {well.well: save_images(conn, target, result, well, label_files(tmp_path, well)) for well in plate.wells}
    assert samples(ada, result) == {
        (0, column): [saved[f"A0{column + 1}"][(field, "nuclei")] for field in (1, 2)] for column in (0, 1)
    }
    for field in (1, 2):
        image = ada.getObject("Image", saved["A02"][(field, "nuclei")])
        assert image.getName() == f"A2 field {field} – nuclei"
        assert image.getChannelLabels() == ["nuclei"]
        assert image.getPrimaryPixels().getPixelsType().getValue() == "uint16"
        np.testing.assert_array_equal(image.getPrimaryPixels().getPlane(0, 0, 0), label_array(field))
        assert image.getChannels()[0].getWindowMax() == 2
        (annotation,) = image.listAnnotations()
        assert annotation.getNs() == "openhcs.org/omero/label/v1"
        assert dict(annotation.getValue()) == {
            "execution_id": target.execution_id,
            "source_image_id": str(plate.wells[1].fields[field - 1].image_id),
            "well": "A02",
            "field": str(field),
            "label": "nuclei",
            "objects": "2",
        }


def test_the_first_label_keeps_the_fields_of_the_source(ada, conn, plate, target, tmp_path):
    result = ensure_result_plate(conn, target)
    well = plate.wells[0]
    saved = save_images(conn, target, result, well, label_files(tmp_path, well, ["nuclei", "cells"]))
    order = [(1, "cells"), (2, "cells"), (1, "nuclei"), (2, "nuclei")]
    assert samples(ada, result)[(0, 0)] == [saved[key] for key in order]


def test_more_labels_than_16_bits_hold(ada, conn, plate, target, tmp_path):
    result = ensure_result_plate(conn, target)
    well = plate.wells[0]
    saved = save_images(conn, target, result, well, label_files(tmp_path, well, largest=70_000))
    pixels = ada.getObject("Image", saved[(1, "nuclei")]).getPrimaryPixels()
    assert pixels.getPixelsType().getValue() == "int32"
    np.testing.assert_array_equal(pixels.getPlane(0, 0, 0), label_array(1, largest=70_000))


def test_the_pixel_size_is_that_of_the_source(ada, conn, tmp_path):
    image = make_image(ada, "i", [picture(1)])
    pixels = image.getPrimaryPixels()._obj
    pixels.physicalSizeX = omero.model.LengthI(645.0, "NANOMETER")
    pixels.physicalSizeY = omero.model.LengthI(0.645, "MICROMETER")
    ada.getUpdateService().saveObject(pixels, ada.SERVICE_OPTS)
    plate = read_layout(conn, make_plate(ada, {(0, 0): [image.getId()]}))
    target = make_target(conn, plate)
    saved = save_images(conn, target, ensure_result_plate(conn, target), plate.wells[0], label_files(tmp_path, plate.wells[0]))
    found = ada.getObject("Image", saved[(1, "nuclei")])
    sizes = [size(units="MICROMETER").getValue() for size in (found.getPixelSizeX, found.getPixelSizeY)]
    assert sizes == pytest.approx([0.645, 0.645])


def test_a_large_label_image_is_written_in_tiles(ada, conn, plate, target, tmp_path, monkeypatch):
    monkeypatch.setattr(new_images, "_LARGEST_PLANE", 100)
    result = ensure_result_plate(conn, target)
    well = plate.wells[0]
    saved = save_images(conn, target, result, well, label_files(tmp_path, well))
    plane = ada.getObject("Image", saved[(2, "nuclei")]).getPrimaryPixels().getPlane(0, 0, 0)
    np.testing.assert_array_equal(plane, label_array(2))


def test_saving_twice_changes_nothing(lab, conn, plate, target, tmp_path):
    well = plate.wells[0]
    files = label_files(tmp_path, well)
    result = ensure_result_plate(conn, target)
    first = save_images(conn, target, result, well, files)
    before = count_objects(lab.sandbox, lab.group_id)
    assert save_images(conn, target, result, well, files) == first
    assert count_objects(lab.sandbox, lab.group_id) == before


def test_no_labels_make_no_well(ada, conn, plate, target):
    result = ensure_result_plate(conn, target)
    assert save_images(conn, target, result, plate.wells[0], []) == {}
    assert samples(ada, result) == {}


def test_a_label_image_of_another_size_is_refused_before_anything_is_saved(ada, conn, plate, target, tmp_path):
    result = ensure_result_plate(conn, target)
    files = label_files(tmp_path, plate.wells[0])
    np.save(files[1].path, np.zeros((5, 5), np.int32))
    with pytest.raises(OpenHCSError, match="field 2") as caught:
        save_images(conn, target, result, plate.wells[0], files)
    assert caught.value.code == "label_size"
    assert samples(ada, result) == {}


def test_a_pickle_is_not_read(conn, plate, target, tmp_path):
    files = label_files(tmp_path, plate.wells[0])
    np.save(files[0].path, np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        save_images(conn, target, ensure_result_plate(conn, target), plate.wells[0], files)


def test_other_images_in_the_same_place_are_not_overwritten(ada, conn, plate, target, tmp_path):
    result = ensure_result_plate(conn, target)
    well = plate.wells[0]
    save_images(conn, target, result, well, label_files(tmp_path, well, ["nuclei"]))
    with pytest.raises(OpenHCSError, match="holds other images") as caught:
        save_images(conn, target, result, well, label_files(tmp_path, well, ["cells"]))
    assert (caught.value.code, caught.value.status) == ("results_conflict", 409)


def test_results_go_into_the_group_of_the_plate_whatever_the_session_prefers(make_lab, tmp_path):
    plate_lab, home = make_lab("rwra--"), make_lab("rwra--")
    person = home.person()
    with home.sandbox.connection() as root:
        root.getAdminService().addGroups(
            root.getObject("Experimenter", person.getUserId())._obj,
            [root.getObject("ExperimenterGroup", plate_lab.group_id)._obj],
        )
    member = home.sandbox.connect(person.getUser().getName(), "a long password")  # its default group is home
    try:
        owner = plate_lab.person()
        with home.joined(member) as conn:
            assert key_of(member) != key_of(person)
            plate = read_layout(conn, small_plate(owner, wells=1, fields=1))
            target = make_target(conn, plate)
            result = ensure_result_plate(conn, target)
            save_images(conn, target, result, plate.wells[0], label_files(tmp_path, plate.wells[0]))
        assert owner.getObject("Plate", result).getDetails().getGroup().getId() == plate_lab.group_id
        assert count_objects(home.sandbox, home.group_id)["Image"] == 0
        assert count_objects(home.sandbox, plate_lab.group_id)["Image"] == 2
    finally:
        member.close()
