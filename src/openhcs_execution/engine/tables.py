# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a step function says about one field, before it becomes rows of a table.

A step returns a :class:`FieldMeasurements` beside its image. The kinds of numbers differ in how they combine: counts of
fields add up to the count of the well, values of objects average over all objects, values of fields average over fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Artifact", "FieldMeasurements", "WellMeasurements"]


@dataclass(frozen=True)
class FieldMeasurements:
    """Measurements of one field.

    Attributes:
        kind: what the objects are (``nuclei``, ``spots``); tables of the same kind are joined by ``label``.
        objects: columns of equal length, one entry per object; has ``label`` unless it is empty.
        counts: values that add up over fields (number of objects).
        values: values of the whole field that average over fields (background level).
    """

    kind: str
    objects: Mapping[str, np.ndarray] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.objects.items()}
        if self.objects and "label" not in self.objects:
            raise ValueError(f"the table of {self.kind} has no label column")
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of {self.kind} have different lengths: {lengths}")


@dataclass(frozen=True)
class Artifact:
    """A value that a step made for one field, by the name under which the step declares it."""

    name: str
    field: int
    value: Any


@dataclass(frozen=True)
class WellMeasurements:
    """Measurements of all fields of a well, made by a step that sees them together; in the order of the fields."""

    fields: tuple[FieldMeasurements, ...]
