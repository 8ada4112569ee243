# SPDX-License-Identifier: AGPL-3.0-or-later
"""Label images of many wells as small pictures in one image, a colour for each object.

A picture takes every n-th pixel of a label image, never a mean: the mean of two objects' numbers would be a third object. Files
are mapped, so that only the lines that are taken are read.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from openhcs_client import LabelThumbnails

from .bundle import ResultStore
from .tables import CommittedWell

__all__ = ["label_thumbnails"]

_GOLDEN_ANGLE = 137.508
"""Degrees between the hues of neighbouring object numbers: after any number of steps the hues are far apart."""

COLOURS = 255


@dataclass(frozen=True)
class _Found:
    well: str
    path: Path


def label_thumbnails(
    store: ResultStore,
    execution_id: str,
    wells: Sequence[CommittedWell],
    *,
    name: str | None = None,
    field: int = 1,
    tile: int = 64,
) -> LabelThumbnails:
    """One picture per committed well. Without ``name`` the first label image that any of them has.

    A label image that cannot be read any more is told as unreadable.
    """
    names: dict[str, None] = {}
    by_well: dict[str, dict[str, Path]] = {}
    for well in wells:
        labels = store.read(execution_id, well.well, well.attempt).result.labels
        names.update(dict.fromkeys(label.name for label in labels))
        by_well[well.well] = {label.name: label.path for label in labels if label.field == field}
    wanted = name if name is not None else next(iter(names), "")
    found = [_Found(well, paths[wanted]) for well, paths in by_well.items() if wanted in paths]
    pictures: dict[str, np.ndarray] = {}
    unreadable = []
    for entry in found:
        try:
            pictures[entry.well] = _small(entry.path, tile)
        except (OSError, ValueError):
            unreadable.append(entry.well)
    columns = max(1, int(np.ceil(np.sqrt(len(pictures)))))
    return LabelThumbnails(
        tile=tile,
        columns=columns,
        wells=list(pictures),
        unreadable=unreadable,
        image=_png(list(pictures.values()), tile, columns),
        names=list(names),
        name=wanted,
        without=[well for well, paths in by_well.items() if wanted not in paths],
    )


def _small(path: Path, tile: int) -> np.ndarray:
    """Colour numbers of shape (tile, tile), uint8: 0 is background, objects have 1 to 255."""
    labels = np.load(path, mmap_mode="r", allow_pickle=False)
    step = max(1, -(-max(labels.shape) // tile))
    taken = np.asarray(labels[step // 2 :: step, step // 2 :: step])[:tile, :tile]
    coloured = np.where(taken > 0, (taken - 1) % COLOURS + 1, 0).astype(np.uint8)
    picture = np.zeros((tile, tile), np.uint8)
    top, left = (tile - coloured.shape[0]) // 2, (tile - coloured.shape[1]) // 2
    picture[top : top + coloured.shape[0], left : left + coloured.shape[1]] = coloured
    return picture


def _png(pictures: Sequence[np.ndarray], tile: int, columns: int) -> str:
    if not pictures:
        return ""
    lines = -(-len(pictures) // columns)
    sheet = np.zeros((lines * tile, columns * tile), np.uint8)
    for number, picture in enumerate(pictures):
        top, left = number // columns * tile, number % columns * tile
        sheet[top : top + tile, left : left + tile] = picture
    image = Image.fromarray(sheet, mode="P")
    image.putpalette(_palette())
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=3)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _palette() -> list[int]:
    """Black, then 255 bright hues (HSV with full saturation of 0.65 and value 1)."""
    colours = [0, 0, 0]
    for number in range(COLOURS):
        hue = number * _GOLDEN_ANGLE % 360 / 60
        for offset in (5, 3, 1):
            k = (offset + hue) % 6
            colours.append(round(255 * (1 - 0.65 * max(0.0, min(k, 4 - k, 1.0)))))
    return colours
