# SPDX-License-Identifier: AGPL-3.0-or-later
"""ROIs of objects, read back with plain omero-py and drawn again: they cover what the label image says."""

from __future__ import annotations

import numpy as np
import omero
import pytest
from omero.rtypes import unwrap
from skimage.draw import polygon2mask

from openhcs_client import RoiKind
from openhcs_execution.omero_io import ObjectsOnImage, ensure_result, may_draw_on, read_layout, rois, save_images, save_rois
from openhcs_execution.results.outlines import object_numbers

from .world import FusedGateway, Killed, label_files, make_target, small_plate

SIZE = (48, 64)


def crowd() -> np.ndarray:
    """Twelve round objects, some touching each other or the border."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    labels = np.zeros(SIZE, np.int32)
    for number in range(12):
        row, column = 16 * (number // 4) + 6, 16 * (number % 4) + 7
        labels[np.hypot(rows - row, columns - column) <= 5 + number % 4] = number + 1
    return labels


@pytest.fixture
def objects(plate, tmp_path):
    """The crowd on the first image of the plate."""
    path = tmp_path / "labels.npy"
    np.save(path, crowd())
    return ObjectsOnImage(plate.wells[0].fields[0].image_id, "nuclei", path, object_numbers(crowd()))


def read_rois(conn, image_id):
    """Every ROI of an image as unmodified omero-py reads it: {name: its shapes}."""
    result = conn.getRoiService().findByImage(image_id, None, conn.SERVICE_OPTS)
    return {unwrap(roi.name): roi.copyShapes() for roi in result.rois}


def drawn(shapes) -> np.ndarray:
    """The pixels that shapes cover."""
    covered = np.zeros(SIZE, bool)
    for shape in shapes:
        if isinstance(shape, omero.model.Mask):
            x, y, width, height = (int(unwrap(each)) for each in (shape.x, shape.y, shape.width, shape.height))
            bits = np.unpackbits(np.frombuffer(bytes(shape.bytes), np.uint8))[: width * height]
            covered[y : y + height, x : x + width] |= bits.reshape(height, width).astype(bool)
        else:
            points = np.array([[float(number) for number in pair.split(",")] for pair in unwrap(shape.points).split()])
            covered |= polygon2mask(SIZE, points[:, ::-1] - 0.5)
    return covered


@pytest.mark.parametrize(("kind", "least"), [(RoiKind.MASKS, 1.0), (RoiKind.POLYGONS, 0.95)])
def test_rois_cover_their_objects(ada, conn, plate, objects, kind, least):
    target = make_target(conn, plate)
    save_rois(conn, target, kind, [objects])
    found = read_rois(ada, objects.image_id)
    assert set(found) == {f"nuclei {number}" for number in range(1, 13)}
    for number in range(1, 13):
        covered, inside = drawn(found[f"nuclei {number}"]), crowd() == number
        assert np.count_nonzero(covered & inside) / np.count_nonzero(covered | inside) >= least
        assert [unwrap(shape.textValue) for shape in found[f"nuclei {number}"]] == [str(number)]


def test_saving_twice_draws_nothing_twice_and_executions_do_not_mix(ada, conn, plate, objects):
    target = make_target(conn, plate)
    save_rois(conn, target, RoiKind.MASKS, [objects])
    save_rois(conn, target, RoiKind.MASKS, [objects])
    assert len(ada.getRoiService().findByImage(objects.image_id, None, ada.SERVICE_OPTS).rois) == 12
    save_rois(conn, make_target(conn, plate), RoiKind.MASKS, [objects])
    assert len(ada.getRoiService().findByImage(objects.image_id, None, ada.SERVICE_OPTS).rois) == 24


def test_a_process_that_dies_between_two_calls_leaves_nothing_double(ada, conn, plate, objects, monkeypatch):
    monkeypatch.setattr(rois, "_AT_ONCE", 5)
    for calls in range(4):
        target = make_target(conn, plate)
        with pytest.raises(Killed):
            save_rois(FusedGateway(conn, calls), target, RoiKind.POLYGONS, [objects])
        save_rois(conn, target, RoiKind.POLYGONS, [objects])
        mine = [
            unwrap(roi.name)
            for roi in ada.getRoiService().findByImage(objects.image_id, None, ada.SERVICE_OPTS).rois
            if target.execution_id in unwrap(roi.description)
        ]
        assert sorted(mine) == sorted(f"nuclei {number}" for number in range(1, 13))


@pytest.mark.parametrize(("permissions", "allowed"), [("rwr---", False), ("rwra--", True), ("rwrw--", True)])
def test_whether_a_colleagues_images_can_be_drawn_on(make_lab, permissions, allowed):
    lab = make_lab(permissions)
    owner, member = lab.person(), lab.person()
    plate_id = small_plate(owner, wells=1)
    with lab.joined(member) as conn:
        plate = read_layout(conn, plate_id)
        images = [field.image_id for field in plate.wells[0].fields]
        assert may_draw_on(conn, images, plate.group_id) is allowed
        assert not may_draw_on(conn, [*images, 10**9], plate.group_id)


def test_rois_go_on_label_images_too(ada, conn, plate, tmp_path):
    target = make_target(conn, plate)
    well = plate.wells[0]
    files = label_files(tmp_path, well)
    images = save_images(conn, target, ensure_result(conn, target).object_id, well, files)
    wanted = [ObjectsOnImage(images[(file.field, file.name)], file.name, file.path, [1, 2]) for file in files]
    save_rois(conn, target, RoiKind.MASKS, wanted)
    assert all(len(read_rois(ada, image_id)) == 2 for image_id in images.values())
