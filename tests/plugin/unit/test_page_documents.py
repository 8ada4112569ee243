# SPDX-License-Identifier: AGPL-3.0-or-later
"""The models as the page scripts know them: every field that TypeScript reads exists in Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import openhcs_client as models

PARTS = Path(__file__).resolve().parents[3] / "frontend" / "src" / "pages" / "parts"
SOURCE = PARTS / "documents.ts"
QUALITY = PARTS / "quality-report.ts"
SCRIPTS = PARTS / "script-import.ts"


def fields_of(interface: str, source: Path = SOURCE) -> set[str]:
    match = re.search(
        rf"export interface {interface}(?: extends \w+)? {{(.*?)^}}", source.read_text(encoding="utf-8"), re.S | re.M
    )
    assert match, f"{interface} is not in {source.name}"
    return set(re.findall(r"^  (\w+)\??:", match[1], re.M))


@pytest.mark.parametrize(
    ("interface", "model"),
    [
        ("ExposedParameter", models.ExposedParameter),
        ("Measurement", models.Measurement),
        ("PipelineDocument", models.PipelineDocument),
        ("ExecutionDetail", models.ExecutionDetail),
    ],
)
def test_the_fields_exist(interface: str, model: type[BaseModel]) -> None:
    fields = fields_of(interface)
    assert fields
    assert fields <= set(model.model_fields)


@pytest.mark.parametrize("model", [models.ImportNote, models.ImportedPipeline])
def test_the_fields_of_an_imported_script_exist(model: type[BaseModel]) -> None:
    assert fields_of(model.__name__, SCRIPTS) == set(model.model_fields)


@pytest.mark.parametrize(
    ("interface", "model"),
    [
        ("WellContent", models.WellContent),
        ("PlateControls", models.PlateControls),
        ("ControlStatistics", models.ControlStatistics),
        ("PlaceEffect", models.EdgeStatistics),
        ("PlaceEffect", models.DriftStatistics),
        ("MeasurementQuality", models.MeasurementQuality),
        ("ImageFlag", models.ImageFlag),
        ("QualityReport", models.QualityReport),
    ],
)
def test_the_fields_of_the_quality_report_exist(interface: str, model: type[BaseModel]) -> None:
    fields = fields_of(interface, QUALITY)
    assert fields
    assert fields <= set(model.model_fields)


def test_the_page_data_are_what_the_scripts_read() -> None:
    from omero_openhcs.pages.page_data import common_page_data

    common = set(common_page_data())
    for interface in ("ExecutePageData", "ResultsPageData"):
        assert common - fields_of(interface) <= {"pipelines_base"}
