# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a well's place on the plate does to its value: B-scores, edge effect, drift along rows and columns.

Values are float64 arrays of shape (rows, columns) over the whole plate, NaN where there is none.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import stats

from openhcs_client import DriftStatistics, EdgeStatistics

from .robust import robust_deviation

__all__ = ["b_scores", "drift", "edge_effect", "median_polish"]

_ROUNDS = 50
_CONVERGED = 0.01
"""Tukey's polish ends when a round lowers the sum of absolute residuals by less than this share (as in R's ``medpolish``)."""

_FEWEST_PER_GROUP = 4
_FEWEST_FOR_DRIFT = 8
_EFFECT = 0.5
_TAU = 0.2
_P_VALUE = 0.01
_TINY = 1e-12


def median_polish(values: np.ndarray) -> np.ndarray:
    """Residuals of Tukey's two-way median polish (Tukey 1977, *Exploratory Data Analysis*): rows first, then columns.

    A row or column without any value stays NaN.
    """
    residuals = np.array(values, dtype=np.float64)
    before = np.inf
    for _ in range(_ROUNDS):
        residuals -= _medians(residuals, axis=1)
        residuals -= _medians(residuals, axis=0)
        after = float(np.nansum(np.abs(residuals)))
        if after == 0 or abs(before - after) < _CONVERGED * after:
            break
        before = after
    return residuals


def _medians(values: np.ndarray, axis: int) -> np.ndarray:
    """Medians along an axis, kept as an axis; 0 (nothing to subtract) where there is no value, without a warning."""
    there = np.isfinite(values).any(axis=axis, keepdims=True)
    filled = np.where(there, values, 0.0)
    return np.asarray(np.nanmedian(filled, axis=axis, keepdims=True))


def b_scores(values: np.ndarray) -> np.ndarray | None:
    """B-scores: residuals of the median polish, divided by 1.4826 times their median absolute deviation.

    Brideau et al. (2003), J. Biomol. Screen. 8:634-647, and Malo et al. (2006), Nat. Biotechnol. 24:167-175, where the
    MAD has no factor; with it a B-score reads like a z-score. ``None`` when fewer than two rows or columns have values or
    the residuals do not vary, so that there is nothing to divide by.
    """
    there = np.isfinite(values)
    if there.any(axis=1).sum() < 2 or there.any(axis=0).sum() < 2:
        return None
    residuals = median_polish(values)
    spread = robust_deviation(residuals[there])
    if spread <= _TINY * float(np.abs(values[there]).max(initial=0.0)):
        return None
    return residuals / spread


def edge_effect(values: np.ndarray) -> EdgeStatistics:
    """Compare the outermost wells of the plate with the others.

    ``difference`` is median(edge) - median(interior); ``effect`` divides it by 1.4826 MAD of all wells around the median of
    their own group, a robust form of Cohen's d. ``p_value`` is that of the two-sided Mann-Whitney U test. An effect is
    *found* from half a robust standard deviation on with p < 0.01.
    """
    rows, columns = np.indices(values.shape)
    outer = (rows == 0) | (columns == 0) | (rows == values.shape[0] - 1) | (columns == values.shape[1] - 1)
    edge, interior = (values[part & np.isfinite(values)] for part in (outer, ~outer))
    result = EdgeStatistics(edge_wells=len(edge), interior_wells=len(interior))
    if min(len(edge), len(interior)) < _FEWEST_PER_GROUP:
        result.note = (
            f"An edge effect cannot be told: it takes {_FEWEST_PER_GROUP} wells with values at the edge and as many inside; "
            f"there are {len(edge)} and {len(interior)}."
        )
        return result
    middle = float(np.median(edge)), float(np.median(interior))
    result.difference = middle[0] - middle[1]
    spread = robust_deviation(np.concatenate([edge - middle[0], interior - middle[1]]))
    if spread <= _TINY * float(np.abs(values[np.isfinite(values)]).max(initial=0.0)):
        same = result.difference == 0
        result.note = (
            "All values are the same, so there is no edge effect." if same else "Only the edge differs, by a fixed step."
        )
        result.found = not same
        return result
    result.effect = result.difference / spread
    result.p_value = float(stats.mannwhitneyu(edge, interior, alternative="two-sided").pvalue)
    result.found = abs(result.effect) >= _EFFECT and result.p_value < _P_VALUE
    if result.found:
        way = "higher" if result.difference > 0 else "lower"
        result.note = f"Edge effect: wells at the edge are {way} by {abs(result.effect):.2g} robust standard deviations."
    else:
        result.note = "No edge effect is seen."
    return result


def drift(values: np.ndarray, along: Literal["rows", "columns"]) -> DriftStatistics:
    """Whether values rise or fall from the first to the last row (or column).

    ``slope`` is Theil and Sen's: the median slope over all pairs of wells, per row or column (Sen 1968, J. Am. Stat. Assoc.
    63:1379-1389); ``tau`` is Kendall's tau-b between place and value with its p-value. A drift is *found* from
    |tau| >= 0.2 on with p < 0.01.
    """
    result = DriftStatistics(along=along)
    steps = np.indices(values.shape)[0 if along == "rows" else 1]
    there = np.isfinite(values)
    place, measured = steps[there].astype(np.float64), values[there]
    result.wells = len(measured)
    word = along[:-1]
    if len(measured) < _FEWEST_FOR_DRIFT or len(np.unique(place)) < 3:
        result.note = f"A drift along {along} cannot be told from {len(measured)} wells in {len(np.unique(place))} {along}."
        return result
    if np.ptp(measured) <= _TINY * float(np.abs(measured).max()):
        result.note = f"All values are the same, so there is no drift along {along}."
        return result
    result.slope = float(stats.theilslopes(measured, place).slope)
    tau = stats.kendalltau(place, measured)
    result.tau, result.p_value = float(tau.statistic), float(tau.pvalue)
    result.found = abs(result.tau) >= _TAU and result.p_value < _P_VALUE
    if result.found:
        way = "rise" if result.tau > 0 else "fall"
        result.note = f"Values {way} along {along}, by about {abs(result.slope):.3g} per {word}."
    else:
        result.note = f"No drift along {along} is seen."
    return result
