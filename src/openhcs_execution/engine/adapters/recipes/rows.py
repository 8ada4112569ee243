# SPDX-License-Identifier: AGPL-3.0-or-later
"""Read the measurement rows of OpenHCS's functions as plain columns of numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["one_row", "rows_of"]

_NOT_MEASURES = (
    "slice_index",
    "image_number",
    "object_number",
    "object_label",
    "label",
    "plane_index",
    "object_id",
    "scale",
    "first_closest_object_number",
    "second_closest_object_number",
)


def rows_of(answer: Any) -> dict[str, np.ndarray]:
    """Columns of numbers of a measurement answer, by name; text and bookkeeping are left out."""
    rows = getattr(answer, "rows", None)
    if isinstance(rows, tuple | list) and rows and dataclasses.is_dataclass(rows[0]):
        raw: Mapping[str, Any] = {
            field.name: [getattr(row, field.name) for row in rows] for field in dataclasses.fields(rows[0])
        }
    else:
        raw = getattr(answer, "columns", None) or {}
    return {
        _name(name): column
        for name, values in raw.items()
        if (column := _numbers(values)) is not None and name not in _NOT_MEASURES
    }


def one_row(answer: Any) -> dict[str, float]:
    """The numbers of a measurement answer about a whole image."""
    return {name: float(column[0]) for name, column in rows_of(answer).items() if len(column)}


def _numbers(values: Any) -> np.ndarray | None:
    try:
        column = np.array([np.nan if value is None else float(value) for value in values])
    except (TypeError, ValueError):
        return None
    return column if column.ndim == 1 else None


def _name(name: str) -> str:
    """A name that can be a column: letters, digits and underscores, lower case."""
    return "".join(letter if letter.isalnum() else "_" for letter in str(name)).strip("_").lower()[:80]
