# SPDX-License-Identifier: AGPL-3.0-or-later
"""The process dies between two calls to OMERO, any two: saving again ends with exactly what one save would have made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omero.gateway import BlitzGateway

from openhcs_execution.omero_io import ResultTarget, ensure_result_plate, read_layout, save_images, save_provenance, save_table

from .test_tables import measured, read_table
from .world import FusedGateway, Killed, count_objects, label_array, label_files, make_target, small_plate

Save = Callable[[BlitzGateway, ResultTarget, Path], object]
Check = Callable[[BlitzGateway, ResultTarget, object], None]


def save_all_labels(conn, target, folder):
    result = ensure_result_plate(conn, target)
    (well,) = target.plate.wells
    return save_images(conn, target, result, well, label_files(folder, well, ["nuclei", "cells"]))


def check_labels(conn, _target, saved):
    for (field, _name), image_id in saved.items():
        plane = conn.getObject("Image", image_id).getPrimaryPixels().getPlane(0, 0, 0)
        np.testing.assert_array_equal(plane, label_array(field))


def save_all_provenance(conn, target, _folder):
    result = ensure_result_plate(conn, target)
    return save_provenance(conn, target, '{"id": "x"}', "x = 1\n", [("wells", "A01")], result)


def check_provenance(conn, target, links):
    attached = conn.getObject("FileAnnotation", links.pipeline_annotation_id)
    assert b"".join(attached.getFile().getFileInChunks()) == b'{"id": "x"}'
    for plate_id in (target.plate.plate_id, links.plate_id):
        found = [
            each for each in conn.getObject("Plate", plate_id).listAnnotations() if target.execution_id in each.description
        ]
        assert len(found) == 3


def save_one_table(conn, target, _folder):
    return save_table(conn, target, measured(target.plate), rows_at_once=1)


def replace_a_table(conn, target, _folder):
    save_table(conn, target, measured(target.plate, count=1), rows_at_once=1)
    return save_table(conn, target, measured(target.plate), rows_at_once=1)


def check_table(conn, _target, ids):
    assert list(read_table(conn, ids[0])["nuclei_count"]) == [10, 11]


@pytest.mark.parametrize(
    ("save", "check"),
    [
        (save_all_labels, check_labels),
        (save_all_provenance, check_provenance),
        (save_one_table, check_table),
        (replace_a_table, check_table),
    ],
)
def test_whichever_call_was_the_last_saving_again_completes_it(lab, ada, conn, tmp_path, save: Save, check: Check):
    plate = read_layout(conn, small_plate(ada, wells=1))
    before = count_objects(lab.sandbox, lab.group_id)
    counted = FusedGateway(conn)
    check(ada, target := make_target(conn, plate), save(counted, target, tmp_path))
    after = count_objects(lab.sandbox, lab.group_id)
    expected = {kind: after[kind] - before[kind] for kind in after}
    assert counted.fuse.made > 5
    for calls in range(counted.fuse.made):
        before = after
        target = make_target(conn, plate)
        with pytest.raises(Killed):
            save(FusedGateway(conn, calls), target, tmp_path)
        check(ada, target, save(conn, target, tmp_path))
        after = count_objects(lab.sandbox, lab.group_id)
        assert {kind: after[kind] - before[kind] for kind in after} == expected, f"killed after {calls} calls"
