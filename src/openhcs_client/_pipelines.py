# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pipeline documents: data that names functions and their parameters, never code.

A document is what people share and what a run records::

    >>> document = PipelineDocument.model_validate({
    ...     "schema_version": 1, "id": "nuclei-count", "version": 1, "name": "Count nuclei",
    ...     "steps": [{"name": "Smooth", "function": "openhcs:gaussian_blur", "parameters": {"sigma": 1.5}}],
    ... })
    >>> len(document.content_hash())
    64
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

__all__ = [
    "ExpectedMeasurement",
    "ExposedParameter",
    "FunctionCost",
    "FunctionInfo",
    "FunctionParameter",
    "GoldenWell",
    "Measurement",
    "ParameterValue",
    "PipelineDocument",
    "PipelineOrigin",
    "PipelineSource",
    "PipelineStep",
    "PipelineSummary",
    "RunEstimate",
    "StepGrouping",
    "ValidationReport",
]

ParameterValue = bool | int | float | str | None | list[bool | int | float | str]
"""What a parameter may hold. Nothing nested, nothing executable."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
FunctionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+:[A-Za-z0-9_.]{1,200}$")]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class _Strict(BaseModel):
    """Unknown fields, NaN and infinity are refused: a document must mean exactly what it says."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class StepGrouping(_Strict):
    """Which planes one call of the step's function sees together.

    ``over`` lists the dimensions stacked into one call (``site`` is a field of view); ``by`` splits calls by one dimension.
    """

    over: list[Literal["site", "channel", "z_index", "timepoint"]] = ["site"]
    by: Literal["channel", "site", "z_index", "timepoint"] | None = "channel"


class PipelineStep(_Strict):
    """One function applied to every field of a well."""

    name: ShortText
    function: FunctionId
    parameters: dict[str, ParameterValue] = Field(default_factory=dict, max_length=100)
    channels: list[ShortText] | None = Field(default=None, description="Channel names or 1-based numbers; none means all.")
    grouping: StepGrouping | None = None
    input: Literal["previous", "start"] = "previous"
    enabled: bool = True


class ExposedParameter(_Strict):
    """A parameter that the page for running the pipeline shows first, in the user's words."""

    name: Identifier
    title: ShortText
    step: int = Field(ge=0, description="Zero-based index of the step.")
    parameter: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    type: Literal["integer", "number", "boolean", "choice", "channel"]
    default: ParameterValue
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] | None = None
    unit: str | None = None
    help: str = ""


class Measurement(_Strict):
    """A column that the pipeline produces, described for pages and tables."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    title: ShortText
    level: Literal["object", "field", "well"] = "well"
    unit: str | None = None
    help: str = ""


class ExpectedMeasurement(_Strict):
    """What a golden well measured when it was accepted, and how far a later run may be from it.

    A value agrees when ``abs(found - value) <= max(absolute, relative * abs(value))``; ``None`` stands for *no value*, which
    only no value agrees with.
    """

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    value: float | None
    relative: float = Field(default=0.01, ge=0, le=1)
    absolute: float = Field(default=0.0, ge=0)


class GoldenWell(_Strict):
    """A well whose measurements are known: running the pipeline on it again shows whether anything changed."""

    plate_id: int = Field(ge=1, lt=2**63)
    well: str = Field(pattern=r"^[A-Za-z]{1,2}0?[1-9][0-9]?$")
    parameters: dict[str, ParameterValue] = Field(default_factory=dict, max_length=50)
    expected: list[ExpectedMeasurement] = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=400)


class PipelineDocument(_Strict):
    """A pipeline as data. ``version`` counts up; a published version never changes."""

    schema_version: Literal[1] = 1
    id: Identifier
    version: int = Field(default=1, ge=1)
    name: ShortText
    description: str = Field(default="", max_length=4000)
    steps: list[PipelineStep] = Field(min_length=1, max_length=100)
    parameters: list[ExposedParameter] = Field(default_factory=list, max_length=50)
    measurements: list[Measurement] = Field(default_factory=list, max_length=200)
    primary_measurement: str | None = Field(default=None, description="What the heat map shows first.")
    minimum_channels: int = Field(default=1, ge=1, le=32)
    golden_wells: list[GoldenWell] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _exposed_parameters_point_at_steps(self) -> PipelineDocument:
        names = [exposed.name for exposed in self.parameters]
        if len(names) != len(set(names)):
            raise ValueError("two exposed parameters have the same name")
        for exposed in self.parameters:
            if exposed.step >= len(self.steps):
                raise ValueError(f"exposed parameter {exposed.name!r} points at step {exposed.step}, which does not exist")
        return self

    def canonical_json(self) -> str:
        """The document as one line of JSON with sorted keys: the text that is hashed.

        Golden wells are left out where there are none, so that documents from before them keep their hash.
        """
        content = self.model_dump(mode="json", exclude=None if self.golden_wells else {"golden_wells"})
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """SHA-256 of :meth:`canonical_json`, in hexadecimal; recorded with every execution."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()


PipelineOrigin = Literal["built-in", "facility", "user"]
"""Where a pipeline comes from: the package, a folder of the facility, or somebody's own in OMERO."""


class PipelineSource(BaseModel):
    """The version that a copy was made from."""

    id: str
    version: int
    hash: str = Field(description="Content hash of that version.")


class PipelineSummary(BaseModel):
    """A line of the pipeline list. What follows ``origin`` is known of users' own pipelines only."""

    id: str
    version: int
    versions: list[int]
    name: str
    description: str = ""
    minimum_channels: int = 1
    origin: PipelineOrigin = "built-in"
    owner: str | None = None
    owner_id: int | None = None
    group_id: int | None = None
    group: str | None = None
    private: bool = Field(default=False, description="Its group lets nobody but the owner see it.")
    deprecated: bool = Field(default=False, description="Not for new runs; an exact version can still be run.")
    note: str = Field(default="", description="Why it is deprecated, and what to use instead.")
    tags: list[str] = Field(default_factory=list)
    copied_from: PipelineSource | None = None
    revision: int = Field(default=0, description="Counts every change; changes are refused when it is not the newest.")


class FunctionParameter(BaseModel):
    """A settable parameter of a catalogue function."""

    name: str
    title: str = Field(default="", description="What a form shows; the name with spaces when empty.")
    type: Literal["integer", "number", "boolean", "string", "choice", "list", "channel", "objects"] = Field(
        description="`channel` names a channel of the plate; `objects` names objects that an earlier step found."
    )
    default: Any = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] | None = None
    unit: str | None = None
    help: str = ""
    advanced: bool = Field(default=False, description="Folded away in forms until asked for.")
    inferred: bool = Field(default=False, description="The type was read from the default or the documentation.")


class FunctionCost(BaseModel):
    """What one plane of one megapixel cost when the function was tested."""

    seconds_per_megapixel: float = Field(ge=0)
    memory_mb_per_megapixel: float = Field(ge=0)


class FunctionInfo(BaseModel):
    """A function that a step may name; ``offered`` is false, with a reason, when it failed its tests."""

    id: str
    title: str
    library: str
    category: str = "other"
    help: str = ""
    parameters: list[FunctionParameter] = Field(default_factory=list)
    inputs: list[str] = Field(default_factory=lambda: ["image"])
    outputs: list[str] = Field(default_factory=lambda: ["image"])
    restrictable: bool = Field(default=False, description="Whether a step may limit it to some channels.")
    offered: bool = True
    reason: str = ""
    cost: FunctionCost | None = None


class RunEstimate(BaseModel):
    """What a run is expected to need. ``basis`` says what the estimate rests on."""

    wells: int
    seconds: float = Field(description="Wall time of the whole run with the workers that are there.")
    seconds_per_well: float
    memory_mb: float = Field(description="Largest need of one worker.")
    output_mb: float = Field(description="Label images and tables on the disk of the service.")
    basis: str = ""


class ValidationReport(BaseModel):
    """What is wrong with a document, by field (``steps.0.parameters.sigma``), and what is only worth knowing."""

    valid: bool
    field_errors: dict[str, str] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    estimate: RunEstimate | None = Field(default=None, description="Only for a valid document and a known plate.")
