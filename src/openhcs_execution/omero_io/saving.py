# SPDX-License-Identifier: AGPL-3.0-or-later
"""Saving the images of a well, label images and processed ones: its whole graph in one transaction, then the pixels.

After a crash between any two calls the same call completes what is missing: wells are found by their place on the result
plate, images by their descriptions, and pixels are written again unless OMERO's checksum says that they have arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rlist, rstring

from openhcs_client import OpenHCSError, WellLayout
from openhcs_execution.engine.jobs import ImageFile, LabelFile

from .new_images import NewImage, image_graphs, write_missing
from .result_images import label_images, processed_images, source_pixels
from .services import Context, context_of, project, save
from .target import LABEL_NS, Mark, ResultTarget

__all__ = ["save_images", "save_images_in_dataset"]

_SAVED = (
    "select i.description, i.id, x.id, x.sha1 from Well w join w.wellSamples s join s.image i join i.pixels x "
    "where w.plate.id = :plate and w.row = :row and w.column = :column order by w.id, index(s)"
)
_SAVED_IN_DATASET = (
    "select i.description, i.id, x.id, x.sha1 from DatasetImageLink d join d.child i join i.pixels x "
    "join i.annotationLinks l join l.child a where d.parent.id = :dataset and i.description in (:descriptions) "
    "and a.description in (:marks) and a.details.owner.id = :owner order by i.id"
)

_Saved = dict[str, tuple[int, int, str]]
"""Image id, pixels id and checksum by description."""


def save_images(
    conn: BlitzGateway,
    target: ResultTarget,
    result_plate_id: int,
    well: WellLayout,
    labels: Sequence[LabelFile],
    processed: Sequence[ImageFile] = (),
) -> dict[tuple[int, str], int]:
    """Save the images of one well and return the image ids of its label images by ``(field, name)``.

    The images of the first label come first, in the order of the fields, so that field 3 of the result plate is field 3 of
    the source plate; the processed images come last. A field whose image was deleted meanwhile is left out.

    Raises:
        OpenHCSError: ``label_size`` (500) when an image does not fit its field, ``results_conflict`` (409) when the result
            plate holds something else at this place, ``image_gone`` (404) when no image of the well is left.
    """
    if not labels and not processed:
        return {}
    context = context_of(conn, target.plate.group_id)
    saved = _saved(conn, result_plate_id, well, context)
    prepared = _prepare(conn, target, well, labels, processed, context)
    if not saved:
        save(conn, _well_graph(result_plate_id, well, image_graphs(conn, _present(prepared, well), context)), context)
        saved = _saved(conn, result_plate_id, well, context)
    if not saved.keys() <= {image.description for image in prepared}:
        raise OpenHCSError(
            "results_conflict",
            f"Well {well.well} of the result plate {result_plate_id} holds other images already.",
            status=409,
        )
    write_missing(conn, prepared, saved, context)
    return _label_ids(prepared, saved)


def save_images_in_dataset(
    conn: BlitzGateway,
    target: ResultTarget,
    dataset_id: int,
    well: WellLayout,
    labels: Sequence[LabelFile],
    processed: Sequence[ImageFile] = (),
) -> dict[tuple[int, str], int]:
    """Save the images of one well in a dataset and return the image ids of its label images by ``(field, name)``.

    A dataset has no places, so an image is found again by its description, which names its source, and by its annotation.

    Raises:
        OpenHCSError: as :func:`save_images`.
    """
    if not labels and not processed:
        return {}
    context = context_of(conn, target.plate.group_id)
    prepared = _prepare(conn, target, well, labels, processed, context)
    saved = _saved_in_dataset(conn, target, dataset_id, prepared, context)
    missing = [image for image in prepared if image.description not in saved]
    present = _present(missing, well) if missing and not saved else [image for image in missing if image.source is not None]
    if present:
        links = []
        for image in image_graphs(conn, present, context):
            link = omero.model.DatasetImageLinkI()
            link.setParent(omero.model.DatasetI(dataset_id, False))
            link.setChild(image)
            links.append(link)
        conn.c.sf.getUpdateService().saveCollection(links, context)
        saved = _saved_in_dataset(conn, target, dataset_id, prepared, context)
    write_missing(conn, prepared, saved, context)
    return _label_ids(prepared, saved)


def _prepare(
    conn: BlitzGateway,
    target: ResultTarget,
    well: WellLayout,
    labels: Sequence[LabelFile],
    processed: Sequence[ImageFile],
    context: Context,
) -> list[NewImage]:
    sources = source_pixels(conn, [field.image_id for field in well.fields], context, channels=bool(processed))
    return label_images(target, well, labels, sources) + processed_images(target, well, processed, sources)


def _present(images: Sequence[NewImage], well: WellLayout) -> list[NewImage]:
    """Those whose original is still there.

    Raises:
        OpenHCSError: ``image_gone`` (404) when that is none of them.
    """
    present = [image for image in images if image.source is not None]
    if not present:
        raise OpenHCSError("image_gone", f"Field {images[0].field} of well {well.well} is no longer in OMERO.", status=404)
    return present


def _label_ids(images: Sequence[NewImage], saved: Mapping[str, tuple[int, int, str]]) -> dict[tuple[int, str], int]:
    return {
        (image.field, image.values["label"]): saved[image.description][0]
        for image in images
        if image.ns == LABEL_NS and image.description in saved
    }


def _saved(conn: BlitzGateway, result_plate_id: int, well: WellLayout, context: Context) -> _Saved:
    parameters = omero.sys.ParametersI()
    parameters.addLong("plate", result_plate_id)
    parameters.add("row", rint(well.row))
    parameters.add("column", rint(well.column))
    return {row[0]: (row[1], row[2], row[3]) for row in project(conn, _SAVED, parameters, context)}


def _saved_in_dataset(
    conn: BlitzGateway, target: ResultTarget, dataset_id: int, images: Sequence[NewImage], context: Context
) -> _Saved:
    """The execution's images in a dataset."""
    parameters = omero.sys.ParametersI().addLong("dataset", dataset_id).addLong("owner", target.user_id)
    parameters.add("marks", rlist([rstring(target.mark(mark)) for mark in (Mark.LABEL, Mark.PROCESSED)]))
    parameters.add("descriptions", rlist([rstring(image.description) for image in images]))
    return {row[0]: (row[1], row[2], row[3]) for row in project(conn, _SAVED_IN_DATASET, parameters, context)}


def _well_graph(result_plate_id: int, well: WellLayout, images: Sequence[omero.model.Image]) -> omero.model.Well:
    graph = omero.model.WellI()
    graph.setPlate(omero.model.PlateI(result_plate_id, False))
    graph.setRow(rint(well.row))
    graph.setColumn(rint(well.column))
    for image in images:
        sample = omero.model.WellSampleI()
        sample.setImage(image)
        graph.addWellSample(sample)
    return graph
