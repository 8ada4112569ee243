# SPDX-License-Identifier: AGPL-3.0-or-later
"""How pages write times, values and statuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from omero_openhcs.templatetags import openhcs_format as written
from openhcs_client import ExecutionStatusName, ExposedParameter


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=4.21), "4.2 s"),
        (42, "42 s"),
        (200, "3 min 20 s"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (None, "–"),
    ],
)
def test_durations(span: timedelta | float | None, text: str) -> None:
    assert written.duration(span) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "automatic"), (True, "yes"), (False, "no"), (2.0, "2"), (0.25, "0.25"), ("DAPI", "DAPI"), ([1, 2.0], "1, 2")],
)
def test_values(value: object, text: str) -> None:
    assert written.value_text(value) == text


def parameter(minimum: float | None, maximum: float | None) -> ExposedParameter:
    return ExposedParameter(
        name="x", title="X", step=0, parameter="x", type="number", default=1.0, minimum=minimum, maximum=maximum
    )


def test_ranges() -> None:
    assert written.range_text(parameter(0, 50)) == "0 to 50"
    assert written.range_text(parameter(0.5, None)) == "at least 0.5"
    assert written.range_text(parameter(None, 9)) == "at most 9"
    assert written.range_text(parameter(None, None)) == ""


def test_identifiers_are_written_in_words() -> None:
    assert written.words("subtract_background") == "Subtract background"
    assert written.words("method") == "Method"
    assert written.words("DAPI_mean") == "DAPI mean"


def test_times_are_utc_until_the_browser_makes_them_local() -> None:
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=2)))
    html = written.local_time(moment)
    assert 'datetime="2026-03-01T21:30:00+00:00"' in html
    assert "2026-03-01 21:30 UTC" in html
    assert written.local_time(datetime(2026, 3, 1, 8, 0)) == written.local_time(datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
    assert written.local_time(None) == "–"


def test_every_status_has_words() -> None:
    words = {written.status_word(status) for status in ExecutionStatusName}
    assert len(words) == len(ExecutionStatusName)
    assert not any("_" in word for word in words)
