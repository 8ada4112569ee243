# SPDX-License-Identifier: AGPL-3.0-or-later
"""One adapter per kind: planes of a field in, the image for the next step and its artifacts out.

An adapter gets the candidate, the planes that one call of a step sees, the label images that it asked for, and plain
parameters. It calls the function once per plane, so nothing can leak between channels or fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from openhcs_client import OpenHCSError

from ..candidates import Candidate, Gives, Kind
from ..functions.planes import finite, plane_of
from ..imaging.labels import drop_small, remove_border_objects, renumber
from ..imaging.objects import measure_shape, object_count
from ..imaging.objects_of import discs, mask_to_labels
from ..naming import SEES_WELL
from ..tables import FieldMeasurements, WellMeasurements
from .calls import call
from .planes import given, scaled, taken

__all__ = ["Asked", "adapt"]


@dataclass(frozen=True)
class Asked:
    """What one call of a step is about.

    Attributes:
        image: the planes, (channel, y, x) of a field, or (field x channel, y, x) of a well with ``channels_per_field``.
        labels: label images by the parameter that asked for them (``objects``, ``others``).
        names: the names behind the parameters ``name``, ``objects`` and ``others``.
        parameters: everything else, plain values.
        channels: numbers of the channels that a restrictable step may change, from 1; empty means all.
    """

    candidate: Candidate
    image: np.ndarray
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[int, ...] = ()
    channels_per_field: int = 0


def adapt(asked: Asked) -> tuple[Any, ...]:
    """Run the adapter of the candidate's kind: the image for the next step, then the artifacts of the kind.

    Raises:
        OpenHCSError: ``bad_pipeline`` for a function that sees a well and is not told how many channels its fields have;
            guessing would take channels for fields.
        Exception: whatever the function raises.
    """
    if asked.candidate.kind in SEES_WELL and (asked.channels_per_field < 1 or len(asked.image) % asked.channels_per_field):
        raise OpenHCSError("bad_pipeline", f"{asked.candidate.title} must be told how many channels a field has.", status=422)
    return _ADAPTERS[asked.candidate.kind](asked)


def _own(asked: Asked, *adapters: str) -> dict[str, Any]:
    """The function's own parameters: without those that belong to the adapter."""
    return {name: value for name, value in asked.parameters.items() if name not in adapters}


def _others(asked: Asked) -> dict[str, np.ndarray]:
    """The second label image, of the functions that take two."""
    return {"others": asked.labels["others"]} if "others" in asked.labels else {}


def _chosen(asked: Asked) -> Sequence[int]:
    return asked.channels or range(1, asked.channels_per_field + 1)


def _replace(asked: Asked, planes: Mapping[int, np.ndarray]) -> np.ndarray:
    """The stack with some planes replaced: in its own type, or as float32 when a result has decimals."""
    float_result = asked.candidate.gives in (Gives.FLOAT32, Gives.SCORE)
    result = asked.image.astype(np.float32) if float_result else asked.image.copy()
    for index, plane in planes.items():
        result[index] = plane
    return result


def _image(asked: Asked) -> tuple[np.ndarray]:
    candidate = asked.candidate
    scale = scaled(candidate.takes, asked.image.dtype)
    planes = {}
    for channel in asked.channels or range(1, len(asked.image) + 1):
        plane = plane_of(asked.image, channel)
        handed = taken(plane, candidate.takes)
        planes[channel - 1] = given(call(candidate, (handed,), asked.parameters, handed), plane, candidate.gives, scale)
    return (_replace(asked, planes),)


def _paint(asked: Asked) -> tuple[np.ndarray]:
    candidate, labels = asked.candidate, asked.labels["objects"]
    scale = scaled(candidate.takes, asked.image.dtype)
    planes = {}
    for channel in asked.channels or range(1, len(asked.image) + 1):
        plane = plane_of(asked.image, channel)
        handed = taken(plane, candidate.takes)
        planes[channel - 1] = given(call(candidate, (handed, labels), asked.parameters, handed), plane, candidate.gives, scale)
    return (_replace(asked, planes),)


def _objects(asked: Asked) -> tuple[np.ndarray, np.ndarray, FieldMeasurements]:
    candidate, name = asked.candidate, asked.names["name"]
    plane = plane_of(asked.image, asked.parameters["channel"])
    handed = taken(plane, candidate.takes)
    own = _own(asked, "channel", "smallest", "exclude_border")
    answer = call(candidate, (handed,), own, handed)
    columns: Mapping[str, np.ndarray] = {}
    values: Mapping[str, float] = {}
    if isinstance(answer, tuple):
        answer, columns, values = answer
    if candidate.kind is Kind.POINTS:
        labels = discs(answer[:, :2], answer[:, 2], plane.shape)
    else:
        labels = _as_labels(answer, plane.shape)
    if not columns:
        labels = renumber(drop_small(labels, asked.parameters.get("smallest", 0)))
        if asked.parameters.get("exclude_border", False):
            labels = renumber(remove_border_objects(labels))
    return asked.image, labels, _about(labels, name, columns, values)


def _regroup(asked: Asked) -> tuple[np.ndarray, np.ndarray, FieldMeasurements]:
    candidate, name = asked.candidate, asked.names["name"]
    labels = asked.labels["objects"]
    inputs: tuple[Any, ...] = (labels,)
    handed = None
    if candidate.of_plane:
        handed = taken(plane_of(asked.image, asked.parameters["channel"]), candidate.takes)
        inputs = (labels, handed)
    own = _own(asked, "channel") | _others(asked)
    made = renumber(_as_labels(call(candidate, inputs, own, handed), labels.shape))
    return asked.image, made, _about(made, name)


def _about(
    labels: np.ndarray, name: str, columns: Mapping[str, np.ndarray] | None = None, values: Mapping[str, float] | None = None
) -> FieldMeasurements:
    """Number, position and shape of objects; columns carry their name, so that those of different objects are never mixed."""
    shape = measure_shape(labels)
    positions = {key: shape[key] for key in ("label", "centroid_y", "centroid_x", "touches_border")}
    own = {f"{name}_{key}": shape[key] for key in ("area", "eccentricity")}
    more = {f"{name}_{key}": column for key, column in (columns or {}).items() if f"{name}_{key}" not in own}
    return FieldMeasurements(
        kind=name,
        objects=positions | own | more,
        counts={f"{name}_count": object_count(labels)},
        values={f"{name}_{key}": value for key, value in (values or {}).items() if key != "count"},
    )


def _as_labels(answer: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A label image (y, x), int32, out of labels or a mask.

    Raises:
        TypeError: when the answer is neither.
    """
    labels = np.asarray(answer)
    if labels.shape == (1, *shape):
        labels = labels[0]
    if labels.shape != shape or labels.dtype.kind not in "biu":
        raise TypeError(f"the function returned {labels.dtype} of {labels.shape} rather than objects")
    return mask_to_labels(labels) if labels.dtype.kind == "b" else labels.astype(np.int32)


def _measure_objects(asked: Asked) -> tuple[np.ndarray, FieldMeasurements]:
    candidate, labels = asked.candidate, asked.labels["objects"]
    inputs: tuple[Any, ...] = (labels,)
    handed = None
    if candidate.of_plane:
        handed = taken(plane_of(asked.image, asked.parameters["channel"]), candidate.takes)
        inputs = (labels, handed)
    own = _own(asked, "channel", "second_channel") | _others(asked)
    if "second_channel" in asked.parameters:
        own["second"] = taken(plane_of(asked.image, asked.parameters["second_channel"]), candidate.takes)
    count = object_count(labels)
    columns = call(candidate, inputs, own, handed) if count else {}
    objects, name = asked.names["objects"], asked.names["name"]
    wrong = [key for key, column in columns.items() if len(column) != count]
    if wrong:
        raise TypeError(f"the function returned {len(columns[wrong[0]])} values of {wrong[0]} for {count} objects")
    numbers: dict[str, np.ndarray] = {"label": np.arange(1, count + 1)}
    numbers |= {f"{objects}_{name}_{key}": np.asarray(column, np.float64) for key, column in columns.items()}
    return asked.image, FieldMeasurements(kind=objects, objects=numbers)


def _measure_field(asked: Asked) -> tuple[np.ndarray, FieldMeasurements]:
    candidate, name = asked.candidate, asked.names["name"]
    plane = plane_of(asked.image, asked.parameters["channel"])
    handed = taken(plane, candidate.takes)
    values = _values(candidate, call(candidate, (handed,), _own(asked, "channel"), handed))
    return asked.image, FieldMeasurements(kind="field", values={f"{name}_{key}": value for key, value in values.items()})


def _values(candidate: Candidate, answer: Any) -> dict[str, float]:
    """Numbers by name out of a number, several, or the rows of an OpenHCS measurement.

    Raises:
        TypeError: when there are more or fewer than the candidate names.
    """
    from .recipes.rows import one_row

    if isinstance(answer, Mapping):
        return {key: float(value) for key, value in answer.items()}
    if not candidate.columns:
        return one_row(answer)
    numbers = np.atleast_1d(np.asarray(answer, np.float64)).ravel()
    if len(numbers) != len(candidate.columns):
        raise TypeError(f"the function returned {len(numbers)} numbers rather than {len(candidate.columns)}")
    return dict(zip(candidate.columns, (float(number) for number in numbers), strict=True))


def _fields_of(asked: Asked, channel: int) -> np.ndarray:
    """The planes of one channel of all fields (field, y, x), in the order of the fields."""
    return finite(asked.image[channel - 1 :: asked.channels_per_field])


def _well_image(asked: Asked) -> tuple[np.ndarray]:
    candidate = asked.candidate
    scale = scaled(candidate.takes, asked.image.dtype)
    planes = {}
    for channel in _chosen(asked):
        fields = _fields_of(asked, channel)
        handed = np.stack([taken(plane, candidate.takes) for plane in fields])
        answer = np.asarray(call(candidate, (handed,), asked.parameters))
        if answer.shape != fields.shape:
            raise TypeError(f"the function turned fields of {fields.shape} into {answer.shape}")
        for index, (plane, result) in enumerate(zip(fields, answer, strict=True)):
            planes[index * asked.channels_per_field + channel - 1] = given(result, plane, candidate.gives, scale)
    return (_replace(asked, planes),)


def _well_fields(asked: Asked) -> tuple[np.ndarray, WellMeasurements]:
    candidate = asked.candidate
    fields = _fields_of(asked, asked.parameters["channel"])
    handed = np.stack([taken(plane, candidate.takes) for plane in fields])
    try:
        rows = call(candidate, (handed,), _own(asked, "channel"))
    except ValueError as error:
        raise OpenHCSError("bad_pipeline", f"{candidate.title}: {error}.", status=422) from error
    name = asked.names["name"]
    return asked.image, WellMeasurements(
        tuple(FieldMeasurements(kind="field", values={f"{name}_{key}": value for key, value in row.items()}) for row in rows)
    )


_ADAPTERS: dict[Kind, Callable[[Asked], tuple[Any, ...]]] = {
    Kind.IMAGE: _image,
    Kind.PAINT: _paint,
    Kind.OBJECTS: _objects,
    Kind.POINTS: _objects,
    Kind.REGROUP: _regroup,
    Kind.MEASURE_OBJECTS: _measure_objects,
    Kind.MEASURE_FIELD: _measure_field,
    Kind.WELL_IMAGE: _well_image,
    Kind.WELL_FIELDS: _well_fields,
}
