# SPDX-License-Identifier: AGPL-3.0-or-later
"""IRoi: regions of interest and their shapes."""

from __future__ import annotations

from typing import Any

import omero
import omero.api

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.container import id_parameters

__all__ = ["RoiService"]

_ROIS = "select distinct r from Roi r left outer join fetch r.shapes s "


class RoiService(Service):
    """ROIs of an image, with their shapes."""

    def findByImage(self, image_id: int, options: Any, caller: Caller) -> omero.api.RoiResult:
        """All ROIs of an image; the options may restrict owner, namespace, and the slice of the list."""
        return self._result("where r.image.id in (:ids)", image_id, options, caller)

    def findByRoi(self, roi_id: int, options: Any, caller: Caller) -> omero.api.RoiResult:
        """One ROI."""
        return self._result("where r.id in (:ids)", roi_id, options, caller)

    def findByPlane(self, image_id: int, z: int, t: int, options: Any, caller: Caller) -> omero.api.RoiResult:
        """The ROIs with a shape on a plane (or on all planes)."""
        result = self.findByImage(image_id, options, caller)

        def on_plane(shape: Any) -> bool:
            return (shape.theZ is None or shape.theZ.val == z) and (shape.theT is None or shape.theT.val == t)

        return _grouped([roi for roi in result.rois if any(on_plane(shape) for shape in roi.copyShapes())], options)

    def _result(self, where: str, key: int, options: Any, caller: Caller) -> omero.api.RoiResult:
        asked = id_parameters([key])
        conditions = where
        if options is not None and options.userId is not None:
            asked.map["owner"] = options.userId
            conditions += " and r.details.owner.id = :owner"
        if options is not None and options.groupId is not None:
            asked.map["group"] = options.groupId
            conditions += " and r.details.group.id = :group"
        rois = execute_query(self.database, f"{_ROIS}{conditions} order by r.id", asked, caller)
        if options is not None:
            start = options.offset.val if options.offset is not None else 0
            end = start + options.limit.val if options.limit is not None else None
            rois = rois[start:end]
        return _grouped(rois, options)


def _grouped(rois: list[Any], options: Any) -> omero.api.RoiResult:
    by_z: dict[int, list[Any]] = {}
    by_t: dict[int, list[Any]] = {}
    for roi in rois:
        for shape in roi.copyShapes():
            by_z.setdefault(-1 if shape.theZ is None else shape.theZ.val, []).append(shape)
            by_t.setdefault(-1 if shape.theT is None else shape.theT.val, []).append(shape)
    return omero.api.RoiResult(opts=options, rois=rois, byZ=by_z, byT=by_t)
