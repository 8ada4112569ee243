# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an execution left behind, in the service and in OMERO, read with plain omero-py and nothing of ours."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import omero
import omero.model
from omero.constants.namespaces import NSBULKANNOTATIONS
from omero.gateway import BlitzGateway
from omero.rtypes import unwrap

from openhcs_client import MeasurementLevel, RemoteOrchestrator

__all__ = ["InOmero", "measurements", "read_from_omero", "twice"]

Label = tuple[str, int]
"""Well, as ``row column``, and which image of it."""


@dataclass(frozen=True)
class InOmero:
    """``labels`` are hashes of pixels, ``annotations`` kinds on the source plate, ``table`` its rows by well and image."""

    plates: int
    labels: dict[Label, str]
    images_outside: int
    annotations: Counter[str]
    table: Counter[tuple[str, int]]


def measurements(client: RemoteOrchestrator, execution_id: str) -> dict[str, list[list[Any]]]:
    """All measurements, sorted: the order of wells is the order in which they were committed."""
    found = {}
    for level in MeasurementLevel:
        rows = client.results(execution_id)._read(level)
        found[level.value] = sorted([*map(repr, row)] for row in rows)
    return found


def read_from_omero(conn: BlitzGateway, plate_id: int, execution_id: str) -> InOmero:
    """Everything of this user that carries the execution's id."""
    own = omero.sys.ParametersI().addString("id", execution_id)
    plates = _ask(conn, "select p.id from Plate p where p.externalIdentifier = :id", own)
    labels: dict[Label, str] = {}
    for (result_plate,) in plates:
        for well in conn.getObject("Plate", result_plate).listChildren():
            for position, sample in enumerate(well.listChildren()):
                pixels = sample.getImage().getPrimaryPixels().getPlane(0, 0, 0)
                place = (f"{well.row} {well.column}", position)
                assert place not in labels, f"two wells at {place}"
                labels[place] = hashlib.sha256(pixels.astype("<i4").tobytes()).hexdigest()
    mark = f"OpenHCS execution {execution_id}: "
    annotations = [
        annotation
        for annotation in conn.getObject("Plate", plate_id).listAnnotations()
        if (annotation.getDescription() or "").startswith(mark)
    ]
    tables = [annotation for annotation in annotations if annotation.getNs() == NSBULKANNOTATIONS]
    rows: Counter[tuple[str, int]] = Counter()
    for annotation in tables:
        rows.update(_rows(conn, annotation.getFile()._obj))
    return InOmero(
        plates=len(plates),
        labels=labels,
        images_outside=_images_outside_plates(conn),
        annotations=Counter(annotation.getDescription().removeprefix(mark) for annotation in annotations),
        table=rows,
    )


def _images_outside_plates(conn: BlitzGateway) -> int:
    """Images of this user that are in no well: what a save that was cut short could leave behind."""
    parameters = omero.sys.ParametersI().addLong("user", conn.getUserId())
    everything = _ask(conn, "select i.id from Image i where i.details.owner.id = :user", parameters)
    in_wells = _ask(conn, "select s.image.id from WellSample s where s.image.details.owner.id = :user", parameters)
    return len({row[0] for row in everything} - {row[0] for row in in_wells})


def _rows(conn: BlitzGateway, file: omero.model.OriginalFile) -> Counter[tuple[str, int]]:
    table = conn.getSharedResources().openTable(file, conn.SERVICE_OPTS)
    try:
        headers = [header.name for header in table.getHeaders()]
        wanted = [headers.index(name) for name in ("Well Name", "Image")]
        names, images = table.read(wanted, 0, table.getNumberOfRows()).columns
        return Counter((str(name), int(image)) for name, image in zip(names.values, images.values, strict=True))
    finally:
        table.close()


def _ask(conn: BlitzGateway, query: str, parameters: omero.sys.ParametersI) -> list[list[Any]]:
    rows = conn.getQueryService().projection(query, parameters, {"omero.group": "-1"})
    return [[unwrap(value) for value in row] for row in rows]


def twice(counts: Counter[Any]) -> dict[Any, int]:
    """What is there more than once."""
    return {key: count for key, count in counts.items() if count > 1}
