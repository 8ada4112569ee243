# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small pictures of an image, kept on disk so that a plate opens quickly the second time.

A cached thumbnail lies in ``thumbnails/<thousands>/<pixels id>/<key>.jpg``. The key is a digest of everything the picture
depends on: size, plane, rendering settings, and the pixel file's modification time. So a stale picture is never shown, and
nothing has to be told when pixels or settings change.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from omero_sandbox.pixels.buffers import PixelBuffer
from omero_sandbox.pixels.rendering import encode_jpeg, render_plane
from omero_sandbox.pixels.settings import RenderingSettings

__all__ = ["MAX_SIDE", "fit_longest_side", "thumbnail", "thumbnail_folder"]

MAX_SIDE = 2048
"""The longest side of a thumbnail in pixels; larger pictures are the rendering engine's."""

_QUALITY = 0.85
_KEPT_PER_IMAGE = 32


def thumbnail_folder(folder: Path, pixels_id: int) -> Path:
    """Return where the thumbnails of Pixels ``pixels_id`` lie below the data ``folder``."""
    number = int(pixels_id)
    return folder / "thumbnails" / f"{number // 1000:03d}" / str(number)


def fit_longest_side(buffer: PixelBuffer, side: int) -> tuple[int, int]:
    """Return width and height of a thumbnail whose longer side is ``side`` pixels."""
    width, height = buffer.shape.size_x, buffer.shape.size_y
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def thumbnail(
    buffer: PixelBuffer,
    settings: RenderingSettings,
    size: tuple[int, int],
    *,
    cache: Path,
    z: int | None = None,
    t: int | None = None,
) -> bytes:
    """Return a JPEG of ``size`` (width, height) of one plane, from the ``cache`` folder when it was made before.

    Raises:
        ValueError: when a side is less than 1 or more than :data:`MAX_SIDE` pixels.
        OutOfBoundsError: when the image has no such plane.
    """
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise ValueError(f"a thumbnail has 1 to {MAX_SIDE} pixels on each side, not {size[0]} x {size[1]}")
    z = settings.default_z if z is None else z
    t = settings.default_t if t is None else t
    path = cache / f"{_key(buffer, settings, size, z, t)}.jpg"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        picture = _shrink(render_plane(buffer, settings, z=z, t=t), size)
        encoded = encode_jpeg(picture, _QUALITY)
        _store(path, encoded)
        return encoded


def _key(buffer: PixelBuffer, settings: RenderingSettings, size: tuple[int, int], z: int, t: int) -> str:
    try:
        changed = buffer.path.stat().st_mtime_ns
    except FileNotFoundError:
        changed = 0  # nobody wrote pixels yet: a black picture
    parts = (size, z, t, settings.fingerprint(), changed)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _shrink(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0))


def _store(path: Path, encoded: bytes) -> None:
    """Write the cache file in one step, so that a reader never sees half a picture; drop the oldest when there are many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as stream:
        stream.write(encoded)
    os.replace(stream.name, path)  # noqa: PTH105 - the name comes as text from tempfile
    with os.scandir(path.parent) as entries:
        kept = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries if entry.name.endswith(".jpg"))
    for _, old in kept[:-_KEPT_PER_IMAGE]:
        Path(old).unlink(missing_ok=True)
