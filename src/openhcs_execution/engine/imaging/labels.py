# SPDX-License-Identifier: AGPL-3.0-or-later
"""Label images: integer planes (y, x) in which 0 is background and every object has a number of its own."""

from __future__ import annotations

import numpy as np

__all__ = ["drop", "drop_small", "remove_border_objects", "renumber"]


def drop(labels: np.ndarray, unwanted: np.ndarray) -> np.ndarray:
    """Set the labels marked in ``unwanted`` (indexed by label) to background."""
    keep = ~unwanted
    keep[0] = False
    return np.where(keep[labels], labels, 0)


def remove_border_objects(labels: np.ndarray) -> np.ndarray:
    """Drop the objects that touch the edge of the field: their size and intensity are not theirs."""
    touching = np.zeros(int(labels.max()) + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[np.unique(edge)] = True
    return drop(labels, touching)


def renumber(labels: np.ndarray) -> np.ndarray:
    """Number the objects 1, 2, 3 … without gaps, in the order of their old labels; int32."""
    present = np.unique(labels)
    present = present[present > 0]
    new = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    new[present] = np.arange(1, len(present) + 1, dtype=np.int32)
    return new[labels]


def drop_small(labels: np.ndarray, least_area: float) -> np.ndarray:
    """Drop the objects of fewer than ``least_area`` pixels."""
    return drop(labels, np.bincount(labels.ravel()) < least_area)
