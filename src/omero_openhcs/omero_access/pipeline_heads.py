# SPDX-License-Identifier: AGPL-3.0-or-later
"""Changing the head of a pipeline, its first annotation: never over a change of somebody else.

The revision in the card tells a page's outdated view apart; OMERO's own version of the annotation, which it compares when it
is saved, tells two requests apart that come at the same moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import omero
import omero.gateway
from omero.rtypes import rstring

from openhcs_client import OpenHCSError, PipelineDocument

from .pipeline_records import Card, Description, StoredVersion

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["add_version_to_head", "change_card", "fill_annotation", "in_all_groups", "in_group"]

_TRIES = 5

logger = logging.getLogger(__name__)


def in_all_groups(conn: BlitzGateway) -> omero.gateway.ServiceOptsDict:
    """The call context for what the user may see in any group."""
    return in_group(conn, -1)


def in_group(conn: BlitzGateway, group_id: int) -> omero.gateway.ServiceOptsDict:
    """The call context of one group."""
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(group_id)
    return context


def fill_annotation(annotation: omero.model.FileAnnotationI, about: Description) -> None:
    """Write the description, and the name by which lists are sorted (of a head only)."""
    annotation.setDescription(rstring(about.as_json()))
    if about.card is not None:
        # A database column, unlike JSON, cannot hold every character.
        annotation.setName(rstring("".join(letter for letter in about.card.name if letter.isprintable())))


def change_card(conn: BlitzGateway, head: StoredVersion, revision: int, change: Callable[[Card], Card]) -> Card:
    """Change the card of a pipeline whose newest revision is ``revision``, and return it as saved, one revision on.

    Raises:
        OpenHCSError: ``pipeline_changed`` (409) when it is another revision by now.
    """
    try:
        return _change(conn, head, lambda about: about.with_card(_at(about, revision, change)))
    except omero.OptimisticLockException as error:
        raise _changed(head.about.known_card().name) from error


def add_version_to_head(
    conn: BlitzGateway, head: StoredVersion, document: PipelineDocument, name_before: str, text: str
) -> None:
    """Tell the head of a newer version; whoever changes the head at the same moment goes first.

    The version itself is saved already, so a failure here is logged only: the next version corrects the head.
    """
    for _ in range(_TRIES):
        try:
            _change(conn, head, lambda about: _with_version(about, document, name_before, text))
        except omero.OptimisticLockException:
            continue
        return
    logger.error("The head of pipeline %s does not know of version %s", document.id, document.version)


def _with_version(about: Description, document: PipelineDocument, name_before: str, text: str) -> Description:
    card = about.known_card()
    # A later version may have come in between.
    return about if card.version >= document.version else about.with_card(card.with_version(document, name_before), text)


def _at(about: Description, revision: int, change: Callable[[Card], Card]) -> Card:
    card = about.known_card()
    if card.revision != revision:
        raise _changed(card.name)
    return change(card).model_copy(update={"revision": revision + 1})


def _change(conn: BlitzGateway, head: StoredVersion, change: Callable[[Description], Description]) -> Card:
    context = in_group(conn, head.group_id)
    annotation = conn.getQueryService().find("FileAnnotation", head.annotation_id, context)
    if annotation is None:
        raise _gone(head.about.known_card().name)
    about = change(Description.model_validate_json(annotation.getDescription().getValue()))
    fill_annotation(annotation, about)
    conn.getUpdateService().saveObject(annotation, context)
    return about.known_card()


def _changed(name: str) -> OpenHCSError:
    return OpenHCSError(
        "pipeline_changed",
        f"Somebody has changed “{name}” since you looked at it, so nothing was done. Load the page again, look at the change, "
        "and repeat yours if you still want it.",
        status=409,
    )


def _gone(name: str) -> OpenHCSError:
    return OpenHCSError("unknown_pipeline", f"“{name}” was deleted or moved meanwhile, so nothing was done.", status=404)
