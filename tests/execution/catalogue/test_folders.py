# SPDX-License-Identifier: AGPL-3.0-or-later
"""The facility's folders: what can be offered is, and nothing in them harms anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from openhcs_client import PipelineDocument
from openhcs_execution.catalogue import PipelineCatalogue
from openhcs_execution.cli import app

NUCLEI = PipelineCatalogue.packaged().resolve("nuclei-count")


def write(folder: Path, document: PipelineDocument = NUCLEI, **changes: object) -> Path:
    """Write the document, changed, where its id and version say."""
    changed = document.model_copy(update=changes)
    file = folder / changed.id / f"{changed.version}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(changed.model_dump_json(), encoding="utf-8")
    return file


def test_folders_are_offered_beside_the_packaged_pipelines(tmp_path: Path) -> None:
    write(tmp_path / "one", id="ours", version=1)
    write(tmp_path / "one", id="ours", version=2, name="Ours, better")
    write(tmp_path / "two", id="theirs", version=1)
    catalogue = PipelineCatalogue.with_folders([tmp_path / "one", tmp_path / "two"])
    assert catalogue.problems == []
    found = {summary.id: summary for summary in catalogue.summaries()}
    assert (found["ours"].origin, found["ours"].versions, found["ours"].name) == ("facility", [2, 1], "Ours, better")
    assert found["theirs"].origin == "facility"
    assert found["nuclei-count"].origin == "built-in"
    assert catalogue.resolve("ours", 1).name == NUCLEI.name


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("bad/1.json", "{", "bad/1.json: document: The pipeline document is not JSON"),
        ("bad/1.json", "[" * 100_000, "bad/1.json: document: "),
        ("bad/1.json", '{"id": "bad", "name": "x", "steps": []}', "bad/1.json: steps: "),
        ("bad/1.json", NUCLEI.model_dump_json(), "bad/1.json: it says that it is 'nuclei-count' version 1."),
        ("bad/1.json", " " * 1_000_001, "bad/1.json: document: A pipeline document has at most 1000000 bytes."),
        ("bad/new.json", "{}", "bad/new.json: the name of the file must be the version, such as 1.json."),
        ("bad/01.json", "{}", "bad/01.json: the name of the file must be the version, such as 1.json."),
        ("u52-mine/1.json", "{}", "u52-mine/1.json: ids that begin with u and a number belong to users"),
        ("nuclei-count/7.json", "{}", "nuclei-count/7.json: another pipeline has this id already"),
        (
            "bad/1.json",
            '{"id": "bad", "name": "x", "steps": [{"name": "x", "function": "os:system"}]}',
            "bad/1.json: steps.0.function: There is no function 'os:system'.",
        ),
    ],
)
def test_a_bad_file_is_told_and_hides_nothing(tmp_path: Path, name: str, text: str, told: str) -> None:
    write(tmp_path, id="good")
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    catalogue = PipelineCatalogue.with_folders([tmp_path])
    assert len(catalogue.problems) == 1
    assert catalogue.problems[0].startswith(told)
    assert {"good", "nuclei-count"} <= {summary.id for summary in catalogue.summaries()}
    assert catalogue.versions("nuclei-count") == PipelineCatalogue.packaged().versions("nuclei-count")


def test_an_earlier_folder_keeps_its_ids(tmp_path: Path) -> None:
    write(tmp_path / "one", id="ours")
    write(tmp_path / "two", id="ours", version=2, name="Not ours")
    catalogue = PipelineCatalogue.with_folders([tmp_path / "one", tmp_path / "two"])
    assert catalogue.problems == ["ours/2.json: another pipeline has this id already; choose another id."]
    assert [document.version for document in catalogue.versions("ours")] == [1]


def test_a_missing_folder_is_a_problem_not_an_end(tmp_path: Path) -> None:
    catalogue = PipelineCatalogue.with_folders([tmp_path / "gone"])
    assert catalogue.problems == ["gone: the folder cannot be read: No such file or directory."]
    assert catalogue.summaries() == PipelineCatalogue.packaged().summaries()


def test_the_command_says_the_same(tmp_path: Path) -> None:
    write(tmp_path, id="good")
    assert (
        CliRunner().invoke(app, ["pipelines", "check", str(tmp_path)]).stdout == "1 pipeline can be offered, 0 files cannot\n"
    )
    (tmp_path / "good" / "two.json").write_text("{}")
    result = CliRunner().invoke(app, ["pipelines", "check", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("good/two.json: ")
    assert result.stdout.splitlines()[1] == "1 pipeline can be offered, 1 file cannot"
