# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recipes for OpenHCS's native functions: settings of their own classes from plain values, answers without files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .rows import one_row, rows_of

__all__ = [
    "apply_mask",
    "count_cells",
    "count_cells_simple",
    "equalize_histogram",
    "flat_field",
    "neurite_outgrowth",
    "percentile_normalize",
    "skan",
    "tile_positions",
]

Function = Callable[..., Any]


def _class(function: Function, name: str) -> Any:
    """A class from the module of ``function``, such as the settings that it takes."""
    return getattr(sys.modules[function.__module__], name)


def percentile_normalize(function: Function, stack: np.ndarray, **percentiles: float) -> np.ndarray:
    """To the full range of the type of the stack."""
    high = float(np.iinfo(stack.dtype).max) if stack.dtype.kind in "iu" else 65535.0
    return function(stack, target_min=0.0, target_max=high, **percentiles)


def equalize_histogram(function: Function, stack: np.ndarray) -> np.ndarray:
    """Within the range of the type of the stack."""
    high = float(np.iinfo(stack.dtype).max) if stack.dtype.kind in "iu" else 65535.0
    return function(stack, bins=min(int(high) + 1, 65536), range_min=0.0, range_max=high)


def apply_mask(function: Function, plane: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Objects as the mask."""
    return function(plane, labels > 0)


def count_cells_simple(function: Function, stack: np.ndarray, split_large: bool, **settings: Any) -> np.ndarray:
    """The label image of the accepted cells."""
    module = sys.modules[function.__module__]
    settings["threshold_method"] = module.ThresholdMethod(settings["threshold_method"])
    settings["foreground"] = module.Foreground(settings["foreground"])
    settings["max_size"] = max(settings["max_size"], settings["min_size"])
    config = module.SimpleCellSegmentationConfig(watershed_large_objects=split_large, **settings)
    return function(stack, segmentation_settings=config)[2][0]


def count_cells(function: Function, stack: np.ndarray, **parameters: Any) -> np.ndarray:
    """The label image, of which the function gives the mask or the labels."""
    return function(stack, enable_preprocessing=True, **parameters)[2][0]


def flat_field(function: Function, fields: np.ndarray, **parameters: Any) -> np.ndarray:
    """With the mean grey value of each field kept: the function divides by an estimate that has the brightness of the field
    in it, so it makes all fields alike and hides what differs between them.
    """
    corrected = np.asarray(function(fields, **parameters), dtype=np.float32)
    before, after = fields.mean(axis=(1, 2), keepdims=True), corrected.mean(axis=(1, 2), keepdims=True)
    return corrected * np.divide(before, after, out=np.ones_like(after), where=after > 0)


def neurite_outgrowth(
    function: Function,
    stack: np.ndarray,
    body_width: float,
    body_area: float,
    body_contrast: float,
    neurite_width: float,
    neurite_contrast: float,
    significant: float,
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, float]]:
    """Labels of the neurons (bodies and neurites), their columns, and the values of the field; lengths in pixels."""
    answer = function(
        stack,
        neurite_channel_index=0,
        cell_body=_class(function, "MetaXpressCellBodySettings")(
            approximate_max_width=body_width, minimum_area=body_area, intensity_above_local_background=body_contrast
        ),
        outgrowth=_class(function, "MetaXpressOutgrowthSettings")(
            maximum_width=neurite_width,
            intensity_above_local_background=neurite_contrast,
            minimum_cell_growth_to_log_as_significant=significant,
        ),
        pixel_size=_class(function, "HiddenPixelSize")(1.0),
    )
    neurons = np.asarray(answer[5])
    columns = {_in_pixels(name): column for name, column in rows_of(answer[2]).items() if name != "cell"}
    settings = ("channel", "wavelength", "pixel_size")
    values = {
        _in_pixels(name): value for name, value in one_row(answer[1]).items() if not any(word in name for word in settings)
    }
    return neurons.reshape(neurons.shape[-2:]), columns, values


def _in_pixels(name: str) -> str:
    """The function believes that a pixel is a micrometre, because it is told so; its lengths are in pixels."""
    return name.removesuffix("_um")


def skan(function: Function, stack: np.ndarray, threshold_method: Any, **parameters: Any) -> dict[str, float]:
    """Numbers of the field, from the summary that the function returns; lengths in pixels."""
    answer = function(
        stack,
        threshold_method=threshold_method,
        analysis_dimension=_class(function, "AnalysisDimension")("2d"),
        **parameters,
    )
    return one_row(answer[1])


def tile_positions(
    function: Function, stack: np.ndarray, rows: int, columns: int, overlap_ratio: float, max_shift: float
) -> list[dict[str, float]]:
    """Position of each field in pixels, so that the first lies at 0, 0; a single field is where it is."""
    if len(stack) == 1:
        return [{"tile_y": 0.0, "tile_x": 0.0}]
    if rows * columns != len(stack):
        columns = len(stack) if rows * columns == 1 else columns
        if rows * columns != len(stack):
            raise ValueError(f"a well of {len(stack)} fields is not {rows} rows of {columns}")
    _, positions = function(
        stack, grid_dimensions=(rows, columns), overlap_ratio=overlap_ratio, pixel_size=1.0, max_shift=max_shift
    )
    places = np.asarray(positions, dtype=np.float64)
    places = places - places[0]
    return [{"tile_x": float(x), "tile_y": float(y)} for x, y in places]
