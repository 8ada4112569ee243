# SPDX-License-Identifier: AGPL-3.0-or-later
"""Scripts as people write them for OpenHCS: what maps, and what is said, line by line, of what does not."""

from __future__ import annotations

import pytest

from openhcs_client import ImportedPipeline, PipelineStep
from openhcs_execution.catalogue.scripts import function_table
from openhcs_execution.python_source import import_python

IMPORTS = """\
from openhcs.constants.constants import GroupBy, VariableComponents
from openhcs.constants.input_source import InputSource
from openhcs.core.config import LazyNapariStreamingConfig, LazyProcessingConfig, PipelineConfig
from openhcs.core.steps.function_step import FunctionStep
from openhcs.processing.backends.processors.numpy_processor import (
    NumpyStackProjectionMethod, create_projection, gaussian_blur, tophat)
"""
FIRST = IMPORTS.count("\n") + 1
"""The line after the imports."""


def read(body: str, name: str = "") -> ImportedPipeline:
    return import_python(IMPORTS + body, function_table(), name)


def steps(body: str) -> list[PipelineStep]:
    imported = read(body)
    assert imported.complete, imported.notes
    assert imported.document is not None
    return imported.document.steps


def blur(**content: object) -> PipelineStep:
    return PipelineStep.model_validate({"name": "Smooth", "function": "openhcs:gaussian_blur"} | content)


@pytest.mark.parametrize(
    "body",
    [
        "pipeline_steps = [FunctionStep(func=(gaussian_blur, {'sigma': 2.5}), name='Smooth')]",
        "pipeline_steps = []\nstep_1 = FunctionStep(func=(gaussian_blur, {'sigma': 2.5}), name='Smooth')\n"
        "pipeline_steps.append(step_1)",
        "a = FunctionStep((gaussian_blur, {'sigma': 2.5}), name='Smooth')\npipeline_steps = [a]",
        "pipeline_steps: list[FunctionStep] = []\n"
        "pipeline_steps += [FunctionStep(func=[(gaussian_blur, {'sigma': 2.5})], name='Smooth')]",
        "pipeline_steps = []\npipeline_steps.extend((FunctionStep(func=(gaussian_blur, {'sigma': 2.5}), name='Smooth'),))",
        "width = 2.5\nsteps = [FunctionStep(func=(gaussian_blur, {'sigma': width}), name='Smooth')]\npipeline_steps = steps",
        "from openhcs.core.pipeline_document import PipelineDocument\n"
        "d = PipelineDocument(PipelineConfig(), [FunctionStep(func=(gaussian_blur, {'sigma': 2.5}), name='Smooth')])",
        "import openhcs.processing.backends.processors.numpy_processor as np_ops\n"
        "pipeline_steps = [FunctionStep(func=(np_ops.gaussian_blur, {'sigma': 2.5}), name='Smooth')]",
        "import openhcs.processing\n"
        "pipeline_steps = [FunctionStep(func=(openhcs.processing.backends.processors.numpy_processor.gaussian_blur, "
        "{'sigma': +2.5, 'slice_by_slice': True}), name='Smooth')]",
        "pipeline_config = PipelineConfig()\nonly_list = [FunctionStep(func=(gaussian_blur, {'sigma': 2.5}), name='Smooth')]",
        "pipeline_steps = [FunctionStep(func=(gaussian_blur, {'sigma': 2.5}), name='Smooth')]\n"
        "if __name__ == '__main__':\n    print('not read')\n",
    ],
)
def test_one_step_in_many_words(body: str) -> None:
    assert steps(body) == [blur(parameters={"sigma": 2.5})]


def test_a_step_without_a_name_has_that_of_its_function() -> None:
    assert steps("pipeline_steps = [FunctionStep(func=gaussian_blur)]") == [blur()]


def test_a_chain_becomes_steps() -> None:
    read_steps = steps("pipeline_steps = [FunctionStep(func=[gaussian_blur, (tophat, {'selem_radius': 20})], name='Prepare')]")
    assert [(step.name, step.function) for step in read_steps] == [
        ("Prepare 1", "openhcs:gaussian_blur"),
        ("Prepare 2", "openhcs:tophat"),
    ]


def test_functions_by_channel_become_steps_with_channels() -> None:
    read_steps = steps(
        "pipeline_steps = [FunctionStep(func={'1': gaussian_blur, '3': [(gaussian_blur, {'sigma': 2.0}), tophat]}, name='E')]"
    )
    assert [(step.function, step.channels) for step in read_steps] == [
        ("openhcs:gaussian_blur", ["1"]),
        ("openhcs:gaussian_blur", ["3"]),
        ("openhcs:tophat", ["3"]),
    ]


def test_a_measurement_for_a_channel_takes_it_as_its_parameter() -> None:
    [step] = steps(
        "from openhcs_execution.engine.functions.spots import find_spots\n"
        "pipeline_steps = [FunctionStep(func={'2': find_spots}, name='Spots')]"
    )
    assert (step.parameters, step.channels) == ({"channel": 2}, None)


@pytest.mark.parametrize(
    "config",
    [
        "processing_config=LazyProcessingConfig(variable_components=[VariableComponents.Z_INDEX], group_by=GroupBy.CHANNEL, "
        "input_source=InputSource.PIPELINE_START)",
        "variable_components=[VariableComponents.Z_INDEX], input_source=InputSource.PIPELINE_START",
        "processing_config=LazyProcessingConfig(variable_components=[VariableComponents('z_index')], "
        "input_source=InputSource('start'))",
    ],
)
def test_processing_configs_old_and_new(config: str) -> None:
    [step] = steps(
        "pipeline_steps = [FunctionStep(func=(create_projection, {'method': NumpyStackProjectionMethod.MEAN}), name='Flat', "
        f"{config})]"
    )
    assert (step.parameters, step.input) == ({"method": "mean_projection"}, "start")


def test_name_id_and_description_of_a_script_without_our_comments() -> None:
    source = '"""What it does.\n\nMore of it."""\n' + IMPORTS + "pipeline_steps = [FunctionStep(func=gaussian_blur)]"
    document = import_python(source, function_table(), "Größe & Form <b>").document
    assert document is not None
    assert (document.id, document.name, document.description) == ("grosse-form-b", "Größe & Form <b>", "What it does.")


# ----------------------------------------------------------------- what does not map

STEP = "pipeline_steps = [FunctionStep(func=(gaussian_blur, {'sigma': 1.0}), name='Smooth')]\n"


@pytest.mark.parametrize(
    ("line", "severity", "words"),
    [
        ("for i in range(3): pipeline_steps.append(i)", "error", "loop"),
        ("while True: pass", "error", "loop"),
        ("def f(): pass", "error", "function is not run"),
        ("async def f(): pass", "error", "function is not run"),
        ("class A: pass", "error", "class is not made"),
        ("with open('x') as f: pass", "error", "with block"),
        ("try: pass\nexcept OSError: pass", "error", "try block"),
        ("if x: pass", "error", "condition"),
        ("import os", "error", "os is imported"),
        ("from subprocess import run", "error", "subprocess is imported"),
        ("from . import other", "error", ". is imported"),
        ("from openhcs.constants import *", "error", "only when the script runs"),
        ("print('x')", "error", "call is not made"),
        ("x = lambda: 1", "error", "lambda"),
        ("x = f'{1}'", "error", "f-string"),
        ("x = [i for i in (1, 2)]", "error", "comprehension"),
        ("x = 1 + 1", "error", "computed"),
        ("x = 1 if y else 2", "error", "decided"),
        ("x = (y := 1)", "error", ":="),
        ("x = b'bytes'", "error", "not something"),
        ("x = 1e999", "error", "not something"),
        ("x = nowhere", "error", "nothing that was read"),
        ("del STEP", "error", "not something"),
        ("x, y = 1, 2", "error", "not something"),
        ("nowhere.append(1)", "error", "no list"),
        ("pipeline_steps.append(tophat)", "error", "no FunctionStep"),
        ("pipeline_steps.append(FunctionStep(name='x'))", "error", "no function"),
        ("pipeline_steps.append(FunctionStep(func=PipelineConfig))", "error", "There is no function openhcs.core.config"),
        ("pipeline_steps.append(FunctionStep(func=lambda image: image))", "error", "lambda"),
        ("pipeline_steps.append(FunctionStep(func=(gaussian_blur, {'sigma': f'{1}'})))", "error", "sigma: An f-string"),
        ("pipeline_steps.append(FunctionStep(func=(gaussian_blur, {'sigma': [[1]]})))", "error", "flat list"),
        ("pipeline_steps.append(FunctionStep(func=(gaussian_blur, {'sigmas': 1.0})))", "warning", "no parameter 'sigmas'"),
        ("pipeline_steps.append(FunctionStep(func=(gaussian_blur, {**{}})))", "error", "Only text"),
        ("pipeline_steps.append(FunctionStep(func={'DAPI': gaussian_blur}))", "error", "channels by number"),
        ("pipeline_steps.append(FunctionStep(func={'1': create_projection}))", "error", "cannot be limited"),
        ("pipeline_steps.append(FunctionStep(func={'1': tophat}, group_by=GroupBy.SITE))", "error", "by site"),
        ("pipeline_steps.append(FunctionStep(func=tophat, enabled=False))", "warning", "switched off"),
        ("pipeline_steps.append(FunctionStep(func=tophat, fiji_streaming_config=None))", "warning", "viewer"),
        ("pipeline_steps.append(FunctionStep(func=tophat, dtype_config=None))", "warning", "dtype_config has no counterpart"),
        ("pipeline_steps.append(FunctionStep(func=create_projection))", "warning", "works over z_index"),
        ("pipeline_steps.append(FunctionStep(func=tophat, processing_config=f()))", "error", "takes its images apart"),
        ("pipeline_steps.append(FunctionStep(**{'func': tophat}))", "error", "two stars"),
        ("pipeline_steps.append(FunctionStep(func=[[tophat]]))", "error", "chain within a chain"),
        ("c = PipelineConfig(num_workers=4)", "warning", "num_workers"),
        ("from pathlib import Path\n"
         "pipeline_steps.append(FunctionStep(func=(tophat, {'selem_radius': Path('/etc')})))", "error", "Path() is not run"),
        ("from openhcs.processing.backends.processors.cupy_processor import tophat as gpu\n"
         "pipeline_steps.append(FunctionStep(func=gpu))", "warning", "the one for CPUs"),
    ],
)  # fmt: skip
def test_what_does_not_map_is_named_at_its_line(line: str, severity: str, words: str) -> None:
    imported = read(STEP + line + "\n")
    assert imported.document is not None, "what maps is mapped"
    assert imported.document.steps[0] == blur(parameters={"sigma": 1.0})
    told = [note for note in imported.notes if words in note.message]
    assert told, imported.notes
    assert told[0].severity == severity
    assert FIRST < told[0].line <= FIRST + 1 + line.count("\n")
    assert told[0].column >= 1
    assert not imported.complete


@pytest.mark.parametrize("body", ["", "pipeline_steps = []", "pipeline_steps = build()", "pipeline_steps = 5", "x = [1]"])
def test_a_script_without_steps_gives_no_document(body: str) -> None:
    imported = read(body)
    assert imported.document is None
    assert not imported.complete


def test_more_steps_than_a_pipeline_can_have() -> None:
    imported = read("s = FunctionStep(func=tophat)\npipeline_steps = [" + "s, " * 101 + "]")
    assert imported.document is not None
    assert len(imported.document.steps) == 100
    assert any("at most 100 steps" in note.message for note in imported.notes)


def test_a_list_that_doubles_itself_is_stopped() -> None:
    imported = read(STEP + "pipeline_steps += pipeline_steps\n" * 60)
    assert imported.document is None
    assert "more than 1000" in imported.notes[0].message
