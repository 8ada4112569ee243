# SPDX-License-Identifier: AGPL-3.0-or-later
"""Other places than a result plate, and tags on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import omero
import pytest
from omero.rtypes import rstring

from openhcs_client import OpenHCSError, SavingTarget
from openhcs_execution.omero_io import (
    check_dataset,
    ensure_result,
    read_layout,
    save_images_in_dataset,
    save_provenance,
    save_table,
    save_tags,
)

from .test_tables import measured
from .world import FusedGateway, Killed, count_objects, label_array, label_files, make_target, small_plate


def dataset_target(conn, plate, **more):
    return replace(make_target(conn, plate), destination=SavingTarget.NEW_DATASET, name="Nuclei of the plate", **more)


def make_dataset(conn, name="Mine") -> int:
    dataset = omero.model.DatasetI()
    dataset.setName(rstring(name))
    return conn.getUpdateService().saveAndReturnObject(dataset, conn.SERVICE_OPTS).id.val


def save_everything(conn, target, folder):
    dataset_id = ensure_result(conn, target).object_id
    images = {}
    for well in target.plate.wells:
        images[well.well] = save_images_in_dataset(conn, target, dataset_id, well, label_files(folder, well))
    save_table(conn, target, measured(target.plate))
    save_tags(conn, target, ensure_result(conn, target))
    links = save_provenance(conn, target, "{}", "x = 1\n", [], None)
    return dataset_id, images, links


def test_label_images_in_a_new_dataset(lab, ada, conn, plate, tmp_path):
    target = dataset_target(conn, plate)
    dataset_id, images, links = save_everything(conn, target, tmp_path)
    dataset = ada.getObject("Dataset", dataset_id)
    assert dataset.getName() == "Nuclei of the plate"
    assert dataset.getDetails().getGroup().getId() == lab.group_id
    assert (links.dataset_id, links.plate_id) == (dataset_id, None)
    assert {image.getId() for image in dataset.listChildren()} == {each for well in images.values() for each in well.values()}
    pixels = ada.getObject("Image", images["A02"][(2, "nuclei")]).getPrimaryPixels()
    np.testing.assert_array_equal(pixels.getPlane(0, 0, 0), label_array(2))
    assert {each.getNs() for each in dataset.listAnnotations()} == {
        "openhcs.org/omero/execution/v1",
        "openhcs.org/omero/pipeline/v1",
    }


def test_saving_twice_in_a_dataset_changes_nothing(lab, conn, plate, tmp_path):
    target = dataset_target(conn, plate, tags=("screening",))
    first = save_everything(conn, target, tmp_path)
    before = count_objects(lab.sandbox, lab.group_id)
    assert save_everything(conn, target, tmp_path) == first
    assert count_objects(lab.sandbox, lab.group_id) == before


def test_a_process_that_dies_while_saving_in_a_dataset(lab, ada, conn, tmp_path):
    plate = read_layout(conn, small_plate(ada, wells=1))
    counted = FusedGateway(conn)
    before = count_objects(lab.sandbox, lab.group_id)
    save_everything(counted, dataset_target(conn, plate, tags=("a", "b")), tmp_path)
    after = count_objects(lab.sandbox, lab.group_id)
    expected = {kind: after[kind] - before[kind] for kind in after}
    for calls in range(0, counted.fuse.made, 2):
        before = after
        target = dataset_target(conn, plate, tags=("a", "b"))
        with pytest.raises(Killed):
            save_everything(FusedGateway(conn, calls), target, tmp_path)
        save_everything(conn, target, tmp_path)
        after = count_objects(lab.sandbox, lab.group_id)
        assert {kind: after[kind] - before[kind] for kind in after} == expected, f"killed after {calls} calls"


def test_two_executions_share_a_dataset_that_was_there(ada, conn, plate, tmp_path):
    dataset_id = make_dataset(ada)
    for _ in range(2):
        target = replace(make_target(conn, plate), destination=SavingTarget.DATASET, dataset_id=dataset_id)
        assert save_everything(conn, target, tmp_path)[0] == dataset_id
    assert len(list(ada.getObject("Dataset", dataset_id).listChildren())) == 8
    assert list(ada.getObject("Dataset", dataset_id).listAnnotations()) == []  # the plate has the provenance


def test_a_colleagues_plate_that_may_not_be_annotated(make_lab, tmp_path):
    lab = make_lab("rwr---")
    owner, member = lab.person(), lab.person()
    plate_id = small_plate(owner, wells=1)
    with lab.joined(member) as conn:
        dataset_id, _images, _links = save_everything(conn, dataset_target(conn, read_layout(conn, plate_id)), tmp_path)
    assert len(list(owner.getObject("Dataset", dataset_id).listAnnotations())) == 4
    assert list(owner.getObject("Plate", plate_id).listAnnotations()) == []


def test_datasets_that_cannot_be_used_are_refused(make_lab):
    lab, elsewhere = make_lab("rwra--"), make_lab("rwra--")
    owner, member = lab.person(), lab.person()
    with lab.joined(member) as conn:
        check_dataset(conn, make_dataset(member), lab.group_id)
        for dataset_id, group_id, reason in (
            (10**9, lab.group_id, "does not exist"),
            (make_dataset(elsewhere.person()), lab.group_id, "does not exist"),
            (make_dataset(member), elsewhere.group_id, "another group"),
            (make_dataset(owner), lab.group_id, "does not let you"),
        ):
            with pytest.raises(OpenHCSError, match=reason) as caught:
                check_dataset(conn, dataset_id, group_id)
            assert list(caught.value.field_errors) == ["saving.dataset_id"]


def test_a_tag_of_mine_is_used_again_and_one_of_a_colleague_is_not(lab, ada, conn, plate):
    def tag(conn, text):
        made = omero.model.TagAnnotationI()
        made.setTextValue(rstring(text))
        return conn.getUpdateService().saveAndReturnObject(made, conn.SERVICE_OPTS).id.val

    mine, theirs = tag(ada, "screen 7"), tag(lab.person(), "<b>hits</b>")
    target = replace(make_target(conn, plate), tags=("screen 7", "<b>hits</b>", "screen 7"))
    for _ in range(2):
        save_tags(conn, target, ensure_result(conn, target))
    found = {
        each.getId(): each.getTextValue()
        for each in ada.getObject("Plate", ensure_result(conn, target).object_id).listAnnotations()
    }
    assert found[mine] == "screen 7"
    assert sorted(found.values()) == ["<b>hits</b>", "screen 7"]
    assert theirs not in found
