# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pipelines that a user can choose from: those that the service offers and those that people keep in OMERO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openhcs_client import (
    OpenHCSError,
    PipelineDocument,
    PipelinePlace,
    PipelineSource,
    PipelineSummary,
    searchable_text,
)

from .omero_access.pipeline_places import group_of_place
from .omero_access.pipeline_search import UserPipelineSearch, find_pipelines
from .omero_access.pipelines import free_id, is_user_pipeline, read_versions, save_version

if TYPE_CHECKING:
    from .identity import Asker

__all__ = ["list_pipelines", "read_pipeline", "read_version", "save_copy", "save_pipeline"]

MOST_LISTED = 2000


def list_pipelines(asker: Asker) -> list[PipelineSummary]:
    """What can be chosen for a run: the service's pipelines first, then the users' own, each by name.

    Deprecated ones are left out.
    """
    offered = sorted(asker.service.pipelines(), key=lambda line: (line.origin != "built-in", line.name.casefold()))
    return offered + find_pipelines(asker.omero, UserPipelineSearch(), offset=0, limit=MOST_LISTED)


def read_pipeline(asker: Asker, pipeline_id: str) -> list[PipelineDocument]:
    """Every version, newest first.

    Raises:
        OpenHCSError: ``unknown_pipeline`` (404).
    """
    if is_user_pipeline(pipeline_id):
        return read_versions(asker.omero, pipeline_id)
    return asker.service.pipeline(pipeline_id)


def read_version(asker: Asker, pipeline_id: str, version: int | None) -> PipelineDocument:
    """One version, the newest by default.

    Raises:
        OpenHCSError: ``unknown_pipeline`` or ``unknown_pipeline_version`` (404).
    """
    if is_user_pipeline(pipeline_id):
        return read_versions(asker.omero, pipeline_id, version)[0]
    versions = asker.service.pipeline(pipeline_id)
    for document in versions:
        if version in (None, document.version):
            return document
    raise OpenHCSError(
        "unknown_pipeline_version",
        f"Pipeline {versions[0].name!r} has no version {version}; the newest is {versions[0].version}.",
        status=404,
        field_errors={"version": "does not exist"},
    )


def save_pipeline(
    asker: Asker,
    document: PipelineDocument,
    *,
    based_on: int | None,
    group_id: int | None,
    place: PipelinePlace | None = None,
    copied_from: PipelineSource | None = None,
) -> PipelineDocument:
    """Save a version of the user's own pipeline; a new one in ``group_id``, or where its place is, or in the current group.

    Raises:
        OpenHCSError: ``not_a_group_member`` (403), ``place_elsewhere`` (422), or what :func:`save_version` refuses.
    """
    asker.refuse_public()
    if place is not None:
        group_id = _group_with(asker, place, group_id)
    if group_id is not None:
        asker.require_member(group_id)
    titles = {function.id: function.title for function in asker.service.functions(offered=False)}
    return save_version(
        asker.omero,
        document,
        owner_id=asker.person.user_id,
        text=searchable_text(document, titles),
        group_id=group_id,
        place=place,
        based_on=based_on,
        copied_from=copied_from,
    )


def save_copy(
    asker: Asker,
    document: PipelineDocument,
    *,
    copied_from: PipelineSource,
    group_id: int | None,
    place: PipelinePlace | None = None,
) -> PipelineDocument:
    """Save ``document`` as a new pipeline of the user's own, under an id that is free.

    Raises:
        OpenHCSError: what :func:`save_pipeline` refuses.
    """
    asker.refuse_public()
    new_id = free_id(asker.omero, document.id, asker.person.user_id)
    new = document.model_copy(update={"id": new_id, "version": 1})
    return save_pipeline(asker, new, based_on=None, group_id=group_id, place=place, copied_from=copied_from)


def _group_with(asker: Asker, place: PipelinePlace, group_id: int | None) -> int:
    """The group of the place, which must be the chosen one: OMERO links nothing across groups."""
    found = group_of_place(asker.omero, place)
    if group_id not in (None, found):
        raise OpenHCSError(
            "place_elsewhere",
            f"{place.kind} {place.id} is in another group than the one to save in. Choose its group, or another place.",
            status=422,
            field_errors={"place": "is in another group"},
        )
    return found
