# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wells to try functions on: cells, lines, noise and uneven light, made by arithmetic; and a real image where there is one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

__all__ = ["EDGE", "real_plane", "synthetic_plane", "well"]

EDGE = 192
"""Edge of a synthetic plane, in pixels."""

_REAL = ("resources", "20200812-CardiomyocyteDifferentiation14-Cycle1_B03", "raw.jpg")


def synthetic_plane(seed: int, scale: float = 1.0) -> np.ndarray:
    """Some 25 blurred cells, a few neurites and photon noise on uneven background, float64 (y, x), from 100 to some 3,000.

    ``scale`` multiplies the finished plane, noise and all.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:EDGE, :EDGE]
    light = np.zeros((EDGE, EDGE))
    for centre_y, centre_x, radius, height in random.uniform((0, 0, 4, 600), (EDGE, EDGE, 9, 2000), (25, 4)):
        distance = np.hypot(y - centre_y, x - centre_x)
        light = np.maximum(light, height / (1 + np.exp(2 * (distance - radius))))
    for start, slope in random.uniform((20, -0.4), (EDGE - 20, 0.4), (3, 2)):
        light = np.maximum(light, 500 * np.exp(-((y - start - slope * x) ** 2) / 4))
    shading = 1 - 0.3 * (((y / EDGE - 0.5) ** 2 + (x / EDGE - 0.5) ** 2) / 0.5)
    return scale * random.poisson(light * shading + 150).astype(np.float64)


def well(
    seeds: tuple[int, ...], channels: int, dtype: str, *, scale: float = 1.0, mask: bool = False
) -> dict[tuple[int, int], np.ndarray]:
    """Planes by (field, channel): field n has the seed n, so that a field can be changed without the others.

    uint8 planes are divided by 16; ``mask`` gives 0 and 1 instead of grey values.
    """
    planes = {}
    for field, seed in enumerate(seeds, start=1):
        for channel in range(1, channels + 1):
            plane = synthetic_plane(100 * seed + channel, scale)
            if mask:
                plane = (plane > 500 * scale).astype(np.float64)
            elif dtype == "uint8":
                plane = np.clip(plane / 16, 0, 255)
            planes[field, channel] = plane.astype(dtype)
    return planes


def real_plane() -> np.ndarray | None:
    """Nuclei of cardiomyocytes, uint8 (512, 512), from the package *ngio* where it is installed."""
    package = importlib.util.find_spec("ngio")
    if package is None or package.origin is None:
        return None
    from PIL import Image

    path = Path(package.origin).parent.joinpath(*_REAL)
    return np.asarray(Image.open(path)).astype(np.uint8) if path.is_file() else None
