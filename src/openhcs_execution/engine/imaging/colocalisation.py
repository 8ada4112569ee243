# SPDX-License-Identifier: AGPL-3.0-or-later
"""Do two channels light up in the same places? Pearson's and Manders' coefficients, per object.

Pearson's coefficient is the correlation of the grey values of both channels over the pixels of an object; it needs no
threshold. Manders' coefficients [1] are shares of intensity: M1 of the first channel found where the second is present, M2
the other way round; *present* means above a threshold given by the caller.

[1] E. M. M. Manders, F. J. Verbeek, J. A. Aten, Measurement of co-localization of objects in dual-colour confocal images,
J. Microscopy 169 (1993) 375–382.
"""

from __future__ import annotations

import numpy as np

from .objects import object_count

__all__ = ["manders", "pearson"]


def pearson(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation of two planes over each object of ``labels``; NaN where a channel is constant or has fewer than 3 pixels."""
    of, (a, b), count = _pixels(labels, first, second)
    area = np.bincount(of, minlength=count + 1)[1:]
    a, b = (values - (_sums(of, values, count) / area)[of - 1] for values in (a, b))
    covariance = _sums(of, a * b, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = covariance / np.sqrt(_sums(of, a * a, count) * _sums(of, b * b, count))
    return np.where(area >= 3, np.clip(result, -1, 1), np.nan)


def manders(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, first_present: np.ndarray, second_present: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Manders' M1 and M2 for each object of ``labels``.

    ``first`` and ``second`` are background-subtracted planes (values below zero count as zero); the two masks say where
    each channel is present. A coefficient is NaN where its channel has no intensity.
    """
    of, (a, b), count = _pixels(labels, np.maximum(first, 0), np.maximum(second, 0))
    inside = labels > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        m1 = _sums(of, a * second_present[inside], count) / _sums(of, a, count)
        m2 = _sums(of, b * first_present[inside], count) / _sums(of, b, count)
    return m1, m2


def _pixels(labels: np.ndarray, *planes: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], int]:
    inside = labels > 0
    return labels[inside], [plane[inside].astype(np.float64) for plane in planes], object_count(labels)


def _sums(of: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(of, values, minlength=count + 1)[1:]
