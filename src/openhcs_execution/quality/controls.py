# SPDX-License-Identifier: AGPL-3.0-or-later
"""How well an assay tells its positive from its negative control wells.

With mean m and sample standard deviation s (divisor n - 1) of the positive (p) and negative (n) control wells:

* Z' = 1 - 3 (s_p + s_n) / |m_p - m_n|. Zhang, Chung and Oldenburg (1999), J. Biomol. Screen. 4:67-73.
* SSMD = (m_p - m_n) / sqrt(s_p^2 + s_n^2), the strictly standardised mean difference of independent groups.
  Zhang (2007), Genomics 89:552-561.
* SW = (|m_p - m_n| - 3 (s_p + s_n)) / s_max, the signal window, where s_max belongs to the control with the higher mean.
  Sittampalam et al. (1997), J. Biomol. Screen. 2:159-169.
* CV = 100 s / |m| in percent.

In the robust variants the median takes the place of the mean and 1.4826 MAD that of the standard deviation
(Zhang 2007; Birmingham et al. (2009), Nat. Methods 6:569-575, for Z').

What the wells do not allow is ``None`` and a sentence, never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from openhcs_client import ControlStatistics

from .robust import finite, robust_deviation

__all__ = ["ControlGroup", "control_statistics", "signal_window", "ssmd", "verdict_of", "z_prime"]

FEWEST = 2
"""Wells of a control from which a spread can be had at all."""

ENOUGH = 4
"""With fewer wells of a control, the figures are rough and a note says so."""

_TINY = 1e-12
"""Spreads and differences below this share of the values themselves are rounding, not measurement."""


@dataclass(frozen=True)
class ControlGroup:
    """Centre and spread of the wells of one control."""

    centre: float
    spread: float


def z_prime(positive: ControlGroup, negative: ControlGroup) -> float | None:
    """Z'; ``None`` when both groups have the same centre."""
    distance = abs(positive.centre - negative.centre)
    if _vanishes(distance, positive, negative):
        return None
    return 1 - 3 * (positive.spread + negative.spread) / distance


def ssmd(positive: ControlGroup, negative: ControlGroup) -> float | None:
    """SSMD; ``None`` when neither group varies."""
    spread = math.hypot(positive.spread, negative.spread)
    if _vanishes(spread, positive, negative):
        return None
    return (positive.centre - negative.centre) / spread


def signal_window(positive: ControlGroup, negative: ControlGroup) -> float | None:
    """The signal window; ``None`` when the control with the higher centre does not vary, or the centres are the same."""
    high = positive if positive.centre > negative.centre else negative
    distance = abs(positive.centre - negative.centre)
    if _vanishes(high.spread, positive, negative) or _vanishes(distance, positive, negative):
        return None
    return (distance - 3 * (positive.spread + negative.spread)) / high.spread


def verdict_of(value: float) -> Literal["excellent", "marginal", "unusable"]:
    """Zhang, Chung and Oldenburg's classes of Z': from 0.5 on excellent, above 0 marginal, otherwise not usable."""
    if value >= 0.5:
        return "excellent"
    return "marginal" if value > 0 else "unusable"


def control_statistics(positive: Iterable[float | None], negative: Iterable[float | None]) -> ControlStatistics:
    """Everything about one measurement in the wells of both controls; missing values are left out."""
    p, n = finite(positive), finite(negative)
    result = ControlStatistics(
        positive_wells=len(p),
        negative_wells=len(n),
        positive_mean=float(p.mean()) if len(p) else None,
        negative_mean=float(n.mean()) if len(n) else None,
        positive_cv=_cv(p),
        negative_cv=_cv(n),
        notes=_notes_on_numbers(len(p), len(n)),
    )
    if min(len(p), len(n)) < FEWEST:
        return result
    plain = (ControlGroup(float(p.mean()), float(p.std(ddof=1))), ControlGroup(float(n.mean()), float(n.std(ddof=1))))
    robust = (ControlGroup(float(np.median(p)), robust_deviation(p)), ControlGroup(float(np.median(n)), robust_deviation(n)))
    result.z_prime, result.z_prime_robust = z_prime(*plain), z_prime(*robust)
    result.ssmd, result.ssmd_robust = ssmd(*plain), ssmd(*robust)
    result.signal_window = signal_window(*plain)
    if result.z_prime is not None:
        result.verdict = verdict_of(result.z_prime)
    result.notes += _notes_on_values(result, plain)
    return result


def _cv(values: np.ndarray) -> float | None:
    if len(values) < FEWEST:
        return None
    centre = abs(float(values.mean()))
    # Around zero a CV says nothing: it grows without limit while the spread stays the same.
    if centre <= _TINY * float(np.abs(values).max(initial=0.0)):
        return None
    return 100 * float(values.std(ddof=1)) / centre


def _vanishes(amount: float, positive: ControlGroup, negative: ControlGroup) -> bool:
    return amount <= _TINY * max(abs(positive.centre), abs(negative.centre))


def _notes_on_numbers(positive: int, negative: int) -> list[str]:
    if positive == 0 and negative == 0:
        return ["No control well has a value yet, so Z'-factor, SSMD and signal window are not known."]
    counted = f"there {'is' if positive == 1 else 'are'} {positive} positive and {negative} negative with a value"
    if min(positive, negative) < FEWEST:
        return [f"Z'-factor, SSMD and signal window need at least two wells of each control; {counted}."]
    if min(positive, negative) < ENOUGH:
        return [f"Take these figures as rough ones: {counted}; four or more of each are better."]
    return []


def _notes_on_values(result: ControlStatistics, groups: tuple[ControlGroup, ControlGroup]) -> list[str]:
    if result.z_prime is None:
        return ["Both controls have the same mean, so they are not told apart by this measurement."]
    if result.ssmd is None:
        return ["Neither control varies at all, so SSMD and signal window are not defined."]
    if result.signal_window is None:
        return ["The control with the higher mean does not vary at all, so the signal window is not defined."]
    return []
