# SPDX-License-Identifier: AGPL-3.0-or-later
"""From intensities to a picture.

For every active channel the intensity is first placed in the channel's window, ``u = (i - start) / (end - start)`` cut to
0 … 1, then bent by the channel's family (with coefficient ``k``):

============  ==============================
linear        ``u``
polynomial    ``u ** k``
exponential   ``(exp(u ** k) - 1) / (e - 1)``
logarithmic   ``log(1 + 255 u) / log 256``
============  ==============================

and mapped to a step of the codomain (0 … 255). A reversed channel counts the steps from the other end. In the *rgb* model
the channels' colours (or lookup tables) are added and cut at 255; in the *greyscale* model the first active channel alone is
shown, in grey.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from omero_sandbox.pixels.buffers import OutOfBoundsError, PixelBuffer
from omero_sandbox.pixels.luts import lut_table
from omero_sandbox.pixels.settings import ChannelSettings, RenderingSettings

__all__ = ["Region", "encode_jpeg", "packed_argb", "project", "render", "render_plane"]

Slice = Literal["xy", "zy", "xz"]

_STEPS = 256


@dataclass(frozen=True)
class Region:
    """A rectangle in pixels; what lies outside the picture is cut off."""

    x: int
    y: int
    width: int
    height: int


def render_plane(
    buffer: PixelBuffer,
    settings: RenderingSettings,
    *,
    z: int,
    t: int,
    region: Region | None = None,
    cut: Slice = "xy",
    position: int = 0,
    stride: int = 0,
) -> np.ndarray:
    """Render one plane to uint8 RGB of shape (height, width, 3).

    Args:
        z, t: section and time point of an *xy* plane.
        region: the part of the plane to render; all of it when None.
        cut: the direction of the plane; *zy* and *xz* cut through all sections at x or y = ``position``.
        stride: leave out this many pixels after each one rendered, in both directions.

    Raises:
        OutOfBoundsError: when the image has no such plane, or the region lies outside it.
    """

    def intensities(channel: int) -> np.ndarray:
        if cut == "xy":
            plane = buffer.plane(z, channel, t)
        elif cut == "zy":
            _check_position("x", position, buffer.shape.size_x)
            plane = buffer.stack(channel, t)[:, :, position].T
        else:
            _check_position("y", position, buffer.shape.size_y)
            plane = buffer.stack(channel, t)[:, position, :]
        step = stride + 1
        return _crop(plane, region)[::step, ::step]

    return _compose(settings, intensities)


def project(
    buffer: PixelBuffer,
    settings: RenderingSettings,
    *,
    t: int,
    method: Literal["maximum", "mean", "sum"],
    first: int,
    last: int,
    stepping: int = 1,
    region: Region | None = None,
) -> np.ndarray:
    """Project sections ``first`` to ``last`` (both included) and render the result to uint8 RGB.

    Raises:
        OutOfBoundsError: when the image has no such sections.
    """
    if not 0 <= first <= last < buffer.shape.size_z or stepping < 1:
        raise OutOfBoundsError(f"sections {first} to {last} are not in the image, which has {buffer.shape.size_z}")

    def intensities(channel: int) -> np.ndarray:
        stack = buffer.stack(channel, t)[first : last + 1 : stepping]
        if method == "maximum":
            flat = stack.max(axis=0)
        elif method == "mean":
            flat = stack.mean(axis=0, dtype=np.float64)
        else:
            flat = stack.sum(axis=0, dtype=np.float64)
        return _crop(flat, region)

    return _compose(settings, intensities)


def render(planes: list[np.ndarray], settings: RenderingSettings) -> np.ndarray:
    """Render ``planes``, one per channel and all of shape (y, x), to uint8 RGB of shape (y, x, 3)."""
    return _compose(settings, planes.__getitem__)


def packed_argb(picture: np.ndarray) -> np.ndarray:
    """Return an RGB picture as one int32 per pixel, alpha in the highest byte (fully opaque), shape (y * x,)."""
    wide = picture.astype(np.uint32)
    return ((255 << 24) | (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]).astype(np.uint32).view(np.int32).ravel()


def encode_jpeg(picture: np.ndarray, quality: float) -> bytes:
    """Encode an RGB picture as JPEG; ``quality`` from 0 to 1 as in OMERO's compression level."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=max(1, min(100, round(quality * 100))))
    return stream.getvalue()


def _compose(settings: RenderingSettings, intensities: Callable[[int], np.ndarray]) -> np.ndarray:
    active = [index for index, channel in enumerate(settings.channels) if channel.active]
    if settings.model == "greyscale" or not active:
        # With nothing switched on the picture is black; the first channel still gives its size.
        steps = _quantise(intensities(active[0] if active else 0), settings.channels[active[0] if active else 0], settings)
        return np.repeat((steps if active else np.zeros_like(steps))[..., None], 3, axis=-1)
    total: np.ndarray | None = None
    for index in active:
        channel = settings.channels[index]
        share = _colours(channel)[_quantise(intensities(index), channel, settings)]
        total = share.astype(np.uint16) if total is None else total + share
    assert total is not None
    return np.minimum(total, 255).astype(np.uint8)


def _quantise(values: np.ndarray, channel: ChannelSettings, settings: RenderingSettings) -> np.ndarray:
    """Map intensities to steps 0 … 255 (uint8)."""
    dtype = values.dtype
    if dtype.kind in "iu" and dtype.itemsize <= 2 and values.size > 1 << (8 * dtype.itemsize):
        # A table of all possible intensities is cheaper than the formula for every pixel.
        bounds = np.iinfo(dtype)
        table = _bend(np.arange(bounds.min, bounds.max + 1, dtype=np.float32), channel, settings)
        return table[values.astype(np.int32) - bounds.min]
    if dtype.kind == "c":
        values = np.abs(values)
    return _bend(np.nan_to_num(values.astype(np.float64), posinf=np.inf, neginf=-np.inf), channel, settings)


def _bend(values: np.ndarray, channel: ChannelSettings, settings: RenderingSettings) -> np.ndarray:
    span = channel.window_end - channel.window_start
    position = np.clip((values - channel.window_start) / (span if span > 0 else 1.0), 0.0, 1.0)
    if channel.family == "polynomial":
        position = position**channel.coefficient
    elif channel.family == "exponential":
        position = np.expm1(position**channel.coefficient) / np.expm1(1.0)
    elif channel.family == "logarithmic":
        position = np.log1p((_STEPS - 1) * position) / np.log(_STEPS)
    low, high = settings.codomain
    steps = low + position * (high - low)
    if channel.reverse:
        steps = low + high - steps
    return np.rint(steps).astype(np.uint8)


def _colours(channel: ChannelSettings) -> np.ndarray:
    """Return the colour of every step, uint8 of shape (256, 3)."""
    table = lut_table(channel.lut)
    if table is not None:
        return table
    red, green, blue, alpha = channel.colour
    weight = np.array([red, green, blue], np.float32) / 255 * (alpha / 255)
    return np.rint(np.arange(_STEPS, dtype=np.float32)[:, None] * weight).astype(np.uint8)


def _crop(plane: np.ndarray, region: Region | None) -> np.ndarray:
    if region is None:
        return plane
    height, width = plane.shape
    if not (0 <= region.x < width and 0 <= region.y < height and region.width > 0 and region.height > 0):
        raise OutOfBoundsError(f"the region at {region.x}, {region.y} lies outside the picture of {width} x {height} pixels")
    return plane[region.y : region.y + region.height, region.x : region.x + region.width]


def _check_position(name: str, position: int, extent: int) -> None:
    if not 0 <= position < extent:
        raise OutOfBoundsError(f"{name}={position} is outside the image, which has {name} from 0 to {extent - 1}")
