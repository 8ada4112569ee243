# SPDX-License-Identifier: AGPL-3.0-or-later
"""What queries return: values, objects, fetched relations, pages; and what they cannot be made to do."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

import omero
import omero.model as m
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omero.rtypes import rbool, rdouble, rint, rlist, rlong, robject, rstring, rtime, unwrap

from omero_sandbox.query.execution import execute_query, load_objects
from omero_sandbox.security.caller import Caller
from omero_sandbox.store import database as database_module
from omero_sandbox.store.saving import save

from ..store.world import World, make_image, make_world
from .plain import plain
from .templates import TEMPLATES


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that is only read."""
    made = make_world(tmp_path_factory.mktemp("shared"))
    yield made
    made.database.close()


def rows(world: World, hql: str, caller: Caller | None = None, **values: object) -> list[list[object]]:
    """Run a projection and unwrap it."""
    parameters = omero.sys.ParametersI()
    parameters.map.update(values)
    found = execute_query(world.database, hql, parameters, caller or world.caller("owner"), projection=True)
    return [[unwrap(each) for each in row] for row in found]


def objects(world: World, hql: str, caller: Caller | None = None) -> list[m.IObject]:
    return execute_query(world.database, hql, None, caller or world.caller("owner"))


def test_types_of_values(shared: World) -> None:
    (row,) = execute_query(
        shared.database,
        "select i.id, i.name, i.acquisitionDate, p.sizeX, p.physicalSizeX, p.physicalSizeX.value, p.physicalSizeX.unit, "
        "i.class, count(p.id), sum(p.sizeX), avg(p.sizeX), c.active "
        "from Image i join i.pixels p join p.settings s join s.waveRendering c where i.name = 'private image' group by i.id",
        None,
        shared.caller("owner"),
        projection=True,
    )
    kinds = [type(each).__name__ for each in row]
    assert kinds == [
        "RLongI",
        "RStringI",
        "RTimeI",
        "RIntI",
        "RMapI",
        "RDoubleI",
        "RStringI",
        "RStringI",
        "RLongI",
        "RLongI",
        "RDoubleI",
        "RBoolI",
    ]
    assert unwrap(row[4]) == {"value": 0.65, "unit": "MICROMETER", "symbol": "µm"}
    assert unwrap(row[11]) is True


def test_parameters_of_every_type(shared: World) -> None:
    data = shared.data["private"]
    count = "select count(i.id) from Image i where "
    assert rows(shared, count + "i.id = :x", x=rlong(data.image)) == [[1]]
    assert rows(shared, count + "i = :x", x=robject(m.ImageI(data.image, False))) == [[1]]
    assert rows(shared, count + "i.id in (:x)", x=rlist([rlong(data.image), rlong(0)])) == [[1]]
    assert rows(shared, count + "i.id in (:x)", x=rlist([])) == [[0]]
    assert rows(shared, count + "i.name = :x", x=rstring("private image")) == [[1]]
    assert rows(shared, count + "i.acquisitionDate = :x", x=rtime(1_600_000_000_000)) == [[8]]
    assert rows(shared, "select count(c.id) from ChannelBinding c where c.active = :x", x=rbool(True)) == [[4]]
    assert rows(shared, "select count(p.id) from Pixels p where p.sizeX = :x", x=rint(4)) == [[8]]
    assert rows(shared, "select count(r.id) from Rectangle r where r.x = :x", x=rdouble(1)) == [[4]]


def test_long_lists_of_parameters(shared: World) -> None:
    every = rlist([rlong(number) for number in range(50_000)])
    assert rows(shared, "select count(i.id) from Image i where i.id in (:x)", x=every) == [[8]]
    assert rows(shared, "select count(i.id) from Image i where i.id not in (:x)", x=every) == [[0]]


def test_a_missing_parameter_is_named(shared: World) -> None:
    with pytest.raises(omero.QueryException, match="named parameters"):
        rows(shared, "select i.id from Image i where i.id = :missing")


def test_values_are_never_part_of_the_sql(shared: World) -> None:
    nasty = "x' OR '1'='1"
    assert rows(shared, "select count(i.id) from Image i where i.name = :x", x=rstring(nasty)) == [[0]]
    doubled = nasty.replace("'", "''")
    assert rows(shared, f"select count(i.id) from Image i where i.name = '{doubled}'") == [[0]]
    assert rows(shared, f"select count(i.id) from Image i where i.name like '{doubled}%'") == [[0]]


@pytest.mark.parametrize(
    "hql",
    [
        "select load_extension('x') from Image i",
        "select randomblob(1000000000) from Image i",
        "select hash from password",
        "select p from password p",
        "select i.c_name from Image i",
        "select i.perms from Image i",
        "select e.password from Experimenter e",
        "select i from sqlite_schema i",
        "select i.id from Image i where json_extract('{}', '$') is null",
        "select i.details.nonsense from Image i",
        "select i.name.length from Image i",
        "select i.id, i.id from Image i join i.pixels i",
        "select count(i.rois) from Image i",
        "select i from Image i where i.rois = 1",
        "select i from Image i order by i.rois",
        "select i from Image i where i.id = ?",
        "select index(i.details.owner) from Image i",
        "select r from Roi r join r.nothing x",
        "select sum(i.id, 2) from Image i",
        "select i.id from Image i where (i.id, i.id) = 1",
    ],
)
def test_refused_queries(shared: World, hql: str) -> None:
    with pytest.raises(omero.QueryException):
        rows(shared, hql)


def test_values_are_not_objects(shared: World) -> None:
    with pytest.raises(omero.QueryException, match="projection"):
        objects(shared, "select i.name from Image i")


def test_a_query_that_takes_too_long_is_given_up(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "QUERY_SECONDS", 0.2)
    sources = ", ".join(f"PixelsType p{number}" for number in range(12))
    started = time.monotonic()
    with pytest.raises(omero.QueryException, match="interrupted"):
        rows(shared, f"select count(p0.id) from {sources}")
    assert time.monotonic() - started < 20
    assert rows(shared, "select count(i.id) from Image i") == [[8]]


def test_fetched_relations_are_loaded_and_others_are_not(shared: World) -> None:
    data = shared.data["read-only"]
    (well,) = objects(
        shared,
        "select w from Well w left outer join fetch w.plate left outer join fetch w.wellSamples ws "
        f"left outer join fetch ws.image i left outer join fetch i.details.owner where w.id = {data.well}",
    )
    assert well.plate.isLoaded()
    (sample,) = well.copyWellSamples()
    assert sample.image.name.val == "read-only field"
    assert sample.image.details.owner.omeName.val == "owner"
    assert not sample.plateAcquisition.isLoaded()
    assert not sample.image.isPixelsLoaded()
    assert not well.isAnnotationLinksLoaded()


def test_an_empty_collection_is_loaded_too(shared: World) -> None:
    (image,) = objects(
        shared, f"select i from Image i left outer join fetch i.datasetLinks where i.id = {shared.data['private'].field_image}"
    )
    assert image.isDatasetLinksLoaded()
    assert image.copyDatasetLinks() == []


def test_one_object_per_row_and_one_instance_per_object(shared: World) -> None:
    links = objects(shared, "select l from ImageAnnotationLink l join fetch l.parent order by l.id")
    assert len(links) == 8
    assert links[0].parent is links[1].parent
    fetched = objects(shared, "select i from Image i left outer join fetch i.annotationLinks order by i.id")
    assert len(fetched) == len({each.id.val for each in fetched}) == 8


def test_concrete_classes(shared: World) -> None:
    found = objects(shared, "select a from Annotation a")
    assert {type(each).__name__ for each in found} == {"TagAnnotationI", "MapAnnotationI", "FileAnnotationI"}
    assert len(objects(shared, "select t from TagAnnotation t")) == 4
    link = load_objects(shared.database, "ImageAnnotationLink", [shared.data["private"].image_tag_link], shared.caller("owner"))
    assert type(link[0].child).__name__ == "TagAnnotationI"
    by_class = "select count(a.id) from Annotation a where a.class = {}"
    for name in ("MapAnnotation", "'ome.model.annotations.MapAnnotation'"):
        assert rows(shared, by_class.format(name)) == [[4]]
    assert rows(shared, by_class.format(":c"), c=rstring("omero.model.MapAnnotation")) == [[4]]


def test_pages(shared: World) -> None:
    def page(hql: str, limit: int, offset: int) -> list[int]:
        parameters = omero.sys.ParametersI()
        parameters.page(offset, limit)
        return [each.id.val for each in execute_query(shared.database, hql, parameters, shared.caller("owner"))]

    for hql in (
        "select i from Image i order by i.id",
        "select distinct i from Image i left join i.annotationLinks left outer join fetch i.details.owner order by i.id",
        "select i from Image i left outer join fetch i.annotationLinks order by i.id",
    ):
        everything = page(hql, 100, 0)
        assert everything == sorted(set(everything))
        assert page(hql, 3, 2) == everything[2:5]
        assert page(hql, 3, 7) == everything[7:]
        assert page(hql, 0, 0) == []


def test_permissions_in_maps(shared: World) -> None:
    hql = "select new map(i.id as id, i as image_details_permissions) from Image i where i.name = 'read-annotate image'"
    ((mapping,),) = rows(shared, hql, shared.caller("member"))
    permissions = mapping["image_details_permissions"]
    assert permissions["perm"] == "rwra--"
    assert permissions["canAnnotate"]
    assert not permissions["canEdit"]


def test_sorting_is_that_of_postgresql(shared: World) -> None:
    """Empty values are the largest."""
    ascending = rows(shared, "select i.id, r.id from Image i left join i.rois r order by r.id, i.id")
    assert [row[1] is None for row in ascending] == [False] * 4 + [True] * 4
    descending = rows(shared, "select i.id, r.id from Image i left join i.rois r order by r.id desc, i.id")
    assert [row[1] is None for row in descending] == [True] * 4 + [False] * 4


def test_functions(shared: World) -> None:
    name = "i.name = 'private image'"
    assert rows(shared, f"select lower(i.name), upper(i.name), length(i.name) from Image i where {name}") == [
        ["private image", "PRIVATE IMAGE", 13]
    ]
    assert rows(shared, f"select substring(i.name, 1, 7), concat(i.name, '!'), i.name || '?' from Image i where {name}") == [
        ["private", "private image!", "private image?"]
    ]
    assert rows(shared, f"select coalesce(i.description, 'none'), nvl(i.series, 3), mod(7, 4) from Image i where {name}") == [
        ["none", 3, 3]
    ]
    assert rows(shared, f"select year(i.acquisitionDate), extract(epoch from i.acquisitionDate) from Image i where {name}") == [
        [2020, 1_600_000_000.0]
    ]
    assert rows(shared, f"select size(i.rois), cast(i.id as string), str(1), locate('v', i.name) from Image i where {name}")[0][
        ::3
    ] == [1, 4]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("private image", 1),
        ("private%", 2),
        ("%image", 4),
        ("%rivate%mag%", 1),
        ("PRIVATE%", 0),
        ("private_image", 1),
        ("_", 0),
        ("%", 8),
        ("", 0),
        ("private \\%", 0),
    ],
)
def test_like(shared: World, pattern: str, matches: int) -> None:
    hql = "select count(i.id) from Image i where i.name {} :x"
    assert rows(shared, hql.format("like"), x=rstring(pattern)) == [[matches]]
    assert rows(shared, hql.format("not like"), x=rstring(pattern)) == [[8 - matches]]
    assert rows(shared, hql.format("ilike"), x=rstring(pattern.upper()))[0][0] >= matches


def test_like_knows_all_letters(world: World) -> None:
    caller = world.caller("owner", "private")
    save(world.database, [make_image("ZELLKERN Größe")], caller)
    assert rows(world, "select count(i.id) from Image i where lower(i.name) like '%größe'", caller) == [[1]]
    assert rows(world, "select count(i.id) from Image i where i.name ilike '%GRÖ_E'", caller) == [[1]]


def test_like_takes_no_longer_for_nasty_patterns(shared: World) -> None:
    started = time.monotonic()
    pattern = rstring("%a" * 200 + "b")
    long = "a" * 3000
    assert rows(shared, f"select count(p.id) from PixelsType p where '{long}' like :x", x=pattern) == [[0]]
    assert time.monotonic() - started < 10


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hql=st.sampled_from(TEMPLATES), data=st.data())
def test_a_damaged_query_is_answered_or_refused(shared: World, hql: str, data: st.DataObject) -> None:
    """Whatever is sent: an answer or a `QueryException`, and the database lives on."""
    words = hql.split(" ")
    position = data.draw(st.integers(0, len(words) - 1))
    word = data.draw(
        st.sampled_from((*words, "(", ")", "1", "'x'", "i", "i.id", "Image", "sum(1)", "elements(i.rois)", "null"))
    )
    damaged = " ".join([*words[:position], word, *words[position + 1 :]])
    try:
        plain(execute_query(shared.database, damaged, None, shared.caller("member"), projection=True))
    except omero.QueryException:
        pass
    except sqlite3.Error as error:
        pytest.fail(f"{damaged}: {error}")
    assert rows(shared, "select count(i.id) from Image i") == [[8]]


def test_load_objects_keeps_order_and_leaves_out_what_is_not_seen(shared: World) -> None:
    ids = [shared.data[kind].image for kind in ("read-write", "private", "read-only")]
    assert [each.id.val for each in load_objects(shared.database, "Image", ids, shared.caller("owner"))] == ids
    seen = load_objects(shared.database, "omero.model.ImageI", [*ids, 10**6, ids[0]], shared.caller("member"))
    assert [each.id.val for each in seen] == [ids[0], ids[2]]
    assert load_objects(shared.database, "Image", ids, shared.caller("owner", "elsewhere")) == []
    with pytest.raises(omero.ApiUsageException):
        load_objects(shared.database, "Nonsense", ids, shared.caller("owner"))
