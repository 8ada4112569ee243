# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long a run still takes, with an interval, from the times of its wells: arithmetic on numbers, no database.

Method. The time of a well is what it occupies a worker's slot for. The times to come are drawn from those of this run, and,
while only few of its wells are done, from those of earlier runs of the same pipeline, which count like :data:`HISTORY_WELLS`
wells. Each of :data:`REPLICATES` draws plays the rest of the run: wells in work go on from where they are (a time is drawn
among those that are longer than what the well has taken already), the waiting ones are given to the slot that is free first.
That is what the dispatcher does, so the wait for the last wells, when slots stand idle, is part of it.

Three things make a forecast unsure beyond the draws, and are drawn as one factor on all times of a replicate (log-normal):
the mean of n wells is known to within their spread over the root of n, the spread itself being shrunk towards
:data:`TYPICAL_SPREAD` while n is small; an earlier run differs from this one as a whole by about :data:`BETWEEN_RUNS`; and
the wells to come differ from those that are done by about :data:`STILL_TO_COME` (chosen so that some 80 % of the ends of the
simulated runs of the back-test lie in the interval). The answer is the median of the replicates and the interval that holds
the middle 80 % of them.

What it does not know: wells that are larger or fuller than those done so far, other people's runs that will take slots (those
that take slots now are in the measured number of slots), and wells that will be tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["INTERVAL", "Remaining", "RunSoFar", "remaining_time"]

REPLICATES = 200
HISTORY_WELLS = 5
TYPICAL_SPREAD = 0.35
"""Standard deviation over mean of the times of wells of a plate, where it is not known yet."""
SPREAD_WELLS = 3
"""How many wells that assumption counts for."""
BETWEEN_RUNS = 0.2
STILL_TO_COME = 0.12
"""By how much wells to come differ as a whole from those that are done: rows, doses and the machine's other work change."""
INTERVAL = 0.8
_ONE_BY_ONE = 256
"""So many of the last wells are given out one by one; the ones before them keep all slots busy anyway."""


@dataclass(frozen=True)
class RunSoFar:
    """A run at some moment. All times are in seconds.

    ``done``: what each finished well occupied its slot for. ``in_work``: for how long each well in work has occupied one.
    ``waiting``: wells that were not begun. ``slots``: how many wells of this run are computed at a time, as measured.
    ``history``: times of wells of earlier runs, scaled to the wells of this one.
    """

    done: Sequence[float]
    in_work: Sequence[float]
    waiting: int
    slots: float
    history: Sequence[float] = ()


@dataclass(frozen=True)
class Remaining:
    """Seconds until the last well is computed: median, and the ends of the 80 % interval."""

    seconds: float
    earliest: float
    latest: float


def remaining_time(run: RunSoFar, seed: int = 0) -> Remaining | None:
    """The forecast; None when nothing is known of how long wells take, or nothing is left.

    The same run gives the same answer: ``seed`` is where the draws begin.
    """
    pool, chances = _pool(run)
    if pool is None or not (run.waiting or run.in_work):
        return None
    random = np.random.default_rng(seed)
    factors = np.exp(random.normal(0.0, _uncertainty(run), REPLICATES))[:, None]
    whole_slots = max(1, int(np.ceil(run.slots - 1e-9)), len(run.in_work))
    # Where less than a whole slot is ours on average, wells take that much longer.
    factors_of_share = factors * whole_slots / max(run.slots, 1e-3) if run.slots < whole_slots else factors
    free = np.zeros((REPLICATES, whole_slots))
    for place, elapsed in enumerate(run.in_work):
        free[:, place] = _rest(random, pool, chances, factors_of_share[:, 0], elapsed)
    early = max(0, run.waiting - _ONE_BY_ONE)
    if early:
        free += factors_of_share * _sums(random, pool, chances, early) / whole_slots
    times = factors_of_share * random.choice(pool, (REPLICATES, run.waiting - early), p=chances)
    rows = np.arange(REPLICATES)
    for column in range(times.shape[1]):
        free[rows, free.argmin(axis=1)] += times[:, column]
    tail = (1 - INTERVAL) / 2
    earliest, median, latest = np.quantile(free.max(axis=1), (tail, 0.5, 1 - tail))
    return Remaining(float(median), float(earliest), float(latest))


def _pool(run: RunSoFar) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Times to draw from, shape (n,), with their chances: history counts like a few wells, however long it is."""
    done, history = np.asarray(run.done, float), np.asarray(run.history, float)
    if not done.size and not history.size:
        return None, None
    weight = HISTORY_WELLS / max(history.size, 1) if history.size else 0.0
    chances = np.concatenate([np.ones(done.size), np.full(history.size, weight)])
    return np.maximum(np.concatenate([done, history]), 1e-3), chances / chances.sum()


def _uncertainty(run: RunSoFar) -> float:
    """Standard deviation of the logarithm of the factor on all times."""
    done = np.asarray(run.done, float)
    own, borrowed = done.size, HISTORY_WELLS if len(run.history) else 0
    spread = float(done.std(ddof=1) / done.mean()) if own > 1 and done.mean() > 0 else TYPICAL_SPREAD
    squared = (max(own - 1, 0) * spread**2 + SPREAD_WELLS * TYPICAL_SPREAD**2) / (max(own - 1, 0) + SPREAD_WELLS)
    of_mean = squared / (own + borrowed)
    of_history = (BETWEEN_RUNS * borrowed / (own + borrowed)) ** 2
    return float(np.sqrt(of_mean + of_history + STILL_TO_COME**2))


def _rest(
    random: np.random.Generator, pool: np.ndarray, chances: np.ndarray | None, factors: np.ndarray, elapsed: float
) -> np.ndarray:
    """What a well in work still takes, shape (replicates,), given that it is not done after ``elapsed`` seconds."""
    longer = random.choice(pool, (REPLICATES, 8), p=chances) * factors[:, None] - elapsed
    first = np.where(longer > 0, longer, np.inf)[np.arange(REPLICATES), (longer > 0).argmax(axis=1)]
    # Longer than all that were drawn: such a well may take as long again as it is over.
    return np.where(np.isfinite(first), first, 0.3 * elapsed * random.random(REPLICATES))


def _sums(random: np.random.Generator, pool: np.ndarray, chances: np.ndarray | None, count: int) -> np.ndarray:
    """Sums of ``count`` times, shape (replicates, 1); of so many the sum is as good as normal."""
    mean = float(np.average(pool, weights=chances))
    variance = float(np.average((pool - mean) ** 2, weights=chances))
    return np.maximum(0.0, random.normal(count * mean, np.sqrt(count * variance), (REPLICATES, 1)))
