# SPDX-License-Identifier: AGPL-3.0-or-later
"""The groups that a user can put a pipeline into, and what others may do there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omero.rtypes import unwrap
from omero.sys import ParametersI

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["GroupLine", "read_groups"]

_GROUPS = "select g.id, g.name, g.details.permissions from ExperimenterGroup g where g.id in (:ids) order by g.name"
_WITHOUT_DATA = frozenset({"user", "guest"})
"""OMERO's own groups in which nobody keeps data."""


@dataclass(frozen=True)
class GroupLine:
    """A group; ``kind`` is OMERO's word for its permissions. In a private group members see their own data only."""

    id: int
    name: str
    kind: str

    @property
    def private(self) -> bool:
        return self.kind == "private"


def read_groups(conn: BlitzGateway, ids: Iterable[int]) -> list[GroupLine]:
    """The groups with these ids by name, without OMERO's own."""
    parameters = ParametersI()
    parameters.addIds(list(ids))
    rows = (unwrap(row) for row in conn.getQueryService().projection(_GROUPS, parameters, conn.SERVICE_OPTS))
    return [GroupLine(row[0], row[1], _kind(row[2]["perm"])) for row in rows if row[1] not in _WITHOUT_DATA]


def _kind(permissions: str) -> str:
    """OMERO's name for the permissions of a group, such as ``rwra--``.

    >>> _kind("rw----"), _kind("rwr---"), _kind("rwra--"), _kind("rwrw--")
    ('private', 'read-only', 'read-annotate', 'read-write')
    """
    return {"--": "private", "r-": "read-only", "ra": "read-annotate"}.get(permissions[2:4], "read-write")
