# SPDX-License-Identifier: AGPL-3.0-or-later
"""Centre and spread that a few odd wells do not move."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import stats

__all__ = ["finite", "robust_deviation"]


def finite(values: Iterable[float | None]) -> np.ndarray:
    """The numbers among ``values`` as float64; missing values, NaN and infinities are left out."""
    array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return array[np.isfinite(array)]


def robust_deviation(values: np.ndarray) -> float:
    """1.4826 times the median absolute deviation from the median: the standard deviation, where values are normal.

    ``values`` are finite and at least one.
    """
    return float(stats.median_abs_deviation(values, scale="normal"))
