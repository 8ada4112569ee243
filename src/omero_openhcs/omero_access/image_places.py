# SPDX-License-Identifier: AGPL-3.0-or-later
"""On which plate an image lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import omero.gateway  # noqa: F401 - the parts of omero-py are complete only after it
from omero.rtypes import unwrap
from omero.sys import ParametersI

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["plate_of_image"]


def plate_of_image(conn: BlitzGateway, image_id: int) -> int | None:
    """The id of the plate that the image is a field of; None when it is on no plate that the user may read."""
    parameters = ParametersI()
    parameters.addId(image_id)
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(-1)
    hql = "select w.plate.id from WellSample s join s.well w where s.image.id = :id order by w.plate.id"
    rows = conn.getQueryService().projection(hql, parameters, context)
    return unwrap(rows[0][0]) if rows else None
