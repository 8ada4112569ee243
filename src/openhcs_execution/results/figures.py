# SPDX-License-Identifier: AGPL-3.0-or-later
"""Heat maps of a plate as PNG, for people who look at OMERO and not at the results page.

The scale is cividis, which looks the same to people with and without a colour vision deficiency (Nuñez et al., PLOS ONE 2018,
doi:10.1371/journal.pone.0199239). Its limits are the 2nd and 98th percentile, so that one odd well does not make all others
look alike; wells beyond them have the colour of the limit, and the bar beside the plate has an arrow there.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from openhcs_client import well_name

__all__ = ["limits_of", "plate_heat_map"]

MISSING = "#e0e0e0"
"""Colour of a well without a value, which is also crossed out; it is no colour of the scale."""

_PERCENTILES = (2, 98)
_MANY_WELLS = 32
"""Columns from which on only every second or fourth row and column is named."""
_DOTS_PER_INCH = 120


def limits_of(values: np.ndarray) -> tuple[float, float]:
    """Limits of the scale for these numbers, none of them NaN; never twice the same.

    >>> limits_of(np.array([3.0, 3.0]))
    (2.5, 3.5)
    """
    if not values.size:
        return 0.0, 1.0
    low, high = (float(each) for each in np.percentile(values, _PERCENTILES))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def plate_heat_map(
    title: str, unit: str | None, values: Mapping[tuple[int, int], float | None], rows: int, columns: int, caption: str
) -> bytes:
    """A PNG of a plate of ``rows`` x ``columns`` wells.

    ``values`` has every well that was asked for by its row and column, counted from 0: a number, or None where there is none.
    Wells that were not asked for stay white.
    """
    grid = np.full((rows, columns), np.nan)
    for place, value in values.items():
        grid[place] = np.nan if value is None or not np.isfinite(value) else value
    numbers = grid[np.isfinite(grid)]
    low, high = limits_of(numbers)
    figure = Figure(figsize=(max(4.5, 1.8 + 0.28 * columns), max(3.0, 1.4 + 0.28 * rows)), dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    colours = np.ones((rows, columns, 4))
    for place in values:
        colours[place] = to_rgba(MISSING)
    axes.imshow(colours, extent=(-0.5, columns - 0.5, rows - 0.5, -0.5))
    image = axes.imshow(np.ma.masked_invalid(grid), cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
    missing = [place for place in values if not np.isfinite(grid[place])]
    axes.scatter([column for _row, column in missing], [row for row, _column in missing], marker="x", s=18, c="#606060", lw=0.8)
    _name_wells(axes, rows, columns)
    bar = figure.colorbar(image, ax=axes, fraction=0.04, pad=0.03, extend=_beyond(numbers, low, high))
    bar.set_label(unit or "")
    axes.set_title(title, fontsize=11, parse_math=False)
    note = f"{caption} · scale {low:.4g} to {high:.4g} · {numbers.size} wells"
    if missing:
        note += f", {len(missing)} without a value (×)"
    figure.text(0.01, 0.01, note, fontsize=6, color="#404040", parse_math=False)
    target = io.BytesIO()
    figure.savefig(target, format="png", metadata={"Title": title, "Description": note, "Software": None}, bbox_inches="tight")
    return target.getvalue()


def _name_wells(axes: Axes, rows: int, columns: int) -> None:
    every = 1 if columns < _MANY_WELLS else 2
    named_rows, named_columns = range(0, rows, every), range(0, columns, every)
    axes.set_xticks(list(named_columns), [str(column + 1) for column in named_columns], fontsize=7)
    axes.set_yticks(list(named_rows), [well_name(row, 0).rstrip("0123456789") for row in named_rows], fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(-0.5, columns), minor=True)
    axes.set_yticks(np.arange(-0.5, rows), minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8)


def _beyond(values: np.ndarray, low: float, high: float) -> str:
    below, above = bool((values < low).any()), bool((values > high).any())
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
