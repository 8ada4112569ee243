# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a page offers to do with pipelines: copy, rename, share, deprecate, export and delete. The API decides once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omero_openhcs.library import summary
from omero_openhcs.omero_access.groups import GroupLine, read_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omero_openhcs.identity import Asker
    from openhcs_client import PipelineSummary

__all__ = ["OfferedActions", "actions_context", "groups_to_choose", "offered_actions"]


@dataclass(frozen=True)
class OfferedActions:
    """A pipeline and what this user may do with it."""

    line: PipelineSummary
    copy: bool
    change: bool
    share: bool


def actions_context(asker: Asker, pipeline_id: str) -> dict[str, Any]:
    """What ``pipeline_bar.html`` needs, on a page of one pipeline."""
    groups = groups_to_choose(asker)
    return {"actions": offered_actions(asker, summary(asker, pipeline_id), groups), "groups": groups}


def offered_actions(asker: Asker, line: PipelineSummary, groups: Sequence[GroupLine]) -> OfferedActions:
    """Copying is for everybody but the public user, changing for the owner and administrators, sharing for the owner.

    ``groups`` are the user's; sharing needs one beside the pipeline's own.
    """
    of_user = line.origin == "user" and not asker.public
    mine = of_user and line.owner_id == asker.person.user_id
    return OfferedActions(
        line=line,
        copy=not asker.public,
        change=mine or (of_user and asker.person.admin),
        share=mine and any(group.id != line.group_id for group in groups),
    )


def groups_to_choose(asker: Asker) -> list[GroupLine]:
    """The user's groups by name."""
    return read_groups(asker.omero, [group.id for group in asker.person.groups])
