# SPDX-License-Identifier: AGPL-3.0-or-later
"""One image as OMERO draws it for the user: a JPEG of a given size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openhcs_client import OpenHCSError

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["draw_image"]


def draw_image(conn: BlitzGateway, image_id: int, longest_side: int) -> bytes:
    """The image as JPEG, its longer side ``longest_side`` pixels, with the user's rendering settings.

    Raises:
        OpenHCSError: ``image_not_found`` (404), ``picture_not_drawn`` (502).
    """
    image = conn.getObject("Image", image_id)
    if image is None:
        raise OpenHCSError("image_not_found", f"Image {image_id} does not exist, or you may not read it.", status=404)
    # Not from OMERO's cache of thumbnails, which holds the sizes that its own pages show.
    drawn = image.getThumbnail(size=(longest_side,), direct=True)
    if not drawn:
        raise OpenHCSError("picture_not_drawn", f"OMERO cannot draw image {image_id}.", status=502)
    return bytes(drawn)
