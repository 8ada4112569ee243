# SPDX-License-Identifier: AGPL-3.0-or-later
"""A ``FunctionStep(…)`` of a script as steps: one for each function of a chain and each channel of a dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from openhcs_client import FunctionParameter

from .functions import FoundFunction, FunctionTable, KnownFunction
from .script import Note
from .steps import StepCode
from .values import Call, Named, Place, Unreadable, Value

__all__ = ["steps_of"]

_COMPONENTS = {"site", "channel", "z_index", "timepoint", "none"}
_IGNORED = {"channels_per_field", "enabled"}
_LONGEST_NAME = 120


@dataclass
class _Setting:
    """What holds for every function of a FunctionStep. ``over`` and ``by`` are what the script says, or ``None``."""

    name: str
    place: Place
    input: Literal["previous", "start"] = "previous"
    over: tuple[str, ...] | None = None
    by: str | None = None


def steps_of(call: Call, table: FunctionTable, note: Note) -> list[tuple[StepCode, Place]]:
    """The steps that ``call`` stands for; what does not map goes to ``note``."""
    keywords = dict(call.keywords)
    if call.positional:
        keywords.setdefault("func", call.positional[0])
    if keywords.get("enabled") is False:
        note("warning", call.places.get("enabled", call.place), "This step is switched off, so it is left out.")
        return []
    setting = _setting(call, keywords, note)
    for name, value in keywords.items():
        if name not in {"func", "name", "processing_config", "variable_components", "group_by", "input_source", "enabled"}:
            _unmapped(name, value, call.places.get(name, call.place), note)
    if "func" not in keywords:
        note("error", call.place, "This step has no function.")
        return []
    found = list(_functions(keywords["func"], setting, call.places.get("func", call.place), table, note))
    if len(found) > 1:
        names = [f"{setting.name} {number}"[-_LONGEST_NAME:] for number in range(1, len(found) + 1)]
        found = [(replace(code, name=name), place) for (code, place), name in zip(found, names, strict=True)]
    return found


def _setting(call: Call, keywords: Mapping[str, Value], note: Note) -> _Setting:
    name = keywords.get("name")
    if not isinstance(name, str) or not name.strip():
        if name is not None:
            note("warning", call.places["name"], "The name of the step is not read; the name of its function is used.")
        name = ""
    setting = _Setting(name.strip()[:_LONGEST_NAME].strip(), call.place)
    config = keywords.get("processing_config")
    inner = dict(config.keywords) if isinstance(config, Call) else {}
    places = call.places | (config.places if isinstance(config, Call) else {})
    if config is not None and not isinstance(config, Call):
        note("error", call.places["processing_config"], "How this step takes its images apart is not read.")
    for key in ("variable_components", "group_by", "input_source"):
        if key in keywords:
            inner.setdefault(key, keywords[key])
    for key, value in inner.items():
        _set(setting, key, value, places.get(key, call.place), note)
    return setting


def _set(setting: _Setting, key: str, value: Value, place: Place, note: Note) -> None:
    if key == "input_source":
        source = _member(value)
        if source in ("pipeline_start", "start"):
            setting.input = "start"
        elif source not in ("previous_step", "previous"):
            note("error", place, "Where this step takes its images from is not read.")
    elif key == "variable_components":
        components = [_member(item) for item in value] if isinstance(value, list) else [None]
        if all(component in _COMPONENTS for component in components):
            setting.over = tuple(str(component) for component in components)
        else:
            note("error", place, "What this step stacks is not read.")
    elif key == "group_by":
        by = "none" if value is None else _member(value)
        if by in _COMPONENTS:
            setting.by = by
        else:
            note("error", place, "What this step is grouped by is not read.")
    else:
        note("warning", place, f"{key} has no counterpart in a pipeline document: it is left out.")


def _unmapped(name: str, value: Value, place: Place, note: Note) -> None:
    if isinstance(value, Unreadable):
        note("error", value.place, value.message)
        return
    said = {
        "step_materialization_config": "Images between steps are not kept",
        "napari_streaming_config": "Nothing is streamed to a viewer on your computer; results are looked at in OMERO.web",
        "fiji_streaming_config": "Nothing is streamed to a viewer on your computer; results are looked at in OMERO.web",
        "step_well_filter_config": "Wells are chosen when a pipeline is run, not in it",
    }.get(name, f"{name} has no counterpart in a pipeline document")
    note("warning", place, f"{said}: this is left out.")


def _functions(
    value: Value, setting: _Setting, place: Place, table: FunctionTable, note: Note
) -> Iterator[tuple[StepCode, Place]]:
    """One function, ``(function, {…})``, a chain of these, or a dictionary of any of these by channel."""
    if isinstance(value, dict):
        if setting.by not in (None, "channel"):
            note("error", place, f"Functions by {setting.by} are not read; only by channel.")
            return
        for channel, members in value.items():
            yield from _for_channel(str(channel), members, setting, place, table, note)
    elif isinstance(value, list) and not _is_pair(value):
        for member in value:
            if isinstance(member, dict) or (isinstance(member, list) and not _is_pair(member)):
                note("error", place, "A chain within a chain is not read.")
            else:
                yield from _one(member, setting, place, table, note)
    else:
        yield from _one(value, setting, place, table, note)


def _for_channel(
    channel: str, members: Value, setting: _Setting, place: Place, table: FunctionTable, note: Note
) -> Iterator[tuple[StepCode, Place]]:
    if isinstance(members, dict) or not channel.isdecimal() or not 1 <= int(channel[:4]) <= 999:
        note("error", place, f"Only channels by number are read, not {channel[:40]!r}.")
        return
    for code, where in _functions(members, replace(setting, by=None), place, table, note):
        function = table.get(code.function)
        named = [parameter.name for parameter in function.info.parameters if parameter.type == "channel"] if function else []
        if function is not None and function.plane_by_plane:
            yield replace(code, channels=[int(channel)]), where
        elif len(named) == 1:
            yield replace(code, parameters=code.parameters | {named[0]: int(channel)}), where
        else:
            note("error", where, f"{code.function} cannot be limited to a channel: this is left out.")


def _one(value: Value, setting: _Setting, place: Place, table: FunctionTable, note: Note) -> Iterator[tuple[StepCode, Place]]:
    target, arguments = (value[0], value[1]) if _is_pair(value) else (value, {})
    if isinstance(target, Unreadable):
        note("error", target.place, target.message)
    elif not isinstance(target, Named):
        note("error", target.place if isinstance(target, Call) else place, "The function of this step is not read.")
    elif (found := table.find(target.path)) is None:
        note("error", target.place, f"There is no function {target.path} here: the step is left out.")
    else:
        yield _code(found, arguments, setting, target.place, note), target.place


def _code(found: FoundFunction, arguments: dict[Any, Value], setting: _Setting, place: Place, note: Note) -> StepCode:
    function = found.function
    known = {parameter.name: parameter for parameter in function.info.parameters}
    code = StepCode(function.info.id, setting.name or function.info.title, input=setting.input)
    if found.backend:
        note("warning", place, f"The version for {found.backend} is replaced by the one for CPUs; values may differ slightly.")
    code.parameters |= {name: value for name, value in found.names.items() if value != known[name].default}
    for name, value in arguments.items():
        where = value.place if isinstance(value, Named | Call | Unreadable) else place
        if name == "channels" and "channels" not in known:
            code.channels = _channels(value, where, note)
        elif name in known:
            _argument(code, known[name], function, value, where, note)
        elif name == "slice_by_slice":
            if value is not True:
                note("warning", where, "Planes are always worked on one by one here.")
        elif name not in _IGNORED:
            note("warning", where, f"{function.info.title} has no parameter {str(name)[:60]!r} here: it is left out.")
    _compare_grouping(function, setting, note)
    note("info", place, f"{code.name!r} is {function.info.title} ({function.info.id}).")
    return code


def _argument(
    code: StepCode, parameter: FunctionParameter, function: KnownFunction, value: Value, place: Place, note: Note
) -> None:
    name = parameter.name
    if isinstance(value, Unreadable):
        note("error", value.place, f"{name}: {value.message}")
    elif isinstance(value, Named):
        read = _choice(parameter, function, value)
        if read is None:
            note("warning", place, f"{name}: {value.last} is no choice here; the default is used.")
        else:
            code.parameters[name] = read
    elif isinstance(value, Call):
        note("error", place, f"{name}: {value.target.last}() is not run; the default is used.")
    elif isinstance(value, dict) or (isinstance(value, list) and not all(_is_plain(item) for item in value)):
        note("error", place, f"{name}: only a plain value or a flat list of these can be held; the default is used.")
    else:
        code.parameters[name] = value


def _choice(parameter: FunctionParameter, function: KnownFunction, member: Named) -> str | None:
    """The value that documents hold for a member of an enumeration."""
    if parameter.name in function.enums:
        values = function.enums[parameter.name].members
        return next((value for value, name in values.items() if name == member.last), None)
    return next((choice for choice in parameter.choices or () if choice.lower() == member.last.lower()), None)


def _channels(value: Value, place: Place, note: Note) -> list[int] | None:
    if isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) and item >= 1 for item in value):
        return value or None
    note("error", place, "The channels of this step are not read; it works on all.")
    return None


def _compare_grouping(function: KnownFunction, setting: _Setting, note: Note) -> None:
    """A function here brings its own grouping. For one that works plane by plane the script's makes no difference."""
    over = setting.over if setting.over is not None else ("site",)
    by = setting.by if setting.by is not None else "channel"
    if function.plane_by_plane or (set(over), by) == (set(function.over), function.by):
        return
    if setting.over is None and setting.by is None and "z_index" not in function.over:
        return  # OpenHCS's default, nothing that somebody chose
    note(
        "warning",
        setting.place,
        f"{function.info.title} works over {' and '.join(function.over)} by {function.by} here; the script says "
        f"{' and '.join(over)} by {by}.",
    )


def _member(value: Value) -> str | None:
    """A member of an enumeration in small letters, whether by name or, as ``Class("value")``, by value."""
    if isinstance(value, Named):
        return value.last.lower()
    if isinstance(value, Call) and len(value.positional) == 1 and isinstance(value.positional[0], str):
        return value.positional[0].lower()
    return None


def _is_pair(value: Value) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict) and isinstance(value[0], Named | Unreadable)
    )


def _is_plain(value: Value) -> bool:
    return isinstance(value, bool | int | float | str)
