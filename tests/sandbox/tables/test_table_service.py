# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO.tables through unmodified omero-py: what clients do with tables, and who may."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import omero
import omero.grid
import omero.model
import pytest
from omero.columns import (
    BoolColumnI,
    DoubleColumnI,
    ImageColumnI,
    LongArrayColumnI,
    LongColumnI,
    MaskColumnI,
    StringColumnI,
    WellColumnI,
)
from omero.gateway import BlitzGateway
from omero.rtypes import rdouble, rint, rlong, rmap, rstring, wrap

from omero_sandbox.testing import RunningSandbox

from ..people import People

pytestmark = pytest.mark.stack


def columns(wells: list[int], areas: list[float], names: list[str]) -> list[Any]:
    return [WellColumnI("Well", "", wells), DoubleColumnI("Area", "µm²", areas), StringColumnI("Name", "", 16, names)]


def make_table(conn: BlitzGateway) -> int:
    """A table of three rows in the group that the connection works in; returns the id of its OriginalFile."""
    table = conn.c.sf.sharedResources().newTable(1, "measurements/objects.h5", conn.SERVICE_OPTS)
    table.initialize(columns([], [], []))
    table.addData(columns([1, 1, 2], [1.5, 2.5, 3.5], ["DMSO", "é", ""]))
    file_id = table.getOriginalFile().id.val
    table.close()
    return int(file_id)


def open_table(conn: BlitzGateway, file_id: int) -> Any:
    return conn.c.sf.sharedResources().openTable(omero.model.OriginalFileI(file_id, False), conn.SERVICE_OPTS)


@pytest.fixture
def owner(people: People) -> BlitzGateway:
    return people.connect("owner", "read-annotate")


@pytest.fixture
def table(owner: BlitzGateway) -> Iterator[Any]:
    table = open_table(owner, make_table(owner))
    yield table
    table.close()


def values(data: Any) -> list[list[Any]]:
    return [column.values for column in data.columns]


def test_tables_are_there(owner: BlitzGateway) -> None:
    resources = owner.c.sf.sharedResources()
    assert resources.areTablesEnabled()
    assert resources.repositories().descriptions[0].getId().getValue() is not None


def test_the_file_of_a_table(owner: BlitzGateway, omero_sandbox: RunningSandbox) -> None:
    file_id = make_table(owner)
    file = owner.getObject("OriginalFile", file_id)
    (stored,) = (omero_sandbox.folder / "files").glob(f"*/{file_id}")
    content = stored.read_bytes()
    assert (file.getName(), file.getPath(), file.getMimetype()) == ("objects.h5", "measurements/", "OMERO.tables")
    assert (file.getSize(), file.getHash()) == (len(content), hashlib.sha1(content).hexdigest())
    assert b"".join(file.getFileInChunks()) == content  # download and open it with PyTables


def test_reading(table: Any) -> None:
    assert [(column.ice_staticId().split("::")[-1], column.name, column.description) for column in table.getHeaders()] == [
        ("WellColumn", "Well", ""),
        ("DoubleColumn", "Area", "µm²"),
        ("StringColumn", "Name", ""),
    ]
    assert table.getNumberOfRows() == 3
    everything = [[1, 1, 2], [1.5, 2.5, 3.5], ["DMSO", "é", ""]]
    data = table.read([0, 1, 2], 0, 0)
    assert values(data) == everything
    assert data.rowNumbers == [0, 1, 2]
    assert data.lastModification > 1_600_000_000_000
    assert values(table.read([1], 1, 100)) == [[2.5, 3.5]]  # an end beyond the table means its end
    assert values(table.slice([2, 0], [2, 0])) == [["", "DMSO"], [2, 1]]
    assert values(table.slice([], [])) == everything
    assert values(table.readCoordinates([1])) == [[1], [2.5], ["é"]]
    quiet = {"omero.tables.include_row_numbers": "false"}
    assert table.slice([0], [2, 0], quiet).rowNumbers == []


def test_conditions(table: Any) -> None:
    assert table.getWhereList("(Well==1) & (Area>2)", None, 0, 0, 0) == [1]
    assert table.getWhereList("(Name=='é') | (Area>3)", None, 0, 3, 1) == [1, 2]
    assert table.getWhereList("Area > limit", {"limit": rdouble(2.0)}, 0, 0, 0) == [1, 2]
    assert table.getWhereList("x == 1", {"x": rstring("Well")}, 0, 0, 0) == [0, 1]
    assert table.getWhereList("Area > 0", None, 1, 2, 1) == [1]
    for condition in ("__import__('os').system('x')", "Area", "Colour == 1", "Area =", ""):
        with pytest.raises(omero.ApiUsageException, match="Bad condition"):
            table.getWhereList(condition, None, 0, 0, 0)
    with pytest.raises(omero.ApiUsageException, match="neither a text nor a number"):
        table.getWhereList("Area > limit", {"limit": rmap({})}, 0, 0, 0)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda t: t.read([], 0, 0), omero.ApiUsageException),
        (lambda t: t.read([3], 0, 0), omero.ApiUsageException),
        (lambda t: t.read([0], -1, 2), omero.ApiUsageException),
        (lambda t: t.readCoordinates([]), omero.ApiUsageException),
        (lambda t: t.readCoordinates([3]), omero.ApiUsageException),
        (lambda t: t.slice([0], [-1]), omero.ApiUsageException),
        (lambda t: t.initialize([LongColumnI("again", "", [])]), omero.ApiUsageException),
        (lambda t: t.addData([LongColumnI("Well", "", [1])]), omero.ApiUsageException),
        (lambda t: t.addData(columns([1], [1.0], ["n" * 17])), omero.ValidationException),
        (lambda t: t.addData(columns([1, 2], [1.0], ["n"])), omero.ValidationException),
        (
            lambda t: t.update(omero.grid.Data(rowNumbers=[7], columns=[DoubleColumnI("Area", "", [1.0])])),
            omero.ApiUsageException,
        ),
        (lambda t: t.setMetadata("__version", rint(3)), omero.ApiUsageException),
        (lambda t: t.setMetadata("list", wrap([1, 2])), omero.ApiUsageException),
        (lambda t: t.addColumn(LongColumnI("Well", "", [1, 2, 3])), omero.ApiUsageException),
    ],
)
def test_wrong_requests_say_so_and_change_nothing(table: Any, call: Callable[[Any], object], error: type) -> None:
    with pytest.raises(error) as caught:
        call(table)
    assert caught.value.message
    assert values(table.read([0, 1, 2], 0, 0)) == [[1, 1, 2], [1.5, 2.5, 3.5], ["DMSO", "é", ""]]


def test_changing(table: Any) -> None:
    table.update(omero.grid.Data(rowNumbers=[2, 0], columns=[DoubleColumnI("Area", "", [30.0, 10.0])]))
    assert table.addColumn(BoolColumnI("Hit", "above", [True, False, True])) == 3
    assert values(table.read([1, 3], 0, 0)) == [[10.0, 2.5, 30.0], [True, False, True]]
    table.setMetadata("unit", rstring("µm²"))
    table.setMetadata("count", rlong(3))
    assert table.getMetadata("unit").val == "µm²"
    assert table.getMetadata("absent") is None
    table.setAllMetadata({"limit": rdouble(2.5)})
    assert {k: v.val for k, v in table.getAllMetadata().items() if not k.startswith("__")} == {"limit": 2.5}


def test_arrays_masks_and_images_travel(owner: BlitzGateway) -> None:
    table = owner.c.sf.sharedResources().newTable(1, "arrays", owner.SERVICE_OPTS)
    mask = MaskColumnI("Mask", "", [1], [0], [0], [1.5], [2.5], [8.0], [1.0], [b"\xff"])
    given = [ImageColumnI("Image", "", [5]), LongArrayColumnI("Box", "", 2, [[1, 2]]), mask]
    table.initialize(given)
    table.addData(given)
    data = table.readCoordinates([0])
    assert [data.columns[0].values, data.columns[1].values] == [[5], [[1, 2]]]
    assert (data.columns[2].w, bytes(data.columns[2].bytes[0])) == ([8.0], b"\xff")
    table.close()


def test_deleting(owner: BlitzGateway, omero_sandbox: RunningSandbox) -> None:
    file_id = make_table(owner)
    table = open_table(owner, file_id)
    table.delete()
    assert owner.getObject("OriginalFile", file_id) is None
    assert not list((omero_sandbox.folder / "files").glob(f"*/{file_id}"))
    with pytest.raises(omero.ValidationException):
        open_table(owner, file_id)


def test_several_at_once_see_the_same_table(owner: BlitzGateway) -> None:
    file_id = make_table(owner)
    one, other = open_table(owner, file_id), open_table(owner, file_id)
    one.addData(columns([3], [4.5], ["more"]))
    assert other.getNumberOfRows() == 4
    one.close()
    assert other.getWhereList("Well == 3", None, 0, 0, 0) == [3]
    other.close()


@pytest.mark.parametrize("name", ["", "/", "x" * 300, "."])
def test_a_table_needs_a_name(owner: BlitzGateway, name: str) -> None:
    with pytest.raises(omero.ApiUsageException):
        owner.c.sf.sharedResources().newTable(1, name, owner.SERVICE_OPTS)


def test_who_may_read_and_change_tables(people: People) -> None:
    changes: list[Callable[[Any], object]] = [
        lambda t: t.addData(columns([4], [4.5], ["x"])),
        lambda t: t.update(omero.grid.Data(rowNumbers=[0], columns=[DoubleColumnI("Area", "", [1.5])])),
        lambda t: t.setMetadata("note", rstring("x")),
        lambda t: t.setAllMetadata({}),
        lambda t: t.addColumn(BoolColumnI("Hit", "", [True] * t.getNumberOfRows())),
        lambda t: t.delete(),
    ]
    for kind in people.groups:
        file_id = make_table(people.connect("owner", kind))
        for role in ("outsider", "member", "leader"):
            conn = people.connect(role, kind)
            if role == "outsider" or (role == "member" and kind == "private"):
                with pytest.raises(omero.ValidationException):
                    open_table(conn, file_id)
                continue
            table = open_table(conn, file_id)
            assert table.getNumberOfRows() == 3
            assert table.getWhereList("Well == 1", None, 0, 0, 0) == [0, 1]
            if role == "leader" or kind == "read-write":
                for change in changes:
                    change(table)
                assert conn.getObject("OriginalFile", file_id) is None
                break
            for change in [*changes, lambda t: t.initialize([LongColumnI("x", "", [])])]:
                with pytest.raises(omero.SecurityViolation):
                    change(table)
            assert table.getNumberOfRows() == 3
            table.close()


def test_a_member_adds_a_table_of_her_own(people: People) -> None:
    """Making something in a group is open to its members; it is theirs, and in the group they work in."""
    member = people.connect("member", "read-annotate")
    file = member.getObject("OriginalFile", make_table(member))
    assert file.getOwner().getId() == people.ids["member"]
    assert file.getDetails().group.id.val == people.groups["read-annotate"]


def test_omero_web_finds_the_table_of_a_plate(owner: BlitzGateway) -> None:
    """The query behind OMERO.web's *Tables* panel: it fetches the link's owner and reads the annotation's."""
    plate, well = omero.model.PlateI(), omero.model.WellI()
    plate.name = rstring("with a table")
    plate.addWell(well)
    plate = owner.getUpdateService().saveAndReturnObject(plate, owner.SERVICE_OPTS)
    annotation, link = omero.model.FileAnnotationI(), omero.model.PlateAnnotationLinkI()
    annotation.ns = rstring("openmicroscopy.org/omero/bulk_annotations")
    annotation.file = omero.model.OriginalFileI(make_table(owner), False)
    link.parent, link.child = omero.model.PlateI(plate.id.val, False), annotation
    owner.getUpdateService().saveObject(link, owner.SERVICE_OPTS)
    query = """select obj0 from Plate obj0 join fetch obj0.wells obj1
        left outer join fetch obj0.annotationLinks links
        left outer join fetch links.child as f
        left outer join fetch links.parent
        left outer join fetch f.file
        join fetch links.details.owner
        join fetch links.details.creationEvent
        where obj1.id=:id and (f.ns=:ns or f.file.mimetype=:mt)"""
    parameters = omero.sys.ParametersI().addId(plate.copyWells()[0].id.val)
    parameters.addString("ns", "openmicroscopy.org/omero/bulk_annotations").addString("mt", "OMERO.tables")
    (found,) = owner.getQueryService().findAllByQuery(query, parameters, {"omero.group": "-1"})
    (link,) = found.copyAnnotationLinks()
    assert link.child.details.owner.firstName.val == link.details.owner.firstName.val
    assert link.child.file.name.val == "objects.h5"
