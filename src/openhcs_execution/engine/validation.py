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

from .candidates import Kind
from .catalogue import CatalogueEntry, catalogue_entry
from .channels import channel_number

__all__ = ["check_document", "check_published", "check_value"]

_NAME_LENGTH = 40
_NAMED_OBJECTS = "objects"
_RESERVED = {"field", "image", "well", "measurements"}
"""Names that tables and pages use themselves."""


def check_document(document: PipelineDocument, channels: Sequence[str] | None) -> ValidationReport:
    """Say everything that is wrong with ``document``.

    ``channels`` are the channel names of the plate it is to run on; ``None`` checks the document by itself.
    """
    errors: dict[str, str] = {}
    made = {"image"}
    objects: list[str] = []
    columns: set[str] = set()
    for index, step in enumerate(document.steps):
        if step.enabled:
            found = _check_step(step, made, channels) | _check_objects(step, objects) | _check_columns(step, columns)
            errors |= {f"steps.{index}.{path}": text for path, text in found.items()}
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
    missing = [name for name in entry.info.inputs if name not in made and name != _NAMED_OBJECTS]
    if missing:
        errors["function"] = f"{entry.info.title} needs {' and '.join(missing)} from an earlier step."
    made.update(entry.info.outputs)
    if step.channels is not None and not entry.info.restrictable:
        errors["channels"] = f"{entry.info.title} cannot be restricted to channels."
    elif step.channels is not None:
        errors |= _check_channels(step.channels, channels)
    grouping = entry.grouping
    if step.grouping is not None and (tuple(step.grouping.over), step.grouping.by) != (grouping.over, grouping.by):
        over = " and ".join(grouping.over)
        errors["grouping"] = f"{entry.info.title} works over {over} by {grouping.by}; leave the grouping out."
    return errors


def _check_objects(step: PipelineStep, made: list[str]) -> dict[str, str]:
    """Objects are asked for by the names that earlier steps gave them; add those of this step to ``made``."""
    try:
        entry = catalogue_entry(step.function)
    except KeyError:
        return {}  # said elsewhere
    errors = {}
    for parameter in entry.info.parameters:
        name = step.parameters.get(parameter.name, parameter.default)
        if parameter.type == "objects" and _check_name(name) is None and name not in made:
            there = f"they make {', '.join(made)}" if made else "none of them makes objects"
            errors[f"parameters.{parameter.name}"] = f"No earlier step makes objects called {name!r}; {there}."
    named = entry.names_objects
    new = [step.parameters.get("name", entry.parameter("name").default)] if named else _fixed_objects(entry)
    for name in new:
        if not isinstance(name, str):
            continue  # said elsewhere
        if name in made:
            path = "parameters.name" if named else "function"
            errors[path] = f"An earlier step already makes objects called {name!r}; give them different names."
        elif named and name in _RESERVED:
            errors["parameters.name"] = f"{name!r} cannot be the name of objects; choose another."
        made.append(name)
    return errors


def _fixed_objects(entry: CatalogueEntry) -> list[str]:
    """The objects of a function that always gives them the same name."""
    return [name for name in entry.info.outputs if name not in ("image", "measurements")]


def _check_columns(step: PipelineStep, taken: set[str]) -> dict[str, str]:
    """Two steps must not fill the same columns: named ones need different names, others work once."""
    try:
        entry = catalogue_entry(step.function)
    except KeyError:
        return {}  # said elsewhere
    if "measurements" not in entry.info.outputs or entry.names_objects:
        return {}
    columns = _columns(step, entry)
    if columns not in taken:
        taken.add(columns)
        return {}
    if "name" not in entry.parameters:
        return {"function": f"{entry.info.title} can be used once in a pipeline."}
    return {"parameters.name": "Another step uses this name for its columns."}


def _columns(step: PipelineStep, entry: CatalogueEntry) -> str:
    """What the names of the columns of a step begin with."""
    if "name" not in entry.parameters:
        return f"function {step.function}"
    name = step.parameters.get("name", entry.parameter("name").default)
    if entry.kind == Kind.MEASURE_OBJECTS:
        return f"{step.parameters.get('objects', entry.parameter('objects').default)} {name}"
    return f"name {name}" if entry.kind == Kind.STEP else f"function {step.function} name {name}"


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
        case "string" | "objects":
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
    """Strings only ever name columns and objects, so they must look like a column. Two underscores in a row separate names."""
    plain = isinstance(value, str) and value.isascii() and value.isidentifier() and len(value) <= _NAME_LENGTH
    if plain and isinstance(value, str) and "__" not in value and value == value.strip("_"):
        return None
    return f"Use at most {_NAME_LENGTH} letters and digits, with single underscores between them, not beginning with a digit."
