# SPDX-License-Identifier: AGPL-3.0-or-later
"""Uneven illumination: estimate it from the fields of a well, and divide it out.

The lamp lights the middle of every field more than its corners, by the same factor in all of them. Blocks of each field are
summarised by a low quantile, fields are brought to the same level and combined by their median, so that one bright object in
one field does not count, and a quadratic surface is laid through the logarithm: smooth, positive, and with too few degrees of
freedom to follow cells.
"""

from __future__ import annotations

import numpy as np

__all__ = ["correct_illumination", "estimate_illumination"]

_BLOCKS = 12  # per side; each block must be small against the illumination and large against cells
_FLOOR = 1e-3


def estimate_illumination(fields: np.ndarray, dark_level: float = 0.0, quantile: float = 0.3) -> np.ndarray:
    """Estimate the relative illumination of ``fields`` (field, y, x) of one channel: float32 (y, x) with mean 1.

    ``dark_level`` is what the camera reports without light; ``quantile`` says which part of a block stands for it.
    """
    height, width = fields.shape[1:]
    rows, columns = min(_BLOCKS, height), min(_BLOCKS, width)
    y_edges, x_edges = (np.linspace(0, size, count + 1).astype(int) for size, count in ((height, rows), (width, columns)))
    grid = np.empty((len(fields), rows, columns))
    for row in range(rows):
        for column in range(columns):
            block = fields[:, y_edges[row] : y_edges[row + 1], x_edges[column] : x_edges[column + 1]]
            grid[:, row, column] = np.quantile(block.reshape(len(fields), -1), quantile, axis=1)
    grid = np.maximum(grid - dark_level, _FLOOR)
    levels = np.median(grid / np.median(grid, axis=(1, 2), keepdims=True), axis=0)
    y = (y_edges[:-1] + y_edges[1:]) / height - 1  # block centres from -1 to 1
    x = (x_edges[:-1] + x_edges[1:]) / width - 1
    coefficients = _robust_fit(_quadratic(*np.meshgrid(y, x, indexing="ij")), np.log(levels).ravel())
    pixel_y, pixel_x = ((2 * np.arange(size) + 1) / size - 1 for size in (height, width))
    surface = _quadratic(*np.meshgrid(pixel_y, pixel_x, indexing="ij")) @ coefficients
    gain = np.exp(surface).reshape(height, width)
    return (gain / gain.mean()).astype(np.float32)


def _quadratic(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The terms of a quadratic surface, one row per point."""
    y, x = y.ravel(), x.ravel()
    return np.stack([np.ones_like(y), y, x, y * y, x * x, y * x], axis=1)


def _robust_fit(terms: np.ndarray, values: np.ndarray, rounds: int = 5) -> np.ndarray:
    """Least squares, repeated with blocks far from the surface (beyond 1.5 median deviations) weighing less (Huber)."""
    weight = np.ones(len(values))
    for _ in range(rounds):
        root = np.sqrt(weight)
        coefficients, *_ = np.linalg.lstsq(terms * root[:, None], values * root, rcond=None)
        distance = np.abs(values - terms @ coefficients)
        scale = 1.5 * 1.4826 * float(np.median(distance))
        weight = np.minimum(1.0, scale / np.maximum(distance, 1e-12)) if scale > 0 else weight
    return coefficients


def correct_illumination(fields: np.ndarray, gain: np.ndarray, dark_level: float = 0.0) -> np.ndarray:
    """Divide ``fields`` (field, y, x), above ``dark_level``, by ``gain`` (y, x): float32, mean grey values are kept."""
    return (fields.astype(np.float32) - np.float32(dark_level)) / gain
