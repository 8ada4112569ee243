# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

from openhcs_client import ExposedParameter, FunctionParameter, PipelineDocument, PipelineStep, StepGrouping
from openhcs_execution.engine import check_document, check_published, check_value, function, load_functions
from openhcs_execution.engine.catalogue import catalogue_entry

from .conftest import PIPELINES, built_in, document, step

NUCLEI = "omero_openhcs:segment_nuclei"
INTENSITY = "omero_openhcs:measure_nuclei_intensity"
PROJECTION = "openhcs:create_projection"
BLUR = "openhcs:gaussian_blur"


def errors(pipeline: PipelineDocument, channels: list[str] | None = None) -> dict[str, str]:
    report = check_document(pipeline, channels)
    assert report.valid == (not report.field_errors)
    return report.field_errors


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_built_in_pipelines_are_valid(pipeline: str) -> None:
    assert errors(built_in(pipeline), ["DAPI", "GFP"]) == {}


def test_checking_needs_no_openhcs() -> None:
    program = (
        "import sys; from openhcs_execution.engine import *; load_functions();"
        "from openhcs_client import PipelineDocument, PipelineStep;"
        f"check_document(PipelineDocument(id='a', name='a', steps=[PipelineStep(name='a', function='{NUCLEI}')]), None);"
        "sys.exit(any(name.partition('.')[0] in {'openhcs', 'skimage', 'scipy', 'pandas'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_unknown_function() -> None:
    assert errors(document(step("os:system"), step(NUCLEI))) == {"steps.0.function": "There is no function 'os:system'."}


def test_unknown_parameter() -> None:
    assert set(errors(document(step(NUCLEI, sigma=2.0)))) == {"steps.0.parameters.sigma"}


@pytest.mark.parametrize("name", ["image", "labels", "slice_by_slice", "dtype_config", "channels", "__class__"])
def test_what_openhcs_supplies_itself_cannot_be_set(name: str) -> None:
    pipeline = document(step(NUCLEI), step(INTENSITY, **{name: 1}))
    assert set(errors(pipeline)) == {f"steps.1.parameters.{name}"}


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("diameter", 3.9, "The least is 4 pixels."),
        ("diameter", 1000, "The most is 400 pixels."),
        ("diameter", "20", "Enter a number."),
        ("diameter", True, "Enter a number."),
        ("diameter", None, "Enter a number."),
        ("diameter", [20.0], "Enter a number."),
        ("split_touching", 1, "Choose yes or no."),
        ("channel", 0, "Give the name of a channel, or its number counted from 1."),
        ("channel", 1.0, "Give the name of a channel, or its number counted from 1."),
        ("channel", "", "Give the name of a channel, or its number counted from 1."),
        ("channel", 3, "There is no channel 3; the channels are 1 (DAPI), 2 (GFP)."),
        ("channel", "Cy5", "There is no channel 'Cy5'; the channels are 1 (DAPI), 2 (GFP)."),
    ],
)
def test_values_out_of_range_or_of_the_wrong_type(name: str, value: Any, complaint: str) -> None:
    assert errors(document(step(NUCLEI, **{name: value})), ["DAPI", "GFP"]) == {f"steps.0.parameters.{name}": complaint}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_a_number(value: float) -> None:
    info = function(NUCLEI)
    assert info is not None
    diameter = next(parameter for parameter in info.parameters if parameter.name == "diameter")
    assert check_value(diameter, value) == "Enter a number that is not infinite."


@pytest.mark.parametrize("value", ["1", "DAPI", "dapi", 1, 2, "GFP"])
def test_channels_by_name_or_number(value: str | int) -> None:
    assert errors(document(step(NUCLEI, channel=value)), ["DAPI", "GFP"]) == {}


@pytest.mark.parametrize("value", ["1st", "a b", "", "x" * 41, "a.b", "né", 5, "__import__('os')"])
def test_names_of_columns(value: Any) -> None:
    pipeline = document(step(NUCLEI), step(INTENSITY, name=value))
    assert set(errors(pipeline)) == {"steps.1.parameters.name"}


def test_choices() -> None:
    pipeline = document(step("openhcs:create_projection", method="median"), step(NUCLEI))
    assert errors(pipeline)["steps.0.parameters.method"].startswith("Choose one of max_projection")


def test_a_step_needs_what_it_consumes() -> None:
    assert "nuclei" in errors(document(step(INTENSITY)))["steps.0.function"]
    assert "nuclei" in errors(document(step(INTENSITY), step(NUCLEI)))["steps.0.function"]
    disabled = step(NUCLEI).model_copy(update={"enabled": False})
    assert "steps.1.function" in errors(document(disabled, step(INTENSITY)))


def test_a_pipeline_must_measure_something() -> None:
    assert errors(document(step(BLUR))) == {"steps": "No step measures anything; add one that does."}
    off = step(NUCLEI).model_copy(update={"enabled": False})
    assert "steps" in errors(document(off))


def test_two_steps_may_not_fill_the_same_columns() -> None:
    twice = document(step(NUCLEI), step(INTENSITY, name="gfp"), step(INTENSITY, name="gfp", channel=1))
    assert set(errors(twice)) == {"steps.2.parameters.name"}
    by_default = document(step(NUCLEI), step(INTENSITY), step(INTENSITY, channel=1))
    assert set(errors(by_default)) == {"steps.2.parameters.name"}
    assert set(errors(document(step(NUCLEI), step(NUCLEI)))) == {"steps.1.function"}


def test_only_filters_take_a_choice_of_channels() -> None:
    blur = PipelineStep(name="Blur", function=BLUR, channels=["GFP"])
    assert errors(document(blur, step(NUCLEI)), ["DAPI", "GFP"]) == {}
    assert set(errors(document(blur, step(NUCLEI)), ["DAPI"])) == {"steps.0.channels.0"}
    none = blur.model_copy(update={"channels": []})
    assert set(errors(document(none, step(NUCLEI)))) == {"steps.0.channels"}
    nuclei = PipelineStep(name="Nuclei", function=NUCLEI, channels=["1"])
    assert set(errors(document(nuclei))) == {"steps.0.channels"}


def test_grouping_belongs_to_the_function() -> None:
    right = PipelineStep(name="Nuclei", function=NUCLEI, grouping=StepGrouping(over=["channel"], by="site"))
    mixing_fields = PipelineStep(name="Nuclei", function=NUCLEI, grouping=StepGrouping(over=["site"], by="channel"))
    assert errors(document(right)) == {}
    assert set(errors(document(mixing_fields))) == {"steps.0.grouping"}


def test_too_few_channels() -> None:
    assert "minimum_channels" in errors(built_in("colocalisation"), ["DAPI"])


def test_exposed_parameters_fit_their_function() -> None:
    exposed = ExposedParameter(name="size", title="Size", step=0, parameter="diameter", type="number", default=20.0)
    pipeline = document(step(NUCLEI))
    for change, path in (
        ({"parameter": "sigma"}, "parameters.0.parameter"),
        ({"type": "integer"}, "parameters.0.type"),
        ({"default": 1.0}, "parameters.0.default"),
        ({"maximum": 10.0}, "parameters.0.default"),
        ({"maximum": 1e6}, "parameters.0.maximum"),
        ({"minimum": 0.0}, "parameters.0.minimum"),
    ):
        assert path in errors(pipeline.model_copy(update={"parameters": [exposed.model_copy(update=change)]}))
    assert errors(pipeline.model_copy(update={"parameters": [exposed]})) == {}


def test_exposed_choices_are_choices_of_the_function() -> None:
    parameter = catalogue_entry(PROJECTION).parameter("method")
    assert parameter.choices
    exposed = ExposedParameter(
        name="how", title="How", step=0, parameter="method", type="choice", default=parameter.choices[0], choices=["guess"]
    )
    pipeline = document(step(PROJECTION), step(NUCLEI)).model_copy(update={"parameters": [exposed]})
    assert errors(pipeline)["parameters.0.choices"] == "method cannot be guess."


def test_an_exposed_default_is_the_value_of_its_step() -> None:
    exposed = ExposedParameter(name="size", title="Size", step=0, parameter="diameter", type="number", default=20.0)
    for value, expected in ((20, set()), (20.0, set()), (30.0, {"parameters.0.default"})):
        pipeline = document(step(NUCLEI, diameter=value)).model_copy(update={"parameters": [exposed]})
        assert set(check_published(pipeline, None).field_errors) == expected
        assert errors(pipeline) == {}  # with the user's values in it, they may differ


def test_primary_measurement_is_measured() -> None:
    pipeline = built_in("nuclei-count").model_copy(update={"primary_measurement": "beauty"})
    assert set(errors(pipeline)) == {"primary_measurement"}


def test_the_catalogue_is_copied_out() -> None:
    load_functions()[0].parameters.clear()
    assert load_functions()[0].parameters
    assert function("os:system") is None


def test_defaults_are_valid_themselves() -> None:
    for info in load_functions():
        for parameter in info.parameters:
            assert check_value(parameter, parameter.default) is None, (info.id, parameter.name)


def test_list_parameters_must_be_lists() -> None:
    parameter = FunctionParameter(name="sizes", type="list")
    assert check_value(parameter, [1, 2]) is None
    assert check_value(parameter, 1) == "Give a list."
