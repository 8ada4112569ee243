# SPDX-License-Identifier: AGPL-3.0-or-later
"""What one OMERO session may read, remembered for some seconds.

Opening a view of an image asks for a hundred chunks within a second; joining the OMERO session for each of them would cost
more than the chunks. What OMERO let a session read is therefore believed for :data:`BELIEVED_SECONDS`, by session, server
and active group. It is never believed for another session, and signing out of OMERO.web ends it at once, because the session
key is looked up in the browser's own session first.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from omeroweb.connector import Connector

from omero_openhcs.omero_access.images import ImageInfo, read_image, read_plane, read_tile
from omero_openhcs.omero_access.label_images import LabelImage, find_label_images, is_label_image
from omero_openhcs.omero_access.made_images import PROCESSED_NAMESPACE, MadeImage, find_made_images
from omero_openhcs.omero_access.plates import open_plate, read_layout
from openhcs_client import PlateLayout

from .cache import TimedCache
from .chunks import ConnectionNeeded, PixelReader, Plane, Pyramid, plane_sample

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.omero_access.gateway import BlitzGateway

__all__ = ["Caller", "ReadAccess", "caller_of", "caller_with", "label_paths"]

BELIEVED_SECONDS = 10.0
"""So long somebody who lost the right to read an image may still be given it. Asking again costs some 40 ms."""

LABELS_BELIEVED_SECONDS = 5.0
"""Shorter, so that results appear soon after they were saved."""

_BELIEVED: TimedCache[tuple[Caller, str, int], Any] = TimedCache(BELIEVED_SECONDS)
WINDOW_SECONDS = 3600.0
WINDOW_PIXELS = 512
"""A sample of so many pixels along each side tells the intensities of a plane well enough."""

_LABELS: TimedCache[tuple[Caller, int], dict[str, LabelImage]] = TimedCache(LABELS_BELIEVED_SECONDS)
_PROCESSED: TimedCache[tuple[Caller, int], list[MadeImage]] = TimedCache(LABELS_BELIEVED_SECONDS)
_WINDOWS: TimedCache[tuple[str, int, int, tuple[int, int, int]], tuple[float, float]] = TimedCache(WINDOW_SECONDS)


@dataclass(frozen=True)
class Caller:
    """A session of OMERO on a server, in a group; the session's key only as a hash."""

    server: str
    session: str
    group: str


def caller_of(request: HttpRequest) -> Caller | None:
    """Whose session the browser holds, without talking to OMERO; None when it is not signed in."""
    # These parameters ask OMERO.web to sign in as somebody else.
    if {"bsession", "username"} & request.GET.keys():
        return None
    connector = Connector.from_session(request)
    return caller_with(connector, str(request.session.get("active_group", ""))) if connector is not None else None


def caller_with(connector: Connector, group: str = "") -> Caller | None:
    """Whose sign-in this is; None when it is none."""
    if not connector.omero_session_key:
        return None
    return Caller(
        server=str(connector.server_id),
        session=hashlib.sha256(connector.omero_session_key.encode()).hexdigest(),
        group=group,
    )


class ReadAccess:
    """Reads for one caller. Without ``conn`` it knows only what is remembered and raises ``ConnectionNeeded`` otherwise."""

    def __init__(self, caller: Caller, conn: BlitzGateway | None = None) -> None:
        self._caller = caller
        self._conn = conn

    def pyramid(self, image_id: int) -> Pyramid:
        """The image as a pyramid.

        Raises:
            OpenHCSError: ``image_not_found`` (404), ``pixel_type_not_supported`` (422).
        """
        key = (self._caller, "image", image_id)
        known: Pyramid | None = _BELIEVED.get(key)
        if known is None:
            conn = self._connection()
            numbers = is_label_image(conn, image_id)
            known = Pyramid(self._caller.server, read_image(conn, image_id), object_numbers=numbers)
            known = replace(known, info=_with_windows(known, _Pixels(conn, known.info)))
            _BELIEVED.put(key, known)
        return known

    def labels(self, image_id: int) -> dict[str, LabelImage]:
        """The label images of an image by their path below ``labels/``, the newest execution's first."""
        key = (self._caller, image_id)
        known = _LABELS.get(key)
        if known is None:
            conn = self._connection()
            size = self.pyramid(image_id).info.shape[3:]
            known = label_paths([label for label in find_label_images(conn, image_id) if label.size == size])
            _LABELS.put(key, known)
        return known

    def processed(self, image_id: int) -> list[MadeImage]:
        """The images that the last steps of pipelines left of an image, the newest execution's first."""
        key = (self._caller, image_id)
        known = _PROCESSED.get(key)
        if known is None:
            conn = self._connection()
            size = self.pyramid(image_id).info.shape[3:]
            known = [made for made in find_made_images(conn, PROCESSED_NAMESPACE, image_id) if made.size == size]
            _PROCESSED.put(key, known)
        return known

    def layout(self, plate_id: int) -> PlateLayout:
        """The plate.

        Raises:
            OpenHCSError: ``plate_not_found`` (404), ``plate_empty`` (422).
        """
        key = (self._caller, "plate", plate_id)
        known: PlateLayout | None = _BELIEVED.get(key)
        if known is None:
            conn = self._connection()
            known = read_layout(conn, open_plate(conn, plate_id))
            _BELIEVED.put(key, known)
        return known

    def reader(self, info: ImageInfo) -> PixelReader | None:
        """Reads the pixels of an image; None without a connection."""
        return _Pixels(self._conn, info) if self._conn is not None else None

    def _connection(self) -> BlitzGateway:
        if self._conn is None:
            raise ConnectionNeeded
        return self._conn


@dataclass(frozen=True)
class _Pixels:
    conn: Any
    info: ImageInfo

    def whole(self, plane: tuple[int, int, int]) -> Plane:
        return read_plane(self.conn, self.info, *plane)

    def tile(self, plane: tuple[int, int, int], y: slice, x: slice, level: int) -> Plane:
        return read_tile(self.conn, self.info, plane, y, x, level)


def label_paths(labels: list[LabelImage]) -> dict[str, LabelImage]:
    """Give each label image a path: its name, and the name with the execution where a newer one has the name already.

    >>> old, new = (LabelImage(7, 1, "e1", "nuclei", (9, 9)), LabelImage(8, 2, "e2", "nuclei", (9, 9)))
    >>> list(label_paths([new, old]))
    ['nuclei', 'nuclei.e1']
    """
    paths: dict[str, LabelImage] = {}
    for label in labels:
        name = _path_part(label.name) or "labels"
        if name in paths:
            name = f"{name}.{_path_part(label.execution_id) or label.image_id}"
        # The same execution's label image a second time is one that was saved again; the newer one stands for it.
        paths.setdefault(name, label)
    return paths


def _path_part(text: str) -> str:
    """Text that others wrote, as a part of an address: no slashes, no leading dot, no surprises."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text).lstrip("._")[:100]


def _with_windows(pyramid: Pyramid, reader: PixelReader) -> ImageInfo:
    """Where nobody has chosen what to show of a channel, choose from its pixels: all but the darkest and brightest few."""
    info = pyramid.info
    channels = []
    for number, channel in enumerate(info.channels):
        if channel.start is None or channel.end is None:
            plane = (min(info.default_t, info.shape[0] - 1), number, min(info.default_z, info.shape[2] - 1))
            start, end = _window_of(pyramid, plane, reader)
            channel = replace(channel, start=start, end=end)
        channels.append(channel)
    return replace(info, channels=tuple(channels))


def _window_of(pyramid: Pyramid, plane: tuple[int, int, int], reader: PixelReader) -> tuple[float, float]:
    """Says nothing of who may see the pixels, so it is remembered for everybody."""
    key = (pyramid.server, pyramid.info.pixels_id, pyramid.info.pixels_revision, plane)
    known = _WINDOWS.get(key)
    if known is None:
        pixels = plane_sample(pyramid, plane, reader)
        step_y, step_x = (max(1, side // WINDOW_PIXELS) for side in pixels.shape)
        known = _window(pixels[::step_y, ::step_x])
        _WINDOWS.put(key, known)
    return known


def _window(pixels: Plane) -> tuple[float, float]:
    finite = pixels[np.isfinite(pixels)]
    if finite.size == 0:
        return 0.0, 1.0
    start, end = (float(value) for value in np.percentile(finite, (0.1, 99.8)))
    if start >= end:
        start, end = float(finite.min()), float(finite.max())
    return (start, end) if start < end else (start, start + 1.0)
