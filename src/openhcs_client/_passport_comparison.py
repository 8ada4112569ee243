# SPDX-License-Identifier: AGPL-3.0-or-later
"""Are the results of two passports the same? Exactly the same: each number and each pixel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from ._passport import Passport, PassportLabel, PassportWellOutput

__all__ = ["PassportComparison", "WellDifference", "compare_passports"]


class WellDifference(BaseModel):
    """A well with other results; each entry of ``what`` is a sentence."""

    well: str
    what: list[str]


class PassportComparison(BaseModel):
    """Whether ``other`` has the results of ``reference``, and what may be the reason when not."""

    same: bool = Field(description="Every measurement, table and label image is equal, bit by bit.")
    wells: int = Field(description="Wells of the reference.")
    inputs: Literal["same", "different", "unknown"] = Field(description="Whether the pixels that were read are the same.")
    changed_inputs: list[str] = Field(default_factory=list, description="Wells with other pixels.")
    pipeline_same: bool = Field(description="The steps are the same, before parameters were changed.")
    parameters: list[str] = Field(default_factory=list, description="Values that differ, as sentences.")
    software: list[str] = Field(default_factory=list, description="Versions that differ, as sentences.")
    differences: list[WellDifference] = Field(default_factory=list)
    largest_relative_difference: float | None = Field(
        default=None, description="Of the measurements of wells: |a - b| / max(|a|, |b|); null when none differs in value."
    )


def compare_passports(reference: Passport, other: Passport) -> PassportComparison:
    """Compare what came out, well by well, and what went in."""
    ours, theirs = _outputs(reference), _outputs(other)
    found = [(well, list(_of_well(output, theirs.get(well)))) for well, output in ours.items()]
    found += [(well, ["only in the second passport"]) for well in theirs if well not in ours]
    differences = [WellDifference(well=well, what=what) for well, what in found if what]
    changed, known = _inputs(reference, other)
    return PassportComparison(
        same=not differences,
        wells=len(ours),
        inputs="different" if changed else "same" if known else "unknown",
        changed_inputs=changed,
        pipeline_same=reference.document.steps == other.document.steps,
        parameters=_changes(reference.parameters, other.parameters, "the default"),
        software=_changes(reference.run.software, other.run.software, "not there"),
        differences=differences,
        largest_relative_difference=_largest(ours, theirs),
    )


def _outputs(passport: Passport) -> dict[str, PassportWellOutput]:
    return {well.well: well for well in passport.outputs.wells}


def _of_well(ours: PassportWellOutput, theirs: PassportWellOutput | None) -> Iterator[str]:
    """Images and tables first: measurements are many."""
    if theirs is None:
        yield "not in the second passport"
        return
    if ours.state != theirs.state:
        yield f"{ours.state} before, {theirs.state} now"
    before_labels, now_labels = _labels(ours), _labels(theirs)
    for key in sorted(before_labels.keys() | now_labels.keys()):
        first, second = before_labels.get(key), now_labels.get(key)
        if first is None or second is None or first.sha256 != second.sha256:
            counts = f"{_objects(first)} before, {_objects(second)} now"
            yield f"the label image {key[1]} of field {key[0]} differs ({counts})"
    if (ours.field_rows, ours.fields_sha256) != (theirs.field_rows, theirs.fields_sha256):
        yield "the table of fields differs"
    if (ours.object_rows, ours.objects_sha256) != (theirs.object_rows, theirs.objects_sha256):
        yield f"the table of objects differs ({ours.object_rows} rows before, {theirs.object_rows} now)"
    for name in sorted(ours.measurements.keys() | theirs.measurements.keys()):
        before, now = ours.measurements.get(name), theirs.measurements.get(name)
        if before != now:
            yield f"{name}: {_text(before)} before, {_text(now)} now"


def _labels(well: PassportWellOutput) -> dict[tuple[int, str], PassportLabel]:
    return {(label.field, label.name): label for label in well.labels}


def _objects(label: PassportLabel | None) -> str:
    return "none" if label is None else f"{label.objects} objects"


def _text(value: float | None) -> str:
    return "no value" if value is None else repr(value)


def _inputs(reference: Passport, other: Passport) -> tuple[list[str], bool]:
    """The wells with other pixels, and whether the hashes of all are known."""
    theirs = {(well.well, field.field): field.sha256 for well in other.inputs.wells for field in well.fields}
    changed: dict[str, None] = {}
    known = True
    for well in reference.inputs.wells:
        for field in well.fields:
            now = theirs.get((well.well, field.field))
            if field.sha256 is None or now is None:
                known = False
            elif field.sha256 != now:
                changed[well.well] = None
    return list(changed), known


def _changes(ours: Mapping[str, object], theirs: Mapping[str, object], absent: str) -> list[str]:
    return [
        f"{name}: {ours.get(name, absent)} before, {theirs.get(name, absent)} now"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name, absent) != theirs.get(name, absent)
    ]


def _largest(ours: Mapping[str, PassportWellOutput], theirs: Mapping[str, PassportWellOutput]) -> float | None:
    found = []
    for well in ours.keys() & theirs.keys():
        for name, before in ours[well].measurements.items():
            now = theirs[well].measurements.get(name)
            if before is not None and now is not None and before != now:
                found.append(abs(before - now) / max(abs(before), abs(now)))
    return max(found, default=None)
