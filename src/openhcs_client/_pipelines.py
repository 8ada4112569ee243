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
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ._strict_json import unusable_value

__all__ = [
    "MAXIMUM_STEPS",
    "PATTERNS",
    "SCHEMA_VERSION",
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

SCHEMA_VERSION: Final = 1
"""The form of document that this version writes, and the newest that it reads."""

MAXIMUM_STEPS = 100

_IDENTIFIER = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_FUNCTION_ID = r"^[a-z0-9_]+:[A-Za-z0-9_.]{1,200}$"
_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
_WELL = r"^[A-Za-z]{1,2}0?[1-9][0-9]?$"

PATTERNS = {
    _IDENTIFIER: "Use at most 64 small letters, digits, hyphens and underscores, beginning with a letter or digit.",
    _FUNCTION_ID: "This is not the id of a function, such as openhcs:gaussian_blur.",
    _NAME: "Use at most 100 letters, digits and underscores, not beginning with a digit.",
    _WELL: "This is not the name of a well, such as B03.",
}
"""What the patterns of the fields ask for, in words."""

Identifier = Annotated[str, StringConstraints(pattern=_IDENTIFIER)]
FunctionId = Annotated[str, StringConstraints(pattern=_FUNCTION_ID)]
WorkerLabel = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._=-]{0,63}$")]
"""What a worker has or is: ``gpu``, ``site=basel``."""
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class _Strict(BaseModel):
    """Unknown fields, NaN and infinity are refused: a document must mean exactly what it says."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class StepGrouping(_Strict):
    """Which planes one call of the step's function sees together.

    ``over`` lists the dimensions stacked into one call (``site`` is a field of view); ``by`` splits calls by one dimension.
    """

    over: list[Literal["site", "channel", "z_index", "timepoint"]] = Field(
        default=["site"], max_length=4, description="Dimensions that are stacked into one call."
    )
    by: Literal["channel", "site", "z_index", "timepoint"] | None = Field(
        default="channel", description="One call for each value of this dimension; null means a single call."
    )


class PipelineStep(_Strict):
    """One function applied to every field of a well."""

    name: ShortText = Field(description="What the step is called on pages and in progress messages.")
    function: FunctionId = Field(description="Id of a function of the catalogue.")
    parameters: dict[str, ParameterValue] = Field(
        default_factory=dict,
        max_length=100,
        description="Values by name; a parameter that is absent has the function's default.",
    )
    channels: list[ShortText] | None = Field(
        default=None, max_length=100, description="Channel names or 1-based numbers; none means all."
    )
    grouping: StepGrouping | None = Field(
        default=None, description="For reading only: the function's own grouping is used, and another one is refused."
    )
    input: Literal["previous", "start"] = Field(
        default="previous", description="What the step works on: the result of the step before, or the images of the plate."
    )
    enabled: bool = Field(default=True, description="A step that is switched off stays in the document and is not run.")


class ExposedParameter(_Strict):
    """A parameter that the page for running the pipeline shows first, in the user's words."""

    name: Identifier = Field(description="What programs call it; unique within the pipeline.")
    title: ShortText = Field(description="What the page calls it.")
    step: int = Field(ge=0, description="Zero-based index of the step.")
    parameter: str = Field(pattern=_NAME, description="Name of the parameter of the step's function.")
    type: Literal["integer", "number", "boolean", "choice", "channel"] = Field(description="What the user may enter.")
    default: ParameterValue = Field(description="The value when the user changes nothing; the step holds the same, or none.")
    minimum: float | None = Field(default=None, description="The least that the page allows.")
    maximum: float | None = Field(default=None, description="The most that the page allows.")
    choices: list[str] | None = Field(default=None, max_length=100, description="What may be chosen; only for `choice`.")
    unit: str | None = Field(default=None, max_length=120, description="Shown beside the field, for example `pixels`.")
    help: str = Field(default="", max_length=4000, description="Shown below the field.")


class Measurement(_Strict):
    """A column that the pipeline produces, described for pages and tables."""

    name: str = Field(pattern=_NAME, description="Name of the column.")
    title: ShortText = Field(description="What pages and tables call it.")
    level: Literal["object", "field", "well"] = Field(default="well", description="What a row of the table stands for.")
    unit: str | None = Field(default=None, max_length=120, description="Unit of the values.")
    help: str = Field(default="", max_length=4000, description="How to read it.")


class ExpectedMeasurement(_Strict):
    """What a golden well measured when it was accepted, and how far a later run may be from it.

    A value agrees when ``abs(found - value) <= max(absolute, relative * abs(value))``; ``None`` stands for *no value*, which
    only no value agrees with.
    """

    name: str = Field(pattern=_NAME, description="Name of the column of the well table.")
    value: float | None = Field(description="The value that was accepted; null stands for no value.")
    relative: float = Field(default=0.01, ge=0, le=1, description="Largest difference as a share of the value.")
    absolute: float = Field(default=0.0, ge=0, description="Largest difference in the value's own unit.")


class GoldenWell(_Strict):
    """A well whose measurements are known: running the pipeline on it again shows whether anything changed."""

    plate_id: int = Field(ge=1, lt=2**63, description="OMERO id of the plate.")
    well: str = Field(pattern=_WELL, description="Name of the well, such as B03.")
    parameters: dict[str, ParameterValue] = Field(
        default_factory=dict, max_length=50, description="Values of exposed parameters that the run used."
    )
    expected: list[ExpectedMeasurement] = Field(min_length=1, max_length=200, description="What the well measured.")
    note: str = Field(default="", max_length=400, description="Why this well, for people.")


class PipelineDocument(_Strict):
    """A pipeline as data. ``version`` counts up; a published version never changes."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description="The form of this document.")
    id: Identifier = Field(description="What the pipeline is called in addresses; users' own begin with `u` and a number.")
    version: int = Field(default=1, ge=1, lt=2**31, description="Counts up with every change.")
    name: ShortText = Field(description="What pages call the pipeline.")
    description: str = Field(default="", max_length=4000, description="What it does and when to use it.")
    steps: list[PipelineStep] = Field(min_length=1, max_length=MAXIMUM_STEPS, description="In the order in which they run.")
    parameters: list[ExposedParameter] = Field(
        default_factory=list, max_length=50, description="What the page for running the pipeline offers to change."
    )
    measurements: list[Measurement] = Field(default_factory=list, max_length=200, description="The columns that it produces.")
    primary_measurement: str | None = Field(default=None, description="What the heat map shows first.")
    minimum_channels: int = Field(default=1, ge=1, le=32, description="A plate with fewer channels is refused.")
    needs: list[WorkerLabel] = Field(
        default_factory=list, max_length=8, description="Labels that a worker must have to compute it, such as `gpu`."
    )
    golden_wells: list[GoldenWell] = Field(
        default_factory=list, max_length=20, description="Wells whose measurements are known."
    )

    @model_validator(mode="before")
    @classmethod
    def _values_can_be_kept(cls, content: Any) -> Any:
        found = unusable_value(content) if isinstance(content, dict) else None
        if found is not None:
            raise PydanticCustomError("unusable_value", "{problem}", {"path": found[0], "problem": found[1]})
        return content

    @field_validator("schema_version", mode="before")
    @classmethod
    def _is_not_newer_than_we_are(cls, version: Any) -> Any:
        if isinstance(version, int) and not isinstance(version, bool) and version > SCHEMA_VERSION:
            raise PydanticCustomError(
                "newer_schema",
                "made by a newer version of omero-openhcs (document version {newer}; this one reads up to {known}). "
                "Update omero-openhcs to use it.",
                {"newer": version, "known": SCHEMA_VERSION},
            )
        return version

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

        Golden wells and needs are left out where there are none, so that documents from before them keep their hash.
        """
        absent = {name for name in ("golden_wells", "needs") if not getattr(self, name)}
        content = self.model_dump(mode="json", exclude=absent)
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
    import_path: str | None = Field(default=None, description="The Python function behind it, as OpenHCS scripts import it.")


class RunEstimate(BaseModel):
    """What a run is expected to need. ``basis`` says what the estimate rests on."""

    wells: int
    seconds: float = Field(description="Wall time of the whole run with the workers that are there.")
    seconds_per_well: float
    memory_mb: float = Field(description="Largest need of one worker.")
    output_mb: float = Field(description="Label images and tables on the disk of the service.")
    processed_mb: float | None = Field(
        default=None, description="More of it when processed images are saved; null when the pipeline makes none."
    )
    basis: str = ""
    objects: int | None = Field(
        default=None, description="Objects in label images, by the newest well with these values; null when none was run."
    )
    objects_per_field: float | None = None
    objects_basis: str = ""


class ValidationReport(BaseModel):
    """What is wrong with a document, by field (``steps.0.parameters.sigma``), and what is only worth knowing."""

    valid: bool
    field_errors: dict[str, str] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    estimate: RunEstimate | None = Field(default=None, description="Only for a valid document and a known plate.")
    complete: bool = Field(
        default=True, description="False when OpenHCS, which is still starting, has not looked at it: ask again in a moment."
    )
