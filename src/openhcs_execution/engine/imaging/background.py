# SPDX-License-Identifier: AGPL-3.0-or-later
"""Background, noise and sharpness of one plane: what the other modules compare a signal with.

Everything here is robust against the objects in the image, because they are bright and low quantiles hardly see them.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["background_level", "background_surface", "noise_level", "sharpness", "smooth"]

_QUANTILE = 0.1
_MEASURED_BLOCK = 128.0  # pixels; well above the size of a cell
_TENTH_RMS = 0.627  # root mean square distance of the lowest tenth of a normal distribution from its 0.1 quantile


def smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian filter of ``sigma`` pixels, as float32; the edge is continued as it is."""
    return ndimage.gaussian_filter(image.astype(np.float32, copy=False), sigma, mode="nearest", truncate=3.0)


def background_surface(image: np.ndarray, block: float, quantile: float = _QUANTILE) -> np.ndarray:
    """Estimate the slowly varying background of ``image`` (y, x) as float32 of the same shape.

    The ``quantile`` of each block of about ``block`` pixels sees background as long as objects cover less than ``1 -
    quantile`` of it; a 3 x 3 median removes blocks that do not, and linear interpolation joins the block centres.
    """
    height, width = image.shape
    rows, columns = (max(1, round(size / block)) for size in (height, width))
    grid = np.empty((rows, columns), dtype=np.float32)
    y_edges, x_edges = (np.linspace(0, size, count + 1).astype(int) for size, count in ((height, rows), (width, columns)))
    for row in range(rows):
        for column in range(columns):
            tile = image[y_edges[row] : y_edges[row + 1], x_edges[column] : x_edges[column + 1]]
            grid[row, column] = np.quantile(tile, quantile)
    if min(rows, columns) >= 3:
        grid = ndimage.median_filter(grid, size=3, mode="nearest")
    return _between_centres(grid, image.shape)


def background_level(image: np.ndarray) -> np.ndarray:
    """The background to measure intensities against: :func:`background_surface` of ``image`` freed from pixel noise.

    A low quantile of noisy pixels lies below the background by more than a standard deviation of the noise; of smoothed
    pixels it hardly does.
    """
    return background_surface(smooth(image, 3.0), _MEASURED_BLOCK)


def _between_centres(grid: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Interpolate block values, which belong to block centres, to every pixel; constant beyond the outer centres."""
    surface = grid
    for axis, size in enumerate(shape):
        count = grid.shape[axis]
        position = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        below = np.floor(position).astype(int)
        above = np.minimum(below + 1, count - 1)
        weight = (position - below).astype(np.float32)
        weight = weight[:, None] if axis == 0 else weight[None, :]
        surface = np.take(surface, below, axis) * (1 - weight) + np.take(surface, above, axis) * weight
    return surface.astype(np.float32, copy=False)


def noise_level(signal: np.ndarray) -> float:
    """Standard deviation of the background of ``signal`` (y, x), an image from which :func:`background_surface` is subtracted.

    Only what lies below the surface is used, because objects do not reach there, however many there are. Below its lower
    tenth, the surface's quantile, a normal distribution has a root mean square of 0.63 standard deviations; where objects
    cover much of the field the surface lies higher in the background, and the value comes out up to 1.5 times too large.
    Never zero, so that it can be divided by.
    """
    below = signal[signal < 0]
    sigma = float(np.sqrt(np.mean(below.astype(np.float64) ** 2))) / _TENTH_RMS if below.size else 0.0
    return max(sigma, float(np.finfo(np.float32).eps) * max(1.0, float(np.abs(signal).max(initial=0))))


def sharpness(image: np.ndarray) -> float:
    """Share of the image's variation that is fine detail (below about 3 pixels), from 0 (blurred) to 1.

    The ratio of standard deviations of the band between Gaussians of 1 and 3 pixels and everything coarser than 1 pixel;
    the first Gaussian keeps camera noise out. A value for comparing fields of one channel, not an absolute one.
    """
    fine = smooth(image, 1.0)
    coarse = smooth(image, 3.0)
    spread = float(fine.std())
    return float((fine - coarse).std()) / spread if spread > 0 else 0.0
