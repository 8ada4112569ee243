# SPDX-License-Identifier: AGPL-3.0-or-later
"""Control wells, kept in OMERO: whoever may read the plate sees them, and OMERO says who may mark them for others.

A person's marks are one MapAnnotation per plate (namespace :data:`NAMESPACE`). Where OMERO lets them annotate the plate it is
linked to it; otherwise it lies beside it, without a link, and counts for that person alone. Readers get the first of:

1. their own marks;
2. those of the plate's owner;
3. the newest of somebody else, linked to the plate;
4. key-value pairs and tags on the wells themselves, as many laboratories have them from their import.

Marks are taken as a whole and never mixed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import omero.model
from omero.rtypes import rstring, unwrap
from omero.sys import ParametersI

from openhcs_client import PlateControls, WellContent, WellRole, is_role_key, role_of, well_name, well_position

from .plates import PlateSummary

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["NAMESPACE", "read_controls", "save_controls"]

NAMESPACE = "openhcs.org/omero/control-wells/v1"

_KEYS = {
    WellRole.POSITIVE: "positive control",
    WellRole.NEGATIVE: "negative control",
    WellRole.EMPTY: "empty",
}
"""Keys whose value lists wells. A well in none of them is a treatment."""

_COMPOUND, _CONCENTRATION = "compound ", "concentration "
"""Beginnings of keys that end with a well."""

# Rows of text: whole annotations of 384 wells would take ten times as long, and pages ask again while a run goes on.
_PAIRS_OF_WELLS = (
    "select l.parent.row, l.parent.column, a.id, m.name, m.value "
    "from WellAnnotationLink l, MapAnnotation a join a.mapValue m where l.child.id = a.id and l.parent.plate.id = :id"
)
_TAGS_OF_WELLS = (
    "select l.parent.row, l.parent.column, a.id, a.textValue "
    "from WellAnnotationLink l, TagAnnotation a where l.child.id = a.id and l.parent.plate.id = :id"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Marks:
    """One person's annotation. ``owner`` is their name."""

    annotation_id: int
    owner_id: int
    owner: str
    wells: list[WellContent]
    linked: bool


def read_controls(conn: BlitzGateway, plate: PlateSummary, user_id: int) -> PlateControls:
    """What is known of the wells of ``plate``, for the reader ``user_id``."""
    known = PlateControls(plate_id=plate.plate_id, may_share=plate.can_annotate)
    marks = _marks_on(conn, plate)
    own = _own_marks(conn, plate, user_id, marks)
    for source, chosen in (
        ("own", own),
        ("plate_owner", [each for each in marks if each.owner_id == plate.owner_id]),
        ("colleague", marks),
    ):
        if chosen:
            newest = max(chosen, key=lambda each: each.annotation_id)
            update = {"source": source, "marked_by": newest.owner, "shared": newest.linked, "wells": newest.wells}
            return known.model_copy(update=update)
    annotated = _annotated_wells(conn, plate)
    if annotated:
        return known.model_copy(update={"source": "annotations", "shared": True, "wells": annotated})
    return known


def save_controls(conn: BlitzGateway, plate: PlateSummary, user_id: int, wells: Sequence[WellContent]) -> None:
    """Put ``wells`` (with normal names) in the place of the person's earlier marks; none at all only removes those.

    The new annotation is written before the old ones go, so that an interruption leaves the newest valid.
    """
    before = [each.annotation_id for each in _own_marks(conn, plate, user_id, _marks_on(conn, plate))]
    if wells:
        annotation = omero.model.MapAnnotationI()
        annotation.setNs(rstring(NAMESPACE))
        annotation.setDescription(rstring(_description(plate)))
        annotation.setMapValue([omero.model.NamedValue(key, value) for key, value in _pairs(plate, wells)])
        context = conn.SERVICE_OPTS.copy()
        context.setOmeroGroup(plate.group_id)
        conn.getUpdateService().saveAndReturnObject(_linked(plate, annotation) if plate.can_annotate else annotation, context)
    if before:
        conn.deleteObjects("Annotation", before, wait=True)


def _linked(plate: PlateSummary, annotation: Any) -> Any:
    link = omero.model.PlateAnnotationLinkI()
    link.setParent(omero.model.PlateI(plate.plate_id, False))
    link.setChild(annotation)
    return link


def _description(plate: PlateSummary) -> str:
    return f"Control wells of plate {plate.plate_id}"


def _marks_on(conn: BlitzGateway, plate: PlateSummary) -> list[_Marks]:
    """Everybody's marks that are linked to the plate and can be read."""
    marks = []
    for link in conn.getAnnotationLinks("Plate", parent_ids=[plate.plate_id], ns=NAMESPACE):
        annotation = link.getChild()._obj
        if isinstance(annotation, omero.model.MapAnnotation):
            marks.append(_marks_of(annotation, linked=True))
    return marks


def _own_marks(conn: BlitzGateway, plate: PlateSummary, user_id: int, linked: Iterable[_Marks]) -> list[_Marks]:
    """The reader's own marks, also those that are not linked."""
    own = {each.annotation_id: each for each in linked if each.owner_id == user_id}
    parameters = ParametersI()
    parameters.addString("ns", NAMESPACE)
    parameters.addString("description", _description(plate))
    parameters.addLong("user", user_id)
    query = (
        "select a from MapAnnotation a join fetch a.details.owner "
        "where a.ns = :ns and a.description = :description and a.details.owner.id = :user"
    )
    for annotation in conn.getQueryService().findAllByQuery(query, parameters, conn.SERVICE_OPTS):
        own.setdefault(unwrap(annotation.id), _marks_of(annotation, linked=False))
    return list(own.values())


def _marks_of(annotation: Any, *, linked: bool) -> _Marks:
    owner = annotation.details.owner
    name = " ".join(part for part in (unwrap(owner.firstName), unwrap(owner.lastName)) if part)
    pairs = [(pair.name, pair.value) for pair in annotation.getMapValue()]
    return _Marks(unwrap(annotation.id), unwrap(owner.id), name or unwrap(owner.omeName) or "", _contents(pairs), linked)


def _pairs(plate: PlateSummary, wells: Sequence[WellContent]) -> list[tuple[str, str]]:
    """The annotation's key-value pairs, which people also read in OMERO.web."""
    pairs = [("plate_id", str(plate.plate_id))]
    for role, key in _KEYS.items():
        names = [entry.well for entry in wells if entry.role is role]
        if names:
            pairs.append((key, ", ".join(names)))
    for entry in wells:
        if entry.compound:
            pairs.append((f"{_COMPOUND}{entry.well}", entry.compound))
        if entry.concentration:
            pairs.append((f"{_CONCENTRATION}{entry.well}", entry.concentration))
    return pairs


def _contents(pairs: Iterable[tuple[str, str]]) -> list[WellContent]:
    """The wells of an annotation. Somebody may have edited it in OMERO.web: what is no well is left out."""
    roles: dict[str, WellRole] = {}
    more: dict[str, dict[str, str]] = {}
    by_key = {key: role for role, key in _KEYS.items()}
    for key, value in pairs:
        if key in by_key:
            for name in _names(value.split(",")):
                roles[name] = by_key[key]
        for beginning in (_COMPOUND, _CONCENTRATION):
            if key.startswith(beginning):
                for name in _names([key.removeprefix(beginning)]):
                    more.setdefault(name, {})[beginning.strip()] = value
    names = sorted(roles.keys() | more.keys(), key=well_position)
    return [_content(name, roles.get(name, WellRole.TREATMENT), **more.get(name, {})) for name in names]


def _names(texts: Iterable[str]) -> list[str]:
    names = []
    for text in texts:
        try:
            names.append(well_name(*well_position(text)))
        except ValueError:
            logger.warning("An annotation of control wells names %r, which is not a well", text[:40])
    return names


def _annotated_wells(conn: BlitzGateway, plate: PlateSummary) -> list[WellContent]:
    """Wells whose own key-value pairs (``Role``, ``Control Type``…) or tags (*positive control*…) say what they are for."""
    parameters = ParametersI()
    parameters.addId(plate.plate_id)

    def rows(query: str) -> list[list[Any]]:
        return [unwrap(row) for row in conn.getQueryService().projection(query, parameters, conn.SERVICE_OPTS)]

    found = rows(_PAIRS_OF_WELLS) + [[*where, "role", text] for *where, text in rows(_TAGS_OF_WELLS)]
    pairs: dict[str, list[tuple[str, str]]] = {}
    # By annotation, so that a newer one has the last word.
    for row, column, _, key, value in sorted(found, key=lambda each: each[2]):
        pairs.setdefault(well_name(row, column), []).append((key or "", value or ""))
    contents = [_annotated(well, found) for well, found in pairs.items()]
    if all(entry.role is WellRole.TREATMENT for entry in contents):
        return []
    return sorted(contents, key=lambda entry: well_position(entry.well))


def _annotated(well: str, pairs: Iterable[tuple[str, str]]) -> WellContent:
    role, more = WellRole.TREATMENT, {}
    for key, value in pairs:
        word = key.strip().lower()
        if is_role_key(key):
            role = role_of(value) or role
        elif word == "compound":
            more["compound"] = value
        elif word.startswith("concentration"):
            unit = key.partition("(")[2].partition(")")[0]
            more["concentration"] = f"{value} {unit}".strip()
    return _content(well, role, **more)


def _content(well: str, role: WellRole, compound: str = "", concentration: str = "") -> WellContent:
    return WellContent(well=well, role=role, compound=compound[:200], concentration=concentration[:50])
