# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recipes for scikit-image's functions: thresholds become objects, points become discs, radii become footprints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from skimage import feature, filters, transform

from ...imaging.background import smooth
from ...imaging.noise import pixel_noise
from ...imaging.objects_of import mask_to_labels

__all__ = [
    "blobs",
    "canny",
    "central_moments",
    "chan_vese",
    "convex_hull_object",
    "corners",
    "denoise_bilateral",
    "denoise_tv_bregman",
    "equalize_adapthist",
    "felzenszwalb",
    "inertia",
    "inverse_gaussian_gradient",
    "local_extrema",
    "moments",
    "peaks",
    "ridges",
    "shape_index",
    "slic",
    "stretch",
    "subtract_rolling_ball",
    "thin",
    "threshold",
    "watershed",
]

Function = Callable[..., Any]


def denoise_bilateral(function: Function, plane: np.ndarray, sigma_color: float, **parameters: Any) -> np.ndarray:
    """On a plane that begins at zero, as the function insists; ``sigma_color`` in grey values."""
    low = plane.min()
    if plane.max() == low:
        return plane
    return function(plane - low, sigma_color=sigma_color, **parameters) + low


def denoise_tv_bregman(function: Function, plane: np.ndarray, strength: float, max_num_iter: int) -> np.ndarray:
    """The function's weight is an inverse: larger keeps more. ``strength`` is in grey values."""
    return function(plane, weight=1.0 / (2.0 * strength), max_num_iter=max_num_iter)


def inverse_gaussian_gradient(function: Function, plane: np.ndarray, sigma: float, strength: float) -> np.ndarray:
    """With the steepness in units of the noise, whatever the camera."""
    return function(plane / pixel_noise(plane), alpha=strength, sigma=sigma)


def ridges(function: Function, plane: np.ndarray, method: str, narrowest: int, widest: int, black_ridges: bool) -> np.ndarray:
    """Over all widths from the narrowest to the widest."""
    sigmas = range(min(narrowest, widest), max(narrowest, widest) + 1)
    return function(plane, sigmas=sigmas, black_ridges=black_ridges, mode="reflect")


def equalize_adapthist(function: Function, plane: np.ndarray, clip_limit: float, nbins: int) -> np.ndarray:
    """The function stretches to its input's range first; a plane of one grey value has none."""
    if plane.max() == plane.min():
        return plane
    return function(np.clip(plane, 0, 1), clip_limit=clip_limit, nbins=nbins)


def stretch(function: Function, plane: np.ndarray, low: float, high: float) -> np.ndarray:
    """Between two percentiles, to the full range."""
    limits = tuple(float(limit) for limit in np.percentile(plane, (low, high)))
    return function(plane, in_range=limits, out_range=(0.0, 1.0)) if limits[1] > limits[0] else np.zeros_like(plane)


def subtract_rolling_ball(function: Function, plane: np.ndarray, radius: int, shrink: int) -> np.ndarray:
    """Estimate the background on a smaller image, whose pixels are the darkest of blocks, and subtract it.

    The ball shrinks with the image; its height in grey values is scaled by the noise so that the result does not depend on
    the camera's gain.
    """
    unit = pixel_noise(plane)
    height, width = plane.shape
    small = plane / unit
    if shrink > 1:
        small = transform.resize(
            smooth(small, shrink / 2), (max(1, height // shrink), max(1, width // shrink)), order=1, preserve_range=True
        )
    background = function(small.astype(np.float32), radius=max(2, radius / shrink)) * unit
    if background.shape != plane.shape:
        background = transform.resize(background, plane.shape, order=1, preserve_range=True)
    return np.maximum(plane - background.astype(np.float32), 0)


def shape_index(function: Function, plane: np.ndarray, sigma: float) -> np.ndarray:
    """Zero where the surface is flat and the index has no value."""
    return np.nan_to_num(function(plane, sigma=sigma, mode="nearest"))


def convex_hull_object(function: Function, plane: np.ndarray) -> np.ndarray:
    """An empty mask has no hull."""
    return function(plane) if plane.any() else plane


def thin(function: Function, plane: np.ndarray, rounds: int) -> np.ndarray:
    """A number of rounds, rather than until nothing is left to thin."""
    return function(plane, max_num_iter=rounds)


def local_extrema(function: Function, plane: np.ndarray, allow_borders: bool) -> np.ndarray:
    """A plane of one grey value has neither maxima nor minima."""
    return function(plane, allow_borders=allow_borders) if plane.max() > plane.min() else np.zeros(plane.shape, bool)


def canny(function: Function, plane: np.ndarray, low_threshold: float, high_threshold: float, **parameters: Any) -> np.ndarray:
    """With thresholds in order, and nothing on a plane without edges."""
    if plane.max() == plane.min():
        return np.zeros(plane.shape, bool)
    low, high = sorted((low_threshold, high_threshold))
    return function(plane, low_threshold=low, high_threshold=high, **parameters)


def chan_vese(function: Function, plane: np.ndarray, mu: float, max_num_iter: int) -> np.ndarray:
    """The side of the outline that is brighter, as objects."""
    low, high = float(plane.min()), float(plane.max())
    if high == low:
        return np.zeros(plane.shape, np.int32)
    scaled = (plane - low) / (high - low)
    inside = function(scaled, mu=mu, max_num_iter=max_num_iter)
    if inside.any() and not inside.all() and scaled[inside].mean() < scaled[~inside].mean():
        inside = ~inside
    return mask_to_labels(inside)


def threshold(
    function: Function,
    plane: np.ndarray,
    smoothing: float,
    correction: float,
    fill_holes: bool,
    split: float,
    contrast: float = 0.0,
    **parameters: Any,
) -> np.ndarray:
    """What is above ``correction`` times the threshold, which is a number, several (the last counts) or one per pixel."""
    signal = smooth(plane, smoothing) if smoothing > 0 else plane
    if signal.max() == signal.min():
        return np.zeros(plane.shape, np.int32)
    for odd in ("block_size", "window_size"):
        if odd in parameters:
            parameters[odd] = min(parameters[odd], min(plane.shape)) // 2 * 2 + 1
    limit = np.asarray(function(signal, **parameters), dtype=np.float64)
    if limit.ndim == 1:
        limit = limit[-1]
    return mask_to_labels(signal > correction * limit + contrast, fill_holes=fill_holes, split=split)


def watershed(function: Function, plane: np.ndarray, smoothing: float, correction: float, compactness: float) -> np.ndarray:
    """One basin per maximum of the smoothed plane, within an Otsu threshold."""
    signal = smooth(plane, smoothing)
    if signal.max() == signal.min():
        return np.zeros(plane.shape, np.int32)
    mask = signal > correction * filters.threshold_otsu(signal)
    markers = np.zeros(plane.shape, np.int32)
    peaks = feature.peak_local_max(
        signal, min_distance=max(1, round(smoothing)), labels=mask.astype(np.int32), exclude_border=False
    )
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return function(-signal, markers, mask=mask, compactness=compactness)


def felzenszwalb(function: Function, plane: np.ndarray, scale: float, sigma: float, min_size: int) -> np.ndarray:
    """In units of the noise, because ``scale`` weighs grey values against sizes; the function counts from 0."""
    return function(plane / pixel_noise(plane), scale=scale, sigma=sigma, min_size=min_size, channel_axis=None) + 1


def slic(function: Function, plane: np.ndarray, n_segments: int, compactness: float, sigma: float) -> np.ndarray:
    """On the plane between 0 and 1."""
    low, high = float(plane.min()), float(plane.max())
    scaled = (plane - low) / (high - low) if high > low else np.zeros_like(plane)
    return function(scaled, n_segments=n_segments, compactness=compactness, sigma=sigma, channel_axis=None, start_label=1)


def blobs(
    function: Function, plane: np.ndarray, min_sigma: float, max_sigma: float, contrast: float, overlap: float
) -> np.ndarray:
    """Rows of y, x, radius; ``contrast`` in grey values of the plane."""
    smallest, largest = sorted((min_sigma, max_sigma))
    options: dict[str, Any] = {"threshold": contrast, "overlap": overlap}
    if function.__name__ == "blob_doh":
        # The determinant is a square of grey values, and weak: a spot of height h answers with about h squared / 16.
        options |= {"threshold": contrast**2 / 16, "num_sigma": 5}
    elif function.__name__ == "blob_log":
        options |= {"num_sigma": 5, "exclude_border": False}
    else:
        options |= {"threshold": contrast / 4, "exclude_border": False}
    # Responses grow with the height above zero only through the edge of the field, so the level is taken off first.
    found = np.asarray(function(plane - np.median(plane), min_sigma=smallest, max_sigma=largest, **options)).reshape(-1, 3)
    radius = found[:, 2] * (1.0 if function.__name__ == "blob_doh" else np.sqrt(2))
    return np.column_stack([found[:, :2], radius])


def peaks(
    function: Function, plane: np.ndarray, min_distance: int, smoothing: float, contrast: float, radius: float
) -> np.ndarray:
    """Rows of y, x, radius of maxima that stand ``contrast`` grey values above their surroundings."""
    signal = smooth(plane, smoothing) if smoothing > 0 else plane
    above = signal - smooth(plane, 4.0 * max(min_distance, smoothing, 1.0))
    found = function(above, min_distance=min_distance, threshold_abs=contrast, exclude_border=False)
    return np.column_stack([found, np.full(len(found), radius)])


def corners(
    function: Function, plane: np.ndarray, min_distance: int, sigma: float, threshold_rel: float, radius: float
) -> np.ndarray:
    """Rows of y, x, radius of the peaks of Harris' response."""
    response = feature.corner_harris(plane, sigma=sigma)
    if response.max() <= 0:
        return np.zeros((0, 3))
    found = function(response, min_distance=min_distance, threshold_rel=threshold_rel, exclude_border=False)
    return np.column_stack([found, np.full(len(found), radius)])


def moments(function: Function, plane: np.ndarray) -> tuple[float, ...]:
    """Sum and first moments."""
    m = function(plane.astype(np.float64), order=2)
    return float(m[0, 0]), float(m[0, 1]), float(m[1, 0]), float(m[1, 1])


def central_moments(function: Function, plane: np.ndarray) -> tuple[float, ...]:
    """Second central moments divided by the sum: variances of the light's position."""
    m = function(plane.astype(np.float64), order=2)
    total = m[0, 0] or np.nan
    return float(m[2, 0] / total), float(m[0, 2] / total), float(m[1, 1] / total)


def inertia(function: Function, plane: np.ndarray) -> tuple[float, float]:
    """Ratio of the axes of the tensor, and the direction (radians) of the longer one."""
    if plane.sum() == 0:
        return float("nan"), float("nan")
    values, vectors = np.linalg.eigh(function(plane.astype(np.float64)))
    return float(np.sqrt(values[1] / values[0])) if values[0] > 0 else float("nan"), float(np.arctan2(*vectors[:, 0]))
