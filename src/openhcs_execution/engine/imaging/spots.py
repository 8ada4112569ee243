# SPDX-License-Identifier: AGPL-3.0-or-later
"""Find small bright spots (vesicles, foci) in one plane, on cells that are bright themselves.

A spot is a local maximum of the Laplacian of Gaussian at the spot's size [1] that stands out of the noise and is round
enough: the edge of a cell answers to the Laplacian too, but like a ridge, with one strong and one weak curvature. Noise is
judged where it is: photon noise grows with the square root of the local brightness.

[1] T. Lindeberg, Feature detection with automatic scale selection, Int. J. Computer Vision 30 (1998) 79–116.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from .background import smooth
from .labels import drop_small, renumber

__all__ = ["SpotSettings", "find_spots", "local_level"]


@dataclass(frozen=True)
class SpotSettings:
    """How spots look. ``diameter`` in pixels; ``contrast`` in standard deviations of the local noise."""

    diameter: float = 4.0
    contrast: float = 8.0
    roundness: float = 0.3


_EXTENT = 0.4  # a spot reaches as far as the response stays above this share of its peak
_SMALLEST = 0.25  # share of a typical spot's area; less is a hot pixel or noise
_SURROUND = 3.0  # diameters over which the local brightness is averaged
_MAD_TO_SIGMA = 1.4826


def find_spots(image: np.ndarray, settings: SpotSettings) -> np.ndarray:
    """Label the spots of ``image`` (y, x): int32 of the same shape, 0 is background, labels count from 1 without gaps."""
    image = image.astype(np.float32, copy=False)
    sigma = settings.diameter / (2 * np.sqrt(2))  # a disc answers most strongly at radius / sqrt(2)
    yy, xx, yx = (
        sigma**2 * ndimage.gaussian_filter(image, sigma, order=order, mode="nearest") for order in ((2, 0), (0, 2), (1, 1))
    )
    response = -(yy + xx)
    strong = response > settings.contrast * _noise_of(response, image, settings.diameter)
    half_gap = np.sqrt(((yy - xx) / 2) ** 2 + yx**2)
    round_enough = (response / 2 - half_gap) >= settings.roundness * (response / 2 + half_gap)
    peak = response == ndimage.maximum_filter(response, size=max(3, round(settings.diameter / 2) * 2 - 1), mode="nearest")
    seeds, count = ndimage.label(peak & strong & round_enough)
    if not count:
        return np.zeros(image.shape, np.int32)
    basins = watershed(-response, seeds, mask=strong)
    height = np.concatenate([[0.0], ndimage.maximum(response, basins, np.arange(1, count + 1))])
    spots = np.where(response >= _EXTENT * height[basins], basins, 0)
    return renumber(drop_small(spots, _SMALLEST * np.pi / 4 * settings.diameter**2))


def _noise_of(response: np.ndarray, image: np.ndarray, diameter: float) -> np.ndarray:
    """Standard deviation of ``response`` without spots, per pixel, following the square root of the local brightness."""
    level = np.maximum(smooth(image, _SURROUND * diameter), 0)
    middle = float(np.median(level))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(response - np.median(response))))
    spread = max(spread, float(np.finfo(np.float32).eps) * max(1.0, middle))
    return spread * np.sqrt(np.clip(level / middle, 0.25, 4.0)) if middle > 0 else np.full_like(response, spread)


def local_level(image: np.ndarray, spots: np.ndarray, diameter: float) -> np.ndarray:
    """Brightness around each pixel without the spots: the mean over a few diameters of what is not in ``spots``."""
    outside = (spots == 0).astype(np.float32)
    weight = smooth(outside, diameter)
    level = smooth(image.astype(np.float32, copy=False) * outside, diameter)
    return level / np.maximum(weight, 1e-3)
