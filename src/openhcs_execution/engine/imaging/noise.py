# SPDX-License-Identifier: AGPL-3.0-or-later
"""How noisy the pixels of a plane are, so that parameters can count in noise instead of in grey values of one camera."""

from __future__ import annotations

import numpy as np

__all__ = ["pixel_noise"]

_MAD_TO_SIGMA = 1.4826
_OF_DIFFERENCE = np.sqrt(6.0)  # standard deviation of a - 2b + c for independent pixels of standard deviation 1


def pixel_noise(plane: np.ndarray) -> float:
    """Standard deviation of the noise of single pixels of ``plane`` (y, x), in grey values; never zero.

    The median absolute second difference along rows and columns: objects are smooth at this scale and too few to move the
    median. Where more than half of the differences are zero (few grey steps, synthetic images) their root mean square stands
    in, and for a plane without any variation a millionth of its largest value.
    """
    plane = plane.astype(np.float32, copy=False)
    parts = [np.diff(plane, 2, axis=axis).ravel() for axis in (0, 1)]
    differences = np.abs(np.concatenate(parts))
    if not differences.size:
        return _least(plane)
    sigma = _MAD_TO_SIGMA * float(np.median(differences)) / _OF_DIFFERENCE
    if sigma == 0:
        sigma = float(np.sqrt(np.mean(differences.astype(np.float64) ** 2))) / _OF_DIFFERENCE
    return max(float(sigma), _least(plane))


def _least(plane: np.ndarray) -> float:
    return 1e-6 * max(float(np.abs(plane).max(initial=0)), 1.0)
