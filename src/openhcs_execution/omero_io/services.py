# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small helpers around OMERO's raw services: every call says in which group it works.

BlitzGateway's convenience methods switch groups behind one's back and save in many small steps. Reading and saving of results
go through the services themselves, with whole object graphs, so that each call either happened or did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import omero
import omero.grid
from omero.gateway import BlitzGateway
from omero.model import IObject
from omero.rtypes import unwrap

__all__ = ["Context", "context_of", "find_all", "project", "raw_pixels", "save", "shared_resources"]

Context = dict[str, str]


def context_of(conn: BlitzGateway, group_id: int | None = None) -> Context:
    """The call context for one group, or for every group that the user may read."""
    context = dict(conn.SERVICE_OPTS)
    context["omero.group"] = str(-1 if group_id is None else group_id)
    return context


def project(conn: BlitzGateway, hql: str, parameters: omero.sys.Parameters, context: Context) -> list[list[Any]]:
    """Run a query for plain values; one list per row."""
    return [unwrap(row) for row in conn.c.sf.getQueryService().projection(hql, parameters, context)]


def find_all(conn: BlitzGateway, hql: str, parameters: omero.sys.Parameters, context: Context) -> list[Any]:
    """Run a query for objects."""
    return list(conn.c.sf.getQueryService().findAllByQuery(hql, parameters, context))


def save(conn: BlitzGateway, graph: IObject, context: Context) -> Any:
    """Save a graph in one transaction and return it with its ids."""
    return conn.c.sf.getUpdateService().saveAndReturnObject(graph, context)


def shared_resources(conn: BlitzGateway) -> omero.grid.SharedResourcesPrx:
    """The service that makes tables."""
    return conn.c.sf.sharedResources()


@contextmanager
def raw_pixels(conn: BlitzGateway, context: Context) -> Iterator[omero.api.RawPixelsStorePrx]:
    """A pixel store, closed at the end: an OMERO session holds a limited number of them."""
    store = conn.c.sf.createRawPixelsStore(context)
    try:
        yield store
    finally:
        store.close(context)
