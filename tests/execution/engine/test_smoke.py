# SPDX-License-Identifier: AGPL-3.0-or-later
"""The smoke test catches what harms data, and what it found when the catalogue was built is still so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from setup import CACHE

from openhcs_execution.engine.build import harvested
from openhcs_execution.engine.catalogue import CatalogueEntry, catalogue_entry
from openhcs_execution.engine.environment import engine_environment
from openhcs_execution.engine.smoke.run import key_of, smoke_test

REPOSITORY = Path(__file__).resolve().parents[3]

SAMPLE = (
    "skimage:filters.gaussian",
    "skimage:filters.threshold_otsu",
    "skimage:feature.blob_log",
    "omero_openhcs:grow_objects",
    "omero_openhcs:measure_object_intensity",
    "skimage:measure.blur_effect",
    "omero_openhcs:objects_to_mask",
    "openhcs:processors_numpy_processor_stack_percentile_normalize",
    "openhcs:pos_gen_ashlar_main_cpu_ashlar_compute_tile_positions_cpu",
)
"""One of each kind."""

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def entries() -> list[CatalogueEntry]:
    """Listed with the caches that the set-up warmed: in an empty home OpenHCS looks at every function anew, for minutes."""
    return harvested(CACHE / "engine-home")


@pytest.fixture(scope="module")
def caught(engine_home: Path) -> dict[str, Any]:
    """What the smoke test says of functions that were written to do harm."""
    command = [sys.executable, "-m", "tests.execution.engine.probe", "smoke", str(engine_home)]
    environment = engine_environment(engine_home)
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    assert answers, done.stderr[-4000:]
    return json.loads(answers[0].removeprefix("ANSWER "))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("stretches", "It stretches grey values"),
        ("mixes", "It mixes fields"),
        ("dims", "It changes the mean grey value"),
        ("fails_on_nothing", "It fails on black fields: division by zero."),
        ("random", "It gives another result for the same image."),
    ],
)
def test_a_harmful_function_is_caught(caught: dict[str, Any], function: str, said: str) -> None:
    assert str(caught[function]).startswith(said)


def test_a_harmless_function_passes(caught: dict[str, Any]) -> None:
    found = caught["good"]
    assert (found["dtype"], found["intensity"], found["fields"]) == ("kept", "kept", "separate")
    assert found["seconds_per_megapixel"] > 0
    assert found["memory_mb_per_megapixel"] > 1, "a result of one plane of float32 at least"


def test_what_was_found_is_still_so(entries: list[CatalogueEntry], engine_home: Path) -> None:
    chosen = [entry for entry in entries if entry.info.id in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    results = smoke_test(entries, chosen, engine_home)
    for name in SAMPLE:
        assert "passed" in results[name], (name, results[name])
        shipped = catalogue_entry(name).tests
        for what in ("dtype", "intensity", "fields"):
            assert results[name]["passed"][what] == shipped[what], (name, what)


def test_a_function_that_does_not_come_back_is_killed_and_the_next_one_is_tried(
    entries: list[CatalogueEntry], engine_home: Path, tmp_path: Path
) -> None:
    """With no time at all every function hangs; with time the same one passes. Failures are kept like successes."""
    chosen = [entry for entry in entries if entry.info.id == "omero_openhcs:label_mask"]
    cache = tmp_path / "cache"
    hanging = smoke_test(entries, chosen * 2, engine_home, time_limit=0.01, cache=cache)
    assert hanging == {"omero_openhcs:label_mask": {"failed": "It does not finish the first well within 0.01 seconds."}}
    assert json.loads((cache / f"{key_of(chosen[0])}.json").read_text(encoding="utf-8")) == hanging["omero_openhcs:label_mask"]
    again = smoke_test(entries, chosen, engine_home, cache=cache, on_result=lambda entry, tried: pytest.fail("tried again"))
    assert again == hanging


def test_the_harvest_is_the_shipped_catalogue(entries: list[CatalogueEntry]) -> None:
    """Whoever changes a table must build the catalogue again."""
    for entry in entries:
        shipped = catalogue_entry(entry.info.id)
        own = entry.info.model_dump(exclude={"offered", "reason", "cost", "help"})
        assert shipped.info.model_dump(exclude={"offered", "reason", "cost", "help"}) == own, entry.info.id
        assert shipped.info.help.startswith(entry.info.help), entry.info.id
        assert (shipped.kind, shipped.grouping) == (entry.kind, entry.grouping), entry.info.id
