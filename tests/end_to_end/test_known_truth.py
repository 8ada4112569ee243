# SPDX-License-Identifier: AGPL-3.0-or-later
"""The synthetic plate through the whole system: counts and Z'-factor against the known truth."""

from __future__ import annotations

import numpy as np
import pytest
from stack import Stack

from omero_sandbox.demo import synthetic
from openhcs_client import ExecutionDetail, RemoteOrchestrator

from .conftest import SYNTHETIC_PLATE, omero_connection, plate_named, web_client

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def client(stack: Stack) -> RemoteOrchestrator:
    return web_client(stack, next(iter(stack.users())))


def run_whole_plate(stack: Stack, client: RemoteOrchestrator, pipeline: str) -> ExecutionDetail:
    with omero_connection(stack, next(iter(stack.users()))) as connection:
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
        well: (truth, measured[well])
        for well, truth in synthetic.true_counts().items()
        if measured[well] is None or abs(measured[well] - truth) > 0.02 * truth
    }
    assert wrong == {}


def test_z_prime_matches_the_truth(colocalised: ExecutionDetail) -> None:
    name = colocalised.document["primary_measurement"]
    values = {well.well: well.measurements[name] for well in colocalised.wells}
    positive = [values[well] for well in synthetic.POSITIVE_CONTROLS]
    negative = [values[well] for well in synthetic.NEGATIVE_CONTROLS]
    assert None not in positive + negative
    assert z_prime(positive, negative) == pytest.approx(synthetic.true_z_prime(), abs=0.05)


def z_prime(positive: list[float], negative: list[float]) -> float:
    """Z'-factor: 1 - 3 (sd+ + sd-) / |mean+ - mean-| (Zhang, Chung and Oldenburg 1999)."""
    spread = 3 * (np.std(positive, ddof=1) + np.std(negative, ddof=1))
    return float(1 - spread / abs(np.mean(positive) - np.mean(negative)))
