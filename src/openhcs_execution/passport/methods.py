# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a run did, as plain text for the methods section of a paper. Written from what was recorded, nothing is made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from openhcs_client import FunctionInfo, OpenHCSError, ParameterValue, PipelineStep, PlateLayout
from openhcs_execution.catalogue import FunctionCatalogue

from .gathering import RunFacts
from .references import OMERO, Reference, ported_from, software_of

__all__ = ["methods_text"]

_HASH_SHOWN = 12


class _References:
    """Numbers references in the order in which they are first cited."""

    def __init__(self) -> None:
        self._cited: list[Reference] = []

    def cite(self, reference: Reference | None) -> str:
        if reference is None:
            return ""
        if reference not in self._cited:
            self._cited.append(reference)
        return f" [{self._cited.index(reference) + 1}]"

    def lines(self) -> list[str]:
        return [f"{number}. {entry.text}. doi:{entry.doi}" for number, entry in enumerate(self._cited, start=1)]


def methods_text(facts: RunFacts, functions: FunctionCatalogue) -> str:
    """Paragraphs with empty lines between them, then the references."""
    references = _References()
    steps = [step for step in facts.applied.steps if step.enabled]
    known = {step.function: _function(functions, step.function) for step in steps}
    paragraphs = [
        _what_was_analysed(facts, references),
        _steps(steps, known),
        _changes(facts),
        _measurements(facts),
        _software(facts, references, known.values()),
        "\n".join(["References", *references.lines()]),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _function(functions: FunctionCatalogue, function_id: str) -> FunctionInfo | None:
    try:
        return functions.get(function_id)
    except OpenHCSError:
        return None  # the catalogue changed since; the name and the recorded values must do


def _what_was_analysed(facts: RunFacts, references: _References) -> str:
    layout, document = facts.layout, facts.document
    where = f"OMERO{references.cite(OMERO.reference)}"
    return (
        f"Images of plate “{layout.name}” (plate {layout.plate_id} in {where}; {_plate(layout)}) were analysed with the "
        f"pipeline “{document.name}”, version {document.version} (SHA-256 of the pipeline document "
        f"{facts.run.pipeline_sha256[:_HASH_SHOWN]}…), in which each well is computed by itself."
    )


def _plate(layout: PlateLayout) -> str:
    fields = [field for well in layout.wells for field in well.fields]
    parts = [
        _count(len(layout.wells), "well"),
        f"{_range(len(well.fields) for well in layout.wells)} per well".replace("1 fields", "1 field"),
        " or ".join(f"{width} × {height} pixels" for width, height in sorted({(f.size_x, f.size_y) for f in fields})),
        " or ".join(sorted({field.pixel_type for field in fields})),
    ]
    depth = max(field.size_z for field in fields)
    if depth > 1:
        parts.append(f"{depth} focal planes")
    if layout.pixel_size_um is not None:
        parts.append(f"{_number(layout.pixel_size_um)} µm per pixel")
    noun = "channel" if len(layout.channels) == 1 else "channels"
    return ", ".join([*parts, f"{noun} {_listed(layout.channels)}"])


def _range(counts: Iterable[int]) -> str:
    found = Counter(counts)
    least, most = min(found), max(found)
    return f"{least} fields" if least == most else f"{least} to {most} fields"


def _steps(steps: Sequence[PipelineStep], known: dict[str, FunctionInfo | None]) -> str:
    told = [f"({number}) {_step(step, known[step.function])}" for number, step in enumerate(steps, start=1)]
    return f"The images went through {_count(len(steps), 'step')}: " + "; ".join(told) + "."


def _step(step: PipelineStep, function: FunctionInfo | None) -> str:
    """Name, function, and every value that it ran with, given or default."""
    values = _values(step, function)
    channels = [] if step.channels is None else [f"only channels {_listed(step.channels)}"]
    start = ["on the images as acquired"] if step.input == "start" else []
    library = f", {function.library}" if function is not None else ""
    return (
        f"{step.name} [{step.function}{library}]"
        + (": " if values or channels or start else "")
        + ", ".join([*start, *channels, *values])
    )


def _values(step: PipelineStep, function: FunctionInfo | None) -> list[str]:
    if function is None:
        return [f"{name} {_value(value)}" for name, value in step.parameters.items()]
    told = []
    for parameter in function.parameters:
        given = parameter.name in step.parameters
        value = step.parameters[parameter.name] if given else parameter.default
        if value is None or (parameter.advanced and not given):
            continue
        unit = f" {parameter.unit}" if parameter.unit else ""
        told.append(f"{(parameter.title or parameter.name.replace('_', ' ')).lower()} {_value(value)}{unit}")
    return told


def _changes(facts: RunFacts) -> str:
    if not facts.parameters:
        return "All parameters had the values of the published pipeline."
    exposed = {entry.name: entry for entry in facts.document.parameters}
    told = []
    for name, value in facts.parameters.items():
        entry = exposed.get(name)
        unit = f" {entry.unit}" if entry is not None and entry.unit else ""
        before = f" (published value {_value(entry.default)})" if entry is not None else ""
        told.append(f"{entry.title if entry is not None else name} {_value(value)}{unit}{before}")
    return f"Values set for this run: {'; '.join(told)}. All others had the values of the published pipeline."


def _measurements(facts: RunFacts) -> str:
    seen: dict[str, str] = {}
    for entry in facts.document.measurements:
        seen.setdefault(entry.name, f"{entry.title[:1].lower()}{entry.title[1:]}" + (f" ({entry.unit})" if entry.unit else ""))
    measured = f"Measured were {_listed(list(seen.values()))}. " if seen else ""
    asked = len(facts.layout.wells)
    if facts.wells_done == asked:
        return f"{measured}All {_count(asked, 'well')} gave results." if asked > 1 else f"{measured}The well gave results."
    return f"{measured}{facts.wells_done} of {_count(asked, 'well')} gave results."


def _software(facts: RunFacts, references: _References, functions: Iterable[FunctionInfo | None]) -> str:
    told = []
    for software, version in software_of(facts.run.software):
        where = f" ({software.url})" if software.url and software.reference is None else ""
        told.append(f"{software.name} {version}{references.cite(software.reference)}{where}")
    ports = [
        f"{software.name}{references.cite(software.reference)}"
        for software in ported_from({function.library for function in functions if function is not None})
    ]
    ported = f" Some steps are ports of modules of {_listed(ports)}." if ports else ""
    return f"Software: {', '.join(told)}.{ported}"


def _value(value: ParameterValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return _number(value)
        case list():
            return _listed([_value(item) for item in value])
        case _:
            return str(value).replace("_", " ") if isinstance(value, str) else str(value)


def _number(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} and {words[-1]}"
