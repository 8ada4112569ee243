# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is kept of the lines that are logged while a well is computed: bounded, and without folders or keys."""

from __future__ import annotations

import logging
import warnings

import pytest

from openhcs_execution.engine import EngineLine
from openhcs_execution.engine.well_log import LONGEST_LINE, MOST_CHARACTERS, clean_text, well_log

KEY = "3b8f0e0a-7a35-4e5b-9d0a-5f2f3b1c9d77"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("reading /var/lib/openhcs/scratch/worker-0/A01/planes/x.tif", "reading …/x.tif"),
        (f"joined session {KEY}", "joined session (hidden)"),
        (f"session_key={KEY} ok", "session_key=(hidden) ok"),
        ("password: hunter2", "password: (hidden)"),
        ("Authorization: secret", "Authorization: (hidden)"),
        ("a\x1b[31mred\n\x00line", "a [31mred  line"),
        ("scale 1/2 and 3 / 4", "scale 1/2 and 3 / 4"),
        ("plain words", "plain words"),
    ],
)
def test_lines_are_cleaned(said: str, kept: str) -> None:
    assert clean_text(said) == kept


def test_long_lines_are_cut() -> None:
    assert len(clean_text("x" * 5000)) == LONGEST_LINE


def test_lines_of_openhcs_and_warnings_are_collected_within_the_block_only() -> None:
    lines: list[EngineLine] = []
    logger = logging.getLogger("openhcs.core.something")
    with well_log(lines.extend) as hand_on:
        logger.info("step %s of /home/ada/secret/plate", 1)
        logging.getLogger("elsewhere").warning("a library warns")
        hand_on()
        assert [line.text for line in lines] == ["step 1 of …/plate", "a library warns"]
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)
    logger.warning("afterwards")
    assert [line.level for line in lines] == ["info", "warning", "warning"]
    assert "divide by zero" in lines[2].text


def test_a_well_that_says_too_much_is_cut() -> None:
    lines: list[EngineLine] = []
    with well_log(lines.extend):
        for number in range(5000):
            logging.getLogger("openhcs").warning("%d %s", number, "x" * 200)
    assert sum(len(line.text) for line in lines) <= MOST_CHARACTERS
    assert lines[-1].text == "The log is cut here."
