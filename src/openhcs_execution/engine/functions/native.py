# SPDX-License-Identifier: AGPL-3.0-or-later
"""OpenHCS's own image filters, held to two promises: planes do not mix and grey values keep their meaning.

A filter gets the planes of one field (channel, y, x). It is called once per chosen channel with a stack of that one plane,
so that a filter that works in three dimensions has no neighbour to mix in, and its result must come back with the same dtype
and shape. OpenHCS's wrapped scikit-image filters break the second promise (they stretch integers to the full range of the
dtype); only native ones are offered here.
"""

from collections.abc import Callable

import numpy as np
from openhcs.core.memory import numpy as numpy_function
from openhcs.processing.backends.processors import numpy_processor as native

__all__ = ["gaussian_blur", "tophat"]


def _per_plane(image: np.ndarray, channels: tuple[int, ...], work: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply ``work`` to each channel of ``channels`` (from 1; empty means all) as a stack of one plane."""
    result = image.copy()
    for channel in channels or range(1, len(image) + 1):
        plane = np.asarray(work(image[channel - 1 : channel]))
        if plane.shape != (1, *image.shape[1:]) or plane.dtype != image.dtype:
            raise TypeError(f"the filter turned a {image.dtype} plane {image.shape[1:]} into {plane.dtype} {plane.shape}")
        result[channel - 1] = plane[0]
    return result


@numpy_function
def gaussian_blur(image: np.ndarray, sigma: float = 1.0, channels: tuple[int, ...] = ()):
    """Smooth each chosen channel with OpenHCS's ``gaussian_blur``; dtype and intensities are kept."""
    return _per_plane(image, channels, lambda stack: native.gaussian_blur(stack, sigma=sigma))


@numpy_function
def tophat(image: np.ndarray, selem_radius: int = 50, downsample_factor: int = 4, channels: tuple[int, ...] = ()):
    """Remove the background of each chosen channel with OpenHCS's white ``tophat``; dtype and differences are kept.

    OpenHCS's own default repeats background pixels when it enlarges them again, which leaves steps; interpolation does not.
    """

    def work(stack: np.ndarray) -> np.ndarray:
        return native.tophat(stack, selem_radius=selem_radius, downsample_factor=downsample_factor, upsample_order=1)

    return _per_plane(image, channels, work)
