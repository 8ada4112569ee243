# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the options of a run say is what comes to OMERO, and no more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import omero
import pytest
from omero.gateway import BlitzGateway, BlitzObjectWrapper
from omero.rtypes import rint, rstring, unwrap

from omero_sandbox.testing import RunningSandbox
from openhcs_client import OpenHCSError, PlateLayout
from openhcs_execution.dispatch.saving import forget_images
from openhcs_execution.omero_io import delete_found, find_results, read_layout
from tests.execution.omero_io.test_tables import read_table
from tests.execution.omero_io.world import FusedGateway, Killed, Lab, count_objects, make_image, small_plate

from .computed_plate import ComputedPlate, processed_array


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
    from tests.execution.omero_io.world import make_plate

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


def result_images(conn: BlitzGateway, plate_id: int) -> dict[str, list[BlitzObjectWrapper]]:
    """The images of each well of the result plate, in the order of its samples."""
    wells = conn.getObject("Plate", plate_id).listChildren()
    return {well.getWellPos(): [sample.getImage() for sample in well.listChildren()] for well in wells}


def name_and_colour(conn: BlitzGateway, image_id: int) -> None:
    """Give the channels of an image names, colours and a wavelength, and its pixels a size."""
    hql = "select x from Pixels x join fetch x.channels c join fetch c.logicalChannel where x.image.id = :id"
    pixels = conn.getQueryService().findByQuery(hql, omero.sys.ParametersI().addId(image_id), conn.SERVICE_OPTS)
    pixels.setPhysicalSizeX(omero.model.LengthI(0.5, "MICROMETER"))
    pixels.setPhysicalSizeY(omero.model.LengthI(0.5, "MICROMETER"))
    for channel, (name, colour) in zip(pixels.copyChannels(), (("DAPI", (0, 0, 255)), ("GFP", (0, 255, 0))), strict=True):
        channel.logicalChannel.setName(rstring(name))
        channel.logicalChannel.setEmissionWave(omero.model.LengthI(510.0, "NANOMETER"))
        for part, value in zip(("Red", "Green", "Blue", "Alpha"), (*colour, 255), strict=True):
            getattr(channel, f"set{part}")(rint(value))
    conn.getUpdateService().saveObject(pixels, conn.SERVICE_OPTS)


def test_processed_images_lie_beside_the_label_images(lab: Lab, ada: BlitzGateway, tmp_path) -> None:
    plate_id = small_plate(ada)
    for well in ada.getObject("Plate", plate_id).listChildren():
        for sample in well.listChildren():
            name_and_colour(ada, sample.getImage().getId())
    with lab.joined(ada) as conn:
        world = ComputedPlate(tmp_path, read_layout(conn, plate_id), conn)
        number = world.run(processed=True)
        assert len(list(world.store.root.rglob("images/*.npy"))) == 8
        assert world.save(number) == ""
        for well in world.layout.wells:
            forget_images(world.database, world.store, world.saved(number), well.well)
        assert not list(world.store.root.rglob("images/*.npy"))
        world.database.close()
    assert provenance(ada, world, number)["saved"] == "label images, processed images, table"
    images = result_images(ada, world.saved(number).execution.results["plate_id"])["A2"]
    source = world.layout.wells[1].fields[1]
    assert [image.getName() for image in images] == [
        "A2 field 1 – nuclei",
        "A2 field 2 – nuclei",
        "A2 field 1 – processed",
        "A2 field 2 – processed",
    ]
    image = images[3]
    assert image.getChannelLabels() == ["DAPI", "GFP"]
    assert [channel.getColor().getRGB() for channel in image.getChannels()] == [(0, 0, 255), (0, 255, 0)]
    assert image.getPixelSizeX() == pytest.approx(0.5)
    pixels = image.getPrimaryPixels()
    assert pixels.getPixelsType().getValue() == "float"
    for channel in (1, 2):
        expected = processed_array(2, channel, (source.size_y, source.size_x))
        np.testing.assert_array_equal(pixels.getPlane(0, channel - 1, 0), expected)
    (annotation,) = image.listAnnotations()
    assert annotation.getNs() == "openhcs.org/omero/processed/v1"
    assert dict(annotation.getValue())["source_image_id"] == str(source.image_id)


@pytest.mark.parametrize("target", ["plate", "new_dataset"])
def test_a_process_that_dies_while_it_saves_processed_images_and_figures(
    ada: BlitzGateway, lab: Lab, world: ComputedPlate, target: str
) -> None:
    wanted = {"processed": True, "figures": True, "labels": False, "target": target}
    number = world.run(**wanted)
    counted = FusedGateway(world.conn)
    empty = count_objects(lab.sandbox, lab.group_id)
    world.save(number, counted)
    expected = {kind: count - empty[kind] for kind, count in count_objects(lab.sandbox, lab.group_id).items()}
    assert expected["Image"] == 4
    assert expected["FileAnnotation"] == 2 + 1 + 1  # the pipeline, the table, and the one measurement that there is
    for calls in range(2, counted.fuse.made, 7):
        number = world.run(**wanted)
        before = count_objects(lab.sandbox, lab.group_id)
        with pytest.raises(Killed):
            world.save(number, FusedGateway(world.conn, calls))
        world.save(number)
        after = count_objects(lab.sandbox, lab.group_id)
        assert {kind: after[kind] - before[kind] for kind in after} == expected, f"killed after {calls} calls"


def test_processed_images_and_figures_are_deleted_with_the_results(ada: BlitzGateway, lab: Lab, world: ComputedPlate) -> None:
    for target in ("plate", "new_dataset"):
        empty = count_objects(lab.sandbox, lab.group_id)
        number = world.run(processed=True, figures=True, target=target)
        world.save(number)
        execution = world.saved(number).execution
        found = find_results(world.conn, execution.execution_id, execution.plate_id, execution.owner_id)
        assert len(found.of("Image")) == 4 + 4
        assert sum(": figure " in each.name for each in found.of("FileAnnotation")) == 1
        delete_found(world.conn, found)
        assert count_objects(lab.sandbox, lab.group_id) == empty


def test_figures_hang_on_the_plate(ada: BlitzGateway, world: ComputedPlate) -> None:
    number = world.run(figures=True)
    world.save(number)
    assert provenance(ada, world, number)["saved"] == "label images, table, figures"
    annotations = ada.getObject("Plate", world.layout.plate_id).listAnnotations(ns="openhcs.org/omero/figure/v1")
    (figure,) = annotations
    execution_id = world.saved(number).execution.execution_id
    assert figure.getDescription() == f"OpenHCS execution {execution_id}: figure 1"
    assert figure.getFile().getName().endswith("-nuclei_count.png")
    content = b"".join(figure.getFile().getFileInChunks())
    assert content.startswith(b"\x89PNG")


def without(conn: BlitzGateway, layout: PlateLayout, field: int) -> tuple[PlateLayout, int]:
    """The plate as if a field of A01 had been an image that is not in the plate, and the id of that image."""
    well = layout.wells[0]
    shape = (well.fields[field - 1].size_y, well.fields[field - 1].size_x)
    image_id = make_image(conn, "soon gone", [np.zeros(shape, np.uint16)] * 2, c=2).getId()
    fields = [each.model_copy(update={"image_id": image_id}) if each.field == field else each for each in well.fields]
    changed = well.model_copy(update={"fields": tuple(fields)})
    return layout.model_copy(update={"wells": (changed, *layout.wells[1:])}), image_id


def test_the_rest_of_a_well_is_saved_when_an_image_was_deleted(ada: BlitzGateway, world: ComputedPlate) -> None:
    world.layout, gone = without(ada, world.layout, 2)
    number = world.run(rois="masks", processed=True)
    ada.deleteObjects("Image", [gone], wait=True)
    assert ada.getObject("Image", gone) is None
    note = world.save(number)
    assert note == (
        "No images or ROIs of field 2 of well A01 were saved: the original was deleted from OMERO meanwhile. "
        "The measurements are kept."
    )
    images = result_images(ada, world.saved(number).execution.results["plate_id"])
    assert {well: len(found) for well, found in images.items()} == {"A1": 2, "A2": 4}
    assert world.well(number, "A01").label_images.keys() == {"1/nuclei"}
    assert rois(ada, world) == 2 * 3
    assert provenance(ada, world, number)["without_original"] == "field 2 of well A01"
    assert world.save(number) == note
    again = result_images(ada, world.saved(number).execution.results["plate_id"])
    assert {well: len(found) for well, found in again.items()} == {"A1": 2, "A2": 4}


def test_a_table_on_the_result_plate_when_an_image_was_deleted(omero_sandbox: RunningSandbox, tmp_path) -> None:
    lab = Lab(omero_sandbox, "rwr---")
    owner, member = lab.person(), lab.person()
    plate_id = small_plate(owner, wells=1)
    try:
        with lab.joined(member) as conn:
            layout, gone = without(owner, read_layout(conn, plate_id), 1)
            world = ComputedPlate(tmp_path, layout, conn)
            number = world.run()
            owner.deleteObjects("Image", [gone], wait=True)
            world.save(number)
            results = world.saved(number).execution.results
            label = world.well(number, "A01").label_images["2/nuclei"]
            world.database.close()
            table = read_table(member, results["table_file_id"])
        assert list(table["Field"]) == [2]
        assert list(table["Image"]) == [label]
    finally:
        lab.close()
