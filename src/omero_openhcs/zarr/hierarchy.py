# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which node an address names, and what is in it.

An address is the part behind ``.zarr/``. Groups have metadata documents, arrays have a document and chunks; anything else
is absent, and readers of Zarr rely on being told so. Nothing is made before the caller asks for the content: often a browser
holds it already, and knowing the entry's revision is enough.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openhcs_client import PlateLayout, WellLayout

from .access import ReadAccess
from .chunks import ArraySpec, Pyramid, array_of, chunk_bytes
from .formats import Format
from .ngff import column_name, image_ome, label_ome, labels_ome, plate_ome, row_name, well_ome

__all__ = ["Entry", "find_in_image", "find_in_plate"]

JSON = "application/json"
BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Entry:
    """Something at an address. ``revision`` changes whenever ``content()`` would."""

    media_type: str
    revision: str
    content: Callable[[], bytes]


def find_in_image(access: ReadAccess, form: Format, image_id: int, parts: Sequence[str]) -> Entry | None:
    """The entry at ``parts`` below an image, or None.

    Raises:
        OpenHCSError: when there is no such image, or the caller may not read it.
        ConnectionNeeded: when OMERO must be asked and ``access`` has no connection.
    """
    pyramid = access.pyramid(image_id)
    if len(parts) == 1:
        return _document(form.group_document(parts[0], image_ome(pyramid), _processed(access, image_id)))
    if not parts or parts[0] != "labels":
        return _in_pyramid(access, form, pyramid, parts, image_ome(pyramid))
    labels = access.labels(image_id)
    if not labels or len(parts) < 2:
        return None
    label = labels.get(parts[1])
    if label is not None:
        info = access.pyramid(label.image_id).info
        label_pyramid = Pyramid(pyramid.server, info, object_numbers=True, as_labels=True)
        return _in_pyramid(access, form, label_pyramid, parts[2:], label_ome(label_pyramid))
    if len(parts) > 2:
        return None
    # Which execution made which label image; the NGFF has no place for it.
    origins = {
        path: {"execution_id": found.execution_id, "name": found.name, "image_id": found.image_id}
        for path, found in labels.items()
    }
    return _document(form.group_document(parts[1], labels_ome(list(labels)), {"openhcs": {"labels": origins}}))


def _processed(access: ReadAccess, image_id: int) -> dict[str, Any]:
    """Which images executions left of this one; the NGFF has no place for it."""
    made = [{"execution_id": each.execution_id, "image_id": each.image_id} for each in access.processed(image_id)]
    return {"openhcs": {"processed": made}} if made else {}


def find_in_plate(access: ReadAccess, form: Format, plate_id: int, parts: Sequence[str]) -> Entry | None:
    """The entry at ``parts`` below a plate, or None; raises as :func:`find_in_image`."""
    layout = access.layout(plate_id)
    match list(parts):
        case [name]:
            return _document(form.group_document(name, plate_ome(layout), {}))
        case [row, name] if any(row_name(well.row) == row for well in layout.wells):
            # A row is a group without metadata of its own.
            return _document(form.group_document(name, {}, {}))
        case [row, column, *rest]:
            well = _well_at(layout, row, column)
            return _in_well(access, form, well, rest) if well is not None else None
    return None


def _in_well(access: ReadAccess, form: Format, well: WellLayout, parts: Sequence[str]) -> Entry | None:
    match list(parts):
        case [name]:
            return _document(form.group_document(name, well_ome(well), {}))
        case [field, *rest] if field in {str(index) for index in range(len(well.fields))}:
            return find_in_image(access, form, well.fields[int(field)].image_id, rest)
    return None


def _well_at(layout: PlateLayout, row: str, column: str) -> WellLayout | None:
    return next((well for well in layout.wells if row_name(well.row) == row and column_name(well.column) == column), None)


def _in_pyramid(access: ReadAccess, form: Format, pyramid: Pyramid, parts: Sequence[str], ome: dict[str, Any]) -> Entry | None:
    match list(parts):
        case [name]:
            return _document(form.group_document(name, ome, {}))
        case [level, *rest] if level in {str(number) for number in range(len(pyramid.level_sizes))}:
            return _in_array(access, form, pyramid, int(level), rest)
    return None


def _in_array(access: ReadAccess, form: Format, pyramid: Pyramid, level: int, parts: Sequence[str]) -> Entry | None:
    array = array_of(pyramid, level)
    if len(parts) == 1:
        document = form.array_document(parts[0], array)
        if document is not None:
            return _document(document)
    index = form.chunk_index(parts)
    if index is None or not _within(array, index):
        return None
    info = pyramid.info
    return Entry(
        media_type=BINARY,
        revision=f"{pyramid.server}/{info.pixels_id}/{info.pixels_revision}",
        content=lambda: chunk_bytes(pyramid, level, index, access.reader(info)),
    )


def _within(array: ArraySpec, index: tuple[int, ...]) -> bool:
    return len(index) == len(array.shape) and all(
        number * size < length for number, size, length in zip(index, array.chunks, array.shape, strict=True)
    )


def _document(document: dict[str, Any] | None) -> Entry | None:
    if document is None:
        return None
    content = json.dumps(document, allow_nan=False).encode()
    # A document is small, so its own content tells whether it changed.
    return Entry(media_type=JSON, revision=content.decode(), content=lambda: content)
