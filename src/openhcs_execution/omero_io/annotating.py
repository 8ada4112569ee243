# SPDX-License-Identifier: AGPL-3.0-or-later
"""Annotations on plates that exist once per execution, however often they are saved.

An annotation and its link to the first plate are one graph, saved in one transaction, so that no annotation is ever without
a link. A link to a second plate is added by itself; a save that was cut short adds it when it runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rlong, rstring

from .services import Context, context_of, find_all, project, save
from .target import ResultTarget

__all__ = ["ensure_annotation", "find_annotations", "link_to_plate", "permissions_of_plate"]

_FIND = (
    "select a.id, l.parent.id from PlateAnnotationLink l join l.child a "
    "where l.parent.id in (:plates) and a.ns = :ns and a.description = :mark and a.details.owner.id = :owner "
    "order by a.id, l.id"
)


def ensure_annotation(
    conn: BlitzGateway, target: ResultTarget, plate_ids: Sequence[int], ns: str, what: str, make: Callable[[], Any]
) -> int:
    """Return the id of the execution's annotation ``what`` on these plates, after making it and its links where missing."""
    context = context_of(conn, target.plate.group_id)
    found = find_annotations(conn, target, plate_ids, ns, what)
    if not found:
        annotation = make()
        annotation.setNs(rstring(ns))
        annotation.setDescription(rstring(target.mark(what)))
        link = save(conn, link_to_plate(plate_ids[0], annotation), context)
        found = [(link.child.id.val, plate_ids[0])]
    annotation_id = found[0][0]
    linked = {plate_id for each, plate_id in found if each == annotation_id}
    for plate_id in plate_ids:
        if plate_id not in linked:
            save(conn, link_to_plate(plate_id, _unloaded(conn, annotation_id, context)), context)
    return annotation_id


def find_annotations(
    conn: BlitzGateway, target: ResultTarget, plate_ids: Sequence[int], ns: str, what: str
) -> list[tuple[int, int]]:
    """Ids of the execution's annotations ``what`` on these plates, each with the id of the plate."""
    parameters = omero.sys.ParametersI()
    parameters.add("plates", omero.rtypes.rlist([rlong(plate_id) for plate_id in plate_ids]))
    parameters.addString("ns", ns)
    parameters.addString("mark", target.mark(what))
    parameters.addLong("owner", target.user_id)
    return [(row[0], row[1]) for row in project(conn, _FIND, parameters, context_of(conn, target.plate.group_id))]


def link_to_plate(plate_id: int, annotation: omero.model.Annotation) -> omero.model.PlateAnnotationLink:
    """A link between a plate and an annotation, not yet saved."""
    link = omero.model.PlateAnnotationLinkI()
    link.setParent(omero.model.PlateI(plate_id, False))
    link.setChild(annotation)
    return link


def permissions_of_plate(conn: BlitzGateway, plate_id: int, group_id: int) -> omero.model.Permissions | None:
    """What this session's user may do with a plate; ``None`` when it is gone."""
    plates = find_all(
        conn, "select p from Plate p where p.id = :id", omero.sys.ParametersI().addId(plate_id), context_of(conn, group_id)
    )
    return plates[0].details.permissions if plates else None


def _unloaded(conn: BlitzGateway, annotation_id: int, context: Context) -> omero.model.Annotation:
    parameters = omero.sys.ParametersI().addId(annotation_id)
    annotation = find_all(conn, "select a from Annotation a where a.id = :id", parameters, context)[0]
    return type(annotation)(annotation_id, False)
