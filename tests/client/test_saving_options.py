# SPDX-License-Identifier: AGPL-3.0-or-later
"""Options of saving: what is refused and where it is said; templates hold text, whatever stands in them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from openhcs_client import DEFAULT_RESULT_NAME, SavingOptions, SubmitExecution, field_errors_of, fill_template, template_problem

VALUES = {
    "plate": "Plate 3",
    "pipeline": "Count nuclei",
    "version": "2",
    "date": "2026-11-25",
    "user": "Ada Lovelace",
    "execution": "3f2a91c0",
}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        (DEFAULT_RESULT_NAME, "Plate 3 – Count nuclei v2 (3f2a91c0)"),
        ("{date} {user}", "2026-11-25 Ada Lovelace"),
        ("no placeholder", "no placeholder"),
        ("{plate}{plate}", "Plate 3Plate 3"),
    ],
)
def test_placeholders_are_replaced(template: str, filled: str) -> None:
    assert template_problem(template) == ""
    assert fill_template(template, VALUES) == filled


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("{owner}", "There is no {owner}"),
        ("{plate.__class__}", "There is no"),
        ("{plate!r}", "There is no"),
        ("{0}", "There is no"),
        ("{}", "There is no"),
        ("{{plate}}", "Braces"),
        ("{plate", "Braces"),
        ("<script>", "signs"),
        ("a\nb", "control"),
        ("a\u2028b", "control"),
        ("x" * 201, "200 characters"),
    ],
)
def test_what_is_no_template_is_refused(template: str, reason: str) -> None:
    assert reason in template_problem(template)
    with pytest.raises(ValidationError) as caught:
        SavingOptions(name=template)
    assert list(field_errors_of(caught.value)) == ["name"]


def test_values_are_text_and_nothing_else() -> None:
    hostile = {**VALUES, "plate": "{user}{0.__class__}\n<img src=x onerror=alert(1)>\x00"}
    assert fill_template("{plate} v{version}", hostile) == "{user}{0.__class__} <img src=x onerror=alert(1)> v2"


def test_a_long_plate_name_gives_way() -> None:
    name = fill_template(DEFAULT_RESULT_NAME, {**VALUES, "plate": "p" * 300})
    assert len(name) == 255
    assert name.endswith("p – Count nuclei v2 (3f2a91c0)")
    assert len(fill_template("{plate} {plate}", {**VALUES, "plate": "p" * 300})) <= 255
    assert len(fill_template("{pipeline}", {**VALUES, "pipeline": "x" * 300})) == 255


@pytest.mark.parametrize(
    ("saving", "fields"),
    [
        ({"rois": "circles"}, {"saving.rois"}),
        ({"rois_per_field": 0}, {"saving.rois_per_field"}),
        ({"target": "dataset"}, {"saving"}),
        ({"dataset_id": 5}, {"saving"}),
        ({"target": "dataset", "dataset_id": -1}, {"saving.dataset_id"}),
        ({"tags": ["ok", "{nope}"]}, {"saving.tags.1"}),
        ({"tags": ["x"] * 11}, {"saving.tags"}),
        ({"folder": "/etc"}, {"saving.folder"}),
    ],
)
def test_a_wrong_option_is_named(saving: dict, fields: set[str]) -> None:
    content = {"plate_id": 1, "pipeline_id": "x", "saving": saving}
    with pytest.raises(ValidationError) as caught:
        SubmitExecution.model_validate(content)
    assert set(field_errors_of(caught.value, content)) == fields
