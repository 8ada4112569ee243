# SPDX-License-Identifier: AGPL-3.0-or-later
"""Find nuclei (or whole round cells) in one plane and tell touching ones apart.

The way of a plane: subtract the slowly varying background, smooth, take what stands out of the noise *and* of the half-way
line between background and objects, put one seed per bump of the distance map, grow the seeds by watershed, trim every
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

__all__ = ["NucleiSettings", "remove_border_objects", "renumber", "segment_nuclei"]


@dataclass(frozen=True)
class NucleiSettings:
    """How nuclei look. ``diameter`` is typical, in pixels; ``contrast`` is in standard deviations of the background."""

    diameter: float = 24.0
    contrast: float = 6.0
    smallest: float = 0.15
    split: bool = True
    exclude_border: bool = False


_BLOCK_DIAMETERS = 5.0  # a background block must hold more background than nuclei
_TRIM = 0.35  # an object ends where its signal falls below this share of its own bright part
_SEED_SPACING = 0.4  # two seeds are at least this many diameters apart


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
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(signal > threshold))
    labels = _declump(mask, signal, diameter) if settings.split else ndimage.label(mask)[0]
    labels = _trim(labels, signal)
    smallest = settings.smallest * np.pi / 4 * diameter**2
    labels = _drop(labels, np.bincount(labels.ravel()) < smallest)
    if settings.exclude_border:
        labels = remove_border_objects(labels)
    return renumber(labels)


def _declump(mask: np.ndarray, signal: np.ndarray, diameter: float) -> np.ndarray:
    """Split ``mask`` into one region per nucleus: seeds are bumps of the smoothed distance to the outside."""
    distance = ndimage.distance_transform_edt(mask).astype(np.float32)
    relief = smooth(distance, diameter / 12)
    clumps, _ = ndimage.label(mask)
    peaks = peak_local_max(
        relief, min_distance=max(1, round(_SEED_SPACING * diameter)), labels=clumps, exclude_border=False, threshold_abs=0.5
    )
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-relief, seeds, mask=mask)


def _trim(labels: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """Cut off the blurred rim of each object, relative to its own brightness (bright neighbours do not matter)."""
    count = int(labels.max())
    if not count:
        return labels
    index = np.arange(1, count + 1)
    core = np.concatenate([[0.0], ndimage.maximum(smooth(signal, 1.0), labels, index)])
    return np.where(signal >= _TRIM * core[labels], labels, 0)


def _drop(labels: np.ndarray, unwanted: np.ndarray) -> np.ndarray:
    """Set the labels marked in ``unwanted`` (indexed by label) to background."""
    keep = ~unwanted
    keep[0] = False
    return np.where(keep[labels], labels, 0)


def remove_border_objects(labels: np.ndarray) -> np.ndarray:
    """Drop the objects that touch the edge of the field: their size and intensity are not theirs."""
    touching = np.zeros(int(labels.max()) + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[np.unique(edge)] = True
    return _drop(labels, touching)


def renumber(labels: np.ndarray) -> np.ndarray:
    """Number the objects 1, 2, 3 … without gaps, in the order of their old labels; int32."""
    present = np.unique(labels)
    present = present[present > 0]
    new = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    new[present] = np.arange(1, len(present) + 1, dtype=np.int32)
    return new[labels]
