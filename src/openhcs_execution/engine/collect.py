# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turn what the steps made into files: tidy tables as Parquet, label images as int32 arrays, and the well's own values.

One row per object and one per field; every cell is a number or a string. A field without objects still has its row, and a
mean over no objects is missing, never zero.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from openhcs_client import OpenHCSError

from .imaging.objects import object_count
from .jobs import LabelFile
from .tables import Artifact, FieldMeasurements, WellMeasurements

__all__ = ["Collected", "collect"]

_POSITION = ("label", "centroid_y", "centroid_x", "touches_border")
"""Columns that describe where an object is; averaging them says nothing."""

_LABELS, _MEASUREMENTS = "labels_", "measurements_"

_Value = TypeVar("_Value")


@dataclass
class Collected:
    """The files and values of a well."""

    fields_table: Path
    objects_table: Path | None
    labels: list[LabelFile] = field(default_factory=list)
    well_measurements: dict[str, float | None] = field(default_factory=dict)


@dataclass
class _Field:
    """What is known of one field so far; ``objects`` by kind, then by column."""

    objects: dict[str, dict[str, np.ndarray]] = field(default_factory=lambda: defaultdict(dict))
    counts: dict[str, int] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)

    def add(self, measurements: FieldMeasurements) -> None:
        _merge(self.objects[measurements.kind], measurements.objects)
        _merge(self.counts, measurements.counts)
        _merge(self.values, measurements.values)


def _merge(known: dict[str, _Value], more: Mapping[str, _Value]) -> None:
    """Add columns of one step to those of earlier steps; all tables have labels, any other name belongs to one step."""
    taken = (known.keys() & more.keys()) - {"label"}
    if taken:
        raise OpenHCSError("bad_pipeline", f"Two steps measure {min(taken)!r}; give one of them another name.")
    known.update(more)


def collect(artifacts: Iterable[Artifact], fields: Sequence[int], well: str, output: Path) -> Collected:
    """Write the tables and label images of ``well`` below ``output`` and return where they are.

    Raises:
        OpenHCSError: ``fields_missing`` when a field did not come back, ``bad_pipeline`` when columns collide.
    """
    by_field: dict[int, _Field] = {number: _Field() for number in fields}
    labels: list[LabelFile] = []
    output.mkdir(parents=True, exist_ok=True)
    measured: dict[str, set[int]] = defaultdict(set)
    for artifact in artifacts:
        if isinstance(artifact.value, WellMeasurements):
            _add_well(artifact.value, by_field)
            measured[artifact.name].update(by_field)
            continue
        if artifact.field not in by_field:
            raise OpenHCSError("fields_missing", f"OpenHCS returned field {artifact.field}, which was not asked for.")
        measured[artifact.name].add(artifact.field)
        if artifact.name.startswith(_LABELS):
            labels.append(_save_labels(artifact, output))
        elif artifact.name.startswith(_MEASUREMENTS):
            by_field[artifact.field].add(artifact.value)
    for name, found in measured.items():
        if found != set(by_field):
            raise OpenHCSError("fields_missing", f"OpenHCS lost the {name} of field {min(set(by_field) - found)}.")
    if not measured:
        raise OpenHCSError("fields_missing", f"OpenHCS returned nothing for well {well}.")
    return Collected(
        fields_table=_write(_field_rows(by_field, well), output / "fields.parquet"),
        objects_table=_write_objects(by_field, well, output / "objects.parquet"),
        labels=sorted(labels, key=lambda file: (file.field, file.name)),
        well_measurements=_well_values(by_field),
    )


def _add_well(measurements: WellMeasurements, by_field: Mapping[int, _Field]) -> None:
    """Give each field its part of what was measured on all fields together.

    Raises:
        OpenHCSError: ``fields_missing`` when their numbers differ.
    """
    if len(measurements.fields) != len(by_field):
        raise OpenHCSError("fields_missing", f"OpenHCS measured {len(measurements.fields)} of {len(by_field)} fields.")
    for number, part in zip(sorted(by_field), measurements.fields, strict=True):
        by_field[number].add(part)


def _save_labels(artifact: Artifact, output: Path) -> LabelFile:
    name = artifact.name.removeprefix(_LABELS)
    labels = np.ascontiguousarray(artifact.value, dtype=np.int32)
    path = output / f"field-{artifact.field:03d}-{name}.npy"
    np.save(path, labels)
    return LabelFile(field=artifact.field, name=name, path=path, objects=object_count(labels))


def _averaged(name: str) -> bool:
    return name not in _POSITION


def _field_rows(by_field: Mapping[int, _Field], well: str) -> dict[str, list[Any]]:
    rows: list[dict[str, Any]] = []
    for number, known in sorted(by_field.items()):
        row: dict[str, Any] = {"well": well, "field": number}
        for values in (known.counts, known.values, _object_means([known])):
            _merge(row, values)
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _object_means(fields: Sequence[_Field]) -> dict[str, float | None]:
    """Mean over all objects of ``fields``, per column; ``None`` where there is no object with a value."""
    gathered: dict[str, list[np.ndarray]] = defaultdict(list)
    for known in fields:
        for columns in known.objects.values():
            for name, column in columns.items():
                if _averaged(name):
                    gathered[name].append(np.asarray(column, dtype=np.float64))
    return {name: _mean(np.concatenate(parts)) for name, parts in gathered.items()}


def _mean(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None


def _well_values(by_field: Mapping[int, _Field]) -> dict[str, float | None]:
    """Counts add up, objects' values average over objects, fields' values over fields."""
    fields = list(by_field.values())
    counts = {name: float(sum(known.counts[name] for known in fields)) for name in fields[0].counts}
    values = {name: _mean(np.array([known.values[name] for known in fields])) for name in fields[0].values}
    return counts | values | _object_means(fields)


def _write_objects(by_field: Mapping[int, _Field], well: str, path: Path) -> Path | None:
    """One row per object of every kind; a column that a kind does not have is missing there."""
    tables = []
    for number, known in sorted(by_field.items()):
        for kind, columns in known.objects.items():
            count = len(columns.get("label", ()))
            head = {"well": pa.array([well] * count, pa.string()), "field": pa.array([number] * count, pa.int64())}
            head["object"] = pa.array([kind] * count, pa.string())
            tables.append(pa.table(head | {name: _column(column) for name, column in columns.items()}))
    if not tables:
        return None
    pq.write_table(pa.concat_tables(tables, promote_options="default"), path)
    return path


def _column(values: np.ndarray) -> pa.Array:
    """Numbers as Parquet numbers; a value that is not finite is missing."""
    values = np.asarray(values)
    if values.dtype.kind == "f":
        return pa.array(values.astype(np.float64), pa.float64(), mask=~np.isfinite(values))
    return pa.array(values.astype(np.int64), pa.int64())


def _write(columns: Mapping[str, list[Any]], path: Path) -> Path:
    arrays = {}
    for name, cells in columns.items():
        clean = [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in cells]
        kind = pa.string() if name == "well" else pa.int64() if all(isinstance(cell, int) for cell in clean) else pa.float64()
        arrays[name] = pa.array(clean, kind)
    pq.write_table(pa.table(arrays), path)
    return path
