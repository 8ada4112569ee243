# SPDX-License-Identifier: AGPL-3.0-or-later
"""The images as the last step of a pipeline leaves them. OpenHCS writes them in any case; here they are taken over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from openhcs_client import OpenHCSError

from .jobs import ImageFile
from .staging import StagedPlane

__all__ = ["take_images"]


def take_images(scratch: Path, well: str, fields: Sequence[int], output: Path) -> list[ImageFile]:
    """Move what OpenHCS wrote below ``scratch`` into ``output``, one array for each field and channel, in their own type.

    Raises:
        OpenHCSError: ``fields_missing`` when a field has no image, ``too_many_planes`` when one is not a single plane.
    """
    output.mkdir(parents=True, exist_ok=True)
    taken: dict[tuple[int, int], ImageFile] = {}
    for file in sorted(scratch.rglob("*.tif")):
        plane = StagedPlane.from_file_name(file.name)
        pixels = tifffile.imread(file)
        if plane.well != well or pixels.ndim != 2 or (plane.field, plane.channel) in taken:
            raise OpenHCSError("too_many_planes", f"The processed images of field {plane.field} are not single planes.")
        path = output / f"image-{plane.field:03d}-{plane.channel}.npy"
        np.save(path, pixels)
        file.unlink()
        taken[plane.field, plane.channel] = ImageFile(field=plane.field, channel=plane.channel, path=path)
    missing = set(fields) - {field for field, _channel in taken}
    if missing:
        raise OpenHCSError("fields_missing", f"OpenHCS returned no image of field {min(missing)}.")
    return [taken[key] for key in sorted(taken)]
