# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every query that is written in omero-py's gateway and in OMERO.web translates, and runs on filled tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import omero
import omero.gateway
import pytest

from omero_sandbox.query.execution import execute_query

from ..store.world import World, make_world
from .installed_queries import HOLE, StaticQuery, installed_queries, parameters_for

QUERIES = installed_queries()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that this module only reads."""
    made = make_world(tmp_path_factory.mktemp("filled"))
    yield made
    made.database.close()


def _without_holes(hql: str) -> Iterator[str]:
    """Readings of a query whose holes are filled as its authors do: ids, classes, conditions, nothing."""
    hql = re.sub(rf"'{HOLE}'", "'1'", hql)
    hql = re.sub(rf"([=<>]\s*){HOLE}", r"\g<1>1", hql)
    hql = re.sub(rf"{HOLE}(?=AnnotationLink\b)", "Image", hql)
    hql = re.sub(rf"{HOLE}(?=Annotation\b)", "Tag", hql)
    hql = re.sub(rf"(where\s+){HOLE}(?=\s|$)", r"\g<1>1 = 1", hql)
    hql = re.sub(r"where$", "where 1 = 1", hql)
    hql = hql.replace(f".{HOLE}Links", ".datasetLinks").replace(
        f"SELECT {HOLE} FROM FileAnnotation AS fa", "SELECT fa FROM FileAnnotation AS fa"
    )
    source = re.compile(rf"\bfrom {HOLE}", re.IGNORECASE)
    for names in product(
        ("Image", "ProjectDatasetLink", "ImageAnnotationLink", "PlateAcquisition", "Plate"), repeat=len(source.findall(hql))
    ):
        filled = hql
        for name in names:
            filled = source.sub(f"from {name}", filled, count=1)
        yield filled.replace(HOLE, " ")


def _run(world: World, hql: str) -> list[list[object]]:
    parameters = parameters_for(hql)
    for person in ("admin", "member"):
        rows = execute_query(world.database, hql, parameters, world.caller(person), projection=True)
    return rows


def test_enough_queries_are_found() -> None:
    assert len(QUERIES) > 100
    assert {"gateway", "webclient", "api"} <= {each.file.split("/")[0] for each in QUERIES}


@pytest.mark.parametrize("query", QUERIES, ids=lambda each: f"{each.file}:{each.line}")
def test_query_runs(filled: World, query: StaticQuery) -> None:
    failures = []
    for hql in _without_holes(query.hql):
        try:
            _run(filled, hql)
        except omero.QueryException as error:
            failures.append(error.message)
        else:
            return
    pytest.fail(f"{query.file}:{query.line}: " + "\n".join(failures))


class _Connection(omero.gateway._BlitzGateway):
    """A gateway that is connected to nothing: it can still build queries."""

    def __init__(self) -> None:
        self.SERVICE_OPTS = omero.gateway.ServiceOptsDict()


_OPTIONS: dict[str, list[dict[str, object]]] = {
    "image": [
        {},
        {"load_pixels": True},
        {"load_channels": True},
        {"dataset": 1},
        {"orphaned": True},
        {"well": 1},
        {"plate": 1},
        {"plateacquisition": 1},
        {"fileset": 1},
        {"orphaned": True, "owner": 1, "limit": 5, "offset": 0},
    ],
    "dataset": [{}, {"project": 1}, {"orphaned": True}, {"image": 1}, {"child_count": True}],
    "project": [{}, {"dataset": 1}, {"child_count": True}],
    "screen": [{}, {"plate": 1}, {"child_count": True}],
    "plate": [{}, {"screen": 1}, {"orphaned": True}, {"well": 1}, {"child_count": True}],
    "plateacquisition": [{}, {"plate": 1}],
    "well": [
        {},
        {"plate": 1},
        {"plateacquisition": 1},
        {"load_images": True, "load_pixels": True, "load_channels": True, "plate": 1},
        {"load_images": True, "wellsample_index": 0, "plateacquisition": 1, "limit": 2, "offset": 0},
    ],
    "annotation": [{}, {"ns": "a"}],
    "tagannotation": [{}, {"load_file": True}],
    "fileannotation": [{}, {"load_file": True}],
    "mapannotation": [{}],
    "roi": [{}, {"load_shapes": True, "image": 1}, {"load_shapes": False}],
    "originalfile": [{}],
    "experimenter": [{}, {"load_experimentergroups": True}, {"experimentergroup": 3}],
    "experimentergroup": [{}, {"load_experimenters": True}, {"experimenter": 3}],
    "fileset": [{}],
}
_BUILT = [(name, options) for name, choices in _OPTIONS.items() for options in choices]


@pytest.mark.parametrize(("name", "options"), _BUILT, ids=lambda each: str(each)[:60])
def test_gateway_builds_queries_that_run(filled: World, name: str, options: dict[str, object]) -> None:
    hql, parameters, _wrapper = _Connection().buildQuery(name, ids=[1, 2], opts={**options, "order_by": "obj.id"})
    found = execute_query(filled.database, hql, parameters, filled.caller("admin"))
    assert isinstance(found, list)


def test_sources_are_installed_ones() -> None:
    """The paths above are of site-packages, not of a copy in this repository."""
    assert "site-packages" in str(Path(omero.gateway.__file__))
