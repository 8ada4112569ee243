# SPDX-License-Identifier: AGPL-3.0-or-later
"""The methods paragraph tells what was recorded: plate, steps with values and units, changes, software and papers."""

from __future__ import annotations

from openhcs_client import PipelineDocument, PipelineStep
from openhcs_execution.passport import methods_text, read_facts
from tests.execution.queued import execution


def text_of(database, functions, number: int, **changes) -> str:
    with database.read() as session:
        facts = read_facts(session, execution(database, number))
    return methods_text(type(facts)(**{**vars(facts), **changes}), functions)


def test_it_says_what_was_done_to_what(database, functions, run) -> None:
    text = text_of(database, functions, run())
    assert "“Plate” (plate 5 in OMERO [1]; 3 wells, 1 field per well, 8 × 8 pixels, uint16, channel DNA)" in text
    assert "“Count nuclei”, version 1 (SHA-256" in text
    assert "(2) Find nuclei [omero_openhcs:segment_nuclei, omero-openhcs]" in text
    assert "diameter 18 pixels" in text
    assert "contrast 6 standard deviations" in text
    assert "2 of 3 wells gave results" in text
    assert "All parameters had the values of the published pipeline." in text


def test_software_is_told_with_versions_and_papers(database, functions, run) -> None:
    text = text_of(database, functions, run())
    assert "NumPy 2.0.0 [2]" in text
    assert "OpenHCS 0.5.18 (https://openhcs.readthedocs.io/)" in text
    _, _, references = text.partition("References\n")
    assert [line[:2] for line in references.splitlines()] == ["1.", "2.", "3.", "4."]
    for doi in ("10.1038/nmeth.1896", "10.1038/s41586-020-2649-2", "10.1038/s41592-019-0686-2", "10.7717/peerj.453"):
        assert references.count(f"doi:{doi}") == 1
    assert "CellProfiler" not in text


def test_changed_values_are_told_with_what_was_published(database, functions, run, document) -> None:
    text = text_of(database, functions, run(), parameters={"diameter": 25.5})
    assert "Values set for this run: Nucleus diameter 25.5 pixels (published value 18)." in text


def test_ports_of_cellprofiler_cite_it_and_unknown_functions_keep_their_values(database, functions, run) -> None:
    ported = next(each for each in functions.list(offered_only=True) if "CellProfiler" in each.library)
    steps = [
        PipelineStep(name="Ported", function=ported.id),
        PipelineStep(name="Gone", function="openhcs:gone_since", parameters={"radius": 3}),
        PipelineStep(name="Off", function="openhcs:gone_since", enabled=False),
    ]
    text = text_of(database, functions, run(), applied=PipelineDocument(id="p", name="P", steps=steps))
    assert "10.1186/gb-2006-7-10-r100" in text
    assert "(2) Gone [openhcs:gone_since]: radius 3" in text
    assert "Off" not in text
