# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a pipeline is attached to in OMERO: a project, dataset, screen or plate of the user's choice, or else the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import omero
import omero.model

from openhcs_client import OpenHCSError, PipelinePlace

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway, ServiceOptsDict

__all__ = ["attach", "attach_to_user", "group_of_place"]

_KINDS = {
    "Project": (omero.model.ProjectI, omero.model.ProjectAnnotationLinkI),
    "Dataset": (omero.model.DatasetI, omero.model.DatasetAnnotationLinkI),
    "Screen": (omero.model.ScreenI, omero.model.ScreenAnnotationLinkI),
    "Plate": (omero.model.PlateI, omero.model.PlateAnnotationLinkI),
}


def group_of_place(conn: BlitzGateway, place: PipelinePlace) -> int:
    """The group of what a pipeline is to be attached to.

    Raises:
        OpenHCSError: ``unknown_place`` (422) when it does not exist or may not be read.
    """
    found = conn.getObject(place.kind, place.id)
    if found is None:
        raise OpenHCSError(
            "unknown_place",
            f"{place.kind} {place.id} does not exist, or you may not read it.",
            status=422,
            field_errors={"place": "does not exist, or you may not read it"},
        )
    return found.getDetails().getGroup().getId()


def attach(
    conn: BlitzGateway,
    annotation: omero.model.FileAnnotationI,
    owner_id: int,
    place: PipelinePlace | None,
    context: ServiceOptsDict,
) -> int:
    """Save a new annotation together with its link, and return the annotation's id.

    A later version of a pipeline whose project, dataset, screen or plate is gone is attached to the user.
    """
    if place is not None and conn.getQueryService().find(place.kind, place.id, context) is not None:
        parent, link_class = _KINDS[place.kind]
        return _save_link(conn, link_class(), parent(place.id, False), annotation, context)
    return _save_link(
        conn, omero.model.ExperimenterAnnotationLinkI(), omero.model.ExperimenterI(owner_id, False), annotation, context
    )


def attach_to_user(conn: BlitzGateway, annotation_ids: list[int], owner_id: int, context: ServiceOptsDict) -> None:
    """Link annotations that exist to the user."""
    for annotation_id in annotation_ids:
        annotation = omero.model.FileAnnotationI(annotation_id, False)
        _save_link(
            conn, omero.model.ExperimenterAnnotationLinkI(), omero.model.ExperimenterI(owner_id, False), annotation, context
        )


def _save_link(
    conn: BlitzGateway,
    link: omero.model.IObject,
    parent: omero.model.IObject,
    annotation: omero.model.FileAnnotationI,
    context: ServiceOptsDict,
) -> int:
    link.setParent(parent)
    link.setChild(annotation)
    return conn.getUpdateService().saveAndReturnObject(link, context).getChild().getId().getValue()
