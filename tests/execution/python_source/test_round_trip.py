# SPDX-License-Identifier: AGPL-3.0-or-later
"""A document written as Python and read again is the same document, whatever it holds; where code was edited, code counts."""

from __future__ import annotations

import ast

from hypothesis import given, settings

from openhcs_client import ImportedPipeline, PipelineDocument, PipelineStep
from openhcs_execution.catalogue import PipelineCatalogue
from openhcs_execution.catalogue.scripts import function_table
from openhcs_execution.python_source import import_python, render_python

from .documents import documents

TABLE = function_table()
BUILT_IN = PipelineCatalogue.packaged()


def written(document: PipelineDocument) -> str:
    return render_python(document, TABLE)


def edited(document: PipelineDocument, before: str, after: str) -> ImportedPipeline:
    source = written(document)
    code, _, _ = source.partition("# --- omero-openhcs pipeline")
    assert before in code, code
    return import_python(source.replace(before, after, 1), TABLE)


def one(*steps: PipelineStep, **more: object) -> PipelineDocument:
    return PipelineDocument.model_validate({"id": "x", "name": "X", "steps": list(steps), **more})


@settings(max_examples=100, deadline=None)
@given(documents())
def test_any_document_survives_the_way_through_python(document: PipelineDocument) -> None:
    source = written(document)
    ast.parse(source)
    imported = import_python(source, TABLE)
    assert imported.document is not None, imported.notes
    assert imported.document.canonical_json() == document.canonical_json()
    assert [note for note in imported.notes if note.severity != "info"] == []
    assert imported.complete


def test_the_built_in_pipelines_are_plain_code_with_one_comment() -> None:
    for line in BUILT_IN.summaries():
        document = BUILT_IN.resolve(line.id)
        source = written(document)
        assert source.count("# --- omero-openhcs") == 1, "their steps need no comments"
        assert import_python(source, TABLE).document == document


def test_without_its_comments_the_code_gives_the_steps() -> None:
    document = BUILT_IN.resolve("colocalisation")
    code = "\n".join(line for line in written(document).splitlines() if not line.startswith("#"))
    imported = import_python(code, TABLE, "Without comments")
    assert imported.document is not None
    assert imported.document.steps == document.steps
    assert (imported.document.name, imported.document.id) == ("Without comments", "without-comments")


def test_an_edited_value_counts_on_the_page_too() -> None:
    document = BUILT_IN.resolve("colocalisation")
    imported = edited(document, "'diameter': 18.0", "'diameter': 25.0")
    assert imported.document is not None
    assert imported.complete
    assert imported.document.steps[1].parameters["diameter"] == 25.0
    assert next(shown for shown in imported.document.parameters if shown.name == "diameter").default == 25.0
    assert any("changed in the code" in note.message for note in imported.notes)


def test_an_edited_step_keeps_what_was_not_edited() -> None:
    step = PipelineStep(name="Smooth", function="openhcs:gaussian_blur", parameters={"sigma": 2}, channels=["DAPI", "GFP"])
    imported = edited(one(step), "'sigma': 2.0", "'sigma': 3.5")
    assert imported.document is not None
    [read] = imported.document.steps
    assert (read.parameters, read.channels) == ({"sigma": 3.5}, ["DAPI", "GFP"])
    assert any("the code counts" in note.message for note in imported.notes)
    imported = edited(one(step), "'channels': (1, 2,)", "'channels': (2,)")
    assert imported.document is not None
    assert imported.document.steps[0].channels == ["2"]
    assert imported.document.steps[0].parameters == {"sigma": 2}


def test_another_function_in_the_code_leaves_nothing_of_the_comment() -> None:
    step = PipelineStep(name="Smooth", function="openhcs:gaussian_blur", parameters={"sigma": 2}, channels=["DAPI"])
    source = written(one(step)).replace("gaussian_blur", "tophat").replace("'sigma': 2.0", "'selem_radius': 20")
    imported = import_python(source.replace('"function": "openhcs:tophat"', '"function": "openhcs:gaussian_blur"'), TABLE)
    assert imported.document is not None
    [read] = imported.document.steps
    assert (read.function, read.parameters) == ("openhcs:tophat", {"selem_radius": 20})


def test_a_removed_step_takes_its_parameter_off_the_page() -> None:
    document = BUILT_IN.resolve("colocalisation")
    source = written(document)
    begin = source.index("    FunctionStep(\n        func=(segment_nuclei")
    end = source.index("    FunctionStep(", begin + 10)
    imported = import_python(source[:begin] + source[end:], TABLE)
    assert imported.document is not None
    assert [step.name for step in imported.document.steps] == [
        step.name for step in document.steps if step.name != "Find nuclei"
    ]
    expected = [
        shown.model_copy(update={"step": shown.step - (shown.step > 1)}) for shown in document.parameters if shown.step != 1
    ]
    assert imported.document.parameters == expected
    assert not imported.complete


def test_steps_that_are_switched_off_or_unknown_stay_where_they_are() -> None:
    steps = [
        PipelineStep(name="Unknown", function="elsewhere:gone", parameters={"x": [1, 2.0, True]}),
        PipelineStep(name="Smooth", function="openhcs:gaussian_blur"),
        PipelineStep(name="Off", function="openhcs:tophat", enabled=False),
        PipelineStep(name="Smooth more", function="openhcs:gaussian_blur", parameters={"sigma": 4.0}),
    ]
    source = written(one(*steps))
    assert source.count("FunctionStep(") == 2
    imported = import_python(source, TABLE)
    assert imported.document is not None
    assert imported.document.steps == steps


def test_a_damaged_comment_is_told_and_costs_only_itself() -> None:
    document = BUILT_IN.resolve("nuclei-count")
    for damage in (("{", "{{"), ('"schema_version": 1', '"schema_version": 9'), ('"steps"', "")):
        source = written(document)
        code, marker, about = source.partition("# --- omero-openhcs pipeline")
        if damage[0] not in about:
            continue
        imported = import_python(code + marker + about.replace(*damage, 1), TABLE, "Rest")
        assert imported.document is not None
        assert imported.document.steps == document.steps
        assert [note.severity for note in imported.notes if note.severity != "info"] == ["warning"]


def test_text_of_a_pipeline_cannot_become_code() -> None:
    """Names end up in Python source; they must stay strings and comments there."""
    evil = "x', func=__import__('os').system('touch /tmp/owned')) #\nimport os\r\u2028import os"
    step = PipelineStep(name=evil, function="omero_openhcs:segment_nuclei", parameters={"channel": evil})
    tree = ast.parse(written(one(step, step.model_copy(update={"enabled": False}), name=evil, description=evil)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert {ast.unparse(call.func) for call in calls} == {"FunctionStep", "LazyProcessingConfig", "PipelineConfig"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))


def test_channels_by_name_are_numbered_and_the_script_says_so() -> None:
    step = PipelineStep(name="Find", function="omero_openhcs:segment_nuclei", parameters={"channel": "Hoechst"})
    source = written(one(PipelineStep(name="Smooth", function="openhcs:tophat", channels=["GFP", "3"]), step))
    assert "# Channel 1 is 'GFP'.\n# Channel 2 is 'Hoechst'." in source
    assert "'channels': (1, 3,)" in source
    assert "'channel': 2," in source
