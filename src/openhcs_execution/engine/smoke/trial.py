# SPDX-License-Identifier: AGPL-3.0-or-later
"""Run one function as a step on a well, and see everything that came out of it. Runs in the smoke test's child."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from openhcs_client import PipelineDocument, PipelineStep

from ..candidates import Kind, Takes, candidates
from ..catalogue import CatalogueEntry, catalogue_entry
from ..naming import SEES_WELL, name_parameters
from ..orchestration import run_well
from ..staging import StagingFolder
from ..steps import build_steps, callable_of
from ..tables import FieldMeasurements, WellMeasurements
from .look import SEEN, look_step

__all__ = ["Seen", "call_step", "needs_mask", "run_step", "same", "steps_before"]

_MAKERS = {"objects": 1, "spots": 2}


@dataclass
class Seen:
    """What a step gave, by field: the planes, and its artifacts by name."""

    images: dict[int, np.ndarray] = field(default_factory=dict)
    artifacts: dict[int, dict[str, Any]] = field(default_factory=dict)


def needs_mask(entry: CatalogueEntry) -> bool:
    """Whether the function works on masks, so that it is given masks."""
    candidate = candidates().get(entry.info.id)
    return (candidate is not None and candidate.takes is Takes.MASK) or entry.info.id == "omero_openhcs:label_mask"


def steps_before(entry: CatalogueEntry, channels: int) -> list[PipelineStep]:
    """Steps that make the objects that the function asks for."""
    if "nuclei" in entry.info.inputs:
        return [PipelineStep(name="Nuclei", function="omero_openhcs:segment_nuclei", parameters={"diameter": 14.0})]
    wanted = [parameter.default for parameter in entry.info.parameters if parameter.type == "objects"]
    maker = "omero_openhcs:label_mask" if needs_mask(entry) else "omero_openhcs:find_objects"
    return [
        PipelineStep(
            name=f"Make {name}",
            function=maker,
            parameters={"name": name, "channel": min(_MAKERS[name], channels), "split": 12.0},
        )
        for name in wanted
    ]


def tried_step(entry: CatalogueEntry, channels: int, fields: int) -> PipelineStep:
    """The function with its defaults, except where they cannot fit the well."""
    parameters: dict[str, Any] = {}
    for parameter in entry.info.parameters:
        if parameter.type == "channel" and isinstance(parameter.default, int) and parameter.default > channels:
            parameters[parameter.name] = 1
    if entry.kind == Kind.WELL_FIELDS:
        parameters |= {"rows": 1, "columns": fields}
    if entry.names_objects:
        parameters["name"] = "made"
    return PipelineStep(name="Try", function=entry.info.id, parameters=parameters)


def run_step(entry: CatalogueEntry, planes: Mapping[tuple[int, int], np.ndarray]) -> Seen:
    """Run the function on a well of ``planes`` by (field, channel), through the orchestrator, after what it needs.

    Raises:
        Exception: whatever OpenHCS or the function raises.
    """
    channels = sorted({channel for _, channel in planes})
    fields = sorted({number for number, _ in planes})
    names = [f"C{channel}" for channel in channels]
    before = steps_before(entry, len(channels))
    document = PipelineDocument(id="try", name="Try", steps=[*before, tried_step(entry, len(channels), len(fields))])
    with tempfile.TemporaryDirectory(prefix="openhcs-try-", ignore_cleanup_errors=True) as scratch:
        staging = StagingFolder(Path(scratch) / "planes", "A01", names, None)
        for (number, channel), plane in planes.items():
            staging.add_plane(number, channel, 1, 1, plane)
        staging.finish()
        steps = [*build_steps(document, names, focal_planes=2), look_step()]
        made = run_well(staging.root, Path(scratch) / "out", "A01", steps, lambda event: None, execution_id="try")
    of_step = {spec for spec in (artifact.name for artifact in made) if not _of_earlier(spec, before)}
    seen = Seen(artifacts={number: {} for number in fields})
    for artifact in made:
        if artifact.name == SEEN:
            seen.images[artifact.field] = artifact.value
        elif isinstance(artifact.value, WellMeasurements):
            for number, part in zip(fields, artifact.value.fields, strict=True):
                seen.artifacts[number][artifact.name] = part
        elif artifact.name in of_step:
            seen.artifacts[artifact.field][artifact.name] = artifact.value
    return seen


def call_step(entry: CatalogueEntry, planes: Mapping[tuple[int, int], np.ndarray]) -> Seen:
    """The same without OpenHCS's orchestrator, which takes most of the time: the step's callable on the planes of each call.

    Raises:
        Exception: whatever the function raises.
    """
    channels = sorted({channel for _, channel in planes})
    fields = sorted({number for number, _ in planes})
    step = tried_step(entry, len(channels), len(fields))
    seen = Seen(artifacts={number: {} for number in fields})
    if entry.kind in SEES_WELL:
        stack = np.stack([planes[number, channel] for number in fields for channel in channels])
        answer = _called(step, stack, {"channels_per_field": len(channels)})
        image = answer[0].reshape(len(fields), len(channels), *stack.shape[1:])
        seen.images = {number: image[index] for index, number in enumerate(fields)}
        for value in answer[1:]:
            for number, part in zip(fields, value.fields, strict=True):
                seen.artifacts[number]["measurements"] = part
        return seen
    if entry.grouping.by == "channel":
        return _called_by_channel(entry, step, planes, fields, channels)
    for number in fields:
        image = np.stack([planes[number, channel] for channel in channels])
        objects: dict[str, np.ndarray] = {}
        for before in steps_before(entry, len(channels)):
            made = _called(before, image, {})[1]
            objects |= {"labels" if "nuclei" in entry.info.inputs else str(before.parameters["name"]): made}
        taken = {
            parameter.name: objects[parameter.default] for parameter in entry.info.parameters if parameter.type == "objects"
        }
        taken |= {"labels": objects["labels"]} if "labels" in objects else {}
        answer = _called(step, image, taken)
        seen.images[number] = answer[0]
        for value in answer[1:]:
            name = "measurements" if isinstance(value, FieldMeasurements) else "labels_made"
            seen.artifacts[number][name] = value
    return seen


def _called_by_channel(
    entry: CatalogueEntry,
    step: PipelineStep,
    planes: Mapping[tuple[int, int], np.ndarray],
    fields: Sequence[int],
    channels: Sequence[int],
) -> Seen:
    """For the functions that see one channel at a time: all its fields, or the focal planes of one."""
    images: dict[int, list[np.ndarray]] = {number: [] for number in fields}
    for channel in channels:
        if entry.grouping.over == ("site",):
            result = _called(step, np.stack([planes[number, channel] for number in fields]), {})[0]
            for number, plane in zip(fields, result, strict=True):
                images[number].append(plane)
        else:
            for number in fields:
                images[number].append(
                    np.asarray(_called(step, planes[number, channel][None], {})[0]).reshape(planes[number, channel].shape)
                )
    return Seen({number: np.stack(parts) for number, parts in images.items()}, {number: {} for number in fields})


def _called(step: PipelineStep, image: np.ndarray, more: Mapping[str, Any]) -> tuple[Any, ...]:
    """Call the step's callable with its parameters; names and objects are part of the callable or of ``more``."""
    entry = catalogue_entry(step.function)
    named = name_parameters(candidates()[step.function]) if step.function in candidates() else ()
    parameters = {name: value for name, value in step.parameters.items() if name not in named}
    # Without OpenHCS's decorations: called outside of its orchestrator they convert types in a way of their own.
    function = inspect.unwrap(callable_of(step.function, step.parameters))
    answer = function(image, **parameters, **more)
    return answer if isinstance(answer, tuple) and len(entry.info.outputs) > 1 else (answer,)


def _of_earlier(artifact: str, before: list[PipelineStep]) -> bool:
    """Whether an artifact was made by one of the steps before."""
    for step in before:
        if step.function == "omero_openhcs:segment_nuclei" and artifact in ("labels_nuclei", "measurements_nuclei"):
            return True
        name = step.parameters.get("name")
        if name is not None and (
            artifact == f"labels_{name}" or (artifact.endswith(f"__{name}") and step.function.partition(":")[2] in artifact)
        ):
            return True
    return False


def same(first: Any, second: Any) -> bool:
    """Whether two artifacts hold the same; NaN equals NaN."""
    if isinstance(first, FieldMeasurements):
        return (
            first.kind == second.kind
            and _same_table(first.objects, second.objects)
            and _same_table(first.values, second.values)
            and dict(first.counts) == dict(second.counts)
        )
    return bool(np.array_equal(np.asarray(first), np.asarray(second), equal_nan=np.asarray(first).dtype.kind == "f"))


def _same_table(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return first.keys() == second.keys() and all(
        np.array_equal(np.asarray(first[name], float), np.asarray(second[name], float), equal_nan=True) for name in first
    )
