# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many wells of a run are computed at a time, as its finished wells tell: other runs share the workers."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["measured_slots"]

_WINDOW = 60
"""Newest wells that are looked at: what was long ago (a pause, another run) is over."""


def measured_slots(ended: Sequence[tuple[float, float]], most: int) -> float:
    """Wells at a time, between 1 (or ``most``, if that is less) and ``most``.

    ``ended`` has when each well ended and for how long it occupied a slot, in seconds. Between the first and the last end of
    a window, the wells that ended occupied slots for the sum of their times; the sum over the time between is the number of
    slots. With fewer than two wells for each slot that says little, and all slots are assumed.
    """
    newest = sorted(ended)[-_WINDOW:]
    if len(newest) < 2 * most + 1:
        return float(most)
    between = newest[-1][0] - newest[0][0]
    if between <= 0:
        return float(most)
    busy = sum(seconds for _ended, seconds in newest[1:])
    return min(float(most), max(1.0, busy / between))
