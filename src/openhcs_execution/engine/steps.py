# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turn a pipeline document into OpenHCS steps. Runs in the engine's child only.

Functions come from fixed tables, never from names found in a document; parameters are values that passed
:func:`~openhcs_execution.engine.validation.check_document`. OpenHCS strips a step while compiling it, so steps are built
afresh for every compilation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openhcs.constants.constants import GroupBy, VariableComponents
from openhcs.constants.input_source import InputSource
from openhcs.core.config import LazyProcessingConfig
from openhcs.core.steps.function_step import FunctionStep
from openhcs.processing.backends.processors.numpy_processor import NumpyStackProjectionMethod, create_projection

from openhcs_client import ParameterValue, PipelineDocument, PipelineStep

from .candidates import candidates
from .catalogue import PROJECTION, CatalogueEntry, catalogue_entry
from .channels import channel_number
from .functions import colocalisation, intensity, native, nuclei, spots
from .functions.adapted import step_function
from .naming import SEES_WELL, name_parameters

__all__ = ["build_steps", "callable_of", "projects"]

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    PROJECTION: create_projection,
    "openhcs:gaussian_blur": native.gaussian_blur,
    "openhcs:tophat": native.tophat,
    "omero_openhcs:correct_illumination": intensity.correct_illumination,
    "omero_openhcs:measure_field_intensity": intensity.measure_field_intensity,
    "omero_openhcs:find_spots": spots.find_spots,
    "omero_openhcs:measure_colocalisation": colocalisation.measure_colocalisation,
    "omero_openhcs:segment_nuclei": nuclei.segment_nuclei,
    "omero_openhcs:measure_nuclei_intensity": nuclei.measure_nuclei_intensity,
}


def callable_of(function_id: str, parameters: Mapping[str, ParameterValue] | None = None) -> Callable[..., Any]:
    """The OpenHCS callable behind a catalogue id.

    Functions that make or take objects differ by the names of these, which are among the ``parameters`` of the step; what is
    not given has its default.

    Raises:
        KeyError: when the catalogue does not offer it.
    """
    if function_id in _FUNCTIONS:
        return _FUNCTIONS[function_id]
    return step_function(function_id, _names(catalogue_entry(function_id), parameters or {}))


def _names(entry: CatalogueEntry, parameters: Mapping[str, ParameterValue]) -> dict[str, str]:
    """The values of the parameters that name objects and columns."""
    named = name_parameters(candidates()[entry.info.id])
    return {name: str(parameters.get(name, entry.parameter(name).default)) for name in named}


def projects(document: PipelineDocument) -> bool:
    """Whether an enabled step of ``document`` brings several focal planes down to one."""
    return any(step.enabled and step.function == PROJECTION for step in document.steps)


def build_steps(
    document: PipelineDocument,
    channels: Sequence[str],
    *,
    focal_planes: int = 1,
    change: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
) -> list[FunctionStep]:
    """Build fresh OpenHCS steps, one per enabled step of ``document``, in order. ``change`` may replace their functions.

    A projection of a single focal plane is that plane; such a step is left out rather than paid for.
    """
    return [
        _step(step, channels, change)
        for step in document.steps
        if step.enabled and not (step.function == PROJECTION and focal_planes == 1)
    ]


def _step(
    step: PipelineStep, channels: Sequence[str], change: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> FunctionStep:
    entry = catalogue_entry(step.function)
    parameters = {name: _value(entry, name, value, channels) for name, value in step.parameters.items()}
    if step.channels is not None:
        parameters["channels"] = tuple(channel_number(channel, channels) for channel in step.channels)
    if step.function == PROJECTION:
        parameters["method"] = NumpyStackProjectionMethod(parameters.get("method", "max_projection"))
    if step.function not in _FUNCTIONS:
        parameters = {name: value for name, value in parameters.items() if name not in _names(entry, {})}
        if entry.kind in SEES_WELL:
            parameters["channels_per_field"] = len(channels)
    return FunctionStep(
        func=(change(callable_of(step.function, step.parameters)), parameters),
        name=step.name,
        processing_config=LazyProcessingConfig(
            variable_components=[VariableComponents(dimension) for dimension in entry.grouping.over],
            group_by=GroupBy(entry.grouping.by),
            input_source=InputSource.PIPELINE_START if step.input == "start" else InputSource.PREVIOUS_STEP,
        ),
    )


def _value(entry: CatalogueEntry, name: str, value: ParameterValue, channels: Sequence[str]) -> Any:
    """The value as the function takes it: channels as numbers from 1, whole numbers as floats where floats are meant."""
    parameter = entry.parameter(name)
    if parameter.type == "channel":
        return channel_number(value, channels)
    if parameter.type == "number" and isinstance(value, int):
        return float(value)
    return value
