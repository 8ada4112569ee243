# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images in memory in place of OMERO, and a small web server that serves them as the plugin does."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from omero_openhcs.omero_access.images import ChannelInfo, ImageInfo
from omero_openhcs.omero_access.label_images import LabelImage
from omero_openhcs.omero_access.made_images import MadeImage
from omero_openhcs.zarr.chunks import Pyramid
from omero_openhcs.zarr.formats import FORMATS
from omero_openhcs.zarr.hierarchy import find_in_image, find_in_plate
from openhcs_client import OpenHCSError, PlateLayout

# Planes are remembered by pixels id, so every image of a test run needs its own.
_PIXELS_IDS = count(1)


@dataclass
class MemoryReader:
    """Reads from an array (t, c, z, y, x) and counts how often."""

    pixels: np.ndarray
    stored: tuple[np.ndarray, ...] = ()
    reads: int = 0

    def whole(self, plane: tuple[int, int, int]) -> np.ndarray:
        self.reads += 1
        return self.pixels[plane].copy()

    def tile(self, plane: tuple[int, int, int], y: slice, x: slice, level: int) -> np.ndarray:
        self.reads += 1
        return (self.stored[level] if self.stored else self.pixels)[plane][y, x].copy()


@dataclass
class MemoryAccess:
    """What :class:`~omero_openhcs.zarr.access.ReadAccess` does, without OMERO."""

    pyramids: dict[int, Pyramid] = field(default_factory=dict)
    readers: dict[int, MemoryReader] = field(default_factory=dict)
    label_images: dict[int, dict[str, LabelImage]] = field(default_factory=dict)
    processed_images: dict[int, list[MadeImage]] = field(default_factory=dict)
    layouts: dict[int, PlateLayout] = field(default_factory=dict)

    def add(self, image_id: int, pixels: np.ndarray, **about: object) -> Pyramid:
        """Add an image of shape (t, c, z, y, x)."""
        numbers = bool(about.pop("object_numbers", False))
        info = image_info(image_id, pixels, **about)
        self.pyramids[image_id] = Pyramid("memory", info, object_numbers=numbers)
        self.readers[image_id] = MemoryReader(pixels)
        return self.pyramids[image_id]

    def pyramid(self, image_id: int) -> Pyramid:
        if image_id not in self.pyramids:
            raise OpenHCSError("image_not_found", f"Image {image_id} does not exist, or you may not read it.", status=404)
        return self.pyramids[image_id]

    def labels(self, image_id: int) -> dict[str, LabelImage]:
        return self.label_images.get(image_id, {})

    def processed(self, image_id: int) -> list[MadeImage]:
        return self.processed_images.get(image_id, [])

    def layout(self, plate_id: int) -> PlateLayout:
        return self.layouts[plate_id]

    def reader(self, info: ImageInfo) -> MemoryReader:
        return self.readers[info.image_id]


def image_info(image_id: int, pixels: np.ndarray, **about: object) -> ImageInfo:
    """Describe an array (t, c, z, y, x) as an image of OMERO."""
    channels = tuple(
        ChannelInfo(f"Channel {number}", "00FF00", True, 0.0, 100.0, 0.0, 255.0) for number in range(pixels.shape[1])
    )
    facts: dict[str, object] = {
        "image_id": image_id,
        "pixels_id": next(_PIXELS_IDS),
        "group_id": 3,
        "name": f"Image {image_id}",
        "shape": pixels.shape,
        "dtype": pixels.dtype,
        "pixel_size_um": (2.0, 0.5, 0.25),
        "channels": channels,
        "default_z": 0,
        "default_t": 0,
        "greyscale": False,
        "pixels_revision": 1,
        "settings_revision": "",
    }
    return ImageInfo(**(facts | about))  # type: ignore[arg-type]


@contextmanager
def served(access: MemoryAccess) -> Iterator[str]:
    """Serve ``/<version>/<image|plate>/<id>.zarr/<key>``; absent addresses are 404. Yields the base address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, version, kind, name, *parts = self.path.split("/")
            find = find_in_plate if kind == "plate" else find_in_image
            entry = find(access, FORMATS[version], int(name.removesuffix(".zarr")), parts)  # type: ignore[arg-type]
            content = entry.content() if entry is not None else b""
            self.send_response(200 if entry is not None else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
