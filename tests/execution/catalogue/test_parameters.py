# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import pytest

from openhcs_client import OpenHCSError, PipelineDocument
from openhcs_execution.catalogue import apply_parameters

DOCUMENT = PipelineDocument.model_validate(
    {
        "id": "p",
        "name": "P",
        "steps": [{"name": "S", "function": "openhcs:f", "parameters": {"kept": 7}}],
        "parameters": [
            {"name": "size", "title": "Size", "step": 0, "parameter": "min_size", "type": "integer", "default": 5, "minimum": 1,
             "maximum": 50, "unit": "px"},
            {"name": "sigma", "title": "Blur", "step": 0, "parameter": "sigma", "type": "number", "default": 1.5, "minimum": 0},
            {"name": "bright", "title": "Bright", "step": 0, "parameter": "bright", "type": "boolean", "default": True},
            {"name": "way", "title": "Way", "step": 0, "parameter": "way", "type": "choice", "default": "a",
             "choices": ["a", "b"]},
            {"name": "channel", "title": "Channel", "step": 0, "parameter": "channel", "type": "channel", "default": 1},
        ],
    }
)  # fmt: skip


def test_values_and_defaults_go_into_a_copy() -> None:
    applied = apply_parameters(DOCUMENT, {"size": 9, "sigma": 2, "channel": "GFP"}, ["DNA", "GFP"])
    expected = {"kept": 7, "min_size": 9, "sigma": 2.0, "bright": True, "way": "a", "channel": "GFP"}
    assert applied.steps[0].parameters == expected
    assert isinstance(applied.steps[0].parameters["sigma"], float)
    assert DOCUMENT.steps[0].parameters == {"kept": 7}


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"size": 0}, "Size: must be at least 1 px."),
        ({"size": 51}, "Size: must be at most 50 px."),
        ({"size": 2.5}, "Size: give a whole number."),
        ({"size": True}, "Size: give a whole number."),
        ({"size": "9"}, "Size: give a whole number."),
        ({"sigma": float("nan")}, "Blur: give a number."),
        ({"sigma": -0.1}, "Blur: must be at least 0."),
        ({"bright": 1}, "Bright: choose yes or no."),
        ({"way": "c"}, "Way: choose one of a, b."),
        ({"channel": "RFP"}, "Channel: the plate has no channel 'RFP'; it has DNA, GFP."),
        ({"channel": 3}, "Channel: the plate has no channel 3; it has DNA, GFP."),
        ({"channel": 0}, "Channel: the plate has no channel 0; it has DNA, GFP."),
        ({"other": 1}, "The pipeline has no parameter 'other'."),
    ],
)
def test_what_is_wrong_is_said_by_name(values: dict, complaint: str) -> None:
    with pytest.raises(OpenHCSError) as refused:
        apply_parameters(DOCUMENT, values, ["DNA", "GFP"])
    assert refused.value.status == 422
    assert refused.value.field_errors == {f"parameters.{next(iter(values))}": complaint}


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(OpenHCSError) as refused:
        apply_parameters(DOCUMENT, {"size": 0, "way": "c", "sigma": 1})
    assert set(refused.value.field_errors) == {"parameters.size", "parameters.way"}
