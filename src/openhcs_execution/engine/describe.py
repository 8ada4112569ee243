# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the catalogue says about a candidate: its own words, completed by what the function says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openhcs_client import FunctionInfo, FunctionParameter

from .candidates import Candidate, Kind, Shown
from .naming import MAKES_LABELS, MEASURES

__all__ = ["describe"]

_CHANNEL = FunctionParameter(name="channel", title="Channel", type="channel", default=1, help="The channel to look at.")
_OBJECTS = FunctionParameter(
    name="objects",
    title="Objects",
    type="objects",
    default="objects",
    help="The objects, by the name that an earlier step gave them.",
)
_SMALLEST = FunctionParameter(
    name="smallest",
    title="Least area",
    type="integer",
    default=10,
    minimum=0,
    maximum=10_000_000,
    unit="pixels",
    help="Smaller objects are dropped.",
)
_EXCLUDE_BORDER = FunctionParameter(
    name="exclude_border",
    title="Exclude border",
    type="boolean",
    default=False,
    help="Leave out objects that are cut by the edge of the field.",
    advanced=True,
)
_LABELS_NAME = FunctionParameter(
    name="name",
    title="Name of the objects",
    type="string",
    default="objects",
    help="Later steps ask for the objects by this name.",
)
_COLUMNS_NAME = FunctionParameter(
    name="name", title="Name of the columns", type="string", default="field", help="First part of the names of the columns."
)
_OWN_CLEANING = ("min_size", "min_cell_area", "min_component_size", "exclude_size", "body_area", "min_intensity", "n_segments")
_DEFAULT_NAMES = {Kind.POINTS: "spots", Kind.REGROUP: "regions", Kind.OBJECTS: "objects", Kind.WELL_FIELDS: "field"}


def describe(candidate: Candidate, facts_of: Callable[[Candidate], Mapping[str, Mapping[str, Any]]]) -> FunctionInfo:
    """The entry of ``candidate``, not offered yet. ``facts_of`` gives what is known of its function's own parameters.

    Raises:
        ValueError: when a shown parameter has no type, in the table or in the function.
    """
    facts = facts_of(candidate)
    parameters = [
        *_before(candidate),
        *(_parameter(candidate, shown, facts.get(shown.name, {})) for shown in candidate.parameters),
    ]
    objects = candidate.kind in (Kind.REGROUP, Kind.MEASURE_OBJECTS, Kind.PAINT)
    outputs = ["image"]
    if candidate.kind in MAKES_LABELS:
        outputs.append("objects")
    if candidate.kind in MEASURES:
        outputs.append("measurements")
    return FunctionInfo(
        id=candidate.id,
        title=candidate.title,
        library=_library(candidate.import_path),
        category=candidate.category,
        help=candidate.help,
        parameters=[*parameters, *_after(candidate)],
        inputs=["image", "objects"] if objects else ["image"],
        outputs=outputs,
        restrictable=candidate.kind in (Kind.IMAGE, Kind.PAINT, Kind.WELL_IMAGE),
        import_path=candidate.import_path,
    )


def _library(import_path: str) -> str:
    if import_path.startswith("skimage."):
        return "scikit-image"
    if ".cellprofiler." in import_path:
        return "OpenHCS (CellProfiler)"
    return "OpenHCS" if import_path.startswith("openhcs.") else "omero-openhcs"


def _before(candidate: Candidate) -> list[FunctionParameter]:
    """Parameters that the kind asks for first."""
    first = [_OBJECTS] if candidate.kind in (Kind.REGROUP, Kind.MEASURE_OBJECTS, Kind.PAINT) else []
    takes_channel = candidate.kind in (Kind.OBJECTS, Kind.POINTS, Kind.MEASURE_FIELD, Kind.WELL_FIELDS)
    if takes_channel or (candidate.of_plane and candidate.kind in (Kind.REGROUP, Kind.MEASURE_OBJECTS)):
        first = [*first, _CHANNEL]
    if candidate.kind in MAKES_LABELS:
        return [*first, _LABELS_NAME.model_copy(update={"default": _DEFAULT_NAMES[candidate.kind]})]
    if candidate.kind in MEASURES:
        default = _columns_name(candidate) if candidate.kind is Kind.MEASURE_OBJECTS else "field"
        return [*first, _COLUMNS_NAME.model_copy(update={"default": default})]
    return first


def _columns_name(candidate: Candidate) -> str:
    """A first part of column names that says what is measured: ``intensity``, ``cp_intensity``."""
    name = candidate.import_path.rpartition(".")[2]
    for beginning in ("measure_object_", "measure_", "count_objects_", "classify_"):
        name = name.removeprefix(beginning)
    name = name.removesuffix("_in_objects").removesuffix("_to_objects").removesuffix("_objects")
    return f"cp_{name}" if ".cellprofiler." in candidate.import_path else name


def _after(candidate: Candidate) -> list[FunctionParameter]:
    """Parameters that the kind asks for last."""
    if candidate.kind is Kind.POINTS:
        return [_EXCLUDE_BORDER]
    if candidate.kind is not Kind.OBJECTS:
        return []
    own = {shown.name for shown in candidate.parameters}
    cleaning = [] if own & set(_OWN_CLEANING) else [_SMALLEST]
    border = [] if own & {"exclude_border_objects", "remove_border_cells", "body_area"} else [_EXCLUDE_BORDER]
    return [*cleaning, *border]


def _parameter(candidate: Candidate, shown: Shown, fact: Mapping[str, Any]) -> FunctionParameter:
    """One parameter: what the table says, completed by what is known."""
    known = {"name": shown.name, "title": shown.name.replace("_", " ").capitalize()} | dict(fact)
    if "type" in shown.said:
        known |= {"inferred": False}
        known.pop("choices", None) if shown.said["type"] != "choice" else None
    known |= dict(shown.said)
    if known.get("type") == "objects":
        known.setdefault("default", "spots")
    if "type" not in known or "default" not in known:
        raise ValueError(f"{candidate.id}: the kind or default of {shown.name!r} is not known; say it in the table")
    if known["type"] == "number":
        known["default"] = float(known["default"])
    return FunctionParameter.model_validate(known)
