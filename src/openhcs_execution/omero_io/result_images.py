# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the engine made of a well as new images for OMERO: label images, and the images as the last step left them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import omero
from omero.gateway import BlitzGateway

from openhcs_client import OpenHCSError, WellLayout
from openhcs_execution.engine.jobs import ImageFile, LabelFile

from .new_images import NewChannel, NewImage
from .services import Context, find_all
from .target import LABEL_NS, PROCESSED_NS, Mark, ResultTarget

__all__ = ["label_images", "omero_pixel_type", "processed_images", "source_pixels"]

_LARGEST_UINT16 = 65_535

_SOURCES = "select x from Pixels x join fetch x.image where x.image.id in (:ids)"
_SOURCES_WITH_CHANNELS = (
    "select x from Pixels x join fetch x.image left outer join fetch x.channels c left outer join fetch c.logicalChannel "
    "where x.image.id in (:ids)"
)

_OMERO_TYPES = {
    **{name: name for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32")},
    "bool": "uint8",
    "float16": "float",
    "float32": "float",
    "float64": "double",
    "int64": "double",
    "uint64": "double",
}
"""OMERO has no 64-bit integers, half floats or, in the images that everything can read, bits."""


def source_pixels(
    conn: BlitzGateway, image_ids: Sequence[int], context: Context, *, channels: bool = False
) -> dict[int, omero.model.Pixels]:
    """The pixels of these images by image id, with their channels on request; images that are gone are left out."""
    hql = _SOURCES_WITH_CHANNELS if channels else _SOURCES
    found = find_all(conn, hql, omero.sys.ParametersI().addIds(list(image_ids)), context)
    return {pixels.image.id.val: pixels for pixels in found}


def label_images(
    target: ResultTarget, well: WellLayout, labels: Sequence[LabelFile], sources: Mapping[int, omero.model.Pixels]
) -> list[NewImage]:
    """The label images of a well, those of the first label first, in the order of the fields.

    Raises:
        OpenHCSError: ``label_size`` (500) when a label image does not fit its field.
    """
    fields = {field.field: field for field in well.fields}
    images = []
    for label in sorted(labels, key=lambda each: (each.name, each.field)):
        field = fields[label.field]
        array = np.load(label.path, allow_pickle=False)
        _check_size(array, (field.size_y, field.size_x), f"The label image {label.name}", well.well, label.field)
        maximum = int(array.max(initial=0))
        source = sources.get(field.image_id)
        images.append(
            NewImage(
                field=label.field,
                name=_name(source, label.name),
                description=f"{label.objects} {label.name} in image {field.image_id}. 0 is background.",
                pixel_type="uint16" if maximum <= _LARGEST_UINT16 else "int32",
                size=array.shape,
                channels=[NewChannel(label.name, 0.0, float(max(maximum, 1)))],
                plane=lambda _channel, array=array: array,  # type: ignore[misc]
                source=source,
                values={
                    "execution_id": target.execution_id,
                    "source_image_id": str(field.image_id),
                    "well": well.well,
                    "field": str(label.field),
                    "label": label.name,
                    "objects": str(label.objects),
                },
                ns=LABEL_NS,
                mark=target.mark(Mark.LABEL),
            )
        )
    return images


def processed_images(
    target: ResultTarget, well: WellLayout, files: Sequence[ImageFile], sources: Mapping[int, omero.model.Pixels]
) -> list[NewImage]:
    """The processed images of a well, one for each field with all its channels, in the order of the fields.

    The pixel type is that of the pixels; where channels differ in it, the smallest one that holds all of them.

    Raises:
        OpenHCSError: ``image_size`` (500) when the channels of a field differ in size.
    """
    by_field: dict[int, list[ImageFile]] = defaultdict(list)
    for file in sorted(files, key=lambda each: (each.field, each.channel)):
        by_field[file.field].append(file)
    ids = {field.field: field.image_id for field in well.fields}
    images = []
    for number, channels in by_field.items():
        planes = [_open(file.path) for file in channels]
        source = sources.get(ids[number])
        for plane in planes:
            _check_size(plane, planes[0].shape, "The processed image", well.well, number)
        images.append(
            NewImage(
                field=number,
                name=_name(source, "processed"),
                description=f"Processed image {ids[number]}, as the last step left it.",
                pixel_type=omero_pixel_type(np.result_type(*(plane.dtype for plane in planes))),
                size=(planes[0].shape[0], planes[0].shape[1]),
                channels=[_channel(target, source, file) for file in channels],
                plane=lambda channel, channels=channels: np.asarray(_open(channels[channel].path)),  # type: ignore[misc]
                source=source,
                values={
                    "execution_id": target.execution_id,
                    "source_image_id": str(ids[number]),
                    "well": well.well,
                    "field": str(number),
                },
                ns=PROCESSED_NS,
                mark=target.mark(Mark.PROCESSED),
            )
        )
    return images


def omero_pixel_type(dtype: np.dtype) -> str:
    """OMERO's name for a type of pixels, or for the next one that holds all its values.

    Raises:
        OpenHCSError: ``pixel_type_not_supported`` (422) for what are no real numbers.
    """
    try:
        return _OMERO_TYPES[dtype.name]
    except KeyError:
        message = f"OMERO cannot hold processed images of the type {dtype.name}."
        raise OpenHCSError("pixel_type_not_supported", message, status=422) from None


def _open(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False, mmap_mode="r")


def _channel(target: ResultTarget, source: omero.model.Pixels | None, file: ImageFile) -> NewChannel:
    lowest, highest = _range(_open(file.path))
    originals = [] if source is None else list(source.copyChannels())
    original = originals[file.channel - 1] if file.channel <= len(originals) else None
    return NewChannel(target.plate.channels[file.channel - 1], lowest, highest, original)


def _range(plane: np.ndarray) -> tuple[float, float]:
    """Least and largest of the numbers that are some; never the same twice, which OMERO could not show."""
    finite = plane[np.isfinite(plane)]
    if not finite.size:
        return 0.0, 1.0
    lowest, highest = float(finite.min()), float(finite.max())
    return lowest, highest if highest > lowest else lowest + 1.0


def _name(source: omero.model.Pixels | None, ending: str) -> str:
    return "" if source is None else f"{source.image.name.val[: 250 - len(ending)]} – {ending}"


def _check_size(array: np.ndarray, size: tuple[int, ...], what: str, well: str, field: int) -> None:
    if array.ndim != 2 or array.shape != size:
        raise OpenHCSError(
            "label_size",
            f"{what} of well {well}, field {field}, does not have the size of its image.",
            status=500,
        )
