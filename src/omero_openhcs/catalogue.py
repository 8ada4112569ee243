# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pipelines that a user can choose from: the service's built-in ones and those that people keep in OMERO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openhcs_client import OpenHCSError, PipelineDocument, PipelineSummary

from .omero_access.pipelines import is_user_pipeline, list_user_pipelines, read_versions, save_version, summaries

if TYPE_CHECKING:
    from .identity import Asker

__all__ = ["list_pipelines", "read_pipeline", "save_pipeline"]


def list_pipelines(asker: Asker) -> list[PipelineSummary]:
    """Built-in pipelines first, then the users' own, each by name."""
    built_in = sorted(asker.service.pipelines(), key=lambda line: line.name.lower())
    own = sorted(summaries(list_user_pipelines(asker.omero)), key=lambda line: line.name.lower())
    return built_in + own


def read_pipeline(asker: Asker, pipeline_id: str) -> list[PipelineDocument]:
    """Every version, newest first.

    Raises:
        OpenHCSError: ``unknown_pipeline`` (404).
    """
    if is_user_pipeline(pipeline_id):
        return read_versions(asker.omero, pipeline_id)
    return asker.service.pipeline(pipeline_id)


def save_pipeline(asker: Asker, document: PipelineDocument, *, based_on: int | None, group_id: int | None) -> PipelineDocument:
    """Save a version of the user's own pipeline in ``group_id`` (or the user's current group).

    Raises:
        OpenHCSError: ``not_a_group_member`` (403), or what :func:`save_version` refuses.
    """
    asker.refuse_public()
    target = group_id if group_id is not None else asker.omero.getEventContext().groupId
    if not asker.person.is_member(target):
        raise OpenHCSError(
            "not_a_group_member", "You are not a member of this group.", status=403, field_errors={"group_id": "not yours"}
        )
    return save_version(asker.omero, document, owner_id=asker.person.user_id, group_id=target, based_on=based_on)
