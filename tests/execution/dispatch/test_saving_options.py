# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the options of a run say is what comes to OMERO, and no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from omero.gateway import BlitzGateway
from omero.rtypes import unwrap

from omero_sandbox.testing import RunningSandbox
from openhcs_client import OpenHCSError
from openhcs_execution.omero_io import read_layout
from tests.execution.omero_io.world import FusedGateway, Killed, Lab, count_objects, small_plate

from .computed_plate import ComputedPlate


@pytest.fixture
def lab(omero_sandbox: RunningSandbox) -> Iterator[Lab]:
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


@pytest.fixture
def ada(lab: Lab) -> BlitzGateway:
    return lab.person()


@pytest.fixture
def world(lab: Lab, ada: BlitzGateway, tmp_path) -> Iterator[ComputedPlate]:
    with lab.joined(ada) as conn:
        computed = ComputedPlate(tmp_path, read_layout(conn, small_plate(ada)), conn)
        yield computed
        computed.database.close()


def rois(conn: BlitzGateway, world: ComputedPlate) -> int:
    images = [field.image_id for well in world.layout.wells for field in well.fields]
    return sum(len(conn.getRoiService().findByImage(image, None, conn.SERVICE_OPTS).rois) for image in images)


def provenance(conn: BlitzGateway, world: ComputedPlate, number: int) -> dict[str, str]:
    annotation_id = world.saved(number).execution.results["provenance_annotation_id"]
    return dict(conn.getObject("MapAnnotation", annotation_id).getValue())


def test_by_default_label_images_and_the_table(ada: BlitzGateway, world: ComputedPlate) -> None:
    number = world.run()
    assert world.save(number) == ""
    results = world.saved(number).execution.results
    assert set(results) == {
        "plate_id",
        "table_file_id",
        "table_annotation_id",
        "provenance_annotation_id",
        "pipeline_annotation_id",
    }
    assert provenance(ada, world, number)["saved"] == "label images, table"
    assert rois(ada, world) == 0


def test_nothing_but_provenance(lab: Lab, ada: BlitzGateway, world: ComputedPlate) -> None:
    before = count_objects(lab.sandbox, lab.group_id)
    number = world.run(labels=False, table=False)
    world.save(number)
    after = count_objects(lab.sandbox, lab.group_id)
    changed = {kind: after[kind] - before[kind] for kind in after if after[kind] != before[kind]}
    assert changed == {"MapAnnotation": 1, "FileAnnotation": 2, "OriginalFile": 2, "PlateAnnotationLink": 3}
    assert provenance(ada, world, number)["saved"] == "provenance only"


def test_name_and_tags_are_filled_in(ada: BlitzGateway, world: ComputedPlate) -> None:
    number = world.run(name="{user}: {pipeline} {version} of {plate}", tags=("{pipeline}", "<none>"[1:5]))
    world.save(number)
    plate = ada.getObject("Plate", world.saved(number).execution.results["plate_id"])
    assert plate.getName() == "Ada Lovelace: Count 1 of Plate"
    tags = [each.getTextValue() for each in plate.listAnnotations() if each.OMERO_TYPE.__name__ == "TagAnnotationI"]
    assert sorted(tags) == ["Count", "none"]


@pytest.mark.parametrize("kind", ["masks", "polygons"])
def test_rois_beside_labels(ada: BlitzGateway, world: ComputedPlate, kind: str) -> None:
    number = world.run(rois=kind)
    world.save(number)
    assert rois(ada, world) == 8
    assert world.saved(number).execution.results["rois"] == 8
    assert provenance(ada, world, number)["saved"] == f"label images, table, ROIs ({kind})"
    assert provenance(ada, world, number)["rois"] == "8"


def test_a_crowded_field_stops_at_the_cap_and_says_so(ada: BlitzGateway, world: ComputedPlate) -> None:
    number = world.run(crowd=150, rois="masks", labels=False, rois_per_field=100, rois_per_run=250)
    note = world.save(number)
    assert rois(ada, world) == 250
    assert "250 ROIs were saved; 350 objects got none" in note
    results = world.saved(number).execution.results
    assert (results["rois"], results["rois_left_out"]) == (250, 350)
    assert provenance(ada, world, number)["rois"] == "250, and 350 objects without one because of a cap"
    images = [field.image_id for well in world.layout.wells for field in well.fields]
    counts = [len(ada.getRoiService().findByImage(image, None, ada.SERVICE_OPTS).rois) for image in images]
    assert counts == [100, 100, 50, 0]
    named = ada.getRoiService().findByImage(images[0], None, ada.SERVICE_OPTS).rois
    assert {unwrap(roi.name) for roi in named} == {f"nuclei {label}" for label in range(1, 101)}


def test_twenty_thousand_objects_in_a_field_take_moments(lab: Lab, ada: BlitzGateway, tmp_path) -> None:
    import numpy as np

    from tests.execution.omero_io.world import make_image, make_plate

    image = make_image(ada, "crowd", [np.zeros((400, 400), np.uint16)])
    with lab.joined(ada) as conn:
        world = ComputedPlate(tmp_path, read_layout(conn, make_plate(ada, {(0, 0): [image.getId()]})), conn)
        number = world.run(crowd=20_000, rois="polygons")
        note = world.save(number)
        world.database.close()
    assert rois(ada, world) == 1000
    assert "19,000 objects got none" in note


def test_a_process_that_dies_while_it_saves_keeps_to_the_cap(ada: BlitzGateway, lab: Lab, world: ComputedPlate) -> None:
    wanted = {"crowd": 20, "rois": "masks", "rois_per_field": 15, "rois_per_run": 40, "target": "new_dataset"}
    number = world.run(**wanted)
    counted = FusedGateway(world.conn)
    before = count_objects(lab.sandbox, lab.group_id)
    world.save(number, counted)
    expected = {kind: count - before[kind] for kind, count in count_objects(lab.sandbox, lab.group_id).items()}
    drawn = rois(ada, world)
    assert drawn == 40
    for calls in range(3, counted.fuse.made, 9):
        number = world.run(**wanted)
        before = count_objects(lab.sandbox, lab.group_id)
        with pytest.raises(Killed):
            world.save(number, FusedGateway(world.conn, calls))
        world.save(number)
        after = count_objects(lab.sandbox, lab.group_id)
        assert {kind: after[kind] - before[kind] for kind in after} == expected, f"killed after {calls} calls"
        assert rois(ada, world) - drawn == 40
        drawn = rois(ada, world)


def test_an_image_that_was_deleted_meanwhile_is_named(ada: BlitzGateway, world: ComputedPlate) -> None:
    number = world.run()
    gone = world.layout.wells[1].fields[1].image_id
    ada.deleteObjects("Plate", [world.layout.plate_id], deleteAnns=True, deleteChildren=True, wait=True)
    assert ada.getObject("Image", gone) is None
    with pytest.raises(OpenHCSError, match=r"Field . of well A01 is no longer in OMERO") as caught:
        world.save(number)
    assert caught.value.code == "image_gone"


def test_a_group_that_the_user_left_is_a_plain_refusal(lab: Lab, ada: BlitzGateway, world: ComputedPlate) -> None:
    from openhcs_execution.omero_io.connect import omero_errors

    number = world.run()
    other = lab.sandbox.create_group(f"{lab.name}-other", "rwra--")
    with lab.sandbox.connection() as root:
        admin = root.getAdminService()
        person = root.getObject("Experimenter", ada.getUserId())._obj
        admin.addGroups(person, [root.getObject("ExperimenterGroup", other)._obj])
        admin.setDefaultGroup(person, root.getObject("ExperimenterGroup", other)._obj)
        admin.removeGroups(person, [root.getObject("ExperimenterGroup", lab.group_id)._obj])
    with pytest.raises(OpenHCSError) as caught, omero_errors():
        world.save(number)
    assert caught.value.code in ("omero_not_allowed", "omero_session_lost", "image_gone")
    assert "Traceback" not in caught.value.message
