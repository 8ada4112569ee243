# SPDX-License-Identifier: AGPL-3.0-or-later
"""A plate through Slurm's own sbatch, and a job that is cancelled under it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omero_sandbox.testing import RunningSandbox
from openhcs_execution.dispatch.slurm import lifetime_seconds, wanted_jobs
from tests.execution.omero_io.world import Lab


@pytest.fixture
def lab(omero_sandbox: RunningSandbox) -> Iterator[Lab]:
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


@pytest.mark.parametrize(
    ("wells", "jobs"),
    [(0, 0), (1, 1), (8, 1), (9, 2), (1536, 4)],
    ids=["none", "one", "a job", "two", "most"],
)
def test_jobs_follow_what_waits(wells: int, jobs: int) -> None:
    assert wanted_jobs(wells, per_job=2, least=0, most=4) == jobs
    assert wanted_jobs(0, per_job=2, least=1, most=4) == 1


@pytest.mark.parametrize(("walltime", "minutes"), [("04:00:00", 235), ("00:10:00", 8), ("00:01:00", 0.8)])
def test_workers_leave_before_their_job_ends(walltime: str, minutes: float) -> None:
    assert lifetime_seconds(walltime) == 60 * minutes
