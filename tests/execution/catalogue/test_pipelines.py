# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from openhcs_client import OpenHCSError, PipelineDocument
from openhcs_execution.catalogue import PipelineCatalogue
from openhcs_execution.engine import check_published
from tests.execution.queued import DOCUMENT


def write(folder: Path, document: PipelineDocument, name: str | None = None) -> None:
    path = folder / document.id / (name or f"{document.version}.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(document.canonical_json(), encoding="utf-8")


def test_every_version_is_there_and_the_newest_is_the_default(tmp_path: Path) -> None:
    for version in (2, 10, 1):
        write(tmp_path, DOCUMENT.model_copy(update={"version": version}))
    catalogue = PipelineCatalogue.load(tmp_path)
    assert [document.version for document in catalogue.versions("count")] == [10, 2, 1]
    assert catalogue.resolve("count").version == 10
    assert catalogue.resolve("count", 2).version == 2
    assert catalogue.summaries()[0].versions == [10, 2, 1]
    with pytest.raises(OpenHCSError, match=r"no version 3; there is 1, 2, 10"):
        catalogue.resolve("count", 3)


def test_a_file_that_says_it_is_something_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path, DOCUMENT, "2.json")
    with pytest.raises(ValueError, match=r"count/2\.json says it is 'count' version 1"):
        PipelineCatalogue.load(tmp_path)


def test_the_packaged_pipelines_are_valid() -> None:
    catalogue = PipelineCatalogue.packaged()
    assert 3 <= len(catalogue.summaries()) <= 6
    for summary in catalogue.summaries():
        for document in catalogue.versions(summary.id):
            report = check_published(document, None)
            assert report.valid, (document.id, json.dumps(report.field_errors))
