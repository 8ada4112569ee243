# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading what one may not: another user's data in a private group, and anything of a group one is not in.

Every way to read is tried by someone who must learn nothing, and, as a control, by the owner, who must learn it: a test
that could not find the secret would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import Ice
import omero
import omero.cmd
import omero.sys
import pytest
from omero.gateway import BlitzGateway
from omero.rtypes import rlong, rstring, rtime, unwrap

from .people import People
from .victim import SECRET, Victim, make_victim

pytestmark = pytest.mark.stack

REFUSALS = (
    omero.SecurityViolation,
    omero.ValidationException,
    omero.ApiUsageException,
    omero.CmdError,
    Ice.ObjectNotExistException,
)
Reading = Callable[[BlitzGateway, Victim], Any]


@pytest.fixture(scope="module")
def private(people: People) -> Victim:
    return make_victim(people.connect("owner", "private"))


def hql(query: str) -> Reading:
    """A projection; ``{image}`` and the like stand for the victim's ids."""

    def read(conn: BlitzGateway, victim: Victim) -> Any:
        text = query.format(**vars(victim))
        rows = conn.getQueryService().projection(text, None, conn.SERVICE_OPTS)
        return [[unwrap(cell) if not isinstance(cell, omero.RObject) else cell.val is not None for cell in row] for row in rows]

    return read


def objects(query: str) -> Reading:
    def read(conn: BlitzGateway, victim: Victim) -> Any:
        return conn.getQueryService().findAllByQuery(query.format(**vars(victim)), None, conn.SERVICE_OPTS)

    return read


def stateful(make: str, choose: str, attribute: str, read: Callable[[Any], Any]) -> Reading:
    """Open a stateful service, choose the victim's object, read from it."""

    def run(conn: BlitzGateway, victim: Victim) -> Any:
        service = getattr(conn.c.sf, make)()
        try:
            getattr(service, choose)(getattr(victim, attribute), conn.SERVICE_OPTS)
            return read(service)
        finally:
            service.close()

    return run


def raw_plane(store: Any) -> Any:
    return store.getPlane(0, 0, 0)


def raw_pixels(conn: BlitzGateway, victim: Victim) -> Any:
    store = conn.c.sf.createRawPixelsStore()
    try:
        store.setPixelsId(victim.pixels, True, conn.SERVICE_OPTS)
        return store.getPlane(0, 0, 0)
    finally:
        store.close()


def rendered(conn: BlitzGateway, victim: Victim) -> Any:
    engine = conn.c.sf.createRenderingEngine()
    try:
        engine.lookupPixels(victim.pixels, conn.SERVICE_OPTS)
        if not engine.lookupRenderingDef(victim.pixels, conn.SERVICE_OPTS):
            engine.resetDefaultSettings(True, conn.SERVICE_OPTS)
            engine.lookupRenderingDef(victim.pixels, conn.SERVICE_OPTS)
        engine.load()
        return engine.renderCompressed(omero.romio.PlaneDef(0, 0, 0, 0, 0, None, 0))
    finally:
        engine.close()


def thumbnail_set(conn: BlitzGateway, victim: Victim) -> Any:
    store = conn.c.sf.createThumbnailStore()
    try:
        found = store.getThumbnailByLongestSideSet(omero.rtypes.rint(32), [victim.pixels], conn.SERVICE_OPTS)
        return [each for each in found.values() if each]
    finally:
        store.close()


def searched(conn: BlitzGateway, victim: Victim) -> Any:
    search = conn.c.sf.createSearchService()
    try:
        search.onlyTypes(["Image", "Dataset", "Project", "Plate"], conn.SERVICE_OPTS)
        search.byFullText(SECRET, conn.SERVICE_OPTS)
        found = search.results(conn.SERVICE_OPTS) if search.hasNext(conn.SERVICE_OPTS) else []
        return [each for each in found if isinstance(each, omero.model.Image) and each.id.val == victim.image]
    finally:
        search.close()


def by_string(conn: BlitzGateway, victim: Victim) -> Any:
    found = conn.getQueryService().findAllByString("Image", "name", SECRET, True, None, conn.SERVICE_OPTS)
    return [each for each in found if each.id.val == victim.image]


def by_example(conn: BlitzGateway, victim: Victim) -> Any:
    example = omero.model.DatasetI()
    example.name = rstring(SECRET)
    found = conn.getQueryService().findAllByExample(example, None, conn.SERVICE_OPTS)
    return [each for each in found if each.id.val == victim.dataset]


def timeline(conn: BlitzGateway, victim: Victim) -> Any:
    parameters = _owned_by(victim)
    service = conn.getTimelineService()
    count = service.countByPeriod(["Image"], rtime(0), rtime(2**60), parameters, conn.SERVICE_OPTS)
    found = service.getByPeriod(["Image"], rtime(0), rtime(2**60), parameters, True, conn.SERVICE_OPTS)
    return [count["Image"], len(found["Image"])] if count["Image"] or found["Image"] else []


def through_own_container(conn: BlitzGateway, victim: Victim) -> Any:
    """Link the victim's image into a dataset of one's own and look at it from there."""
    link, dataset = omero.model.DatasetImageLinkI(), omero.model.DatasetI()
    dataset.name = rstring("window")
    link.parent, link.child = dataset, omero.model.ImageI(victim.image, False)
    saved = conn.getUpdateService().saveAndReturnObject(link, conn.SERVICE_OPTS)
    query = f"select i from DatasetImageLink l join l.child i where l.id = {saved.id.val}"
    return conn.getQueryService().findAllByQuery(query, None, conn.SERVICE_OPTS)


def counted(service: str, operation: str, *arguments: Any) -> Reading:
    def read(conn: BlitzGateway, victim: Victim) -> Any:
        values = [getattr(victim, each[1:]) if isinstance(each, str) and each.startswith("@") else each for each in arguments]
        values = [[getattr(victim, each[0][1:])] if isinstance(each, list) else each for each in values]
        found = getattr(getattr(conn, service)(), operation)(*values, conn.SERVICE_OPTS)
        return [key for key, value in found.items() if value]

    return read


def original_file(store: Any) -> Any:
    return store.read(0, 10)


READINGS: dict[str, Reading] = {
    "by id": hql("select i.name from Image i where i.id = {image}"),
    "the object": objects("select i from Image i where i.id = {image}"),
    "IQuery.find": lambda c, v: c.getQueryService().find("Image", v.image, c.SERVICE_OPTS),
    "IQuery.get": lambda c, v: c.getQueryService().get("Pixels", v.pixels, c.SERVICE_OPTS),
    "IQuery.findAllByString": by_string,
    "IQuery.findAllByExample": by_example,
    "IQuery.refresh": lambda c, v: c.getQueryService().refresh(omero.model.ImageI(v.image, False), c.SERVICE_OPTS),
    "IQuery.findAll": lambda c, v: [i for i in c.getQueryService().findAll("Roi", None, c.SERVICE_OPTS) if i.id.val == v.roi],
    "findAllByFullText": lambda c, v: [
        i for i in c.getQueryService().findAllByFullText("Image", SECRET, None, c.SERVICE_OPTS) if i.id.val == v.image
    ],
    "join": hql("select i.name from DatasetImageLink l join l.child i where l.parent.id = {dataset}"),
    "join from a visible table": hql(
        "select i.name from Experimenter e, Image i where i.details.owner.id = e.id and i.id = {image}"
    ),
    "implicit path": hql("select s.image.name from WellSample s where s.well.plate.id = {plate}"),
    "path only in where": hql(
        "select e.omeName from Experimenter e, Image i where i.id = {image} and i.name = '" + SECRET + "'"
    ),
    "theta join on a secret": hql(
        "select g.name from ExperimenterGroup g, Dataset d where d.id = {dataset} and d.name is not null"
    ),
    "subquery in where": hql(
        "select e.id from Experimenter e where e.id = {owner} and exists (select i.id from Image i where i.id = {image})"
    ),
    "subquery with in": hql(
        "select e.id from Experimenter e where e.id in (select i.details.owner.id from Image i where i.id = {image})"
    ),
    "subquery in select": hql(
        "select (select i.name from Image i where i.id = {image}), e.id from Experimenter e "
        "where e.id = {owner} and (select count(i.id) from Image i where i.id = {image}) > 0"
    ),
    "aggregate": hql("select max(i.name) from Image i where i.id = {image} group by i.id"),
    "having": hql(
        "select i.details.owner.id from Image i where i.id = {image} group by i.details.owner.id having count(i.id) > 0"
    ),
    "count through join": hql(
        "select d.id, count(l.id) from Dataset d join d.imageLinks l where d.id = {dataset} group by d.id"
    ),
    "size of a collection": hql("select e.id from Experimenter e, Dataset d where d.id = {dataset} and size(d.imageLinks) > 0"),
    "outer join": hql("select i.name from Experimenter e left outer join e.annotationLinks a, Image i where i.id = {image}"),
    "details path": hql("select i.details.creationEvent.time from Image i where i.id = {image}"),
    "from the link only": hql("select l.id from DatasetImageLink l where l.id = {dataset_link}"),
    "from the annotation's file": hql("select a.file.name from FileAnnotation a where a.id = {file_annotation}"),
    "mapValue": hql(
        "select a.id from MapAnnotation a join a.mapValue v where v.value = '" + SECRET + "' and a.id = {map_annotation}"
    ),
    "new map": hql("select new map(i.id as id, i.name as name, i as i_details_permissions) from Image i where i.id = {image}"),
    "order of a secret": hql("select w.id from Well w where w.id = {well} order by w.plate.name"),
    "raw pixels": raw_pixels,
    "raw file": stateful("createRawFileStore", "setFileId", "file", original_file),
    "rendering": rendered,
    "thumbnail": stateful("createThumbnailStore", "setPixelsId", "pixels", lambda s: s.getThumbnailDirect(None, None)),
    "thumbnails as a set": thumbnail_set,
    "rendering settings": lambda c, v: c.getRenderingSettingsService().getRenderingSettings(v.pixels, c.SERVICE_OPTS),
    "pixels description": lambda c, v: c.getPixelsService().retrievePixDescription(v.pixels, c.SERVICE_OPTS),
    "all rendering settings": lambda c, v: c.getPixelsService().retrieveAllRndSettings(v.pixels, -1, c.SERVICE_OPTS),
    "ROI": lambda c, v: c.getRoiService().findByImage(v.image, None, c.SERVICE_OPTS).rois,
    "ROI by id": lambda c, v: c.getRoiService().findByRoi(v.roi, None, c.SERVICE_OPTS).rois,
    "search": searched,
    "timeline": timeline,
    "IContainer.getImages": lambda c, v: c.getContainerService().getImages("Dataset", [v.dataset], None, c.SERVICE_OPTS),
    "IContainer.loadContainerHierarchy": lambda c, v: c.getContainerService().loadContainerHierarchy(
        "Project", [v.project], None, c.SERVICE_OPTS
    ),
    "getCollectionCount": counted("getContainerService", "getCollectionCount", "Dataset", "imageLinks", ["@dataset"], None),
    "getCollectionCount of annotations": counted(
        "getContainerService", "getCollectionCount", "Image", "annotationLinks", ["@image"], None
    ),
    "getTaggedObjectsCount": counted("getMetadataService", "getTaggedObjectsCount", ["@tag"], None),
    "loadTagContent": counted("getMetadataService", "loadTagContent", ["@tag"], None),
    "loadAnnotations": lambda c, v: c.getMetadataService().loadAnnotations("Image", [v.image], [], [], None, c.SERVICE_OPTS)[
        v.image
    ],
    "loadAnnotation": lambda c, v: c.getMetadataService().loadAnnotation([v.map_annotation], c.SERVICE_OPTS),
    "countSpecifiedAnnotations": lambda c, v: unwrap(
        c.getMetadataService().countSpecifiedAnnotations("MapAnnotation", ["openhcs.test"], [], _owned_by(v), c.SERVICE_OPTS)
    ),
    "loadSpecifiedAnnotations": lambda c, v: c.getMetadataService().loadSpecifiedAnnotations(
        "MapAnnotation", ["openhcs.test"], [], _owned_by(v), c.SERVICE_OPTS
    ),
    "a window of one's own": through_own_container,
    "the original metadata": lambda c, v: _command(c, omero.cmd.OriginalMetadataRequest(v.image)),
    "a dry run of a delete": lambda c, v: (
        _command(c, omero.cmd.Delete2(targetObjects={"Dataset": [v.dataset]}, dryRun=True)).deletedObjects
    ),
}


def _owned_by(victim: Victim) -> omero.sys.ParametersI:
    parameters = omero.sys.ParametersI()
    parameters.exp(victim.owner)
    parameters.theFilter.groupId = rlong(victim.group)
    return parameters


def _command(conn: BlitzGateway, request: omero.cmd.Request) -> Any:
    handle = conn.c.sf.submit(request, conn.SERVICE_OPTS)
    response = handle.getResponse()
    handle.close()
    if isinstance(response, omero.cmd.ERR):
        raise omero.CmdError(response)
    return response


def learn(reading: Reading, conn: BlitzGateway, victim: Victim) -> Any:
    """What a reading brings; nothing when it is refused."""
    try:
        return reading(conn, victim)
    except REFUSALS:
        return None


@pytest.mark.parametrize("scope", ["own group", "all groups"])
@pytest.mark.parametrize("role", ["member", "outsider"])
@pytest.mark.parametrize("name", READINGS)
def test_nothing_private_is_learned(name: str, role: str, scope: str, people: People, private: Victim) -> None:
    conn = people.connect(role, "private")
    group = conn.SERVICE_OPTS.getOmeroGroup()
    if scope == "all groups":
        conn.SERVICE_OPTS.setOmeroGroup(-1)
    try:
        assert not learn(READINGS[name], conn, private)
    finally:
        conn.SERVICE_OPTS.setOmeroGroup(group)


@pytest.mark.parametrize("name", [name for name in READINGS if name != "a window of one's own"])
def test_the_owner_learns_it(name: str, people: People, private: Victim) -> None:
    assert learn(READINGS[name], people.connect("owner", "private"), private)


def test_the_group_owner_sees_a_private_group(people: People, private: Victim) -> None:
    assert people.connect("leader", "private").getObject("Image", private.image).getName() == SECRET


@pytest.mark.parametrize("kind", ["read-only", "read-annotate", "read-write"])
def test_members_see_one_another_elsewhere(kind: str, people: People) -> None:
    victim = make_victim(people.connect("owner", kind))
    assert people.connect("member", kind).getObject("Image", victim.image).getName() == SECRET
    assert people.connect("outsider", kind).getObject("Image", victim.image) is None


def test_nobody_works_in_a_group_she_is_not_in(people: People, private: Victim) -> None:
    conn = people.connect("outsider", "private")
    with pytest.raises(omero.SecurityViolation):
        conn.getQueryService().find("Image", private.image, {"omero.group": str(private.group)})


def test_session_keys_are_in_no_table(people: People) -> None:
    """A session's key signs its holder in; a query never finds one, not even an administrator's query."""
    keys = {people.connect(role, "private").c.getSessionId() for role in ("owner", "member")}
    with people.sandbox.connection() as root:
        stored = unwrap(root.getQueryService().projection("select s.uuid from Session s", None, {"omero.group": "-1"}))
        keys.add(root.c.getSessionId())
    assert len(stored) >= 3
    assert keys.isdisjoint(row[0] for row in stored)
