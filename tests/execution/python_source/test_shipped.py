# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pipelines that ship inside OpenHCS are read, none is run, and the published table says what came of each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from openhcs_client import read_document
from openhcs_execution.catalogue.scripts import document_of, script_of

from .shipped import PATH, Shipped, shipped, text

FILES = shipped()


def test_the_package_ships_pipelines() -> None:
    assert len(FILES) >= 10
    assert any(file.imported.document for file in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: Path(file.path).stem)
def test_a_shipped_pipeline_is_read_or_its_lines_are_named(file: Shipped) -> None:
    document, notes = file.imported.document, file.imported.notes
    if not file.imported.complete:
        assert [note for note in notes if note.severity != "info"], "what is missing has no reason"
    if document is None:
        assert any(note.severity == "error" for note in notes)
        return
    # What was read is a document, and a script of ours says the same.
    assert read_document(document.model_dump(mode="json")) == document
    again = document_of(script_of(document))
    assert again.document == document
    assert again.complete


def test_reading_them_loads_nothing_of_the_package() -> None:
    modules = [name for name in sys.modules if name.startswith(("openhcs.processing.presets", "openhcs.demo"))]
    assert modules == []


def test_the_published_table_is_what_is_read_today() -> None:
    assert PATH.read_text(encoding="utf-8") == text().rstrip("\n") + "\n", (
        "write it again: python -m tests.execution.python_source.shipped"
    )
