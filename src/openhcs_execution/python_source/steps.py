# SPDX-License-Identifier: AGPL-3.0-or-later
"""A step as OpenHCS code says it: one function, its arguments, channels by number, where its images come from.

A document says more (channels by name, steps that are switched off). :func:`code_of` drops what code has no words for and
:func:`step_of` reads code back; where the two do not give the same step, a comment in the script carries it, and
:func:`merged` puts comment and code together: what the code says counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from openhcs_client import ParameterValue, PipelineDocument, PipelineStep

from .functions import FunctionTable, KnownFunction

__all__ = ["StepCode", "channel_names", "code_of", "merged", "step_of"]


@dataclass
class StepCode:
    """A step as code says it. ``parameters`` hold values of documents, enumerations as their text."""

    function: str
    name: str
    parameters: dict[str, ParameterValue] = field(default_factory=dict)
    channels: list[int] | None = None
    input: Literal["previous", "start"] = "previous"


def channel_names(document: PipelineDocument, table: FunctionTable) -> list[str]:
    """Channels given by name, in order of appearance.

    OpenHCS knows channels by number. A name cannot be looked up without a plate, so the first name is written as channel 1.
    """
    mentioned: list[Any] = []
    for step in document.steps:
        function = table.get(step.function)
        mentioned += step.channels or []
        mentioned += [value for name, value in step.parameters.items() if function and _is_channel(function, name)]
    return list(dict.fromkeys(name for name in mentioned if isinstance(name, str) and not _is_number(name)))


def code_of(step: PipelineStep, table: FunctionTable, names: Sequence[str]) -> StepCode | None:
    """What code says of ``step``: nothing when it is switched off or its function is not known here."""
    function = table.get(step.function)
    if function is None or not step.enabled:
        return None
    known = {parameter.name: parameter.type for parameter in function.info.parameters}
    defaults = {parameter.name: parameter.default for parameter in function.info.parameters}
    parameters: dict[str, ParameterValue] = {}
    for name, value in step.parameters.items():
        if name not in known:
            continue
        if known[name] == "channel" and isinstance(value, str):
            value = _number(value, names)
        elif known[name] == "number" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if name in function.enums and not (isinstance(value, str) and value in function.enums[name].members):
            continue
        if name in function.name_parameters and (not _is_name(value) or value == defaults[name]):
            continue
        parameters[name] = value
    channels = [_number(channel, names) for channel in step.channels or []] if function.plane_by_plane else []
    return StepCode(step.function, step.name, parameters, channels or None, step.input)


def step_of(code: StepCode) -> PipelineStep:
    """The plainest step that ``code`` says.

    Raises:
        pydantic.ValidationError: when a name or a value is none that a document can hold.
    """
    return PipelineStep(
        name=code.name,
        function=code.function,
        parameters=code.parameters,
        channels=[str(number) for number in code.channels] if code.channels else None,
        input=code.input,
    )


def merged(noted: PipelineStep, code: StepCode, table: FunctionTable, names: Sequence[str]) -> tuple[PipelineStep, bool]:
    """What a comment and the code below it say together, and whether they agree. Each part that differs is the code's."""
    before = code_of(noted, table, names)
    plain = step_of(code)
    if before is None or before.function != code.function:
        return plain, False
    if _same(before, code):
        return noted, True
    function = table.get(code.function)
    known = {parameter.name for parameter in function.info.parameters} if function else set()
    parameters = {name: value for name, value in noted.parameters.items() if name not in known or name not in before.parameters}
    for name, value in code.parameters.items():
        kept = name in before.parameters and _text(before.parameters[name]) == _text(value)
        parameters[name] = noted.parameters[name] if kept else value
    changes: dict[str, Any] = {"parameters": parameters, "name": plain.name, "input": plain.input}
    if before.channels != code.channels:
        changes["channels"] = plain.channels
    return noted.model_copy(update=changes), False


def _same(one: StepCode, other: StepCode) -> bool:
    return (one.name, one.channels, one.input, _text(one.parameters)) == (
        other.name,
        other.channels,
        other.input,
        _text(other.parameters),
    )


def _text(value: Any) -> str:
    """Values are the same when they are written the same: 1, 1.0 and true are three."""
    return json.dumps(value, sort_keys=True)


def _number(channel: str, names: Sequence[str]) -> int:
    return int(channel) if _is_number(channel) else names.index(channel) + 1


def _is_number(channel: str) -> bool:
    return channel.isascii() and channel.isdecimal() and len(channel) < 10


def _is_channel(function: KnownFunction, name: str) -> bool:
    return any(parameter.name == name and parameter.type == "channel" for parameter in function.info.parameters)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isidentifier() and "__" not in value
