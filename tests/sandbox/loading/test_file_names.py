# SPDX-License-Identifier: AGPL-3.0-or-later
"""File names: the conventions, templates, regular expressions, and what is wrong with a pattern."""

from __future__ import annotations

import pytest

from omero_sandbox.loading.file_names import PatternError, PlaneName, compile_pattern, guess_pattern, match_name


@pytest.mark.parametrize(
    ("convention", "name", "expected"),
    [
        ("cellomics", "AS_09047_050428030001_O07f02d2.TIF", PlaneName(14, 6, "02", "2")),
        ("imagexpress", "Plate1_B03_s4_w2A1B2-C3.tif", PlaneName(1, 2, "4", "2")),
        ("imagexpress", "Plate1_B03_s4.tif", PlaneName(1, 2, "4")),
        ("opera-phenix", "r03c12f05p01-ch2sk1fk1fl1.tiff", PlaneName(2, 11, "05", "2", "01", "1")),
        ("cellvoyager", "AssayPlate_Greiner_C05_T0001F003L01A02Z07C02.tif", PlaneName(2, 4, "003", "02", "07", "0001")),
        ("simple", "A1.tif", PlaneName(0, 0)),
        ("simple", "run_h12_f3_DAPI.tiff", PlaneName(7, 11, "3", "DAPI")),
        ("simple", "AF48-s2-w1.tif", PlaneName(31, 47, "2", "1")),
    ],
)
def test_conventions(convention: str, name: str, expected: PlaneName) -> None:
    assert match_name(compile_pattern(convention), name) == expected
    assert guess_pattern([name]) == convention


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("AS_*_{well}f{field}d{channel}.TIF", "AS_09047_05_O07f02d2.tif", PlaneName(14, 6, "02", "2")),
        ("{row}_{column}_{field}_{channel}_{z}_{t}.tif", "2_03_1_GFP_5_6.tif", PlaneName(1, 2, "1", "GFP", "5", "6")),
        ("{row}{column}.tif", "C07.tif", PlaneName(2, 6)),
        ("a(b)+{well}.tif", "a(b)+A01.tif", PlaneName(0, 0)),
        (r"(?P<well>[A-P]\d\d)_(?P<channel>\w+)\.tif$", "x_A02_red.tif", PlaneName(0, 1, "0", "red")),
    ],
)
def test_templates_and_expressions(pattern: str, name: str, expected: PlaneName) -> None:
    assert match_name(compile_pattern(pattern), name) == expected


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("*.tif", "names no part"),
        ("nonsense", "names no part"),
        ("{field}.tif", "where the well is"),
        ("{row}_{field}.tif", "where the well is"),
        ("{plate}_{well}.tif", r"no placeholder \{plate\}"),
        ("{well}_{well}.tif", "not a regular expression"),
        ("(?P<well>[A-", "not a regular expression"),
        ("(?P<well>[A-Z]1)(?P<colour>x)", "names colour"),
    ],
)
def test_patterns_that_cannot_be_used(pattern: str, words: str) -> None:
    with pytest.raises(PatternError, match=words):
        compile_pattern(pattern)


def test_names_that_fit_no_convention() -> None:
    with pytest.raises(PatternError, match=r"image 1\.tif.*--pattern"):
        guess_pattern(["image 1.tif", "image 2.tif"])
    with pytest.raises(PatternError):
        guess_pattern([])


def test_a_well_that_cannot_be_does_not_fit() -> None:
    assert match_name(compile_pattern("{well}.tif"), "A00.tif") is None
    assert match_name(compile_pattern("{row}_{column}.tif"), "0_1.tif") is None
    assert match_name(compile_pattern("{row}_{column}.tif"), "1_0.tif") is None
