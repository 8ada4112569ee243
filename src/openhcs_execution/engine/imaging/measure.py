# SPDX-License-Identifier: AGPL-3.0-or-later
"""More measures of labelled objects and of fields: one column per measure, one entry per label.

An object on which a measure has no meaning (a texture of one pixel, a neighbour where there is none) gets NaN.

[1] R. M. Haralick, K. Shanmugam, I. Dinstein, Textural features for image classification, IEEE Trans. SMC 3 (1973) 610–621.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import measure

from .background import background_level, smooth
from .colocalisation import manders, pearson
from .objects import measure_intensity, object_count
from .objects_of import threshold_of

__all__ = [
    "classify_objects",
    "count_objects_inside",
    "measure_area_occupied",
    "measure_colocalisation_in_objects",
    "measure_distance_to_objects",
    "measure_object_edges",
    "measure_object_intensity",
    "measure_object_neighbours",
    "measure_object_shape",
    "measure_object_texture",
]

Columns = dict[str, np.ndarray]


def _mean(labels: np.ndarray, values: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """Mean of ``values`` per object, over the pixels ``where``; NaN for an object without such pixels."""
    of = labels if where is None else np.where(where, labels, 0)
    count = np.bincount(of.ravel(), minlength=object_count(labels) + 1)[1:]
    total = np.bincount(of.ravel(), values.ravel().astype(np.float64), minlength=object_count(labels) + 1)[1:]
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _centres(labels: np.ndarray) -> np.ndarray:
    """Centroids (n rows of y, x)."""
    y, x = np.asarray(np.indices(labels.shape))
    return np.stack([_mean(labels, y), _mean(labels, x)], axis=1)


def measure_object_intensity(labels: np.ndarray, plane: np.ndarray, subtract_background: bool = False) -> Columns:
    """Mean, spread, sum and maximum of grey values in each object, above the local background if asked."""
    return measure_intensity(labels, plane, background_level(plane) if subtract_background else 0.0)


def measure_object_edges(labels: np.ndarray, plane: np.ndarray, rim: float = 3.0) -> Columns:
    """Mean grey value within ``rim`` pixels of the outline and farther inside, and edge divided by core."""
    depth = np.zeros(labels.shape)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            shape = labels[box] == label
            inside = ndimage.distance_transform_edt(np.pad(shape, 1))[1:-1, 1:-1]
            depth[box][shape] = inside[shape]
    edge, core = _mean(labels, plane, depth <= rim), _mean(labels, plane, depth > rim)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"edge": edge, "core": core, "edge_to_core": np.where(core != 0, edge / core, np.nan)}


def measure_object_texture(labels: np.ndarray, plane: np.ndarray, distance: int = 2, levels: int = 32) -> Columns:
    """Haralick's features [1] of each object, averaged over pairs to the right and below, and the strength of its detail.

    Grey values are divided into ``levels`` steps between the darkest and the brightest pixel of all objects of the field, and
    only pairs within one object count. ``detail`` is the mean absolute difference from a Gaussian of 1.5 pixels, divided by
    the mean grey value.
    """
    count = object_count(labels)
    names = ("contrast", "homogeneity", "correlation", "entropy")
    if not count:
        return {name: np.zeros(0) for name in (*names, "detail")}
    values = plane[labels > 0].astype(np.float64)
    low, high = float(values.min()), float(values.max())
    steps = np.zeros(plane.shape, np.int64)
    if high > low:
        steps = np.clip((plane - low) / (high - low) * levels, 0, levels - 1).astype(np.int64)
    matrices = np.zeros((count + 1, levels, levels))
    for first, second in (
        ((slice(None), slice(None, -distance)), (slice(None), slice(distance, None))),
        ((slice(None, -distance), slice(None)), (slice(distance, None), slice(None))),
    ):
        same = (labels[first] == labels[second]) & (labels[first] > 0)
        np.add.at(matrices, (labels[first][same], steps[first][same], steps[second][same]), 1.0)
    matrices = matrices[1:] + matrices[1:].transpose(0, 2, 1)
    pairs = matrices.sum(axis=(1, 2))
    share = np.divide(matrices, pairs[:, None, None], out=np.zeros_like(matrices), where=pairs[:, None, None] > 0)
    i, j = np.indices((levels, levels))
    mean = (share * i).sum(axis=(1, 2))
    variance = (share * (i - mean[:, None, None]) ** 2).sum(axis=(1, 2))
    covariance = (share * (i - mean[:, None, None]) * (j - mean[:, None, None])).sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -(share * np.log2(share, out=np.zeros_like(share), where=share > 0)).sum(axis=(1, 2))
        columns = {
            "contrast": (share * (i - j) ** 2).sum(axis=(1, 2)),
            "homogeneity": (share / (1 + (i - j) ** 2)).sum(axis=(1, 2)),
            "correlation": np.where(variance > 0, covariance / variance, 1.0),
            "entropy": entropy,
        }
        brightness = _mean(labels, plane)
        fine = _mean(labels, np.abs(plane.astype(np.float32) - smooth(plane, 1.5)))
        detail = np.where(brightness != 0, fine / brightness, np.nan)
    return {name: np.where(pairs > 0, column, np.nan) for name, column in columns.items()} | {"detail": detail}


def measure_object_shape(labels: np.ndarray) -> Columns:
    """Perimeter, roundness (4 pi area / perimeter squared), solidity, axes (pixels), orientation (radians), inner radius."""
    names = ("perimeter", "roundness", "solidity", "major_axis", "minor_axis", "orientation", "inner_radius")
    columns = {name: np.full(object_count(labels), np.nan) for name in names}
    for region in measure.regionprops(labels):
        at = region.label - 1
        perimeter = float(region.perimeter)
        columns["perimeter"][at] = perimeter
        if perimeter > 0:
            columns["roundness"][at] = min(4 * np.pi * region.area / perimeter**2, 1.0)
        columns["solidity"][at] = region.solidity if region.area > 2 else 1.0
        columns["major_axis"][at] = region.axis_major_length
        columns["minor_axis"][at] = region.axis_minor_length
        columns["orientation"][at] = region.orientation
        columns["inner_radius"][at] = float(ndimage.distance_transform_edt(np.pad(region.image, 1)).max())
    return columns


def measure_object_neighbours(labels: np.ndarray, distance: float = 50.0) -> Columns:
    """Distance from the centre of each object to the nearest other centre, and how many lie within ``distance`` pixels."""
    centres = _centres(labels)
    if len(centres) < 2:
        return {"nearest_distance": np.full(len(centres), np.nan), "neighbours": np.zeros(len(centres))}
    tree = cKDTree(centres)
    nearest = tree.query(centres, k=2)[0][:, 1]
    within = np.array([len(found) - 1 for found in tree.query_ball_point(centres, distance)], float)
    return {"nearest_distance": nearest, "neighbours": within}


def count_objects_inside(labels: np.ndarray, others: np.ndarray) -> Columns:
    """How many objects of ``others`` have most of their pixels in each object, and which share of its area they cover.

    An object of ``others`` goes to the object in which most of its pixels within objects lie; one without any goes nowhere.
    """
    count, inner = object_count(labels), object_count(others)
    shared = np.zeros((inner + 1, count + 1), np.int64)
    np.add.at(shared, (others.ravel(), labels.ravel()), 1)
    parents = shared[1:, 1:].argmax(axis=1) + 1 if count and inner else np.zeros(0, int)
    inside = shared[1:, 1:].max(axis=1, initial=0) > 0 if inner else np.zeros(0, bool)
    counted = np.bincount(parents[inside[: len(parents)]] if len(parents) else parents, minlength=count + 1)[1:]
    return {"count": counted.astype(float), "share": _mean(labels, others > 0)}


def measure_distance_to_objects(labels: np.ndarray, others: np.ndarray) -> Columns:
    """Distance (pixels) from the centre of each object to the nearest pixel of ``others``; NaN where there are none."""
    centres = _centres(labels)
    if not object_count(others) or not len(centres):
        return {"distance": np.full(len(centres), np.nan)}
    away = ndimage.distance_transform_edt(others == 0)
    places = np.clip(np.round(centres).astype(int), 0, np.array(labels.shape) - 1)
    return {"distance": away[tuple(places.T)]}


def measure_colocalisation_in_objects(labels: np.ndarray, plane: np.ndarray, second: np.ndarray) -> Columns:
    """Pearson's correlation, and Manders' coefficients above Otsu's threshold of each plane, per object."""
    m1, m2 = manders(labels, plane, second, plane > threshold_of(plane, "otsu"), second > threshold_of(second, "otsu"))
    return {"pearson": pearson(labels, plane, second), "manders_m1": m1, "manders_m2": m2}


def classify_objects(labels: np.ndarray, plane: np.ndarray, limit: float = 500.0) -> Columns:
    """1 for objects whose mean grey value is at least ``limit``, 0 for others."""
    return {"positive": (_mean(labels, plane) >= limit).astype(float)}


def measure_area_occupied(plane: np.ndarray, method: str = "otsu", value: float = 0.0) -> tuple[float, float]:
    """Share of the pixels above a threshold, and the threshold in grey values; see :func:`~.objects_of.threshold_of`."""
    signal = smooth(plane, 1.0)
    threshold = threshold_of(signal, method, value)
    return float(np.mean(signal > threshold)), threshold
