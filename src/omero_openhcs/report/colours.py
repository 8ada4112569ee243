# SPDX-License-Identifier: AGPL-3.0-or-later
"""Colours of heat maps: the perceptually uniform scale viridis, and limits that one odd well does not spoil.

They are those of the pages' plate map (``frontend/src/shared/platemap/colourscale.ts``), so that a plate looks the same in the
browser and on paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["SCALE_STOPS", "Limits", "fraction_within", "ink_on", "is_number", "readable", "robust_limits", "scale_colour"]

# Samples of the public-domain table that Matplotlib publishes (CC0).
_VIRIDIS = (
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
)
_TABLE = [tuple(bytes.fromhex(stop)) for stop in _VIRIDIS.split()]

SCALE_STOPS = tuple((index / (len(_TABLE) - 1), f"#{stop}") for index, stop in enumerate(_VIRIDIS.split()))
"""Place (0 to 1) and colour of the stops, for a gradient."""

_FEW = 20


@dataclass(frozen=True)
class Limits:
    """The values at the ends of the scale."""

    low: float
    high: float


def is_number(value: object) -> bool:
    """Whether ``value`` can be shown: a finite number, not a boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def robust_limits(values: Iterable[float | None]) -> Limits | None:
    """From the 1st to the 99th percentile of the finite values; the whole range below twenty values; None without any.

    The percentiles are values of wells and are not interpolated: between the last good well and an odd one there is no good
    limit.
    """
    known = sorted(value for value in values if value is not None and is_number(value))
    if not known:
        return None
    last = len(known) - 1
    cut = 0 if len(known) < _FEW else math.ceil(0.01 * last)
    low, high = known[cut], known[last - cut]
    # A plate where nearly all wells agree keeps its few different ones visible.
    return Limits(known[0], known[last]) if low == high else Limits(low, high)


def fraction_within(value: float, limits: Limits) -> float:
    """Where ``value`` lies between the limits, 0 to 1 and clipped; 0.5 when the limits are equal."""
    if limits.high <= limits.low:
        return 0.5
    # Each is scaled first: the difference of two very large numbers may be infinite.
    size = max(abs(limits.low), abs(limits.high))
    share = (value / size - limits.low / size) / (limits.high / size - limits.low / size)
    return max(0.0, min(1.0, share))


def scale_colour(fraction: float) -> str:
    """The colour of a fraction (0 to 1, clipped) as ``#rrggbb``.

    >>> scale_colour(0), scale_colour(1)
    ('#440154', '#fde725')
    """
    place = max(0.0, min(1.0, fraction)) * (len(_TABLE) - 1)
    index = min(len(_TABLE) - 2, int(place))
    share = place - index
    mixed = (round(low + (high - low) * share) for low, high in zip(_TABLE[index], _TABLE[index + 1], strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def ink_on(colour: str) -> str:
    """Black or white, whichever is easier to read on ``colour`` (relative luminance of WCAG 2)."""
    linear = []
    for part in bytes.fromhex(colour.removeprefix("#")):
        share = part / 255
        linear.append(share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4)
    return "#1a1a1a" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 else "#ffffff"


def readable(value: float | None) -> str:
    """A number for people: four significant digits, no needless zeros; a dash for no number.

    >>> readable(1234.567), readable(0.00001234), readable(None), readable(float("nan"))
    ('1235', '1.23e-05', '–', '–')
    """
    if value is None or not is_number(value):
        return "–"
    if value != 0 and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.2e}"
    return f"{float(f'{value:.4g}'):.10g}"  # without the exponent that four digits alone would give from 10,000 on
