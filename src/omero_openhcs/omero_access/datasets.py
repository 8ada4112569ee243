# SPDX-License-Identifier: AGPL-3.0-or-later
"""The datasets that results may go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import omero
import omero.sys

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["OwnDataset", "own_datasets"]

_OWN = "select d.id, d.name from Dataset d where d.details.owner.id = :owner and d.details.group.id = :group order by d.id desc"
_MOST = 100


@dataclass(frozen=True)
class OwnDataset:
    """A dataset of the signed-in user."""

    dataset_id: int
    name: str


def own_datasets(conn: BlitzGateway, group_id: int) -> list[OwnDataset]:
    """The newest datasets of the signed-in user in a group, at most a hundred."""
    parameters = omero.sys.ParametersI().addLong("owner", conn.getUserId()).addLong("group", group_id).page(0, _MOST)
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(group_id)
    rows = conn.getQueryService().projection(_OWN, parameters, context)
    return [OwnDataset(row[0].val, row[1].val) for row in rows]
