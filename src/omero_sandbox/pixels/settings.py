# SPDX-License-Identifier: AGPL-3.0-or-later
"""How an image is shown: the numbers of OMERO's RenderingDef, QuantumDef and ChannelBinding as plain data, and good defaults.

The services turn these into OMERO objects and back (``services/rendering_settings.py``); ``rendering.py`` draws with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from omero_sandbox.pixels.buffers import PixelShape, pixel_dtype

__all__ = [
    "FAMILIES",
    "MODELS",
    "ChannelInfo",
    "ChannelSettings",
    "RenderingSettings",
    "default_settings",
    "type_bounds",
]

FAMILIES = ("linear", "polynomial", "exponential", "logarithmic")
"""How intensities inside the window map to brightness (OMERO's Family)."""

MODELS = ("rgb", "greyscale")

RGBA = tuple[int, int, int, int]

_WHITE: RGBA = (255, 255, 255, 255)
_BLUE: RGBA = (0, 0, 255, 255)
_GREEN: RGBA = (0, 255, 0, 255)
_RED: RGBA = (255, 0, 0, 255)
_PALETTE: tuple[RGBA, ...] = (_RED, _GREEN, _BLUE, (255, 255, 0, 255), (255, 0, 255, 255), (0, 255, 255, 255), _WHITE)
_ACTIVE_BY_DEFAULT = 3


@dataclass(frozen=True)
class ChannelInfo:
    """What is known about a channel before anybody chose how to show it. Wavelength in nm."""

    colour: RGBA | None = None
    emission_nm: float | None = None
    minimum: float = 0.0
    maximum: float = 1.0


@dataclass
class ChannelSettings:
    """How one channel is shown; window in intensities, colour as red, green, blue, alpha of 0 to 255."""

    window_start: float
    window_end: float
    colour: RGBA = _WHITE
    active: bool = True
    family: str = "linear"
    coefficient: float = 1.0
    noise_reduction: bool = False
    reverse: bool = False
    lut: str | None = None


@dataclass
class RenderingSettings:
    """How one image is shown. ``codomain`` is the range of brightness that is used, at most (0, 255)."""

    channels: list[ChannelSettings]
    default_z: int = 0
    default_t: int = 0
    model: str = "rgb"
    codomain: tuple[int, int] = (0, 255)
    bit_resolution: int = 255
    compression: float = 0.85
    name: str | None = field(default=None)

    def copy(self) -> RenderingSettings:
        """Return settings that can be changed without changing these."""
        return replace(self, channels=[replace(channel) for channel in self.channels])

    def fingerprint(self) -> str:
        """Return a text that differs whenever the picture may differ."""
        return repr((self.model, self.codomain, self.default_z, self.default_t, self.channels))


def default_settings(shape: PixelShape, channels: Sequence[ChannelInfo]) -> RenderingSettings:
    """Return how an image is shown before anybody chose: full window, the channel's own colour, the middle section.

    A colour comes from the channel itself, else from its emission wavelength (blue below 500 nm, green to 560 nm, red
    above), else from a fixed order. A single channel without a colour of its own is shown in grey.
    """
    bindings = [
        ChannelSettings(
            window_start=info.minimum,
            window_end=info.maximum if info.maximum > info.minimum else info.minimum + 1,
            colour=_default_colour(info, index, len(channels)),
            active=index < _ACTIVE_BY_DEFAULT,
        )
        for index, info in enumerate(channels)
    ]
    grey = len(channels) == 1 and channels[0].colour is None and channels[0].emission_nm is None
    return RenderingSettings(bindings, default_z=shape.size_z // 2, default_t=0, model="greyscale" if grey else "rgb")


def type_bounds(pixel_type: str) -> tuple[float, float]:
    """Return the lowest and highest intensity of an integer pixel type; (0, 1) for floating-point types."""
    dtype = pixel_dtype(pixel_type)
    if pixel_type == "bit" or dtype.kind not in "iu":
        return 0.0, 1.0
    bounds = np.iinfo(dtype)
    return float(bounds.min), float(bounds.max)


def _default_colour(info: ChannelInfo, index: int, count: int) -> RGBA:
    if info.colour is not None:
        return info.colour
    if info.emission_nm:
        if info.emission_nm < 500:
            return _BLUE
        return _GREEN if info.emission_nm <= 560 else _RED
    return _WHITE if count == 1 else _PALETTE[index % len(_PALETTE)]
