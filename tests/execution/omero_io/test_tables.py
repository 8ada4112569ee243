# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OMERO.table of an execution, read back with plain omero-py."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from omero.constants.namespaces import NSBULKANNOTATIONS

from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import ensure_result_plate, save_images, save_table, tables

from .world import count_objects, label_files, make_target


@pytest.fixture
def target(conn, plate):
    return make_target(conn, plate)


def measured(plate, *, count: int = 0) -> pd.DataFrame:
    keys = [(well.well, field.field) for well in plate.wells for field in well.fields]
    return pd.DataFrame(
        {
            "well": [well for well, _field in keys],
            "field": [field for _well, field in keys],
            "nuclei count": [10 + count + number for number in range(len(keys))],
            "mean_area": [1.5, float("nan"), 2.5, 3.5][: len(keys)],
            "quality": ["good", "out of focus", "good", "good"][: len(keys)],
        }
    )


def read_table(conn, file_id) -> pd.DataFrame:
    table = conn.getSharedResources().openTable(conn.getObject("OriginalFile", file_id)._obj, conn.SERVICE_OPTS)
    try:
        headers = table.getHeaders()
        rows = list(range(table.getNumberOfRows()))
        data = table.read(list(range(len(headers))), 0, len(rows))
        return pd.DataFrame({column.name: column.values for column in data.columns})
    finally:
        table.close()


def test_it_is_where_omero_looks_for_it(ada, conn, plate, target):
    file_id, annotation_id = save_table(conn, target, measured(plate))
    (annotation,) = ada.getObject("Plate", plate.plate_id).listAnnotations(NSBULKANNOTATIONS)
    assert (annotation.getId(), annotation.getFile().getId()) == (annotation_id, file_id)
    assert annotation.getDescription() == f"OpenHCS execution {target.execution_id}: measurements"
    assert annotation.getDetails().getOwner().getId() == ada.getUserId()


def test_rows_name_the_wells_and_images_of_the_plate(ada, conn, plate, target):
    file_id, _annotation = save_table(conn, target, measured(plate))
    found = read_table(ada, file_id)
    assert list(found.columns) == ["Well", "Image", "Well Name", "Field", "nuclei_count", "mean_area", "quality"]
    assert list(found["Well"]) == [well.well_id for well in plate.wells for _field in well.fields]
    assert list(found["Image"]) == [field.image_id for well in plate.wells for field in well.fields]
    assert list(found["nuclei_count"]) == [10, 11, 12, 13]
    assert math.isnan(found["mean_area"][1])
    assert list(found["quality"]) == ["good", "out of focus", "good", "good"]


def test_it_can_be_queried_by_its_columns(ada, conn, plate, target):
    file_id, _annotation = save_table(conn, target, measured(plate))
    table = ada.getSharedResources().openTable(ada.getObject("OriginalFile", file_id)._obj, ada.SERVICE_OPTS)
    try:
        assert list(table.getWhereList("nuclei_count > 11", None, 0, 0, 0)) == [2, 3]
        assert list(table.getWhereList(f"Well == {plate.wells[1].well_id}", None, 0, 0, 0)) == [2, 3]
    finally:
        table.close()


def test_many_rows_go_in_pieces(ada, conn, plate, target):
    file_id, _annotation = save_table(conn, target, measured(plate), rows_at_once=3)
    assert list(read_table(ada, file_id)["nuclei_count"]) == [10, 11, 12, 13]


def test_no_measurements_give_an_empty_table(ada, conn, plate, target):
    file_id, _annotation = save_table(conn, target, measured(plate).iloc[:0])
    assert len(read_table(ada, file_id)) == 0


def test_saving_twice_changes_nothing(lab, conn, plate, target):
    first = save_table(conn, target, measured(plate))
    before = count_objects(lab.sandbox, lab.group_id)
    assert save_table(conn, target, measured(plate)) == first
    assert count_objects(lab.sandbox, lab.group_id) == before


def test_a_table_with_more_wells_replaces_the_old_one(lab, ada, conn, plate, target):
    old, _annotation = save_table(conn, target, measured(plate).iloc[:2])
    before = count_objects(lab.sandbox, lab.group_id)
    new, _annotation = save_table(conn, target, measured(plate))
    assert new != old
    assert count_objects(lab.sandbox, lab.group_id) == before
    assert ada.getObject("OriginalFile", old) is None
    assert len(read_table(ada, new)) == 4


def test_two_executions_have_a_table_each(ada, conn, plate, target):
    save_table(conn, target, measured(plate))
    save_table(conn, make_target(conn, plate), measured(plate))
    assert len(list(ada.getObject("Plate", plate.plate_id).listAnnotations(NSBULKANNOTATIONS))) == 2


def test_on_a_plate_that_one_may_not_annotate_the_table_is_at_the_result_plate(make_lab, tmp_path):
    from openhcs_execution.omero_io import read_layout

    from .world import small_plate

    lab = make_lab("rwr---")
    owner, member = lab.person(), lab.person()
    with lab.joined(member) as conn:
        plate = read_layout(conn, small_plate(owner))
        target = make_target(conn, plate)
        result = ensure_result_plate(conn, target)
        images = {well.well: save_images(conn, target, result, well, label_files(tmp_path, well)) for well in plate.wells}
        file_id, annotation_id = save_table(conn, target, measured(plate))
    found = read_table(member, file_id)
    assert [each.getId() for each in member.getObject("Plate", result).listAnnotations(NSBULKANNOTATIONS)] == [annotation_id]
    assert list(member.getObject("Plate", plate.plate_id).listAnnotations(NSBULKANNOTATIONS)) == []
    wells = {well.getWellPos(): well.getId() for well in member.getObject("Plate", result).listChildren()}
    assert set(found["Well"]) == set(wells.values())
    assert list(found["Image"]) == [images[name][(field, "nuclei")] for name in ("A01", "A02") for field in (1, 2)]


def test_a_server_without_tables_says_so(conn, plate, target, monkeypatch):
    class Resources:
        def areTablesEnabled(self, *_: object) -> bool:
            return False

    monkeypatch.setattr(tables, "shared_resources", lambda _conn: Resources())
    with pytest.raises(OpenHCSError, match=r"OMERO\.tables does not run") as caught:
        save_table(conn, target, measured(plate))
    assert (caught.value.code, caught.value.status) == ("tables_unavailable", 503)
