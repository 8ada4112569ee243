# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recipes for OpenHCS's ports of CellProfiler's modules: label images in their own wrapping, answers unwrapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .rows import rows_of

__all__ = [
    "convert_image_to_objects",
    "correct_illumination_of_field",
    "find_maxima",
    "mask_image",
    "morph",
    "port_on_labels",
    "port_rows",
    "port_values",
    "primary_objects",
    "secondary_objects",
    "tertiary_objects",
]

Function = Callable[..., Any]


def _wrapped(labels: np.ndarray) -> Any:
    """A label image as OpenHCS passes it between steps, with its labels declared."""
    from openhcs.core.runtime_object_label_domains import ObjectLabelDomain
    from openhcs.core.runtime_object_labels import ObjectLabelPayload, ObjectLabelVariantData
    from openhcs.core.source_spatial_domain import SourceSpatialDomain

    present = tuple(int(label) for label in np.unique(labels) if label)
    return ObjectLabelPayload(
        variant_data=ObjectLabelVariantData(labels=labels),
        domain=ObjectLabelDomain(declared_object_ids=present),
        source_spatial_domain=SourceSpatialDomain(origin_yx=(0, 0), source_shape_yx=labels.shape),
    )


def _labels(answer: Any) -> np.ndarray:
    """The label image in an answer: the last value that has one."""
    from openhcs.core.runtime_object_labels import ObjectLabelValue

    values = answer if isinstance(answer, tuple) else (answer,)
    found = [value for value in values if isinstance(value, ObjectLabelValue)]
    labels = np.asarray(found[-1].labels)
    return labels.reshape(labels.shape[-2:])


def correct_illumination_of_field(function: Function, plane: np.ndarray, **parameters: Any) -> np.ndarray:
    """Calculate the illumination of the plane, divide it out, and keep the mean."""
    from .. import calls

    surface = np.asarray(calls.plain(function(plane, **parameters)), np.float64)
    surface = np.maximum(surface / max(float(surface.mean()), 1e-12), 1e-3)
    corrected = plane / surface
    mean = float(corrected.mean())
    return corrected * (float(plane.mean()) / mean) if mean > 0 else corrected


def morph(function: Function, plane: np.ndarray, **parameters: Any) -> Any:
    """The function takes a mask as numbers."""
    return function(plane.astype(np.float32), **parameters)


def mask_image(function: Function, plane: np.ndarray, labels: np.ndarray, invert_mask: bool, **_: Any) -> Any:
    """Objects as the mask."""
    return function(plane, mask=(labels > 0), invert_mask=invert_mask)


def primary_objects(
    function: Function, plane: np.ndarray, min_diameter: int, max_diameter: int, **parameters: Any
) -> np.ndarray:
    """With diameters in order; the dividing lines follow what tells objects apart."""
    smallest, largest = sorted((min_diameter, max_diameter))
    if plane.max() == plane.min():
        return np.zeros(plane.shape, np.int32)
    return _labels(function(plane, min_diameter=smallest, max_diameter=largest, **parameters))


def convert_image_to_objects(function: Function, plane: np.ndarray, **parameters: Any) -> np.ndarray:
    """The function takes a mask as numbers."""
    return _labels(function(plane.astype(np.uint8), **parameters))


def find_maxima(function: Function, plane: np.ndarray, **parameters: Any) -> np.ndarray:
    """The function returns the labels of the maxima as an image of decimals."""
    from .. import calls

    return np.rint(calls.plain(function(plane, **parameters)[0])).astype(np.int32)


def secondary_objects(function: Function, labels: np.ndarray, plane: np.ndarray, **parameters: Any) -> np.ndarray:
    """Objects grown from ``labels``, with the same numbers."""
    if not labels.any():
        return labels
    return _labels(function(plane, primary_labels=_wrapped(labels), **parameters))


def tertiary_objects(function: Function, labels: np.ndarray, others: np.ndarray, **parameters: Any) -> np.ndarray:
    """``labels`` without ``others``."""
    if not labels.any() or not others.any():
        return labels
    image = np.zeros(labels.shape, np.float32)
    return _labels(function(image, secondary_labels=_wrapped(labels), primary_labels=_wrapped(others), **parameters))


def port_on_labels(function: Function, labels: np.ndarray, **parameters: Any) -> np.ndarray:
    """A module that changes objects and does not look at an image."""
    if not labels.any():
        return labels
    return _labels(function(np.zeros(labels.shape, np.float32), labels=_wrapped(labels), **parameters))


def port_values(function: Function, plane: np.ndarray, **parameters: Any) -> dict[str, float]:
    """A module that measures a plane in several rows, each with numbers of its own: the first number of each column."""
    values = {}
    for name, cells in function(plane, **parameters)[-1].columns.items():
        numbers = [float(cell) for cell in cells if isinstance(cell, int | float | np.number)]
        if numbers and name not in ("slice_index", "scale"):
            values[str(name)] = numbers[0]
    return values


def port_rows(
    function: Function, labels: np.ndarray, plane: np.ndarray | None = None, **parameters: Any
) -> dict[str, np.ndarray]:
    """A module that measures objects: its columns, one row per object."""
    image = np.zeros(labels.shape, np.float32) if plane is None else plane
    name = "seed_labels" if "skeleton" in function.__name__ else "labels"
    answer = function(image, **{name: _wrapped(labels)}, **parameters)
    return rows_of(answer[-1])
