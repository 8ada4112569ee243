# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lowest and highest intensity and histograms of a channel, read from its pixel file plane by plane."""

from __future__ import annotations

import numpy as np

from omero_sandbox.pixels.buffers import PixelBuffer

__all__ = ["histogram", "min_max"]


def min_max(buffer: PixelBuffer, channel: int) -> tuple[float, float]:
    """Return the lowest and highest finite intensity of ``channel`` over all sections and time points.

    A channel without any finite number gives (0, 1); complex numbers count by magnitude.
    """
    lows, highs = [], []
    for t in range(buffer.shape.size_t):
        for z in range(buffer.shape.size_z):
            values = _real(buffer.plane(z, channel, t))
            if values.dtype.kind == "f":
                values = values[np.isfinite(values)]
            if values.size:
                lows.append(float(values.min()))
                highs.append(float(values.max()))
    return (min(lows), max(highs)) if lows else (0.0, 1.0)


def histogram(values: np.ndarray, bins: int, bounds: tuple[float, float]) -> list[int]:
    """Count ``values`` in ``bins`` equal bins over ``bounds``; the highest value belongs to the last bin.

    Raises:
        ValueError: when ``bins`` is less than 1.
    """
    if bins < 1:
        raise ValueError(f"a histogram needs at least one bin, not {bins}")
    low, high = bounds
    counts, _ = np.histogram(_real(values).astype(np.float64), bins, (low, high if high > low else low + 1))
    return [int(count) for count in counts]


def _real(values: np.ndarray) -> np.ndarray:
    return np.abs(values) if values.dtype.kind == "c" else values
