# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people do with pipelines as a whole: find, copy, rename, deprecate, share and delete them.

Renaming, deprecating and deleting is for the owner and for administrators, moving to another group for the owner. Copying is
for everybody who can read a pipeline and store something in OMERO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openhcs_client import (
    CopyPipeline,
    DeprecatePipeline,
    OpenHCSError,
    PipelineDocument,
    PipelinePage,
    PipelineSearch,
    PipelineSource,
    PipelineSummary,
    RenamePipeline,
    SharePipeline,
)

from .catalogue import read_version, save_copy
from .golden_wells import require_agreement
from .omero_access.pipeline_changes import (
    delete_pipeline,
    deprecate_pipeline,
    move_pipeline,
    open_pipeline,
    rename_pipeline,
)
from .omero_access.pipeline_search import UserPipelineSearch, count_pipelines, find_pipelines
from .omero_access.pipelines import is_user_pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .identity import Asker
    from .omero_access.pipeline_records import StoredVersion

__all__ = ["copy", "delete", "deprecate", "find", "offered_by_service", "rename", "share", "summary"]


def offered_by_service(asker: Asker, search: PipelineSearch) -> list[PipelineSummary]:
    """What a search finds of the built-in pipelines and of the facility's, in this order, each by name."""
    if search.of_users_only:
        return []
    found = [line for line in asker.service.pipelines(search.q) if search.origin in (None, line.origin)]
    return sorted(found, key=lambda line: (line.origin != "built-in", line.name.casefold()))


def find(asker: Asker, search: PipelineSearch, offered: Sequence[PipelineSummary]) -> PipelinePage:
    """One page of ``offered`` and, behind them, of the users' own pipelines."""
    in_omero = UserPipelineSearch(
        q=search.q,
        owner_id=asker.person.user_id if search.owner == "me" else search.owner,
        group_id=search.group,
        deprecated=search.deprecated,
    )
    of_users = count_pipelines(asker.omero, in_omero) if search.origin in (None, "user") else 0
    total = len(offered) + of_users
    pages = max(1, -(-total // search.limit))
    page = min(search.page, pages)
    start = (page - 1) * search.limit
    lines = list(offered[start : start + search.limit])
    room = search.limit - len(lines)
    if room and of_users:
        lines += find_pipelines(asker.omero, in_omero, offset=max(0, start - len(offered)), limit=room)
    return PipelinePage(pipelines=lines, total=total, page=page, pages=pages)


def summary(asker: Asker, pipeline_id: str) -> PipelineSummary:
    """The line of one pipeline, deprecated or not.

    Raises:
        OpenHCSError: ``unknown_pipeline`` (404).
    """
    if is_user_pipeline(pipeline_id):
        return open_pipeline(asker.omero, pipeline_id)[-1].summary()
    for line in asker.service.pipelines():
        if line.id == pipeline_id:
            return line
    raise OpenHCSError("unknown_pipeline", f"There is no pipeline {pipeline_id!r}.", status=404)


def copy(asker: Asker, pipeline_id: str, wanted: CopyPipeline) -> PipelineDocument:
    """Make an own copy of a version of any readable pipeline; its card remembers where it is from.

    Raises:
        OpenHCSError: ``unknown_pipeline``, ``unknown_pipeline_version`` (404), or what saving refuses.
    """
    original = read_version(asker, pipeline_id, wanted.version)
    shown = summary(asker, pipeline_id).name
    named = original.model_copy(update={"name": wanted.name or f"{shown[:113]} (copy)"})
    source = PipelineSource(id=original.id, version=original.version, hash=original.content_hash())
    return save_copy(asker, named, copied_from=source, group_id=wanted.group_id, place=wanted.place)


def rename(asker: Asker, pipeline_id: str, wanted: RenamePipeline) -> PipelineSummary:
    """Show the pipeline under another name."""
    known = _open_own(asker, pipeline_id)
    return rename_pipeline(asker.omero, known, wanted.revision, wanted.name, wanted.tags)


def deprecate(asker: Asker, pipeline_id: str, wanted: DeprecatePipeline) -> PipelineSummary:
    """Hide the pipeline from lists, or show it again."""
    known = _open_own(asker, pipeline_id)
    return deprecate_pipeline(asker.omero, known, wanted.revision, wanted.deprecated, wanted.note.strip())


def share(asker: Asker, pipeline_id: str, wanted: SharePipeline) -> PipelineSummary:
    """Move the pipeline to another group of its owner's, when its golden wells agree or the owner knows that they do not."""
    known = _open_own(asker, pipeline_id, administrators=False)
    asker.require_member(wanted.group_id)
    if not wanted.although_unchecked:
        require_agreement(asker, pipeline_id)
    return move_pipeline(asker.omero, known, wanted.revision, wanted.group_id)


def delete(asker: Asker, pipeline_id: str, revision: int) -> None:
    """Delete the pipeline with all its versions."""
    delete_pipeline(asker.omero, _open_own(asker, pipeline_id), revision)


def _open_own(asker: Asker, pipeline_id: str, *, administrators: bool = True) -> list[StoredVersion]:
    """The versions of a pipeline that the asker may change.

    Raises:
        OpenHCSError: ``public_user``, ``not_yours_to_change`` (403), or ``unknown_pipeline`` (404).
    """
    asker.refuse_public()
    if not is_user_pipeline(pipeline_id):
        raise OpenHCSError(
            "not_yours_to_change",
            "This pipeline comes with the execution service, so it cannot be changed here. Make a copy of your own instead.",
            status=403,
        )
    known = open_pipeline(asker.omero, pipeline_id)
    if asker.person.user_id != known[-1].owner_id and not (administrators and asker.person.admin):
        who = f"{known[-1].owner_name} or an administrator" if administrators else known[-1].owner_name
        raise OpenHCSError("not_yours_to_change", f"Only {who} can do this. You can make a copy of your own.", status=403)
    return known
