# SPDX-License-Identifier: AGPL-3.0-or-later
"""The example of the page on adding a step, carried out: a copy of the service gets its files, and a well is computed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openhcs_execution.engine.environment import engine_environment

from .markdown import REPOSITORY, Page

PAGE = Page(REPOSITORY / "docs" / "developers" / "adding-a-step.md")
SERVICE = REPOSITORY / "src" / "openhcs_execution"

COMPUTE = """
import json, sys
from pathlib import Path
import numpy as np, pandas as pd
from openhcs_execution.catalogue import PipelineCatalogue
from openhcs_execution.engine import EngineJob, StagingFolder, check_document
from openhcs_execution.engine.compute import compute

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    document = PipelineCatalogue.packaged().resolve("nuclei-count", 2)
    staging = StagingFolder(folder / "planes", "A01", ["DAPI"], None)
    for field in (1, 2):
        pixels = np.random.default_rng(0).poisson(200, (64, 64)).astype(np.uint16)
        pixels[:16] = 65535 if field == 1 else 200
        staging.add_plane(field, 1, 1, 1, pixels)
    staging.finish()
    job = EngineJob(execution_id="example", well="A01", document=document, channels=["DAPI"], fields=[1, 2],
                    planes=staging.root, output=folder / "output", scratch=folder / "openhcs")
    result = compute(job, lambda progress: None)
    print("ANSWER " + json.dumps({
        "report": check_document(document, ["DAPI"]).model_dump(),
        "failure": None if result.failure is None else result.failure.model_dump(mode="json"),
        "well": result.well_measurements,
        "fields": list(pd.read_parquet(result.fields_table).columns) if result.fields_table else [],
    }))
"""


def files_of_the_page() -> dict[str, str]:
    """Python files that the page shows, by the name in the line above them."""
    return dict(re.findall(r"^`(engine/[\w/]+\.py)`:\n\n```python\n(.*?)^```$", PAGE.text, re.MULTILINE | re.DOTALL))


def documents_of_the_page() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """The entry of the catalogue, the step, the parameter and the measurements that the page shows."""
    entry, step, parameter, measurements = PAGE.blocks("json")
    return json.loads(entry), json.loads(step), json.loads(parameter), json.loads(f"[{measurements}]")


def carry_out(package: Path) -> None:
    """Do to a copy of the service what the page says."""
    files = files_of_the_page()
    assert sorted(files) == ["engine/functions/exposure.py", "engine/imaging/exposure.py"]
    for name, text in files.items():
        (package / name).write_text(text, encoding="utf-8")
    entry, step, parameter, measurements = documents_of_the_page()

    functions = package / "engine" / "functions.json"
    catalogue = json.loads(functions.read_text(encoding="utf-8"))
    catalogue["functions"].append(entry)
    functions.write_text(json.dumps(catalogue), encoding="utf-8")

    steps = package / "engine" / "steps.py"
    text = steps.read_text(encoding="utf-8")
    line = next(block for block in PAGE.blocks("python") if "exposure.measure_exposure" in block)
    changed = text.replace("import colocalisation,", "import colocalisation, exposure,").replace(
        "_FUNCTIONS: dict[str, Callable[..., Any]] = {\n", "_FUNCTIONS: dict[str, Callable[..., Any]] = {\n" + line
    )
    assert changed.count("exposure") == 4
    steps.write_text(changed, encoding="utf-8")

    pipeline = package / "pipelines" / "nuclei-count"
    document = json.loads((pipeline / "1.json").read_text(encoding="utf-8"))
    document["version"] = 2
    document["steps"].append(step)
    document["parameters"].append(parameter)
    document["measurements"] += measurements
    (pipeline / "2.json").write_text(json.dumps(document), encoding="utf-8")


def build_catalogue(output: Path, environment: dict[str, str]) -> None:
    """Run the command with which the page tests the new function and adds it to the catalogue."""
    command = next(line for line in PAGE.text.splitlines() if "catalogue build" in line and "--output" in line)
    options = (
        command.partition("catalogue build")[2].replace("src/openhcs_execution/engine/catalogue.json", str(output)).split()
    )
    done = subprocess.run(
        [sys.executable, "-m", "openhcs_execution.cli", "catalogue", "build", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "omero_openhcs:measure_exposure: passed" in done.stdout, done.stdout


@pytest.mark.engine
def test_the_example_of_a_step_works(tmp_path: Path) -> None:
    package = tmp_path / "src" / "openhcs_execution"
    shutil.copytree(SERVICE, package, ignore=shutil.ignore_patterns("__pycache__"))
    carry_out(package)
    script = tmp_path / "compute.py"
    script.write_text(COMPUTE, encoding="utf-8")
    environment = engine_environment(tmp_path / "home") | {"PYTHONPATH": str(package.parent)}
    (tmp_path / "home").mkdir()
    build_catalogue(package / "engine" / "catalogue.json", environment | {"OPENHCS_EXECUTION_DATA_DIR": str(tmp_path / "data")})
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    assert answers, done.stderr[-4000:]
    answer = json.loads(answers[0].removeprefix("ANSWER "))
    assert answer["failure"] is None
    assert answer["report"]["valid"], answer["report"]
    # A quarter of the first field is overexposed, nothing of the second.
    assert answer["well"]["field_saturated"] == pytest.approx(0.125)
    described = {entry["name"] for entry in documents_of_the_page()[3]}
    assert described == {"field_saturated"}
    assert described <= set(answer["fields"])
