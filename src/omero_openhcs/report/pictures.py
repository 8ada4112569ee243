# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures of fields as OMERO draws them, with the outlines of the objects, small enough to lie in a file.

A picture that cannot be made (the image is gone, the person may not read it any more, the service removed its label images) is
told with its reason and does not keep the report from being made.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from PIL import Image

from openhcs_client import OpenHCSError

from .examples import Example

__all__ = ["LARGEST_PICTURE", "OUTLINE_COLOURS", "FieldSource", "Picture", "draw_outlines", "outlines_of", "take_pictures"]

LONGEST_SIDE = 480
LARGEST_PICTURE = 200_000
"""Bytes of one picture as it lies in the file."""

SECONDS = 6.0
"""No further picture is begun after so long: a report must be there in ten seconds."""

OUTLINE_COLOURS = ((255, 216, 0), (0, 229, 255), (255, 90, 200))
"""Of the first three kinds of objects; bright, because images of fluorescence are dark."""

_QUALITIES = (88, 75, 60, 40)
_LARGEST_THUMBNAIL = 4096

Labels = np.ndarray[Any, np.dtype[Any]]


class FieldSource(Protocol):
    """Where pictures and objects come from. Both raise :class:`OpenHCSError` when there are none."""

    def picture(self, well: str, field: int) -> bytes:
        """The field as OMERO draws it, as JPEG or PNG; its longer side about :data:`LONGEST_SIDE` pixels."""

    def labels(self, well: str, field: int) -> Mapping[str, Labels]:
        """Label images (y, x) by name; 0 is background."""


@dataclass(frozen=True)
class Picture:
    """A field as two data URIs (as it is, and with outlines), or the reason why there is none."""

    example: Example
    plain: str = ""
    outlined: str = ""
    trouble: str = ""
    objects: list[tuple[str, str]] = field(default_factory=list)
    """Names of the kinds of objects with their colour."""


def take_pictures(source: FieldSource, examples: Sequence[Example], seconds: float = SECONDS) -> list[Picture]:
    """A picture for each example, or its trouble."""
    ends = time.monotonic() + seconds
    taken = []
    for example in examples:
        if time.monotonic() > ends:
            taken.append(Picture(example, trouble="Left out, because reading the images took too long. Make the report again."))
        else:
            taken.append(_take(source, example))
    return taken


def _take(source: FieldSource, example: Example) -> Picture:
    try:
        drawn = _opened(source.picture(example.well, example.field))
    except OpenHCSError as error:
        return Picture(example, trouble=error.message)
    plain = _data_uri(drawn)
    try:
        labels = dict(list(source.labels(example.well, example.field).items())[: len(OUTLINE_COLOURS)])
    except OpenHCSError as error:
        return Picture(example, plain=plain, trouble=error.message)
    if not labels:
        return Picture(example, plain=plain, trouble="The pipeline finds no objects in this field’s images.")
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in OUTLINE_COLOURS]
    outlined = _data_uri(draw_outlines(drawn, list(labels.values())))
    return Picture(example, plain=plain, outlined=outlined, objects=list(zip(labels, colours, strict=False)))


def draw_outlines(picture: Image.Image, labels: Sequence[Labels]) -> Image.Image:
    """The picture with a line of one pixel along the inner edge of each object; label images may be of any size."""
    pixels = np.array(picture.convert("RGB"))
    for image, colour in zip(labels, OUTLINE_COLOURS, strict=False):
        pixels[outlines_of(image, pixels.shape[0], pixels.shape[1])] = colour
    return Image.fromarray(pixels)


def outlines_of(labels: Labels, height: int, width: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the outlines are when a label image (y, x) is shown with this height and width.

    Object numbers are picked, never averaged. A pixel of an object is outline when a neighbour above, below, left or right has
    another number, so that touching objects stay apart.
    """
    if 0 in labels.shape:
        return np.zeros((height, width), bool)
    rows = (np.arange(height) + 0.5) * labels.shape[0] // height
    columns = (np.arange(width) + 0.5) * labels.shape[1] // width
    shown = labels[rows.astype(int)][:, columns.astype(int)]
    edge = np.zeros(shown.shape, bool)
    down, across = shown[1:] != shown[:-1], shown[:, 1:] != shown[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    return edge & (shown != 0)


def _opened(content: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG"]) as image:
            if max(image.size) > _LARGEST_THUMBNAIL:
                raise ValueError("too large")
            picture = image.convert("RGB")
    except (OSError, ValueError) as error:
        raise OpenHCSError("picture_not_drawn", "OMERO sent a picture that cannot be opened.", status=502) from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture


def _data_uri(picture: Image.Image) -> str:
    for quality in _QUALITIES:
        file = io.BytesIO()
        # Without subsampling of colours, which would wash out lines of one pixel.
        picture.save(file, "JPEG", quality=quality, subsampling=0 if quality > 60 else 2)
        uri = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
        if len(uri) <= LARGEST_PICTURE:
            break
    return uri
