# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renaming, deprecating, moving and deleting a user's pipeline.

``known`` is every version of the pipeline, newest first, as :func:`open_pipeline` gives it: the last one is its head. Each
change first takes its revision in the head, so that of two changes at the same moment one is refused. Who may do what is
decided before (:mod:`omero_openhcs.library`) and once more by OMERO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import omero
from omero.cmd import Chgrp2
from omero.rtypes import unwrap
from omero.sys import ParametersI

from openhcs_client import OpenHCSError, PipelineSummary

from .pipeline_heads import change_card, in_all_groups, in_group
from .pipeline_places import attach_to_user
from .pipelines import list_user_pipelines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omero.gateway import BlitzGateway, ServiceOptsDict

    from .pipeline_records import Card, StoredVersion

__all__ = ["delete_pipeline", "deprecate_pipeline", "move_pipeline", "open_pipeline", "rename_pipeline"]

_LINKED = "select l.child.id from ExperimenterAnnotationLink l where l.child.id in (:ids)"
_WAIT_MS = 500
_MOST_WAITS = 90


def open_pipeline(conn: BlitzGateway, pipeline_id: str) -> list[StoredVersion]:
    """Every version of a user's pipeline, newest first.

    Raises:
        OpenHCSError: ``unknown_pipeline`` (404).
    """
    known = list_user_pipelines(conn, pipeline_id)
    if not known:
        raise OpenHCSError(
            "unknown_pipeline",
            f"Pipeline {pipeline_id!r} does not exist, or you may not read it. It may have been deleted or moved meanwhile.",
            status=404,
        )
    return known


def rename_pipeline(
    conn: BlitzGateway, known: list[StoredVersion], revision: int, name: str, tags: Sequence[str] | None
) -> PipelineSummary:
    """Show the pipeline under another name, and with other tags where given. No version changes."""
    change = {"name": name, "renamed": True} | ({} if tags is None else {"tags": list(dict.fromkeys(tags))})
    return _changed(conn, known, revision, lambda card: card.model_copy(update=change))


def deprecate_pipeline(
    conn: BlitzGateway, known: list[StoredVersion], revision: int, deprecated: bool, note: str
) -> PipelineSummary:
    """Hide the pipeline from lists, with a note, or show it again."""
    change = {"deprecated": deprecated, "note": note if deprecated else ""}
    return _changed(conn, known, revision, lambda card: card.model_copy(update=change))


def move_pipeline(conn: BlitzGateway, known: list[StoredVersion], revision: int, group_id: int) -> PipelineSummary:
    """Move every version to another group. What it was attached to stays behind; it is attached to its owner then.

    Raises:
        OpenHCSError: ``already_there`` (422) when it is in that group.
    """
    head = known[-1]
    if head.group_id == group_id:
        raise OpenHCSError(
            "already_there",
            f"The pipeline is in the group “{head.group_name}” already.",
            status=422,
            field_errors={"group_id": "the pipeline is there already"},
        )
    change_card(conn, head, revision, lambda card: card.model_copy(update={"place": None}))
    ids = [version.annotation_id for version in known]
    move = Chgrp2(targetObjects={"Annotation": ids}, groupId=group_id)
    _finish(conn, conn.c.sf.submit(move, in_all_groups(conn)), "move")
    context = in_group(conn, group_id)
    attach_to_user(conn, _without_user(conn, ids, context), head.owner_id, context)
    return open_pipeline(conn, head.about.id)[-1].summary()


def delete_pipeline(conn: BlitzGateway, known: list[StoredVersion], revision: int) -> None:
    """Delete every version with its file. Runs keep the document that they recorded."""
    change_card(conn, known[-1], revision, lambda card: card)
    _finish(conn, conn.deleteObjects("Annotation", [version.annotation_id for version in known]), "delete")


def _changed(conn: BlitzGateway, known: list[StoredVersion], revision: int, change: Callable[[Card], Card]) -> PipelineSummary:
    head = known[-1]
    change_card(conn, head, revision, change)
    return open_pipeline(conn, head.about.id)[-1].summary()


def _without_user(conn: BlitzGateway, annotation_ids: list[int], context: ServiceOptsDict) -> list[int]:
    """Those that are not linked to a user; OMERO may have taken the links along or not."""
    parameters = ParametersI()
    parameters.addIds(annotation_ids)
    linked = {unwrap(row)[0] for row in conn.getQueryService().projection(_LINKED, parameters, context)}
    return [annotation_id for annotation_id in annotation_ids if annotation_id not in linked]


def _finish(conn: BlitzGateway, handle: omero.cmd.HandlePrx, what: str) -> None:
    """Wait for OMERO to do it.

    Raises:
        OpenHCSError: ``not_allowed`` (403) when OMERO refuses.
    """
    try:
        conn.c.waitOnCmd(handle, loops=_MOST_WAITS, ms=_WAIT_MS, failonerror=True, failontimeout=True)
    except omero.CmdError as error:
        raise OpenHCSError("not_allowed", f"OMERO does not allow you to {what} this pipeline.", status=403) from error
    finally:
        handle.close()
