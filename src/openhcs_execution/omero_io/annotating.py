# SPDX-License-Identifier: AGPL-3.0-or-later
"""Annotations on plates and datasets that exist once per execution, however often they are saved.

An annotation and its link to the first plate are one graph, saved in one transaction, so that no annotation is ever without
a link. A link to a second container is added by itself; a save that was cut short adds it when it runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rlong, rstring

from .services import Context, context_of, find_all, project, save
from .target import Container, ResultTarget

__all__ = ["ensure_annotation", "find_annotations", "link_to", "permissions_of_plate"]

_FIND = (
    "select a.id, l.parent.id from {kind}AnnotationLink l join l.child a "
    "where l.parent.id in (:containers) and a.ns = :ns and a.description = :mark and a.details.owner.id = :owner "
    "order by a.id, l.id"
)


def ensure_annotation(
    conn: BlitzGateway, target: ResultTarget, containers: Sequence[Container], ns: str, what: str, make: Callable[[], Any]
) -> int:
    """Return the id of the execution's annotation ``what`` on these containers, after making it and its links where missing."""
    context = context_of(conn, target.plate.group_id)
    found = find_annotations(conn, target, containers, ns, what)
    if not found:
        annotation = make()
        annotation.setNs(rstring(ns))
        annotation.setDescription(rstring(target.mark(what)))
        link = save(conn, link_to(containers[0], annotation), context)
        found = [(link.child.id.val, containers[0])]
    annotation_id = found[0][0]
    linked = {container for each, container in found if each == annotation_id}
    for container in containers:
        if container not in linked:
            save(conn, link_to(container, _unloaded(conn, annotation_id, context)), context)
    return annotation_id


def find_annotations(
    conn: BlitzGateway, target: ResultTarget, containers: Sequence[Container], ns: str, what: str
) -> list[tuple[int, Container]]:
    """Ids of the execution's annotations ``what`` on these containers, each with where it hangs; oldest first."""
    context = context_of(conn, target.plate.group_id)
    found: list[tuple[int, Container]] = []
    for kind in sorted({container.kind for container in containers}, reverse=True):
        parameters = omero.sys.ParametersI()
        ids = [container.object_id for container in containers if container.kind == kind]
        parameters.add("containers", omero.rtypes.rlist([rlong(each) for each in ids]))
        parameters.addString("ns", ns)
        parameters.addString("mark", target.mark(what))
        parameters.addLong("owner", target.user_id)
        rows = project(conn, _FIND.format(kind=kind), parameters, context)
        found += [(row[0], Container(kind, row[1])) for row in rows]
    return sorted(found, key=lambda each: each[0])


def link_to(container: Container, annotation: omero.model.Annotation) -> Any:
    """A link between a plate or dataset and an annotation, not yet saved."""
    if container.kind == "Plate":
        link, parent = omero.model.PlateAnnotationLinkI(), omero.model.PlateI(container.object_id, False)
    else:
        link, parent = omero.model.DatasetAnnotationLinkI(), omero.model.DatasetI(container.object_id, False)
    link.setParent(parent)
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
