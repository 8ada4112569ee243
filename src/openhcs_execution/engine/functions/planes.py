# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pick planes out of what OpenHCS hands to a step, and refuse what cannot be measured."""

import numpy as np

from openhcs_client import OpenHCSError

__all__ = ["finite", "plane_of"]


def finite(image: np.ndarray) -> np.ndarray:
    """Return ``image`` when every pixel is a number.

    Raises:
        OpenHCSError: ``bad_pixels``; measuring on would give a count of zero, or nothing, without a word.
    """
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise OpenHCSError("bad_pixels", "An image has pixels that are not a number or infinite.", status=422)
    return image


def plane_of(image: np.ndarray, channel: int) -> np.ndarray:
    """The plane (y, x) of ``channel``, counted from 1, of a field (channel, y, x)."""
    return finite(image[channel - 1])
