# SPDX-License-Identifier: AGPL-3.0-or-later
"""A plate as inline SVG, for a page that has no script: the states of the wells, or a heat map of a measurement.

Colours, signs and marks are those of the pages' plate map. States differ in colour and sign, missing values are hatched, and
every well has its name and value as a ``title``. All text goes through ``format_html``, which escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from openhcs_client import WellExecution, WellRole, WellState, well_name

from .colours import SCALE_STOPS, Limits, fraction_within, ink_on, is_number, readable, robust_limits, scale_colour

__all__ = ["MARKS", "STATE_LOOKS", "HeatMap", "PlateFrame", "StateMap", "draw_heat_map", "draw_states"]

CELL, LEFT, TOP = 20, 26, 20
"""Units of the drawing: the side of a well's square, and the room for the headers."""


@dataclass(frozen=True)
class StateLook:
    """How a state looks: its word, its colour, and a sign as an SVG path around 0, 0."""

    word: str
    fill: str
    sign: str

    @property
    def ink(self) -> str:
        return ink_on(self.fill)


# Colours of Okabe and Ito, which are told apart with every common colour blindness.
STATE_LOOKS = {
    WellState.WAITING: StateLook("waiting", "#d4d8dc", "M-3 0H-2.4M-.3 0H.3M2.4 0H3"),
    WellState.STAGING: StateLook("reading images", "#56b4e9", "M0 -4V3M-3 0L0 3L3 0"),
    WellState.RUNNING: StateLook("running", "#005b8f", "M-2.5 -3.5L3.5 0L-2.5 3.5Z"),
    WellState.SAVING: StateLook("saving", "#cc79a7", "M0 4V-3M-3 0L0 -3L3 0"),
    WellState.DONE: StateLook("done", "#009e73", "M-4 0L-1 3L4 -3"),
    WellState.FAILED: StateLook("failed", "#d55e00", "M-3 -3L3 3M3 -3L-3 3"),
    WellState.SKIPPED: StateLook("skipped", "#f0e442", "M-3.5 0H3.5"),
}

MARKS = {
    WellRole.POSITIVE: ("positive control", "M0 -3.4L3.4 2.8H-3.4Z"),
    WellRole.NEGATIVE: ("negative control", "M0 3.4L3.4 -2.8H-3.4Z"),
    WellRole.EMPTY: ("empty", "M-2.8 -2.8H2.8V2.8H-2.8Z"),
}
"""Word and shape of the signs in the corners of wells."""


@dataclass(frozen=True)
class PlateFrame:
    """What all maps of a plate share. ``roles`` holds the wells that are marked."""

    rows: int
    columns: int
    wells: Sequence[WellExecution]
    roles: Mapping[str, WellRole]

    @classmethod
    def of(cls, rows: int, columns: int, wells: Sequence[WellExecution], roles: Mapping[str, WellRole]) -> PlateFrame:
        """A frame that holds every well, whatever format the plate says it has."""
        return cls(
            max([rows, 1, *(well.row + 1 for well in wells)]),
            max([columns, 1, *(well.column + 1 for well in wells)]),
            wells,
            roles,
        )


@dataclass(frozen=True)
class StateMap:
    """The drawing, and how many wells are in each state that occurs."""

    svg: SafeString
    counts: list[tuple[StateLook, int]]


@dataclass(frozen=True)
class HeatMap:
    """The drawing and its legend; ``svg`` is empty without any value. ``below``, ``above``: wells lie beyond the limits."""

    name: str
    title: str
    unit: str
    svg: SafeString | str
    limits: Limits | None
    below: bool
    above: bool
    missing: int
    hatch: str

    @property
    def low(self) -> str:
        return f"{'≤ ' if self.below else ''}{readable(self.limits.low)}" if self.limits else "–"

    @property
    def high(self) -> str:
        return f"{'≥ ' if self.above else ''}{readable(self.limits.high)}" if self.limits else "–"

    @property
    def constant(self) -> bool:
        return self.limits is not None and self.limits.low == self.limits.high


def draw_states(frame: PlateFrame) -> StateMap:
    """The states of the wells."""
    looks = {well.well: (STATE_LOOKS[well.state].fill, STATE_LOOKS[well.state].word) for well in frame.wells}
    signs = {well.well: STATE_LOOKS[well.state] for well in frame.wells}
    counts = [(look, sum(well.state is state for well in frame.wells)) for state, look in STATE_LOOKS.items()]
    svg = _plate(frame, "states", "Plate map: states of the wells", looks, signs)
    return StateMap(svg, [(look, count) for look, count in counts if count])


def draw_heat_map(frame: PlateFrame, number: int, name: str, title: str, unit: str = "") -> HeatMap:
    """The values of the measurement ``name``; ``number`` tells the drawings of a document apart."""
    values = {well.well: well.measurements.get(name) for well in frame.wells}
    known = {well: value for well, value in values.items() if value is not None and is_number(value)}
    limits = robust_limits(known.values())
    hatch = f"heat{number}-hatch"
    looks: dict[str, tuple[str, str]] = {}
    for well in frame.wells:
        if limits is not None and well.well in known:
            value = known[well.well]
            looks[well.well] = (scale_colour(fraction_within(value, limits)), readable(value))
        else:
            looks[well.well] = (f"url(#{hatch})", "no value" if well.state is WellState.DONE else STATE_LOOKS[well.state].word)
    return HeatMap(
        name=name,
        title=title,
        unit=unit,
        svg=_plate(frame, f"heat{number}", f"Heat map: {title}", looks, {}) if limits else "",
        limits=limits,
        below=limits is not None and any(value < limits.low for value in known.values()),
        above=limits is not None and any(value > limits.high for value in known.values()),
        missing=len(values) - len(known),
        hatch=hatch,
    )


def _plate(
    frame: PlateFrame, prefix: str, label: str, looks: Mapping[str, tuple[str, str]], signs: Mapping[str, StateLook]
) -> SafeString:
    """``looks`` says fill and words of the wells of the run; the others are drawn as empty frames."""
    width, height = LEFT + frame.columns * CELL, TOP + frame.rows * CELL
    return format_html(
        '<svg class="plate" role="img" aria-label="{}" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg">'
        '<defs><pattern id="{}-hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="4" height="4" fill="#f7f8f9"/><rect width="1.1" height="4" fill="#7d8894"/></pattern></defs>'
        "{}{}{}{}</svg>",
        label,
        width,
        height,
        prefix,
        _headers(frame),
        _bodies(frame, looks),
        format_html_join("", '<path class="sign" stroke="{}" transform="translate({} {})" d="{}"/>', _signs(frame, signs)),
        format_html_join("", '<path class="mark" transform="translate({} {})" d="{}"/>', _marks(frame)),
    )


def _headers(frame: PlateFrame) -> SafeString:
    rows = ((LEFT / 2, TOP + (row + 0.5) * CELL, well_name(row, 0)[:-2]) for row in range(frame.rows))
    columns = ((LEFT + (column + 0.5) * CELL, TOP / 2, column + 1) for column in range(frame.columns))
    return format_html_join("", '<text x="{}" y="{}">{}</text>', [*rows, *columns])


def _bodies(frame: PlateFrame, looks: Mapping[str, tuple[str, str]]) -> SafeString:
    present = {(well.row, well.column): well.well for well in frame.wells}
    empty, drawn = [], []
    for row in range(frame.rows):
        for column in range(frame.columns):
            x, y = LEFT + column * CELL + 1, TOP + row * CELL + 1
            name = present.get((row, column))
            if name is None:
                empty.append((x, y))
                continue
            fill, words = looks[name]
            role = MARKS[frame.roles[name]][0] if frame.roles.get(name) in MARKS else ""
            drawn.append((x, y, fill, ", ".join(part for part in (name, words, role) if part)))
    return format_html(
        "{}{}",
        format_html_join("", '<rect class="none" x="{}" y="{}" width="18" height="18"/>', empty),
        format_html_join("", '<rect x="{}" y="{}" width="18" height="18" fill="{}"><title>{}</title></rect>', drawn),
    )


def _signs(frame: PlateFrame, signs: Mapping[str, StateLook]) -> Iterable[tuple[str, float, float, str]]:
    for well in frame.wells:
        if well.well in signs:
            yield signs[well.well].ink, *_middle(well), signs[well.well].sign


def _marks(frame: PlateFrame) -> Iterable[tuple[float, float, str]]:
    for well in frame.wells:
        mark = MARKS.get(frame.roles.get(well.well, WellRole.TREATMENT))
        if mark is not None:
            x, y = _middle(well)
            yield x + 5.5, y - 5.5, mark[1]


def _middle(well: WellExecution) -> tuple[float, float]:
    return LEFT + (well.column + 0.5) * CELL, TOP + (well.row + 0.5) * CELL


SCALE = format_html_join("", '<stop offset="{}" stop-color="{}"/>', SCALE_STOPS)
"""Stops of the legend's gradient."""
