# SPDX-License-Identifier: AGPL-3.0-or-later
"""How objects hang together when they are deleted or moved, derived from the model's references.

Each reference from one entity to another is of one of four kinds:

* `Bond.LINK`: the two ends of a link object; a link goes with either of its ends, and keeps its *child* attached.
* `Bond.PART`: the holder is a part of what it refers to (a well of its plate, a ROI of its image) and goes with it.
* `Bond.HOLD`: the holder uses what it refers to (a well sample its image, a channel its logical channel); what is held by
  nothing any more goes too, and if it goes first a holder that cannot be without it goes with it.
* `Bond.LOOSE`: a reference that is simply emptied.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from omero_sandbox.model.reflection import ENTITIES, Entity, Field, FieldKind
from omero_sandbox.store.schema import columns_of_root

__all__ = ["REFERENCES_FROM", "REFERENCES_TO", "Bond", "Reference"]

# References that have a collection on the other side, yet do not make their holder a part of it.
_HOLDING = {("WellSample", "image"), ("Channel", "logicalChannel"), ("FilesetEntry", "originalFile")}
# Optional references whose holder is a part all the same.
_OPTIONAL_PARTS = {("Roi", "image"), ("WellSample", "plateAcquisition"), ("Image", "fileset"), ("Annotation", "file")}
_LOOSE = {("Pixels", "relatedTo"), ("Event", "containingEvent")}


class Bond(Enum):
    """What a reference means for the life of its two ends."""

    LINK = "link"
    PART = "part"
    HOLD = "hold"
    LOOSE = "loose"


@dataclass(frozen=True)
class Reference:
    """A reference column: from the table of `holder` (a root entity) to the table of `target` (a root entity)."""

    holder: str
    field: Field
    target: str
    bond: Bond
    required: bool
    attaches: bool  # whether the holder keeps the target from being an orphan


def _collections_by_inverse(entity: Entity) -> set[tuple[str, str]]:
    """(root of the element, reference back) of every collection of an entity and its subclasses."""
    return {
        (ENTITIES[field.type].root, field.inverse)
        for name in entity.family
        for field in ENTITIES[name].fields.values()
        if field.kind is FieldKind.COLLECTION and field.inverse
    }


def _describe(root: Entity, field: Field) -> Reference:
    target = ENTITIES[ENTITIES[field.type].root]
    key = (root.name, field.name)
    if root.is_link and field.name in ("parent", "child"):
        # Original files are the *parents* of the pixels they were archived for.
        attached_end = "parent" if root.name == "PixelsOriginalFileMap" else "child"
        return Reference(root.name, field, target.name, Bond.LINK, True, field.name == attached_end)
    in_collection = (root.name, field.name) in _collections_by_inverse(target)
    if key in _OPTIONAL_PARTS or (in_collection and not field.nullable and key not in _HOLDING):
        # A file annotation goes with its file, but it also keeps the file.
        return Reference(root.name, field, target.name, Bond.PART, False, key == ("Annotation", "file"))
    if key in _LOOSE or (in_collection and key not in _HOLDING):
        return Reference(root.name, field, target.name, Bond.LOOSE, False, False)
    return Reference(root.name, field, target.name, Bond.HOLD, not field.nullable, True)


def _references() -> list[Reference]:
    found: list[Reference] = []
    for name, entity in sorted(ENTITIES.items()):
        if entity.root == name:
            found.extend(
                _describe(entity, field) for field in columns_of_root(name).values() if field.kind is FieldKind.REFERENCE
            )
    return found


_ALL = _references()

REFERENCES_TO: dict[str, list[Reference]] = {
    name: [each for each in _ALL if each.target == name] for name, entity in ENTITIES.items() if entity.root == name
}
"""Root entity -> everything that can refer to it."""

REFERENCES_FROM: dict[str, list[Reference]] = {
    name: [each for each in _ALL if each.holder == name] for name, entity in ENTITIES.items() if entity.root == name
}
"""Root entity -> everything it can refer to."""
