# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OME metadata of images, label images, plates and wells, as NGFF defines it; without the version, which formats add."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from omero_openhcs.omero_access.images import ChannelInfo
from openhcs_client import PlateLayout, WellLayout
from openhcs_client import well_name as name_of_well

from .chunks import Pyramid

__all__ = ["column_name", "image_ome", "label_ome", "labels_ome", "plate_ome", "row_name", "well_ome"]

Document = dict[str, Any]


def image_ome(pyramid: Pyramid) -> Document:
    """Metadata of an image group: the pyramid, and how to show the channels."""
    info = pyramid.info
    ome: Document = {"multiscales": [_multiscale(pyramid)]}
    if not pyramid.as_labels:
        ome["omero"] = {
            "id": info.image_id,
            "name": info.name,
            "channels": [_channel(channel, info.dtype) for channel in info.channels],
            "rdefs": {
                "defaultT": info.default_t,
                "defaultZ": info.default_z,
                "model": "greyscale" if info.greyscale else "color",
            },
        }
    return ome


def labels_ome(paths: Sequence[str]) -> Document:
    """Metadata of the group ``labels``: the paths of the label images below it."""
    return {"labels": list(paths)}


def label_ome(pyramid: Pyramid) -> Document:
    """Metadata of a label image inside ``labels/``."""
    return image_ome(pyramid) | {"image-label": {"source": {"image": "../../"}}}


def plate_ome(layout: PlateLayout) -> Document:
    """Metadata of a plate group. All rows and columns of the format are named; only wells with images are listed."""
    return {
        "plate": {
            "name": layout.name,
            "field_count": max(len(well.fields) for well in layout.wells),
            "rows": [{"name": row_name(row)} for row in range(layout.rows)],
            "columns": [{"name": column_name(column)} for column in range(layout.columns)],
            "wells": [
                {"path": f"{row_name(well.row)}/{column_name(well.column)}", "rowIndex": well.row, "columnIndex": well.column}
                for well in layout.wells
            ],
        }
    }


def well_ome(well: WellLayout) -> Document:
    """Metadata of a well group: its fields, whose paths count from zero."""
    return {"well": {"images": [{"path": str(index)} for index in range(len(well.fields))]}}


def row_name(row: int) -> str:
    """The letters of a row, as they stand in well names."""
    return name_of_well(row, 0).rstrip("0123456789")


def column_name(column: int) -> str:
    """The number of a column, without leading zeros."""
    return str(column + 1)


def _multiscale(pyramid: Pyramid) -> Document:
    info = pyramid.info
    z, y, x = info.pixel_size_um
    sizes = {"z": z, "y": y, "x": x}
    full_height, full_width = pyramid.level_sizes[0]
    datasets = []
    for level, (height, width) in enumerate(pyramid.level_sizes):
        # Powers of two for our own levels, whose odd last rows are left out; OMERO's stored levels may differ.
        factor = {"y": _factor(full_height, height, level), "x": _factor(full_width, width, level)}
        scale = [(sizes.get(axis) or 1.0) * factor.get(axis, 1) for axis in pyramid.axes]
        datasets.append({"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": scale}]})
    return {
        "name": info.name,
        "axes": [_axis(axis, sizes) for axis in pyramid.axes],
        "datasets": datasets,
        "type": "nearest" if pyramid.object_numbers else "mean",
    }


def _factor(full: int, size: int, level: int) -> float:
    return float(2**level) if size == full >> level else full / size


def _axis(axis: str, sizes: dict[str, float | None]) -> Document:
    if axis == "t":
        return {"name": "t", "type": "time"}
    if axis == "c":
        return {"name": "c", "type": "channel"}
    unit = {"unit": "micrometer"} if sizes[axis] is not None else {}
    return {"name": axis, "type": "space", **unit}


def _channel(channel: ChannelInfo, dtype: np.dtype[Any]) -> Document:
    lowest, highest = _range(dtype)
    start = _finite(channel.start, _finite(channel.minimum, lowest))
    end = _finite(channel.end, _finite(channel.maximum, highest))
    return {
        "label": channel.label,
        "color": channel.colour,
        "active": channel.active,
        "coefficient": 1,
        "family": "linear",
        "inverted": False,
        "window": {
            "start": start,
            "end": end,
            "min": min(start, _finite(channel.minimum, lowest)),
            "max": max(end, _finite(channel.maximum, highest)),
        },
    }


def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    return float(limits.min), float(limits.max)


def _finite(value: float | None, otherwise: float) -> float:
    """JSON has no infinity and no NaN."""
    return float(value) if value is not None and math.isfinite(value) else otherwise
