# SPDX-License-Identifier: AGPL-3.0-or-later
"""Made-up runs for the back-test, beside recorded ones: plates whose well times differ as those of real plates do.

The distributions, each with a mean of some seconds: ``even`` (log-normal, 10 % spread: the same cells everywhere), ``cells``
(log-normal, 40 %: times follow the cell count), ``columns`` (whole columns take twice as long: controls or doses),
``stragglers`` (one well in fifteen takes five times as long), ``slowing`` (wells take 30 % longer towards the end: the
machine or the plate changes). All are drawn from the given seed; the wells are given to the slot that is free first, as the
dispatcher does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

import numpy as np

from .replay import PastWell

__all__ = ["DISTRIBUTIONS", "simulated_run"]

Times = Callable[[np.random.Generator, int], np.ndarray]


def _log_normal(random: np.random.Generator, count: int, spread: float) -> np.ndarray:
    sigma = np.sqrt(np.log(1 + spread**2))
    return random.lognormal(-(sigma**2) / 2, sigma, count)


def _columns(random: np.random.Generator, count: int) -> np.ndarray:
    slow = random.random(24) < 0.25
    return _log_normal(random, count, 0.15) * np.where(slow[np.arange(count) % 24], 2.0, 1.0)


def _stragglers(random: np.random.Generator, count: int) -> np.ndarray:
    return _log_normal(random, count, 0.2) * np.where(random.random(count) < 1 / 15, 5.0, 1.0)


DISTRIBUTIONS: Mapping[str, Times] = {
    "even": lambda random, count: _log_normal(random, count, 0.1),
    "cells": lambda random, count: _log_normal(random, count, 0.4),
    "columns": _columns,
    "stragglers": _stragglers,
    "slowing": lambda random, count: _log_normal(random, count, 0.2) * np.linspace(1.0, 1.3, count),
}


def simulated_run(distribution: str, wells: int, slots: int, seed: int, mean_seconds: float = 8.0) -> list[PastWell]:
    """A run of ``wells`` on ``slots``, each of which takes 50 ms from one well to the next."""
    random = np.random.default_rng(seed)
    times = mean_seconds * DISTRIBUTIONS[distribution](random, wells)
    free = [0.0] * slots
    run = []
    for seconds in times:
        began = heapq.heappop(free)
        ended = began + float(seconds) + 0.05
        run.append(PastWell(ended=ended, seconds=float(seconds) + 0.05))
        heapq.heappush(free, ended)
    return run
