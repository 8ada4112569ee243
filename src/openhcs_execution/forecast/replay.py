# SPDX-License-Identifier: AGPL-3.0-or-later
"""The back-test of the forecast: what would it have said during runs whose end is known.

A run is replayed from the times at which its wells began and ended. At the moment when a tenth of the wells (or another part)
was done, the forecast is made from what was known then, and compared with when the last well really ended.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .remaining import RunSoFar, remaining_time
from .slots import measured_slots

__all__ = ["PastWell", "ReplayedForecast", "Summary", "replay", "summarise"]


@dataclass(frozen=True)
class PastWell:
    """One well of a run that is over, in seconds since the run began: ``seconds`` is what it occupied its slot for."""

    ended: float
    seconds: float

    @property
    def began(self) -> float:
        return self.ended - self.seconds


@dataclass(frozen=True)
class ReplayedForecast:
    """What was forecast at some moment, and what came: seconds from that moment."""

    forecast: float
    earliest: float
    latest: float
    actual: float

    @property
    def error(self) -> float:
        """Relative error of the median."""
        return abs(self.forecast - self.actual) / self.actual

    @property
    def covered(self) -> bool:
        return self.earliest <= self.actual <= self.latest


@dataclass(frozen=True)
class Summary:
    """Over runs: the median of the relative errors, and the part of runs whose end lay in the interval."""

    runs: int
    median_error: float
    coverage: float


def replay(wells: Sequence[PastWell], slots: int, part: float = 0.1, history: Sequence[float] = ()) -> ReplayedForecast | None:
    """The forecast when ``part`` of the wells was done; None when then nothing was left."""
    ordered = sorted(wells, key=lambda well: well.ended)
    known = ordered[: max(1, math.ceil(part * len(ordered)))]
    moment, end = known[-1].ended, ordered[-1].ended
    rest = ordered[len(known) :]
    in_work = [moment - well.began for well in rest if well.began < moment]
    run = RunSoFar(
        done=[well.seconds for well in known],
        in_work=in_work,
        waiting=len(rest) - len(in_work),
        slots=measured_slots([(well.ended, well.seconds) for well in known], slots),
        history=history,
    )
    found = remaining_time(run)
    if found is None or end <= moment:
        return None
    return ReplayedForecast(found.seconds, found.earliest, found.latest, end - moment)


def summarise(forecasts: Iterable[ReplayedForecast]) -> Summary:
    """Put replays together.

    Raises:
        ValueError: when there are none.
    """
    found = list(forecasts)
    if not found:
        raise ValueError("no run could be replayed")
    covered = sum(forecast.covered for forecast in found) / len(found)
    return Summary(len(found), statistics.median(forecast.error for forecast in found), covered)
