# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of a run is saved in OMERO, where and under which name; and what deleting it again would remove."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

__all__ = [
    "DEFAULT_RESULT_NAME",
    "LONGEST_NAME",
    "PLACEHOLDERS",
    "DeletionItem",
    "DeletionPlan",
    "DeletionState",
    "KeptItem",
    "ResultsDeletion",
    "RoiKind",
    "SavingOptions",
    "SavingTarget",
    "fill_template",
    "template_problem",
]

PLACEHOLDERS = ("plate", "pipeline", "version", "date", "user", "execution")
"""What may stand in braces in a template. Nothing else is looked up, and nothing is computed."""

DEFAULT_RESULT_NAME = "{plate} – {pipeline} v{version} ({execution})"

LONGEST_NAME = 255
"""OMERO's name columns end here."""

_LONGEST_TEMPLATE = 200
_MOST_TAGS = 10
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MARKUP = "<>"


class RoiKind(StrEnum):
    """How objects are drawn in OMERO: not at all, by their outline, or pixel by pixel."""

    NONE = "none"
    POLYGONS = "polygons"
    MASKS = "masks"


class SavingTarget(StrEnum):
    """Where images go: a plate beside the source plate, a dataset of their own, or one that is there already."""

    PLATE = "plate"
    NEW_DATASET = "new_dataset"
    DATASET = "dataset"


def template_problem(template: str) -> str:
    """What is wrong with a template, as a sentence; empty when nothing is.

    >>> template_problem("{plate} by {owner}")
    'There is no {owner}; there are {plate}, {pipeline}, {version}, {date}, {user}, {execution}.'
    """
    if not template.strip():
        return "This must not be empty."
    if len(template) > _LONGEST_TEMPLATE:
        return f"At most {_LONGEST_TEMPLATE} characters are allowed."
    for name in _PLACEHOLDER.findall(template):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            return f"There is no {{{name}}}; there are {known}."
    rest = _PLACEHOLDER.sub("", template)
    if "{" in rest or "}" in rest:
        return "Braces stand around the name of a placeholder only, such as {plate}."
    if any(sign in template for sign in _MARKUP):
        return "The signs < and > are not allowed."
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in template):
        return "Line breaks and other control characters are not allowed."
    return ""


def fill_template(template: str, values: Mapping[str, str], longest: int = LONGEST_NAME) -> str:
    """The template with its placeholders replaced, on one line, of at most ``longest`` characters.

    When it is too long the plate's name gives way first, so that what tells two runs apart stays. What a value contains is
    text: braces in the name of a plate are not looked at again.

    >>> fill_template("{plate} v{version}", {"plate": "P{user}", "version": "2"})
    'P{user} v2'
    """
    plate = _one_line(values.get("plate", ""))
    filled = _filled(template, {**values, "plate": plate})
    if len(filled) > longest and template.count("{plate}"):
        excess = -(-(len(filled) - longest) // template.count("{plate}"))
        filled = _filled(template, {**values, "plate": plate[: max(0, len(plate) - excess)]})
    return filled[:longest].strip()


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: _one_line(values.get(match[1], "")), template)


def _one_line(text: str) -> str:
    return " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in text).split())


def _template(text: str) -> str:
    problem = template_problem(text)
    if problem:
        raise PydanticCustomError("template", "{problem}", {"problem": problem})
    return text


Template = Annotated[str, Field(max_length=_LONGEST_TEMPLATE), AfterValidator(_template)]


class SavingOptions(BaseModel):
    """What a run saves in OMERO. Templates may use the placeholders of :data:`PLACEHOLDERS`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: bool = Field(default=True, description="The label images.")
    processed: bool = Field(default=False, description="The images as the last step of the pipeline leaves them.")
    table: bool = Field(default=True, description="The measurements of the fields, as an OMERO.table.")
    figures: bool = Field(default=False, description="Heat maps of the plate as PNG: the primary measurement and five more.")
    rois: RoiKind = Field(default=RoiKind.NONE, description="The objects as ROIs on the images of the plate.")
    rois_per_field: int = Field(default=1000, ge=1, le=1_000_000, description="No more ROIs than this on one image.")
    rois_per_run: int = Field(default=20_000, ge=1, le=100_000_000, description="No more ROIs than this altogether.")
    target: SavingTarget = Field(default=SavingTarget.PLATE, description="Where the images go.")
    dataset_id: int | None = Field(default=None, ge=1, lt=2**63, description="The dataset, for the target `dataset`.")
    name: Template = Field(default=DEFAULT_RESULT_NAME, description="Name of the result plate or of the new dataset.")
    tags: tuple[Template, ...] = Field(default=(), max_length=_MOST_TAGS, description="Tags of the result plate or dataset.")

    @model_validator(mode="after")
    def _dataset_with_its_target(self) -> Self:
        if (self.target is SavingTarget.DATASET) != (self.dataset_id is not None):
            raise PydanticCustomError("dataset", "Name a dataset with the target “dataset”, and only with it.")
        return self


class DeletionItem(BaseModel):
    """Objects of one kind that would go, or are gone. ``names`` are those of the first few."""

    kind: Literal["plate", "dataset", "image", "table", "annotation", "roi", "figure", "tag"]
    count: int
    names: list[str] = Field(default_factory=list)


class KeptItem(BaseModel):
    """Something that the execution saved, or that hangs on it, and that stays."""

    kind: str
    name: str
    reason: str


class DeletionPlan(BaseModel):
    """Exactly what deleting the results of an execution removes. ``digest`` stands for all of it, for the confirmation."""

    execution_id: str
    items: list[DeletionItem]
    kept: list[KeptItem] = Field(default_factory=list)
    total: int
    digest: str


class DeletionState(StrEnum):
    """How far a deletion is; ``failed`` says that something is left, and the deletion can be asked for again."""

    DELETING = "deleting"
    DELETED = "deleted"
    FAILED = "failed"


class ResultsDeletion(BaseModel):
    """That somebody deleted what an execution had saved in OMERO, and how far it is."""

    state: DeletionState
    by_name: str
    requested_at: datetime
    ended_at: datetime | None = None
    total: int = 0
    done: int = 0
    message: str = ""
