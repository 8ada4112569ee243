# SPDX-License-Identifier: AGPL-3.0-or-later
"""The synthetic plate through the whole system: counts and Z'-factor against the known truth."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from stack import Stack

from omero_sandbox.demo.install import SYNTHETIC_PLATE
from omero_sandbox.demo.plate_design import FIELDS, all_wells, field_condition
from omero_sandbox.demo.synthetic import plate_truth, z_prime
from openhcs_client import ExecutionDetail, RemoteOrchestrator

from .conftest import first_user, omero_connection, plate_named, sign_in_first_user, web_client

pytestmark = pytest.mark.stack

MINUTE = 60_000


@pytest.fixture(scope="module")
def client(stack: Stack) -> RemoteOrchestrator:
    return web_client(stack, first_user(stack))


def run_whole_plate(stack: Stack, client: RemoteOrchestrator, pipeline: str) -> ExecutionDetail:
    with omero_connection(stack, first_user(stack)) as connection:
        plate_id = plate_named(connection, SYNTHETIC_PLATE)
    execution_id = client.execute_remote(plate_id=plate_id, pipeline=pipeline)
    client.wait(execution_id, progress=False)
    detail = client.execution(execution_id)
    assert detail.status == "completed", detail.message
    assert detail.wells_total == 96
    return detail


@pytest.fixture(scope="module")
def counted(stack: Stack, client: RemoteOrchestrator) -> ExecutionDetail:
    return run_whole_plate(stack, client, "nuclei-count")


@pytest.fixture(scope="module")
def colocalised(stack: Stack, client: RemoteOrchestrator) -> ExecutionDetail:
    return run_whole_plate(stack, client, "colocalisation")


def test_counts_match_the_truth_within_two_percent_per_well(counted: ExecutionDetail) -> None:
    name = counted.document["primary_measurement"]
    measured = {well.well: well.measurements[name] for well in counted.wells}
    wrong = {
        well: (truth.count, measured[well])
        for well, truth in plate_truth().wells.items()
        if measured[well] is None or abs(measured[well] - truth.count) > 0.02 * truth.count
    }
    assert wrong == {}


def test_z_prime_matches_the_truth(colocalised: ExecutionDetail) -> None:
    name = colocalised.document["primary_measurement"]
    values = {well.well: well.measurements[name] for well in colocalised.wells}
    truth = plate_truth()
    controls = {
        role: [values[well] for well, known in truth.wells.items() if known.plan.role == role]
        for role in ("positive control", "negative control")
    }
    assert all(None not in wells and len(wells) >= 8 for wells in controls.values())
    measured = z_prime(controls["positive control"], controls["negative control"])
    assert measured == pytest.approx(truth.z_prime, abs=0.05)


def test_the_quality_report_knows_it_from_the_annotations_of_the_wells(
    client: RemoteOrchestrator, colocalised: ExecutionDetail
) -> None:
    """Nobody marked anything: the demo plate carries its layout as key-value pairs, as imported plates do."""
    report = client.quality(colocalised.execution_id, measurement=colocalised.document["primary_measurement"])
    assert report.controls is not None
    assert (report.controls.source, report.positive_wells, report.negative_wells) == ("annotations", 8, 8)
    (marker,) = report.measurements
    assert marker.controls.z_prime == pytest.approx(plate_truth().z_prime, abs=0.05)
    assert marker.controls.notes == []
    # Half of the compounds do nothing and the others act by dose, from the left to the right.
    assert [effect.along for effect in marker.drift if effect.found] == ["columns"]
    assert marker.b_scores is not None and len(marker.b_scores) == 80


@pytest.mark.browser
def test_the_panel_shows_it(page: Page, stack: Stack, colocalised: ExecutionDetail) -> None:
    """The results page says Z' beside the plate, marks the controls on it, and draws the values, or their B-scores."""
    sign_in_first_user(page, stack, then=f"/openhcs/results/{colocalised.execution_id}/")
    shown = page.locator('#oh-quality [data-figure="z_prime"]')
    expect(shown).to_have_text(re.compile(r"^0\.\d+$"), timeout=MINUTE)
    assert float(shown.inner_text()) == pytest.approx(plate_truth().z_prime, abs=0.05)
    expect(page.locator("#oh-quality .oh-verdict")).to_contain_text("excellent assay")
    expect(page.locator("#oh-map [data-well] .openhcs-platemap-mark")).to_have_count(16)

    def colours() -> list[str]:
        bodies = page.locator("#oh-map [data-well] .openhcs-platemap-body")
        return bodies.evaluate_all("bodies => bodies.map(body => body.getAttribute('fill'))")

    measured = colours()
    assert len(set(measured)) > 40
    page.locator("#oh-heat-options summary").click()
    page.select_option("#oh-heat-scale", "cividis")
    assert not set(measured) & set(colours())
    page.select_option("#oh-heat-values", "scores")
    expect(page.locator('#oh-map [data-well="A01"]')).to_have_attribute("aria-label", re.compile("B-score.*no value"))
    # Controls have no B-scores: they are hatched.
    assert sum(colour.startswith("url(") for colour in colours()) == 16


def test_blurred_and_empty_fields_are_flagged(client: RemoteOrchestrator, counted: ExecutionDetail) -> None:
    flags = client.quality(counted.execution_id).flags
    truth = {(plan.well, field): field_condition(plan.well, field) for plan in all_wells() for field in range(1, FIELDS + 1)}
    kinds = {"out of focus": "out_of_focus", "empty": "nothing_found"}
    expected = {(*place, kinds[condition]) for place, condition in truth.items() if condition in kinds}
    assert {(flag.well, flag.field, flag.kind) for flag in flags} == expected
