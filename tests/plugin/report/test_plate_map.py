# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates as SVG: every well where it belongs, in its colour, with its words; and values that no scale has a place for."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from omero_openhcs.report.colours import (
    SCALE_STOPS,
    Limits,
    fraction_within,
    ink_on,
    readable,
    robust_limits,
    scale_colour,
)
from omero_openhcs.report.plate_map_svg import MARKS, STATE_LOOKS, HeatMap, PlateFrame, draw_heat_map, draw_states
from openhcs_client import WellRole, WellState

from .made import execution

SVG = "{http://www.w3.org/2000/svg}"
PLATE_MAP = Path(__file__).resolve().parents[3] / "frontend" / "src" / "shared" / "platemap"


def frame(found, roles=None) -> PlateFrame:
    return PlateFrame.of(found.rows, found.columns, found.wells, roles or {})


def wells_of(svg: str) -> dict[str, ElementTree.Element]:
    """The drawn wells by the words of their titles up to the comma."""
    root = ElementTree.fromstring(svg)
    return {rect.findtext(f"{SVG}title", "").split(",")[0]: rect for rect in root.iter(f"{SVG}rect") if len(rect)}


def words_of(svg: str) -> set[str]:
    return {rect.findtext(f"{SVG}title", "") for rect in wells_of(svg).values()}


def heat(value, **changes) -> HeatMap:
    return draw_heat_map(frame(execution(value=value, **changes)), 0, "count", "Count")


def test_states_are_drawn_with_colour_sign_and_word() -> None:
    states = list(WellState)[:6]
    drawn = draw_states(frame(execution(state=lambda number: states[number])))
    wells = wells_of(drawn.svg)
    assert [wells[name].get("fill") for name in ("A01", "A03", "B03")] == [
        STATE_LOOKS[state].fill for state in (states[0], states[2], states[5])
    ]
    assert "B02, done" in words_of(drawn.svg)
    assert drawn.svg.count('class="sign"') == 6
    assert {look.word: count for look, count in drawn.counts} == {STATE_LOOKS[state].word: 1 for state in states}


def test_wells_lie_in_their_row_and_column() -> None:
    wells = wells_of(draw_states(frame(execution())).svg)
    place = {name: (float(well.get("x", "")), float(well.get("y", ""))) for name, well in wells.items()}
    assert place["A02"][0] - place["A01"][0] == 20
    assert place["B01"][1] - place["A01"][1] == 20
    assert place["A03"][1] == place["A01"][1]


def test_a_heat_map_has_the_ends_of_the_scale_at_its_limits() -> None:
    drawn = heat(lambda number: {"count": float(number)})
    wells = wells_of(drawn.svg)
    assert (wells["A01"].get("fill"), wells["B03"].get("fill")) == (scale_colour(0), scale_colour(1))
    assert (drawn.low, drawn.high, drawn.missing, drawn.constant) == ("0", "5", 0, False)


def test_one_odd_well_does_not_flatten_the_others() -> None:
    drawn = heat(lambda number: {"count": 1e9 if number == 0 else float(number)}, rows=8, columns=12)
    assert drawn.limits == Limits(2.0, 95.0)
    assert (drawn.low, drawn.high) == ("≤ 2", "≥ 95")
    assert wells_of(drawn.svg)["A01"].get("fill") == scale_colour(1)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_a_missing_value_is_hatched_and_counted(value: float | None) -> None:
    drawn = heat(lambda number: {"count": value if number == 1 else 2.0 * number})
    assert wells_of(drawn.svg)["A02"].get("fill") == "url(#heat0-hatch)"
    assert "A02, no value" in words_of(drawn.svg)
    assert (drawn.missing, drawn.limits) == (1, Limits(0, 10))
    assert 'id="heat0-hatch"' in drawn.svg


def test_nan_everywhere_draws_nothing() -> None:
    drawn = heat(lambda number: {"count": math.nan})
    assert (drawn.svg, drawn.limits, drawn.low, drawn.missing) == ("", None, "–", 6)


def test_constant_values_have_the_middle_colour_and_say_so() -> None:
    drawn = heat(lambda number: {"count": 7.0})
    assert {well.get("fill") for well in wells_of(drawn.svg).values()} == {scale_colour(0.5)}
    assert drawn.constant
    assert drawn.low == "7"


def test_a_failed_well_says_that_it_failed() -> None:
    drawn = heat(lambda number: {"count": 1.0}, state=lambda number: WellState.FAILED if number == 2 else WellState.DONE)
    assert "A03, failed" in words_of(drawn.svg)


def test_controls_have_a_mark_and_a_word() -> None:
    found = execution()
    drawn = draw_heat_map(
        frame(found, {"A01": WellRole.POSITIVE, "B02": WellRole.NEGATIVE, "C09": WellRole.EMPTY}), 0, "count", "x"
    )
    assert drawn.svg.count('class="mark"') == 2
    assert MARKS[WellRole.POSITIVE][1] in drawn.svg
    assert {"A01, 0, positive control", "B02, 4, negative control"} <= words_of(drawn.svg)


def test_wells_that_are_not_of_the_run_are_empty_frames() -> None:
    found = execution()
    few = PlateFrame.of(found.rows, found.columns, found.wells[:2], {})
    drawn = draw_states(few).svg
    assert (len(wells_of(drawn)), drawn.count('class="none"')) == (2, 4)


def test_wells_beyond_the_plate_make_the_drawing_larger() -> None:
    found = execution()
    assert (PlateFrame.of(1, 1, found.wells, {}).rows, PlateFrame.of(1, 1, found.wells, {}).columns) == (2, 3)
    assert PlateFrame.of(0, 0, [], {}) == PlateFrame(1, 1, [], {})
    ElementTree.fromstring(draw_states(PlateFrame.of(0, 0, [], {})).svg)


def test_markup_in_a_title_stays_text() -> None:
    drawn = draw_heat_map(frame(execution()), 0, "count", '"><script>alert(1)</script>')
    root = ElementTree.fromstring(drawn.svg)
    assert root.get("aria-label") == 'Heat map: "><script>alert(1)</script>'
    assert root.find(f".//{SVG}script") is None


def test_limits() -> None:
    assert robust_limits([]) is None
    assert robust_limits([None, math.nan]) is None
    assert robust_limits([3.0]) == Limits(3, 3)
    # Nearly all agree: the few others stay visible.
    assert robust_limits([1.0] * 200 + [9.0]) == Limits(1, 9)


@pytest.mark.parametrize(
    ("value", "limits", "fraction"),
    [
        (5, Limits(0, 10), 0.5),
        (-1, Limits(0, 10), 0),
        (11, Limits(0, 10), 1),
        (1e308, Limits(-1e308, 1e308), 1),
        (3, Limits(3, 3), 0.5),
    ],
)
def test_fractions(value: float, limits: Limits, fraction: float) -> None:
    assert fraction_within(value, limits) == fraction


def test_signs_can_be_read_on_their_colour() -> None:
    for look in STATE_LOOKS.values():
        assert look.ink == ink_on(look.fill)
    assert ink_on("#000000") == "#ffffff"


def test_numbers_are_short() -> None:
    values = (0, 12.345678, 81640.3, 1234567, 0.00012, -2.5)
    assert [readable(value) for value in values] == ["0", "12.35", "81640", "1.23e+06", "1.20e-04", "-2.5"]


def test_it_looks_like_the_plate_map_of_the_pages() -> None:
    """Both are written down twice; here they are held together."""
    states = (PLATE_MAP / "states.ts").read_text(encoding="utf-8")
    for state, look in STATE_LOOKS.items():
        assert f"{state.value}: {{ word: '{look.word}', fill: '{look.fill}'" in states
        assert f"sign: '{look.sign}'" in states
    marks = (PLATE_MAP / "marks.ts").read_text(encoding="utf-8")
    for role, (word, shape) in MARKS.items():
        assert f"{role.value}: {{ word: '{word}', path: '{shape}' }}" in marks
    stops = re.search(r"viridis:\s+'([0-9a-f ]+)'", (PLATE_MAP / "colourscale.ts").read_text(encoding="utf-8"))
    assert stops
    assert [colour for _, colour in SCALE_STOPS] == [f"#{stop}" for stop in stops[1].split()]
