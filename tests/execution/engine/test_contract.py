# SPDX-License-Identifier: AGPL-3.0-or-later
"""OpenHCS as the adapter expects it, version by version; each of its pitfalls, looked at through the real orchestrator."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openhcs_execution.engine import load_functions
from openhcs_execution.engine.environment import engine_environment

REPOSITORY = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.engine


@pytest.fixture
def probe(engine_home: Path, tmp_path: Path) -> Callable[[str], Any]:
    def run(scenario: str) -> Any:
        command = [sys.executable, "-m", "tests.execution.engine.probe", scenario, str(tmp_path)]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=engine_environment(engine_home), capture_output=True, text=True, check=False
        )
        answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
        assert answers, done.stderr[-4000:]
        return json.loads(answers[0].removeprefix("ANSWER "))

    return run


def test_the_pinned_version_behaves_as_the_adapter_expects(probe: Callable[[str], Any]) -> None:
    report = probe("contract")
    assert report["version"] == "0.8.6"
    assert report["steps_are_single_use"], "compiling the same steps twice must fail, or the adapter may reuse them"
    assert report["unknown_well"] == "OpenHCS was asked for well B02 and prepared none."
    assert report["started"] == [["N", 0, 1]]
    assert report["written"] == [
        "planes-A01/hashes.json",  # ours
        "planes-A01/images/A01_s001_w1_z001_t001.tif",
        "planes-A01/openhcs_metadata.json",
    ], "OpenHCS wrote files that nobody asked for"


def test_nothing_of_a_well_stays_in_openhcs(probe: Callable[[str], Any]) -> None:
    report = probe("forgetting")
    assert report["during"] > 0  # or there is nothing to forget, and this test says nothing
    assert [registered + stored for _states, registered, stored in report["held"]] == [0, 0, 0]
    first, _second, last = (states for states, _registered, _stored in report["held"])
    assert last <= first


def test_filters_keep_type_intensity_and_fields_apart(probe: Callable[[str], Any]) -> None:
    for name, seen in probe("filters").items():
        assert seen["dtypes"] == ["uint16"], name
        assert seen["black_field_maximum"] == 0, f"{name} let another field or channel in"
        assert seen["other_channel_untouched"], name
    blurred = seen if name == "gaussian_blur" else probe("filters")["gaussian_blur"]
    assert blurred["equals_two_dimensional"]
    assert blurred["means"][0] == pytest.approx(blurred["means"][1], rel=0.005), "grey values were stretched"


def test_pixels_reach_the_steps_unchanged(probe: Callable[[str], Any]) -> None:
    assert probe("untouched") == {"uint8": True, "uint16": True, "int16": True, "float32": True}


def test_projection_of_focal_planes(probe: Callable[[str], Any]) -> None:
    assert probe("projection") == {"fields": [1, 4], "right": True}


_OF_THE_ENGINE = {"channels", "channels_per_field", "slice_by_slice"}
"""What the adapter and OpenHCS fill in themselves."""


def test_the_catalogue_says_what_the_functions_take(probe: Callable[[str], Any]) -> None:
    """Every offered function becomes a step, and its parameters, defaults and types are those of the catalogue."""
    signatures = probe("signatures")
    offered = {info.id: info for info in load_functions() if info.offered}
    assert set(signatures) == set(offered)
    for info in offered.values():
        real = {name: value for name, value in signatures[info.id].items() if name not in _OF_THE_ENGINE}
        # Names of objects and columns are part of the callable of an adapted function, not among its parameters.
        described = {
            parameter.name: parameter
            for parameter in info.parameters
            if parameter.name in real or (parameter.name not in ("name",) and parameter.type != "objects")
        }
        assert {name: parameter.default for name, parameter in described.items()} == real, info.id
        kinds = {"integer": int, "number": float, "boolean": bool}
        for name, parameter in described.items():
            if parameter.type in kinds:
                assert isinstance(real[name], kinds[parameter.type]), (info.id, name)


def test_scripts_import_what_the_engine_runs(probe: Callable[[str], Any]) -> None:
    found = probe("paths")
    assert {info.id for info in load_functions() if info.offered} <= set(found)
    assert [path for path, same in found.items() if not same] == []


def test_openhcs_executes_our_scripts_and_finds_the_steps_that_the_engine_builds(probe: Callable[[str], Any]) -> None:
    report = probe("scripts")
    assert len(report) >= 4
    for pipeline, found in report.items():
        assert found["same"] == [True] * found["steps"], pipeline
