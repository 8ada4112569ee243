# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lookup tables: false colours for one channel, 256 steps from dark to bright.

A real OMERO ships lookup tables as files. The sandbox computes a small set under the names that OMERO uses, so that a choice
made here means the same there. A name that is not in the set falls back to the channel's plain colour, as in OMERO.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["STEPS", "lut_names", "lut_table"]

STEPS = 256
_RAMP = np.linspace(0.0, 1.0, STEPS)


def _hot(red: float, green: float, blue: float) -> np.ndarray:
    """Black, through the colour in the middle, to white."""
    colour = np.array([red, green, blue])
    dark = np.clip(_RAMP * 2, 0, 1)[:, None] * colour
    bright = np.clip(_RAMP * 2 - 1, 0, 1)[:, None] * (1 - colour)
    return dark + bright


def _grays() -> np.ndarray:
    return np.repeat(_RAMP[:, None], 3, axis=1)


def _hilo() -> np.ndarray:
    """Grey, with the lowest step in blue and the highest in red: shows what is cut off."""
    table = _grays()
    table[0] = (0, 0, 1)
    table[-1] = (1, 0, 0)
    return table


def _cool() -> np.ndarray:
    """Cyan to magenta."""
    return np.stack([_RAMP, 1 - _RAMP, np.ones(STEPS)], axis=1)


def _spectrum() -> np.ndarray:
    """Once around the colour circle at full saturation (HSV to RGB)."""
    hue = _RAMP * 6 * (STEPS - 1) / STEPS
    channels = [np.clip(np.abs((hue - centre + 3) % 6 - 3) * -1 + 2, 0, 1) for centre in (0, 2, 4)]
    return np.stack(channels, axis=1)


def _red_green() -> np.ndarray:
    """Red below the middle, green above it."""
    red = np.where(_RAMP < 0.5, 1 - 2 * _RAMP, 0)
    green = np.where(_RAMP >= 0.5, 2 * _RAMP - 1, 0)
    return np.stack([red, green, np.zeros(STEPS)], axis=1)


_MAKERS: dict[str, Callable[[], np.ndarray]] = {
    "cool.lut": _cool,
    "cyan_hot.lut": lambda: _hot(0, 1, 1),
    "grays.lut": _grays,
    "hilo.lut": _hilo,
    "magenta_hot.lut": lambda: _hot(1, 0, 1),
    "orange_hot.lut": lambda: _hot(1, 0.5, 0),
    "red-green.lut": _red_green,
    "red_hot.lut": lambda: _hot(1, 0, 0),
    "spectrum.lut": _spectrum,
    "yellow_hot.lut": lambda: _hot(1, 1, 0),
}


def lut_names() -> list[str]:
    """Return the names of all lookup tables, sorted."""
    return sorted(_MAKERS)


def lut_table(name: str | None) -> np.ndarray | None:
    """Return the table called ``name`` as uint8 of shape (256, 3), or None when there is no such table."""
    maker = _MAKERS.get((name or "").lower())
    return None if maker is None else np.rint(maker() * 255).astype(np.uint8)
