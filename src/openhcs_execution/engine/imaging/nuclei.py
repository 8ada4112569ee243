# SPDX-License-Identifier: AGPL-3.0-or-later
"""Find nuclei (or whole round cells) in one plane and tell touching ones apart.

The way of a plane: subtract the slowly varying background, smooth, take what stands out of the noise, of the valley
between background and objects and of its surroundings, put one seed per bump, grow the seeds by watershed, trim every
object at a fraction of its own brightness, drop what is too small. A plane without nuclei has nothing that stands out of its
noise, so it yields no objects rather than noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from .background import background_surface, noise_level, smooth
from .labels import drop, drop_small, remove_border_objects, renumber

__all__ = ["NucleiSettings", "segment_nuclei"]


@dataclass(frozen=True)
class NucleiSettings:
    """How nuclei look. ``diameter`` is typical, in pixels; ``contrast`` is in standard deviations of the background."""

    diameter: float = 18.0
    contrast: float = 6.0
    smallest: float = 0.15
    split: bool = True
    exclude_border: bool = False


_BLOCK_DIAMETERS = 5.0  # a background block must hold more background than nuclei
_LARGEST_HOLE = 0.03  # of the squared diameter
_LOCAL = 0.8  # and out of the mean of its surroundings by this share, which opens the gaps of dense fields
_TRIM = 0.5  # an object ends where its signal falls below this share of its own bright part
_SEED_SPACING = 0.3  # two seeds are at least this many diameters apart


def segment_nuclei(image: np.ndarray, settings: NucleiSettings) -> np.ndarray:
    """Label the nuclei of ``image`` (y, x): int32 of the same shape, 0 is background, labels count from 1 without gaps."""
    diameter = settings.diameter
    smoothed = smooth(image, max(0.7, diameter / 16))
    signal = smoothed - background_surface(smoothed, _BLOCK_DIAMETERS * diameter)
    noise = noise_level(signal)
    least = settings.contrast * noise
    bright = signal[signal > least]
    if not bright.size:
        return np.zeros(image.shape, np.int32)
    # Otsu of the bright part alone would cut nuclei in two; with the background it finds the valley between both.
    threshold = max(least, 0.6 * float(threshold_otsu(np.clip(signal, 0, np.quantile(bright, 0.95)))))
    surround = smooth(signal, diameter / 2)
    above = signal > np.maximum(threshold, _LOCAL * surround)
    mask = _without_pinholes(ndimage.binary_opening(above), _LARGEST_HOLE * diameter**2)
    labels = _declump(mask, signal, surround, diameter) if settings.split else ndimage.label(mask)[0]
    labels = _trim(labels, signal)
    smallest = settings.smallest * np.pi / 4 * diameter**2
    labels = drop_small(labels, smallest)
    if settings.exclude_border:
        labels = remove_border_objects(labels)
    return renumber(labels)


def _without_pinholes(mask: np.ndarray, largest: float) -> np.ndarray:
    """Fill dark specks of up to ``largest`` pixels within nuclei, but not the gaps between the nuclei of a dense field."""
    holes, _ = ndimage.label(~mask)
    return mask | drop(holes, np.bincount(holes.ravel()) > largest).astype(bool)


def _declump(mask: np.ndarray, signal: np.ndarray, surround: np.ndarray, diameter: float) -> np.ndarray:
    """Split ``mask`` into one region per nucleus.

    Seeds are the bumps of the distance to the outside, which is short at the waist between two nuclei, times the local
    brightness, which is often low there: where one says nothing the other may.
    """
    distance = ndimage.distance_transform_edt(mask).astype(np.float32)
    contrast = np.divide(smooth(signal, diameter / 8), surround, out=np.zeros_like(surround), where=mask & (surround > 0))
    relief = smooth(distance * np.clip(contrast, 0, 4), diameter / 16)
    clumps, _ = ndimage.label(mask)
    peaks = peak_local_max(
        relief, min_distance=max(1, round(_SEED_SPACING * diameter)), labels=clumps, exclude_border=False, threshold_abs=0.5
    )
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-relief, seeds, mask=mask)


def _trim(labels: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """Cut off the blurred rim of each object, relative to its own brightness (bright neighbours do not matter).

    The brightness of an object is the mean of its brighter part, the pixels above its mean: the plateau of a nucleus, hardly
    moved by its rim or by bright specks.
    """
    of, values = labels.ravel(), signal.ravel()
    mean = _means(of, values)
    bright = np.where(values >= mean[of], of, 0)
    return np.where(signal >= _TRIM * _means(bright, values)[labels], labels, 0)


def _means(of: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of ``values`` per label ``of``; 0 for labels without pixels."""
    return np.bincount(of, values) / np.maximum(np.bincount(of), 1)
