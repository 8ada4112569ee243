# SPDX-License-Identifier: AGPL-3.0-or-later
"""The user's parameters: checked against what the pipeline exposes, then written into the steps of a copy of the document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from openhcs_client import ExposedParameter, OpenHCSError, ParameterValue, PipelineDocument

__all__ = ["apply_parameters"]


def apply_parameters(
    document: PipelineDocument, values: Mapping[str, ParameterValue], channels: Sequence[str] | None = None
) -> PipelineDocument:
    """Return a copy of ``document`` whose steps carry the exposed defaults, changed by ``values``.

    ``channels`` are the plate's channel names; with them, a parameter of type ``channel`` must name or number one of them.

    Raises:
        OpenHCSError: ``bad_parameters``, status 422, with one entry per parameter under ``field_errors``.
    """
    exposed = {parameter.name: parameter for parameter in document.parameters}
    errors = {
        f"parameters.{name}": f"The pipeline has no parameter {name!r}."
        if name not in exposed
        else _complaint(exposed[name], value, channels)
        for name, value in values.items()
    }
    errors = {name: complaint for name, complaint in errors.items() if complaint}
    if errors:
        raise OpenHCSError("bad_parameters", "Some parameters cannot be used.", status=422, field_errors=errors)
    applied = document.model_copy(deep=True)
    for name, parameter in exposed.items():
        value = values.get(name, parameter.default)
        if parameter.type == "number" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        applied.steps[parameter.step].parameters[parameter.parameter] = value
    return applied


def _complaint(parameter: ExposedParameter, value: ParameterValue, channels: Sequence[str] | None) -> str:
    """Say what is wrong with ``value`` in one sentence; empty when nothing is."""
    match parameter.type:
        case "boolean":
            return "" if isinstance(value, bool) else f"{parameter.title}: choose yes or no."
        case "integer":
            if isinstance(value, bool) or not isinstance(value, int):
                return f"{parameter.title}: give a whole number."
            return _out_of_range(parameter, value)
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                return f"{parameter.title}: give a number."
            return _out_of_range(parameter, value)
        case "choice":
            choices = parameter.choices or []
            return "" if value in choices else f"{parameter.title}: choose one of {', '.join(choices)}."
        case "channel":
            return _channel_complaint(parameter, value, channels)


def _out_of_range(parameter: ExposedParameter, value: float) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.minimum is not None and value < parameter.minimum:
        return f"{parameter.title}: must be at least {parameter.minimum:g}{unit}."
    if parameter.maximum is not None and value > parameter.maximum:
        return f"{parameter.title}: must be at most {parameter.maximum:g}{unit}."
    return ""


def _channel_complaint(parameter: ExposedParameter, value: ParameterValue, channels: Sequence[str] | None) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return f"{parameter.title}: give the name or the number of a channel."
    if channels is None or value in channels:
        return ""
    number = int(value) if str(value).isascii() and str(value).isdigit() else 0
    if 1 <= number <= len(channels):
        return ""
    return f"{parameter.title}: the plate has no channel {value!r}; it has {', '.join(channels)}."
