# SPDX-License-Identifier: AGPL-3.0-or-later
"""Processes are killed at random while a plate is computed; afterwards nothing is lost, nothing is there twice, and the results
are those of an undisturbed run.

``make test-chaos`` kills sixty times; the short one is a part of ``make test``. Both print the seed of their choices;
``CHAOS_SEED=<seed>`` makes the same choices again (the moments are still the machine's).
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random, SystemRandom

import pytest
from playwright.sync_api import Browser
from stack import Stack, StackOptions

from openhcs_client import FailureClass, well_name

from .evidence import InOmero, measurements, read_from_omero, twice
from .rig import GOAL_SECONDS, KINDS, Kill, Rig

pytestmark = [pytest.mark.stack, pytest.mark.engine, pytest.mark.browser]

REPORT = Path(__file__).resolve().parents[2] / "build" / "chaos.json"


@pytest.mark.timeout(600)
def test_one_kill_of_everything_loses_no_well_and_doubles_none(browser: Browser, tmp_path: Path) -> None:
    random = _random()
    kinds = list(KINDS)
    random.shuffle(kinds)
    chaos(browser, tmp_path, random, kinds, rows=3, columns=4, fields=2, size=512)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_sixty_kills_lose_no_well_and_double_none(browser: Browser, tmp_path: Path) -> None:
    random = _random()
    kinds = [kind for kind, times in zip(KINDS, (14, 14, 10, 8, 6, 8), strict=True) for _ in range(times)]
    random.shuffle(kinds)
    chaos(browser, tmp_path, random, kinds, rows=8, columns=12, fields=2, size=384)


def _random() -> Random:
    seed = int(os.environ.get("CHAOS_SEED") or SystemRandom().randrange(10**6))
    print(f"\nCHAOS_SEED={seed}")
    return Random(seed)


def chaos(
    browser: Browser, folder: Path, random: Random, kinds: list[str], *, rows: int, columns: int, fields: int, size: int
) -> None:
    """Run the plate undisturbed, then again under fire, and compare."""
    options = StackOptions(folder=folder / "stack", workers=2, web_workers=2, demo_data=False, omero_idle_seconds=3 * 3600)
    with Stack(options) as stack:
        rig = Rig(stack, browser, random)
        rig.make_plate(rows, columns, fields, size)
        undisturbed = rig.submit()
        _wait(rig, undisturbed)
        pace = rig.seconds_per_well(undisturbed)
        kills: list[Kill] = []
        executions = []
        given_up = 0
        while kinds or not executions:
            execution_id = rig.submit()
            executions.append(execution_id)
            kills += _kill_all_the_way(rig, execution_id, kinds, pace)
            given_up += _wait(rig, execution_id)
        lost, doubled = _compare(rig, undisturbed, executions)
    _report(kills, lost, doubled, given_up, rows * columns, len(executions))
    assert (lost, doubled) == (0, 0)


def _kill_all_the_way(rig: Rig, execution_id: str, kinds: list[str], pace: float) -> list[Kill]:
    """Kill at random moments that are spread over the wells that are left; what was committed before stays as it is."""
    kills = []
    total = rig.query("select wells_total from executions where execution_id = ?", execution_id)[0][0]
    while kinds and not rig.status(execution_id).is_final:
        committed = rig.committed(execution_id)
        time.sleep(rig.random.uniform(0, 2 * pace * (total - len(committed)) / (len(kinds) + 1)))
        if rig.status(execution_id).is_final:
            break
        before = rig.committed(execution_id)
        kills.append(rig.kill(kinds.pop(), execution_id))
        print(f"{len(kills):3}  {kills[-1]}", flush=True)
        after = rig.committed(execution_id)
        assert {well: after[well] for well in before} == before, "a committed well changed"
    return kills


def _wait(rig: Rig, execution_id: str) -> int:
    """Wait for the end and return how many wells had to be asked for again: a well whose process is lost three times in a row
    is taken for the cause and fails, until somebody runs it again."""
    given_up = 0
    deadline = time.monotonic() + 900
    while not rig.status(execution_id).is_final:
        assert time.monotonic() < deadline, rig._stuck("the last process", execution_id)
        time.sleep(0.2)
    with rig.web_client() as client:
        while (execution := client.execution(execution_id)).status != "completed":
            failed = [well for well in execution.wells if well.state == "failed"]
            assert failed, execution.message
            for well in failed:
                assert well.failure is not None
                assert well.failure.cause == FailureClass.WORKER_LOST, well
            given_up += len(failed)
            client.retry(execution_id, which="failed")
            while not client.status(execution_id).status.is_final:
                time.sleep(0.2)
    return given_up


def _compare(rig: Rig, undisturbed: str, executions: list[str]) -> tuple[int, int]:
    """Compare with the undisturbed run and return the numbers of wells lost and doubled, which are to be 0."""
    lost = doubled = 0
    with rig.web_client() as client, rig.lab.sandbox.connection(rig.user, "a long password") as conn:
        expected = read_from_omero(conn, rig.plate_id, undisturbed)
        wanted = measurements(client, undisturbed)
        assert expected.plates == 1
        assert set(expected.table.values()) == {1}
        assert expected.images_outside == 0
        for execution_id in executions:
            found = read_from_omero(conn, rig.plate_id, execution_id)
            missing, more = _differences(rig, execution_id, expected, found)
            lost += len(missing)
            doubled += len(more)
            assert not missing
            assert not more
            assert found == expected  # every pixel of every label image, every row of the table, one of each annotation
            assert measurements(client, execution_id) == wanted
        plates = {plate.getId() for plate in conn.getObjects("Plate", opts={"owner": rig.user_id})}
        assert len(plates) == 2 + len(executions), "a plate that belongs to no execution"
    return lost, doubled


def _differences(rig: Rig, execution_id: str, expected: InOmero, found: InOmero) -> tuple[set[str], set[str]]:
    """Wells of which something is missing, and wells that are anywhere twice."""
    told = rig.query(
        "select well, kind from events join executions on number = execution where execution_id = ? "
        "and kind in ('well_saving', 'well_done')",
        execution_id,
    )
    committed = Counter(well for well, kind in told if kind == "well_saving")
    saved = Counter(well for well, kind in told if kind == "well_done")
    wells = {_name(place) for place, _image in expected.labels}
    missing = wells - set(rig.committed(execution_id)) | {_name(place) for place, _ in set(expected.labels) - set(found.labels)}
    missing |= {well for well, _image in set(expected.table) - set(found.table)}
    more = {*twice(committed), *twice(saved)} | {well for well, _image in twice(found.table)}
    more |= {_name(place) for place, _image in set(found.labels) - set(expected.labels)}
    return missing, more


def _name(place: str) -> str:
    row, column = place.split()
    return well_name(int(row), int(column))


def _report(kills: list[Kill], lost: int, doubled: int, given_up: int, wells: int, executions: int) -> None:
    """The fault table, printed and written to ``build/chaos.json``."""
    by_kind: dict[str, list[Kill]] = defaultdict(list)
    for kill in kills:
        by_kind[kill.kind].append(kill)
    lines = [f"{'killed':28} {'times':>5} {'lost':>5} {'doubled':>8} {'median s':>9} {'max s':>7}"]
    table = {}
    for kind in (*KINDS, "all together"):
        chosen = kills if kind == "all together" else by_kind[kind]
        seconds = [kill.seconds for kill in chosen if kill.seconds is not None] or [0.0]
        middle, longest = statistics.median(seconds), max(seconds)
        lines.append(f"{kind:28} {len(chosen):5} {lost:5} {doubled:8} {middle:9.2f} {longest:7.2f}")
        table[kind] = {
            "times": len(chosen),
            "median_seconds": round(middle, 2),
            "longest_seconds": round(longest, 2),
            "ok": longest <= GOAL_SECONDS,
        }
    summary = {"wells": wells, "executions": executions, "lost": lost, "doubled": doubled, "asked_for_again": given_up}
    print("\n".join(lines), summary, sep="\n")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({**summary, "kills": table}, indent=2) + "\n", encoding="utf-8")
