# SPDX-License-Identifier: AGPL-3.0-or-later
"""The services as an unmodified BlitzGateway uses them: what is written is read back and compared."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import omero.model
import pytest
from omero.gateway import BlitzGateway, MapAnnotationWrapper, TagAnnotationWrapper
from omero.rtypes import rdouble, rint, rstring
from PIL import Image

from tests.sandbox.people import People

pytestmark = pytest.mark.stack


@pytest.fixture
def conn(people: People) -> Iterator[BlitzGateway]:
    gateway = people.sandbox.connect(people.name("owner"), people.password("owner"))
    gateway.setGroupForSession(people.groups["read-annotate"])
    yield gateway
    gateway.close()


def planes(count: int = 2, dtype: str = "uint16") -> list[np.ndarray]:
    return [(np.arange(30 * 40).reshape(30, 40) + number).astype(dtype) for number in range(count)]


def test_a_user_sees_herself_and_her_groups(conn: BlitzGateway, people: People) -> None:
    assert conn.getUser().getName() == people.name("owner")
    assert not conn.isAdmin()
    assert set(people.groups.values()) <= {group.getId() for group in conn.getGroupsMemberOf()}
    leaders, members = conn.getObject("ExperimenterGroup", people.groups["read-only"]).groupSummary()
    assert [each.getId() for each in leaders] == [people.ids["leader"]]
    assert {each.getId() for each in members} >= {people.ids["owner"], people.ids["member"]}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_pixels_come_back_as_they_were_stored(conn: BlitzGateway, dtype: str) -> None:
    stored = planes(4, dtype)
    image = conn.createImageFromNumpySeq(iter(stored), "stack", sizeZ=2, sizeC=2)
    again = conn.getObject("Image", image.getId())
    assert (again.getSizeX(), again.getSizeY(), again.getSizeZ(), again.getSizeC()) == (40, 30, 2, 2)
    found = list(again.getPrimaryPixels().getPlanes([(z, c, 0) for z in range(2) for c in range(2)]))
    assert all((a == b).all() for a, b in zip(found, stored, strict=True))
    assert (again.getPrimaryPixels().getTile(1, 1, 0, (3, 4, 5, 6)) == stored[3][4:10, 3:8]).all()


def test_an_image_is_rendered_and_has_a_thumbnail(conn: BlitzGateway) -> None:
    image = conn.createImageFromNumpySeq(iter(planes()), "picture", sizeC=2)
    assert image.renderImage(0, 0).size == (40, 30)
    assert max(Image.open(io.BytesIO(image.getThumbnail(32))).size) == 32
    assert len(image.getChannels()) == 2


def test_containers_are_filled_and_counted(conn: BlitzGateway) -> None:
    dataset = omero.model.DatasetI()
    dataset.name = rstring("container")
    saved = conn.getUpdateService().saveAndReturnObject(dataset, conn.SERVICE_OPTS)
    conn.createImageFromNumpySeq(iter(planes(1)), "inside", dataset=conn.getObject("Dataset", saved.id.val))
    found = conn.getObject("Dataset", saved.id.val)
    assert found.countChildren() == 1
    assert [child.getName() for child in found.listChildren()] == ["inside"]


def test_a_plate_keeps_its_wells_and_fields(conn: BlitzGateway) -> None:
    image = conn.createImageFromNumpySeq(iter(planes(1)), "field")
    plate, well, sample = omero.model.PlateI(), omero.model.WellI(), omero.model.WellSampleI()
    plate.name, plate.rows, plate.columns = rstring("P"), rint(2), rint(3)
    well.row, well.column = rint(1), rint(2)
    sample.image = omero.model.ImageI(image.getId(), False)
    well.addWellSample(sample)
    plate.addWell(well)
    saved = conn.getUpdateService().saveAndReturnObject(plate, conn.SERVICE_OPTS)
    found = conn.getObject("Plate", saved.id.val)
    assert found.getGridSize() == {"rows": 2, "columns": 3}
    (child,) = found.listChildren()
    assert (child.getWellPos(), child.getImage().getId(), child.countWellSample()) == ("B3", image.getId(), 1)


def test_annotations_of_each_kind(conn: BlitzGateway) -> None:
    image = conn.createImageFromNumpySeq(iter(planes(1)), "annotated")
    pairs, tag = MapAnnotationWrapper(conn), TagAnnotationWrapper(conn)
    pairs.setNs("a.b")
    pairs.setValue([["k", "v"], ["k", "again"]])
    tag.setValue("a tag")
    for annotation in (pairs, tag):
        annotation.save()
        image.linkAnnotation(annotation)
    file = conn.createOriginalFileFromFileObj(io.BytesIO(b"hello" * 100), "/", "hello.txt", 500, mimetype="text/plain")
    attached = omero.model.FileAnnotationI()
    attached.file = omero.model.OriginalFileI(file.getId(), False)
    saved = conn.getUpdateService().saveAndReturnObject(attached, conn.SERVICE_OPTS)
    image.linkAnnotation(conn.getObject("FileAnnotation", saved.id.val))
    found = {type(each).__name__: each for each in conn.getObject("Image", image.getId()).listAnnotations()}
    assert found["MapAnnotationWrapper"].getValue() == [("k", "v"), ("k", "again")]
    assert found["MapAnnotationWrapper"].getNs() == "a.b"
    assert found["TagAnnotationWrapper"].getValue() == "a tag"
    assert b"".join(found["FileAnnotationWrapper"].getFileInChunks()) == b"hello" * 100
    assert conn.getObject("OriginalFile", file.getId()).getSize() == 500


def test_rois_are_listed_by_image_and_plane(conn: BlitzGateway) -> None:
    image = conn.createImageFromNumpySeq(iter(planes(1)), "with ROI")
    roi, box = omero.model.RoiI(), omero.model.RectangleI()
    box.x, box.y, box.width, box.height, box.theZ = rdouble(1), rdouble(2), rdouble(3), rdouble(4), rint(0)
    roi.addShape(box)
    roi.image = omero.model.ImageI(image.getId(), False)
    saved = conn.getUpdateService().saveAndReturnObject(roi, conn.SERVICE_OPTS)
    service = conn.getRoiService()
    assert [each.id.val for each in service.findByImage(image.getId(), None, conn.SERVICE_OPTS).rois] == [saved.id.val]
    assert len(service.findByPlane(image.getId(), 0, 0, None, conn.SERVICE_OPTS).rois) == 1
    assert service.findByPlane(image.getId(), 1, 0, None, conn.SERVICE_OPTS).rois == []


def test_a_changed_name_is_stored(conn: BlitzGateway) -> None:
    image = conn.createImageFromNumpySeq(iter(planes(1)), "before")
    image.setName("after")
    image.save()
    assert conn.getObject("Image", image.getId()).getName() == "after"


def test_a_new_password_replaces_the_old(people: People) -> None:
    name = f"changing-{people.tag}"
    people.sandbox.create_user(name, "old", [people.outside])
    with people.sandbox.connection(name, "old") as conn:
        conn.getAdminService().changePasswordWithOldPassword(rstring("old"), rstring("new"))
    with pytest.raises(ConnectionError):
        people.sandbox.connect(name, "old")
    people.sandbox.connect(name, "new").close()


def test_the_default_group_can_be_chosen(people: People) -> None:
    name = f"choosing-{people.tag}"
    people.sandbox.create_user(name, "x", [people.outside, people.groups["private"]])
    with people.sandbox.connection(name, "x") as conn:
        assert conn.getEventContext().groupId == people.outside
        me = omero.model.ExperimenterI(conn.getUserId(), False)
        conn.getAdminService().setDefaultGroup(me, omero.model.ExperimenterGroupI(people.groups["private"], False))
    with people.sandbox.connection(name, "x") as conn:
        assert conn.getEventContext().groupId == people.groups["private"]


def test_the_group_of_a_call_wins_over_that_of_the_session(people: People) -> None:
    conn = people.connect("owner", "private")
    context = conn.getAdminService().getEventContext({"omero.group": str(people.groups["read-only"])})
    assert (context.groupId, str(context.groupPermissions)) == (people.groups["read-only"], "rwr---")
