# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small plate from real microscopy: cardiomyocyte nuclei with a reference segmentation.

The image is well B03 of the experiment ``20200812-CardiomyocyteDifferentiation14-Cycle1``, 512 x 512 pixels of 0.325 µm,
which the package *ngio* (BSD-3-Clause) ships together with the labels of its nuclei. It is read from the installed package;
nothing is downloaded or copied into the project.

The plate has that one well. Its four fields are the quarters of the image, so that there is something to choose from; channel
1 is the stained nuclei (8 bits), channel 2 the label of every pixel (0 is background), for comparison. A nucleus on a cut has
the same label on both sides.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["CHANNELS", "FIELDS", "PIXEL_SIZE_UM", "WELL", "make_field", "whole_image"]

WELL = "B03"
CHANNELS = ("DAPI", "Nuclei (reference labels)")
FIELDS = 4
PIXEL_SIZE_UM = 0.325

_FOLDER = "20200812-CardiomyocyteDifferentiation14-Cycle1_B03"


def whole_image() -> np.ndarray:
    """Return image and labels, uint8 of shape (2, 512, 512).

    Raises:
        FileNotFoundError: ngio is not installed, or this version does not ship the image.
    """
    # Found without importing the package, which would take seconds.
    package = importlib.util.find_spec("ngio")
    if package is None or package.origin is None:
        raise FileNotFoundError("the Python package ngio is not installed")
    folder = Path(package.origin).parent / "resources" / _FOLDER
    planes = [np.asarray(Image.open(folder / name)) for name in ("raw.jpg", "nuclei.png")]
    if planes[1].max() > 255:
        raise ValueError("there are more nuclei than 8 bits can number")
    return np.stack([plane.astype(np.uint8) for plane in planes])


def make_field(field: int) -> np.ndarray:
    """Return field ``field`` (counted from 1, row by row), uint8 of shape (channel, y, x).

    Raises:
        ValueError: when there is no such field.
    """
    if not 1 <= field <= FIELDS:
        raise ValueError(f"the cardiomyocyte plate has fields 1 to {FIELDS}, not {field}")
    whole = whole_image()
    height, width = whole.shape[1] // 2, whole.shape[2] // 2
    row, column = divmod(field - 1, 2)
    return whole[:, row * height : (row + 1) * height, column * width : (column + 1) * width]
