# SPDX-License-Identifier: AGPL-3.0-or-later
"""The functions that may be offered, as tables: plain data, without OpenHCS.

What is not in these tables cannot be run. A table says where a function is imported from, how it is called without harm, and
how it is explained; whether it is offered is decided by its smoke test.
"""

from __future__ import annotations

from functools import lru_cache

from .excluded import EXCLUDED, REPLACED
from .filters import FILTERS
from .measurement import MEASUREMENT
from .model import CATEGORIES, Candidate, Gives, Grey, Kind, Shown, Takes
from .morphology import MORPHOLOGY
from .openhcs import OPENHCS
from .segmentation import SEGMENTATION

__all__ = [
    "CATEGORIES",
    "EXCLUDED",
    "REPLACED",
    "Candidate",
    "Gives",
    "Grey",
    "Kind",
    "Shown",
    "Takes",
    "candidates",
]


@lru_cache(maxsize=1)
def candidates() -> dict[str, Candidate]:
    """Every candidate by id.

    Raises:
        ValueError: when two have the same id.
    """
    every = [*FILTERS, *MORPHOLOGY, *SEGMENTATION, *MEASUREMENT, *OPENHCS]
    table = {candidate.id: candidate for candidate in every}
    if len(table) != len(every):
        raise ValueError("two candidates have the same id")
    return table
