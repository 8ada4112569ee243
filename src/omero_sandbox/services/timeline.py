# SPDX-License-Identifier: AGPL-3.0-or-later
"""ITimeline: what was made or changed in a period."""

from __future__ import annotations

from typing import Any

import omero
import omero.sys
from omero.rtypes import rtime

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import Caller

__all__ = ["TimelineService"]

_TYPES = ("Project", "Dataset", "Image", "Annotation", "RenderingDef")
_FOREVER_MS = 2**62


class TimelineService(Service):
    """Objects by the time of their last change."""

    def getByPeriod(
        self, types: list[str], start: omero.RTime, end: omero.RTime, parameters: Any, merge: bool, caller: Caller
    ) -> dict[str, list[Any]]:
        """Objects changed in a period, newest first."""
        found = {}
        for name in _known(types):
            asked, where = _conditions(start, end, parameters)
            if parameters is not None and parameters.theFilter is not None:
                asked.theFilter = parameters.theFilter
            query = f"select o from {name} o join fetch o.details.updateEvent e{where} order by e.time desc, o.id desc"
            found[name] = execute_query(self.database, query, asked, caller)
        return found

    def countByPeriod(
        self, types: list[str], start: omero.RTime, end: omero.RTime, parameters: Any, caller: Caller
    ) -> dict[str, int]:
        """How many objects that the caller may read were changed in a period."""
        counts = {}
        for name in _known(types):
            asked, where = _conditions(start, end, parameters)
            query = f"select count(o.id) from {name} o join o.details.updateEvent e{where}"
            counts[name] = execute_query(self.database, query, asked, caller, projection=True)[0][0].val
        return counts

    def getEventLogsByPeriod(self, start: omero.RTime, end: omero.RTime, parameters: Any, caller: Caller) -> list[Any]:
        """No log of single changes is kept, so there is none to show."""
        return []

    def getMostRecentObjects(self, types: list[str], parameters: Any, merge: bool, caller: Caller) -> dict[str, list[Any]]:
        """The objects changed last."""
        never, later = rtime(0), rtime(_FOREVER_MS)
        return self.getByPeriod(types or list(_TYPES), never, later, parameters, merge, caller)


def _known(types: list[str]) -> list[str]:
    names = [name.rsplit(".", 1)[-1] for name in types]
    unknown = sorted(set(names) - set(_TYPES))
    if unknown:
        raise api_usage(f"The timeline does not know {', '.join(unknown)}.")
    return names


def _conditions(start: omero.RTime, end: omero.RTime, parameters: Any) -> tuple[omero.sys.ParametersI, str]:
    asked = omero.sys.ParametersI()
    asked.map["start"], asked.map["end"] = start, end
    where = " where e.time >= :start and e.time <= :end"
    wanted = None if parameters is None else parameters.theFilter
    if wanted is not None and wanted.ownerId is not None and wanted.ownerId.val >= 0:
        asked.map["owner"] = wanted.ownerId
        where += " and o.details.owner.id = :owner"
    if wanted is not None and wanted.groupId is not None and wanted.groupId.val >= 0:
        asked.map["group"] = wanted.groupId
        where += " and o.details.group.id = :group"
    return asked, where
