# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hand a plane to a library and take its answer back, without stretching grey values and without surprises in type or size."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..candidates import Gives, Takes

__all__ = ["full_scale", "given", "scaled", "taken"]

_FLOAT_SCALE = 65535.0
"""What counts as the full range of an image with decimals. Such images come out of filters on camera images; a fixed number
treats all fields alike, which their own maximum would not."""


def full_scale(dtype: np.dtype) -> float:
    """The largest value of an image of ``dtype``: the 1 of functions that think in shares of the full range."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else _FLOAT_SCALE


def scaled(takes: Takes, dtype: np.dtype) -> float:
    """By what grey values are divided before they are handed over."""
    return full_scale(dtype) if takes is Takes.UNIT else 1.0


def taken(plane: np.ndarray, takes: Takes) -> np.ndarray:
    """``plane`` (y, x) as a function takes it."""
    match takes:
        case Takes.FLOAT:
            return plane.astype(np.float32)
        case Takes.UNIT:
            return plane.astype(np.float32) / np.float32(full_scale(plane.dtype))
        case Takes.MASK:
            return plane > 0
        case Takes.STACK:
            return plane[None].copy()
        case Takes.FLOAT_STACK:
            return plane[None].astype(np.float32)
        case Takes.SAME:
            return plane.copy()


def given(answer: Any, plane: np.ndarray, gives: Gives, scale: float) -> np.ndarray:
    """The answer of a function as the plane that replaces ``plane``: same shape, no NaN, in its type or as float32.

    Raises:
        TypeError: when the answer is not an image of the same size.
    """
    result = np.asarray(answer)
    if result.shape == (1, *plane.shape):
        result = result[0]
    if result.shape != plane.shape or result.dtype.kind not in "biuf":
        raise TypeError(f"the function turned a plane of {plane.shape} into {result.dtype} of {result.shape}")
    match gives:
        case Gives.MASK:
            return (result > 0).astype(plane.dtype)
        case Gives.SCORE:
            return np.nan_to_num(result.astype(np.float32), posinf=0.0, neginf=0.0)
        case Gives.FLOAT32:
            return (result.astype(np.float32)) * np.float32(scale)
        case Gives.SAME:
            return _cast(result, plane.dtype, scale)


def _cast(result: np.ndarray, dtype: np.dtype, scale: float) -> np.ndarray:
    """Back to ``dtype``: rounded and clipped to what it can hold, never stretched."""
    if result.dtype == dtype and scale == 1.0:
        return result
    values = result.astype(np.float64) * scale
    if dtype.kind not in "iu":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(np.nan_to_num(values)), limits.min, limits.max).astype(dtype)
