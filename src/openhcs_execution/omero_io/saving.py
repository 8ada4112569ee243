# SPDX-License-Identifier: AGPL-3.0-or-later
"""Saving the label images of a well: its whole graph in one transaction, then the pixels.

After a crash between any two calls the same call completes what is missing: wells are found by their place on the result
plate, and pixels are written again unless OMERO's checksum says that they have arrived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rdouble, rint, rlist, rstring

from openhcs_client import OpenHCSError, WellLayout
from openhcs_execution.engine.jobs import LabelFile

from .planes import PIXEL_TYPES
from .services import Context, context_of, find_all, project, raw_pixels, save
from .target import LABEL_NS, Mark, ResultTarget

__all__ = ["save_labels", "save_labels_in_dataset"]

_LARGEST_UINT16 = 65_535
_LARGEST_PLANE = 3192 * 3192
"""Pixels; OMERO builds an image pyramid above this size and takes such planes in tiles only."""

_NOT_WRITTEN = "Pending..."
"""What OMERO itself puts into ``sha1`` of pixels that are still to come."""

_SAVED = (
    "select i.id, i.name, x.id, x.sha1 from Well w join w.wellSamples s join s.image i join i.pixels x "
    "where w.plate.id = :plate and w.row = :row and w.column = :column order by w.id, index(s)"
)
_SAVED_IN_DATASET = (
    "select i.id, i.description, x.id, x.sha1 from DatasetImageLink d join d.child i join i.pixels x "
    "join i.annotationLinks l join l.child a where d.parent.id = :dataset and i.description in (:descriptions) "
    "and a.description = :mark and a.details.owner.id = :owner order by i.id"
)
_SOURCES = "select x from Pixels x join fetch x.image where x.image.id in (:ids)"
_PIXELS_TYPE = "select t from PixelsType t where t.value = :value"
_DIMENSION_ORDER = "select o from DimensionOrder o where o.value = :value"


@dataclass(frozen=True)
class _Label:
    """A label image ready to be saved; ``pixels`` is big-endian, of shape (y, x)."""

    file: LabelFile
    name: str
    pixel_type: str
    pixels: np.ndarray
    maximum: int
    source: omero.model.Pixels

    @property
    def key(self) -> tuple[int, str]:
        return self.file.field, self.file.name

    @property
    def description(self) -> str:
        return f"{self.file.objects} {self.file.name} in image {self.source.image.id.val}. 0 is background."

    def sha1(self) -> str:
        return hashlib.sha1(self.pixels.tobytes(), usedforsecurity=False).hexdigest()


def save_labels(
    conn: BlitzGateway, target: ResultTarget, result_plate_id: int, well: WellLayout, labels: Sequence[LabelFile]
) -> dict[tuple[int, str], int]:
    """Save the label images of one well and return their image ids by ``(field, name)``.

    The images of the first label come first, in the order of the fields, so that field 3 of the result plate is field 3 of
    the source plate.

    Raises:
        OpenHCSError: ``label_size`` (500) when a label image does not fit its field, ``results_conflict`` (409) when the
            result plate holds something else at this place.
    """
    if not labels:
        return {}
    context = context_of(conn, target.plate.group_id)
    saved = _saved(conn, result_plate_id, well, context)
    prepared = _prepare(conn, well, labels, context)
    if not saved:
        save(conn, _well_graph(target, result_plate_id, well, _image_graphs(conn, target, well, prepared, context)), context)
        saved = _saved(conn, result_plate_id, well, context)
    if [name for _image, name, _pixels, _sha1 in saved] != [label.name for label in prepared]:
        raise OpenHCSError(
            "results_conflict",
            f"Well {well.well} of the result plate {result_plate_id} holds other images already.",
            status=409,
        )
    _write_missing(conn, [(row[2], row[3]) for row in saved], prepared, context)
    return {label.key: row[0] for row, label in zip(saved, prepared, strict=True)}


def save_labels_in_dataset(
    conn: BlitzGateway, target: ResultTarget, dataset_id: int, well: WellLayout, labels: Sequence[LabelFile]
) -> dict[tuple[int, str], int]:
    """Save the label images of one well in a dataset and return their image ids by ``(field, name)``.

    A dataset has no places, so an image is found again by its description, which names its source, and by its annotation.

    Raises:
        OpenHCSError: as :func:`save_labels`.
    """
    if not labels:
        return {}
    context = context_of(conn, target.plate.group_id)
    prepared = _prepare(conn, well, labels, context)
    saved = _saved_in_dataset(conn, target, dataset_id, prepared, context)
    missing = [label for label in prepared if label.description not in saved]
    if missing:
        links = []
        for image in _image_graphs(conn, target, well, missing, context):
            link = omero.model.DatasetImageLinkI()
            link.setParent(omero.model.DatasetI(dataset_id, False))
            link.setChild(image)
            links.append(link)
        conn.c.sf.getUpdateService().saveCollection(links, context)
        saved = _saved_in_dataset(conn, target, dataset_id, prepared, context)
    rows = [saved[label.description] for label in prepared]
    _write_missing(conn, [(pixels_id, sha1) for _image, pixels_id, sha1 in rows], prepared, context)
    return {label.key: image_id for (image_id, _pixels, _sha1), label in zip(rows, prepared, strict=True)}


def _saved_in_dataset(
    conn: BlitzGateway, target: ResultTarget, dataset_id: int, labels: Sequence[_Label], context: Context
) -> dict[str, tuple[int, int, str]]:
    """Image id, pixels id and checksum of the execution's images in a dataset, by description."""
    parameters = omero.sys.ParametersI().addLong("dataset", dataset_id).addLong("owner", target.user_id)
    parameters.addString("mark", target.mark(Mark.LABEL))
    parameters.add("descriptions", rlist([rstring(label.description) for label in labels]))
    return {row[1]: (row[0], row[2], row[3]) for row in project(conn, _SAVED_IN_DATASET, parameters, context)}


def _write_missing(conn: BlitzGateway, saved: Sequence[tuple[int, str]], labels: Sequence[_Label], context: Context) -> None:
    """Write the pixels (by their id) whose checksum is not that of their label image."""
    missing = [(pixels_id, label) for (pixels_id, sha1), label in zip(saved, labels, strict=True) if sha1 != label.sha1()]
    if missing:
        with raw_pixels(conn, context) as store:
            for pixels_id, label in missing:
                store.setPixelsId(pixels_id, True, context)
                _write(store, label.pixels, context)
                store.save(context)


def _saved(conn: BlitzGateway, result_plate_id: int, well: WellLayout, context: Context) -> list[list[Any]]:
    parameters = omero.sys.ParametersI()
    parameters.addLong("plate", result_plate_id)
    parameters.add("row", rint(well.row))
    parameters.add("column", rint(well.column))
    return project(conn, _SAVED, parameters, context)


def _prepare(conn: BlitzGateway, well: WellLayout, labels: Sequence[LabelFile], context: Context) -> list[_Label]:
    fields = {field.field: field for field in well.fields}
    ids = omero.sys.ParametersI().addIds([fields[label.field].image_id for label in labels])
    sources = {pixels.image.id.val: pixels for pixels in find_all(conn, _SOURCES, ids, context)}
    prepared = []
    for label in sorted(labels, key=lambda each: (each.name, each.field)):
        field = fields[label.field]
        array = np.load(label.path, allow_pickle=False)
        if array.shape != (field.size_y, field.size_x):
            raise OpenHCSError(
                "label_size",
                f"The label image {label.name} of well {well.well}, field {label.field}, does not have the size of its image.",
                status=500,
            )
        source = sources.get(field.image_id)
        if source is None:
            raise OpenHCSError("image_gone", f"Field {field.field} of well {well.well} is no longer in OMERO.", status=404)
        maximum = int(array.max(initial=0))
        pixel_type = "uint16" if maximum <= _LARGEST_UINT16 else "int32"
        name = source.image.name.val
        prepared.append(
            _Label(
                file=label,
                name=f"{name[: 250 - len(label.name)]} – {label.name}",
                pixel_type=pixel_type,
                pixels=array.astype(PIXEL_TYPES[pixel_type]),
                maximum=maximum,
                source=source,
            )
        )
    return prepared


def _image_graphs(
    conn: BlitzGateway, target: ResultTarget, well: WellLayout, labels: Sequence[_Label], context: Context
) -> list[omero.model.Image]:
    types = {label.pixel_type: _enumeration(conn, _PIXELS_TYPE, label.pixel_type, context) for label in labels}
    order = _enumeration(conn, _DIMENSION_ORDER, "XYZCT", context)
    return [_image_graph(target, well, label, types[label.pixel_type], order) for label in labels]


def _well_graph(
    target: ResultTarget, result_plate_id: int, well: WellLayout, images: Sequence[omero.model.Image]
) -> omero.model.Well:
    graph = omero.model.WellI()
    graph.setPlate(omero.model.PlateI(result_plate_id, False))
    graph.setRow(rint(well.row))
    graph.setColumn(rint(well.column))
    for image in images:
        sample = omero.model.WellSampleI()
        sample.setImage(image)
        graph.addWellSample(sample)
    return graph


def _image_graph(
    target: ResultTarget, well: WellLayout, label: _Label, pixel_type: omero.model.PixelsType, order: omero.model.DimensionOrder
) -> omero.model.Image:
    height, width = label.pixels.shape
    pixels = omero.model.PixelsI()
    pixels.setPixelsType(pixel_type)
    pixels.setDimensionOrder(order)
    pixels.setSha1(rstring(_NOT_WRITTEN))
    for set_size, size in (
        (pixels.setSizeX, width),
        (pixels.setSizeY, height),
        (pixels.setSizeZ, 1),
        (pixels.setSizeC, 1),
        (pixels.setSizeT, 1),
    ):
        set_size(rint(size))
    pixels.setPhysicalSizeX(label.source.physicalSizeX)
    pixels.setPhysicalSizeY(label.source.physicalSizeY)
    pixels.addChannel(_channel_graph(label))
    image = omero.model.ImageI()
    image.setName(rstring(label.name))
    image.setDescription(rstring(label.description))
    image.addPixels(pixels)
    image.linkAnnotation(_annotation(target, well, label))
    return image


def _channel_graph(label: _Label) -> omero.model.Channel:
    logical = omero.model.LogicalChannelI()
    logical.setName(rstring(label.file.name))
    # The range that OMERO shows at first; without it every object would be nearly black.
    statistics = omero.model.StatsInfoI()
    statistics.setGlobalMin(rdouble(0.0))
    statistics.setGlobalMax(rdouble(float(max(label.maximum, 1))))
    channel = omero.model.ChannelI()
    channel.setLogicalChannel(logical)
    channel.setStatsInfo(statistics)
    return channel


def _annotation(target: ResultTarget, well: WellLayout, label: _Label) -> omero.model.MapAnnotation:
    values = {
        "execution_id": target.execution_id,
        "source_image_id": str(label.source.image.id.val),
        "well": well.well,
        "field": str(label.file.field),
        "label": label.file.name,
        "objects": str(label.file.objects),
    }
    annotation = omero.model.MapAnnotationI()
    annotation.setNs(rstring(LABEL_NS))
    annotation.setDescription(rstring(target.mark(Mark.LABEL)))
    annotation.setMapValue([omero.model.NamedValue(name, value) for name, value in values.items()])
    return annotation


def _enumeration(conn: BlitzGateway, hql: str, value: str, context: Context) -> Any:
    return find_all(conn, hql, omero.sys.ParametersI().addString("value", value), context)[0]


def _write(store: omero.api.RawPixelsStorePrx, pixels: np.ndarray, context: Context) -> None:
    height, width = pixels.shape
    if height * width <= _LARGEST_PLANE:
        store.setPlane(pixels.tobytes(), 0, 0, 0, context)
        return
    tile_width, tile_height = store.getTileSize(context)
    for top in range(0, height, tile_height):
        for left in range(0, width, tile_width):
            tile = pixels[top : top + tile_height, left : left + tile_width]
            store.setTile(tile.tobytes(), 0, 0, 0, left, top, tile.shape[1], tile.shape[0], context)
