# SPDX-License-Identifier: AGPL-3.0-or-later
"""Check a pipeline document against the catalogue, without OpenHCS.

Errors are collected by path (``steps.0.parameters.diameter``), so that a form can show each beside its field. What passes
here is safe to build: known functions, known parameters, values of the right type within their range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from openhcs_client import (
    ExposedParameter,
    FunctionParameter,
    ParameterValue,
    PipelineDocument,
    PipelineStep,
    ValidationReport,
)

from .catalogue import CatalogueEntry, catalogue_entry
from .channels import channel_number

__all__ = ["check_document", "check_published", "check_value"]

_NAME_LENGTH = 40


def check_document(document: PipelineDocument, channels: Sequence[str] | None) -> ValidationReport:
    """Say everything that is wrong with ``document``.

    ``channels`` are the channel names of the plate it is to run on; ``None`` checks the document by itself.
    """
    errors: dict[str, str] = {}
    made = {"image"}
    columns: set[str] = set()
    for index, step in enumerate(document.steps):
        if step.enabled:
            errors |= {f"steps.{index}.{path}": text for path, text in _check_step(step, made, channels).items()}
            errors |= {f"steps.{index}.{path}": text for path, text in _check_columns(step, columns).items()}
    if not any(step.enabled for step in document.steps):
        errors["steps"] = "Every step is switched off; switch on at least one."
    elif "measurements" not in made:
        errors.setdefault("steps", "No step measures anything; add one that does.")
    errors |= _check_exposed(document)
    described = {measurement.name for measurement in document.measurements}
    if document.primary_measurement is not None and document.primary_measurement not in described:
        errors["primary_measurement"] = f"{document.primary_measurement!r} is not among the measurements."
    if channels is not None and len(channels) < document.minimum_channels:
        errors["minimum_channels"] = f"The pipeline needs {document.minimum_channels} channels; the plate has {len(channels)}."
    return ValidationReport(valid=not errors, field_errors=errors)


def check_published(document: PipelineDocument, channels: Sequence[str] | None) -> ValidationReport:
    """:func:`check_document` for a document without a user's values in it: its steps must hold the defaults it shows.

    A run writes the defaults into the steps, so a step with another value would silently not run as it was written.
    """
    errors = _check_defaults(document) | check_document(document, channels).field_errors
    return ValidationReport(valid=not errors, field_errors=errors)


def _check_defaults(document: PipelineDocument) -> dict[str, str]:
    errors = {}
    for index, exposed in enumerate(document.parameters):
        step = document.steps[exposed.step]
        if exposed.parameter in step.parameters and (value := step.parameters[exposed.parameter]) != exposed.default:
            errors[f"parameters.{index}.default"] = (
                f"The default is {exposed.default!r}, but step {step.name!r} has {value!r}; give both the same value."
            )
    return errors


def _check_step(step: PipelineStep, made: set[str], channels: Sequence[str] | None) -> dict[str, str]:
    """Check one step, and add what it makes to ``made``."""
    try:
        entry = catalogue_entry(step.function)
    except KeyError:
        return {"function": f"There is no function {step.function!r}."}
    if not entry.info.offered:
        return {"function": f"{entry.info.title} cannot be used: {entry.info.reason}"}
    errors = _check_parameters(step, entry, channels)
    missing = [name for name in entry.info.inputs if name not in made]
    if missing:
        errors["function"] = f"{entry.info.title} needs {' and '.join(missing)} from an earlier step."
    made.update(entry.info.outputs)
    if step.channels is not None and not entry.is_filter:
        errors["channels"] = f"{entry.info.title} cannot be restricted to channels."
    elif step.channels is not None:
        errors |= _check_channels(step.channels, channels)
    grouping = entry.grouping
    if step.grouping is not None and (step.grouping.over, step.grouping.by) != ([grouping.over], grouping.by):
        errors["grouping"] = f"{entry.info.title} works over {grouping.over} by {grouping.by}; leave the grouping out."
    return errors


def _check_columns(step: PipelineStep, taken: set[str]) -> dict[str, str]:
    """Two steps must not fill the same columns: named ones need different names, others work once."""
    try:
        entry = catalogue_entry(step.function)
    except KeyError:
        return {}  # said elsewhere
    if "measurements" not in entry.info.outputs:
        return {}
    named = entry.parameters.get("name")
    columns = f"name {step.parameters.get('name', named.default)}" if named is not None else f"function {step.function}"
    if columns not in taken:
        taken.add(columns)
        return {}
    if named is None:
        return {"function": f"{entry.info.title} can be used once in a pipeline."}
    return {"parameters.name": "Another step uses this name for its columns."}


def _check_channels(chosen: list[str], channels: Sequence[str] | None) -> dict[str, str]:
    if not chosen:
        return {"channels": "Choose at least one channel, or leave the choice out to mean all."}
    if channels is None:
        return {}
    errors = {}
    for index, channel in enumerate(chosen):
        try:
            channel_number(channel, channels)
        except ValueError as error:
            errors[f"channels.{index}"] = str(error)
    return errors


def _check_parameters(step: PipelineStep, entry: CatalogueEntry, channels: Sequence[str] | None) -> dict[str, str]:
    errors = {}
    for name, value in step.parameters.items():
        if name not in entry.parameters:
            errors[f"parameters.{name}"] = f"{entry.info.title} has no parameter {name!r}."
        elif (problem := check_value(entry.parameters[name], value, channels)) is not None:
            errors[f"parameters.{name}"] = problem
    for parameter in entry.info.parameters:
        if parameter.required and parameter.name not in step.parameters:
            errors[f"parameters.{parameter.name}"] = "This parameter must be given."
    return errors


def _check_exposed(document: PipelineDocument) -> dict[str, str]:
    """An exposed parameter must name one of its step, hold its value, and not promise more than the function allows."""
    errors = {}
    for index, exposed in enumerate(document.parameters):
        step = document.steps[exposed.step]
        try:
            parameter = catalogue_entry(step.function).parameter(exposed.parameter)
        except KeyError:
            errors[f"parameters.{index}.parameter"] = f"Step {step.name!r} has no parameter {exposed.parameter!r}."
            continue
        if exposed.type != parameter.type:
            errors[f"parameters.{index}.type"] = f"{exposed.parameter} is of type {parameter.type}."
        errors |= {f"parameters.{index}.{path}": text for path, text in _check_promise(exposed, parameter).items()}
        for default_of in (exposed, parameter):
            if (problem := check_value(default_of, exposed.default)) is not None:
                errors[f"parameters.{index}.default"] = problem
    return errors


def _check_promise(exposed: ExposedParameter, parameter: FunctionParameter) -> dict[str, str]:
    """The limits and choices shown must be those of the function, or narrower."""
    errors = {}
    for name in ("minimum", "maximum"):
        limit = getattr(exposed, name)
        if limit is not None and (problem := _check_range(parameter, limit)) is not None:
            errors[name] = problem
    unknown = [choice for choice in exposed.choices or [] if choice not in (parameter.choices or [])]
    if unknown and parameter.type == "choice":
        errors["choices"] = f"{exposed.parameter} cannot be {' or '.join(unknown)}."
    return errors


def check_value(
    parameter: FunctionParameter | ExposedParameter, value: ParameterValue, channels: Sequence[str] | None = None
) -> str | None:
    """Say what is wrong with ``value`` for ``parameter``, or return ``None`` when it may be used."""
    match parameter.type:
        case "boolean":
            return None if isinstance(value, bool) else "Choose yes or no."
        case "integer":
            if isinstance(value, bool) or not isinstance(value, int):
                return "Enter a whole number."
            return _check_range(parameter, value)
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                return "Enter a number."
            return _check_range(parameter, value)
        case "choice":
            choices = parameter.choices or []
            return None if isinstance(value, str) and value in choices else f"Choose one of {', '.join(choices)}."
        case "channel":
            return _check_channel(value, channels)
        case "string":
            return _check_name(value)
        case _:
            return None if isinstance(value, list) else "Give a list."


def _check_range(parameter: FunctionParameter | ExposedParameter, value: float) -> str | None:
    if not math.isfinite(value):
        return "Enter a number that is not infinite."
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.minimum is not None and value < parameter.minimum:
        return f"The least is {parameter.minimum:g}{unit}."
    if parameter.maximum is not None and value > parameter.maximum:
        return f"The most is {parameter.maximum:g}{unit}."
    return None


def _check_channel(value: ParameterValue, channels: Sequence[str] | None) -> str | None:
    named = isinstance(value, str) and 0 < len(value) <= 120
    numbered = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if not (named or numbered):
        return "Give the name of a channel, or its number counted from 1."
    if channels is None:
        return None
    try:
        channel_number(value, channels)
    except ValueError as error:
        return str(error)
    return None


def _check_name(value: ParameterValue) -> str | None:
    """Strings only ever name columns, so they must look like one."""
    if isinstance(value, str) and value.isascii() and value.isidentifier() and len(value) <= _NAME_LENGTH:
        return None
    return f"Use at most {_NAME_LENGTH} letters, digits and underscores, not beginning with a digit."
