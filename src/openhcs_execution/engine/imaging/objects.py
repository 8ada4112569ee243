# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measure labelled objects: position, size, shape and intensity, one column per measure, one entry per label.

Sums over labels are ``bincount``s: one pass over the plane each, whatever the number of objects.
"""

from __future__ import annotations

import numpy as np

__all__ = ["measure_intensity", "measure_shape", "object_count"]


def object_count(labels: np.ndarray) -> int:
    """Number of objects in a label image whose labels count from 1 without gaps."""
    return int(labels.max(initial=0))


def measure_shape(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Position and shape of each object of ``labels`` (y, x).

    Returns ``label``, ``centroid_y``, ``centroid_x`` (pixels), ``area`` (pixels), ``eccentricity`` (0 circle to 1 line, of
    the ellipse with the same second moments) and ``touches_border`` (0 or 1).
    """
    count = object_count(labels)
    y, x = np.nonzero(labels)
    of = labels[y, x]
    area = _sums(of, None, count)
    centroid_y, centroid_x = (_sums(of, axis, count) / area for axis in (y, x))
    dy, dx = y - centroid_y[of - 1], x - centroid_x[of - 1]
    # 1/12 is the second moment of a pixel itself; without it a line one pixel wide would have no width.
    yy, xx, yx = (_sums(of, product, count) / area for product in (dy * dy, dx * dx, dy * dx))
    yy, xx = yy + 1 / 12, xx + 1 / 12
    half_gap = np.sqrt(((yy - xx) / 2) ** 2 + yx**2)
    large, small = (yy + xx) / 2 + half_gap, (yy + xx) / 2 - half_gap
    border = np.zeros(count + 1, np.int64)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        border[edge] = 1
    return {
        "label": np.arange(1, count + 1, dtype=np.int64),
        "centroid_y": centroid_y,
        "centroid_x": centroid_x,
        "area": area,
        "eccentricity": np.sqrt(np.clip(1 - small / large, 0, 1)),
        "touches_border": border[1:],
    }


def measure_intensity(labels: np.ndarray, image: np.ndarray, background: np.ndarray | float = 0.0) -> dict[str, np.ndarray]:
    """Intensity of ``image`` (y, x) above ``background`` in each object of ``labels``.

    Returns ``mean``, ``standard_deviation``, ``total`` (sum over the object's pixels) and ``maximum``, in grey values.
    """
    count = object_count(labels)
    inside = labels > 0
    of = labels[inside]
    values = (image.astype(np.float64) - background)[inside]
    area = _sums(of, None, count)
    total = _sums(of, values, count)
    mean = total / area
    spread = np.sqrt(_sums(of, (values - mean[of - 1]) ** 2, count) / area)
    maximum = np.full(count, -np.inf)
    np.maximum.at(maximum, of - 1, values)
    return {"mean": mean, "standard_deviation": spread, "total": total, "maximum": maximum}


def _sums(of: np.ndarray, weights: np.ndarray | None, count: int) -> np.ndarray:
    """Sum ``weights`` (or count pixels) per label ``of``; entry 0 belongs to label 1."""
    return np.bincount(of, weights, minlength=count + 1)[1:].astype(np.float64)
