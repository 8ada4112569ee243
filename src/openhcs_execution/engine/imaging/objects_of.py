# SPDX-License-Identifier: AGPL-3.0-or-later
"""Make objects: from a plane, from a mask, from other objects.

Label images (y, x) are int32, 0 is background, labels count from 1 without gaps. Functions that change objects keep the label
of each, so that results of both can be compared, until :func:`~.labels.renumber` closes the gaps of those that disappeared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage
from skimage import filters, measure, morphology, segmentation
from skimage.feature import peak_local_max

from .background import background_surface, noise_level, smooth
from .labels import drop, remove_border_objects, renumber
from .objects import measure_intensity, object_count

__all__ = [
    "blank_outside_objects",
    "cells_from_nuclei",
    "convex_objects",
    "discs",
    "fill_objects",
    "filter_objects_by_intensity",
    "filter_objects_by_size",
    "find_objects",
    "grow_objects",
    "label_mask",
    "mask_to_labels",
    "object_outlines",
    "objects_to_mask",
    "ring_around_objects",
    "shrink_objects",
    "smooth_objects",
    "split_objects",
    "threshold_of",
]

_OF_HISTOGRAM: dict[str, Callable[[np.ndarray], Any]] = {
    "otsu": filters.threshold_otsu,
    "li": filters.threshold_li,
    "triangle": filters.threshold_triangle,
    "yen": filters.threshold_yen,
    "isodata": filters.threshold_isodata,
}


def threshold_of(plane: np.ndarray, method: str, value: float = 0.0) -> float:
    """Grey value from which on a pixel is bright.

    ``method`` is one of scikit-image's histogram methods; ``noise`` is ``value`` standard deviations of the background above
    it; ``value`` is ``value`` itself. A plane of one grey value has nothing above the threshold.
    """
    if method == "value":
        return value
    if plane.min() == plane.max():
        return float(plane.max())
    if method == "noise":
        background = float(np.median(background_surface(plane, max(plane.shape))))
        return background + value * noise_level(plane - background)
    return float(_OF_HISTOGRAM[method](plane))


def find_objects(
    plane: np.ndarray,
    method: str = "otsu",
    value: float = 0.0,
    correction: float = 1.0,
    smoothing: float = 1.0,
    background: float = 0.0,
    fill_holes: bool = True,
    split: float = 0.0,
) -> np.ndarray:
    """Label what is brighter than a threshold, see :func:`threshold_of`; ``split`` is the diameter of touching objects."""
    signal = smooth(plane, smoothing) if smoothing > 0 else plane.astype(np.float32)
    if background > 0:
        signal = signal - background_surface(signal, background)
    return mask_to_labels(signal > correction * threshold_of(signal, method, value), fill_holes=fill_holes, split=split)


def label_mask(plane: np.ndarray, split: float = 0.0) -> np.ndarray:
    """Label the connected pieces of the pixels above zero."""
    return mask_to_labels(plane > 0, split=split)


def mask_to_labels(mask: np.ndarray, *, fill_holes: bool = False, split: float = 0.0) -> np.ndarray:
    """Label the connected pieces (over edges) of ``mask``, with holes filled and touching round ones separated if asked."""
    mask = ndimage.binary_fill_holes(mask) if fill_holes else mask
    labels, _ = ndimage.label(mask)
    return split_objects(labels, split) if split > 0 else labels.astype(np.int32)


def split_objects(labels: np.ndarray, diameter: float = 18.0) -> np.ndarray:
    """Separate objects at their waists: watershed of the distance to the outside, one seed per bump."""
    mask = labels > 0
    distance = smooth(ndimage.distance_transform_edt(mask), max(0.5, diameter / 16))
    spacing = max(1, round(diameter / 3))
    peaks = peak_local_max(distance, min_distance=spacing, labels=measure.label(mask), exclude_border=False)
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return segmentation.watershed(-distance, seeds, mask=mask).astype(np.int32)


def discs(points: np.ndarray, radii: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Draw each of ``points`` (n rows of y, x) as a disc of its radius; where two overlap, the nearer centre wins."""
    markers = np.zeros(shape, np.int32)
    places = np.clip(np.round(points).astype(int), 0, np.array(shape) - 1)
    markers[tuple(places.T)] = np.arange(1, len(places) + 1)
    if not len(places):
        return markers
    distance, (y, x) = ndimage.distance_transform_edt(markers == 0, return_indices=True)
    nearest = markers[y, x]
    reach = np.concatenate([[0.0], np.maximum(radii, 0.5)])
    return renumber(np.where(distance <= reach[nearest], nearest, 0))


def grow_objects(labels: np.ndarray, distance: float = 10.0) -> np.ndarray:
    """Grow objects by ``distance`` pixels; a pixel goes to the nearest object."""
    return segmentation.expand_labels(labels, distance).astype(np.int32)


def shrink_objects(labels: np.ndarray, distance: float = 2.0) -> np.ndarray:
    """Keep the pixels of each object that are more than ``distance`` pixels from anything else."""
    inside = ndimage.distance_transform_edt(np.pad(_separate(labels), 1))[1:-1, 1:-1] > distance
    return renumber(np.where(inside, labels, 0))


def _separate(labels: np.ndarray) -> np.ndarray:
    """Mask of the objects without the pixels in which two of them touch."""
    return (labels > 0) & ~_touching(labels)


def _touching(labels: np.ndarray) -> np.ndarray:
    """Pixels of objects next to another object."""
    largest = ndimage.maximum_filter(labels, size=3, mode="nearest")
    others = np.where(labels > 0, labels, np.iinfo(np.int32).max)
    smallest = ndimage.minimum_filter(others, size=3, mode="nearest")
    return (labels > 0) & ((largest != labels) | (smallest != labels))


def ring_around_objects(labels: np.ndarray, gap: float = 1.0, width: float = 5.0) -> np.ndarray:
    """A ring around each object, ``gap`` pixels away and ``width`` pixels wide, outside every object."""
    return np.where(grow_objects(labels, gap) == 0, grow_objects(labels, gap + width), 0).astype(np.int32)


def cells_from_nuclei(
    labels: np.ndarray, plane: np.ndarray, correction: float = 1.0, largest_distance: float = 50.0
) -> np.ndarray:
    """One cell around each nucleus: the bright part of ``plane`` (Otsu), divided along its valleys, within a distance."""
    signal = smooth(plane, 1.0)
    outside = signal[labels == 0]
    level = correction * threshold_of(outside[None], "otsu") if outside.size else 0.0
    reach = grow_objects(labels, largest_distance) > 0
    return segmentation.watershed(-signal, labels, mask=((signal > level) & reach) | (labels > 0)).astype(np.int32)


def filter_objects_by_size(
    labels: np.ndarray,
    smallest: float = 0.0,
    largest: float = 10_000_000.0,
    least_solidity: float = 0.0,
    exclude_border: bool = False,
) -> np.ndarray:
    """Drop objects whose area (pixels) or solidity (area by area of the convex hull) is out of the limits."""
    area = np.bincount(labels.ravel())
    labels = drop(labels, (area < smallest) | (area > largest))
    if exclude_border:
        labels = remove_border_objects(labels)
    if least_solidity > 0:
        unwanted = np.zeros(int(labels.max(initial=0)) + 1, bool)
        for region in measure.regionprops(labels):
            unwanted[region.label] = region.solidity < least_solidity
        labels = drop(labels, unwanted)
    return renumber(labels)


def filter_objects_by_intensity(
    labels: np.ndarray, plane: np.ndarray, least: float = 0.0, most: float = 10_000_000.0
) -> np.ndarray:
    """Keep objects whose mean grey value lies between ``least`` and ``most``."""
    mean = measure_intensity(labels, plane)["mean"]
    return renumber(drop(labels, np.concatenate([[True], (mean < least) | (mean > most)])))


def fill_objects(labels: np.ndarray) -> np.ndarray:
    """Fill the background enclosed by each object; other objects inside it stay."""
    filled = labels.copy()
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            part = filled[box]
            part[ndimage.binary_fill_holes(part == label) & (part == 0)] = label
    return filled


def smooth_objects(labels: np.ndarray, radius: float = 2.0) -> np.ndarray:
    """Open each object with a disc; an object narrower than the disc stays as it is."""
    disc = morphology.disk(round(radius))
    smoothed = np.zeros_like(labels)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        shape = np.pad(labels[box] == label, len(disc))
        opened = ndimage.binary_opening(shape, disc)
        kept = (opened if opened.any() else shape)[len(disc) : -len(disc), len(disc) : -len(disc)]
        smoothed[box][kept] = label
    return smoothed


def convex_objects(labels: np.ndarray) -> np.ndarray:
    """Replace each object by its convex hull, without taking pixels of other objects."""
    hulls = labels.copy()
    for region in measure.regionprops(labels):
        part = hulls[region.slice]
        part[region.image_convex & (part == 0)] = region.label
    return hulls


def object_outlines(labels: np.ndarray) -> np.ndarray:
    """The pixels of each object that touch something else."""
    padded = np.pad(labels, 1)
    return np.where(segmentation.find_boundaries(padded, mode="inner")[1:-1, 1:-1], labels, 0).astype(np.int32)


def objects_to_mask(plane: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """True inside objects."""
    return labels > 0


def blank_outside_objects(plane: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """``plane`` inside objects, zero elsewhere."""
    return np.where(labels > 0, plane, np.zeros((), plane.dtype))


def objects_without_gaps(labels: np.ndarray) -> bool:
    """Whether every label from 1 to the largest is there."""
    return bool((np.bincount(labels.ravel(), minlength=object_count(labels) + 1)[1:] > 0).all())
