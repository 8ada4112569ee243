# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tags on the result plate or dataset. A tag of the user with the same text is used again, as OMERO's own clients do."""

from __future__ import annotations

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rstring

from .annotating import link_to
from .services import context_of, find_all, project, save
from .target import Container, Mark, ResultTarget

__all__ = ["save_tags"]

_TAGS = "select t from TagAnnotation t where t.textValue = :text and t.ns is null and t.details.owner.id = :owner order by t.id"
_LINKED = "select l.child.id from {kind}AnnotationLink l where l.parent.id = :id and l.details.owner.id = :owner"


def save_tags(conn: BlitzGateway, target: ResultTarget, container: Container) -> None:
    """Put the execution's tags on ``container``. Repeatable."""
    if not target.tags:
        return
    context = context_of(conn, target.plate.group_id)
    parameters = omero.sys.ParametersI().addId(container.object_id).addLong("owner", target.user_id)
    linked = {row[0] for row in project(conn, _LINKED.format(kind=container.kind), parameters, context)}
    for text in dict.fromkeys(target.tags):
        parameters = omero.sys.ParametersI().addString("text", text).addLong("owner", target.user_id)
        known = find_all(conn, _TAGS, parameters, context)
        if any(tag.id.val in linked for tag in known):
            continue
        if known:
            tag = omero.model.TagAnnotationI(known[0].id.val, False)
        else:
            tag = omero.model.TagAnnotationI()
            tag.setTextValue(rstring(text))
            tag.setDescription(rstring(target.mark(Mark.TAG)))
        save(conn, link_to(container, tag), context)
