# SPDX-License-Identifier: AGPL-3.0-or-later
"""Conditions on table rows: what they mean, and that nothing but the grammar is understood."""

from __future__ import annotations

import numpy as np
import pytest

from omero_sandbox.tables.conditions import MAX_LENGTH, ConditionError, parse_condition

ROWS = {
    "Well": np.array([1, 2, 3, 4, 5]),
    "Area": np.array([0.5, 1.0, np.nan, 2.0, 4.0]),
    "Name": np.array([text.encode() for text in ("DMSO", "µM", "", "DMSO", "it's")]),
    "Hit": np.array([True, False, True, False, False]),
    "Shape": np.zeros((5, 3)),
}


def rows_matching(condition: str) -> list[int]:
    return np.flatnonzero(parse_condition(condition).matches(ROWS, 5)).tolist()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Well==3", [2]),
        ("(Well>1) & (Area<3)", [1, 3]),
        ("(Well==1) | (Well==5)", [0, 4]),
        ("~(Well>2)", [0, 1]),
        ("Hit", [0, 2]),
        ("~Hit & (Well < 5)", [1, 3]),
        ("(Well > 1) ^ Hit", [0, 1, 3, 4]),
        ("Name == 'DMSO'", [0, 3]),
        ("Name == b'DMSO'", [0, 3]),
        ('Name == "it\'s"', [4]),
        (r"Name == 'it\'s'", [4]),
        ("Name == 'µM'", [1]),
        ("Name != 'DMSO'", [1, 2, 4]),
        ("Area != Area", [2]),
        ("isnan(Area)", [2]),
        ("Well * 2 + 1 == 7", [2]),
        ("Well % 2 == 0", [1, 3]),
        ("Well / 2 == 0.5", [0]),
        ("-Well < -4", [4]),
        ("-Well ** 2 == -9", [2]),
        ("2 ** -1 == Area", [0]),
        ("2 ** 3 ** 1 == 8", [0, 1, 2, 3, 4]),
        ("Well - 1 - 1 == 1", [2]),
        ("sqrt(Area) == 2", [4]),
        ("where(Hit, Well, 0) == 3", [2]),
        ("1e0 == Well", [0]),
        ("Hit == True", [0, 2]),
        ("True", [0, 1, 2, 3, 4]),
        ("9223372036854775808 > Well", [0, 1, 2, 3, 4]),
    ],
)
def test_meaning(condition: str, expected: list[int]) -> None:
    assert rows_matching(condition) == expected


def test_agrees_with_python_on_precedence() -> None:
    """`a == b & c` compares with `b & c`, as Python and PyTables read it."""
    assert rows_matching("Well == 3 & 2") == [1]


def test_names_are_reported() -> None:
    assert parse_condition("(Well > x) & (Name == 'Hit')").names == {"Well", "x", "Name"}


@pytest.mark.parametrize(
    "condition",
    [
        "__import__('os').system('true')",
        "Well.__class__",
        "Well[0] == 1",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        "open('/etc/passwd')",
        "exec('1')",
        "getattr(Well, 'dtype')",
        "Well; Area",
        "Well == 1\nimport os",
        "f'{Well}' == 'x'",
        "'a' 'b' == Name",
        "Well := 3",
        "@Well",
        "{1}",
        "`Well`",
    ],
)
def test_anything_but_the_grammar_is_refused(condition: str) -> None:
    with pytest.raises(ConditionError):
        rows_matching(condition)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("(Well == 1", "ends"),
        ("Well ==", "ends"),
        ("Well = 1", "'='"),
        ("1 < Well < 3", "parentheses"),
        ("Well == 1 and Hit", "'&'"),
        ("not Hit", "'~'"),
        ("Colour == 1", "no column 'Colour'"),
        ("Well", "true or false"),
        ("Well + 1", "true or false"),
        ("Name > 3", "text"),
        ("Name + 1 == 2", "fit"),
        ("sin(1, 2) == 0", "takes 1"),
        ("sort(Well) == 1", "no function"),
        ("Shape == 0", "arrays"),
        ("'abc", "cannot be part"),
        ("(" * 500 + "Hit" + ")" * 500, "deep"),
        ("2**" * 500 + "2 == Well", "deep"),
        ("Well == 1 |" * MAX_LENGTH, "at most"),
    ],
)
def test_a_wrong_condition_says_what_is_wrong(condition: str, words: str) -> None:
    with pytest.raises(ConditionError, match=words):
        rows_matching(condition)


def test_many_alternatives_do_not_nest() -> None:
    """A page that asks for 384 wells writes one long chain."""
    condition = "|".join(f"(Well=={number})" for number in range(3, 900))
    assert rows_matching(condition) == [2, 3, 4]
    assert rows_matching("~" * 2000 + "Hit") == [0, 2]
