# SPDX-License-Identifier: AGPL-3.0-or-later
"""A plate through Slurm's own sbatch, and jobs that are cancelled or reach their time limit under it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omero_sandbox.testing import RunningSandbox
from openhcs_client import PipelineDocument, PipelineStep
from openhcs_execution.dispatch.slurm import lifetime_seconds, wanted_jobs
from tests.execution.omero_io.world import Lab

from .service_world import RunningService, follow, nuclei_plate, wait_for
from .slurm import SlurmMachine
from .test_service import assert_complete, run


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


@pytest.mark.slurm
@pytest.mark.stack
@pytest.mark.engine
@pytest.mark.timeout(600)
def test_a_plate_through_sbatch_with_a_job_cancelled_in_the_middle(
    make_service: Callable[..., RunningService], lab: Lab, slurm: SlurmMachine, tmp_path: Path
) -> None:
    service = make_service(
        slurm.environment,
        ENGINE="slurm",
        SLURM_HOST="127.0.0.1",
        SLURM_PARTITION="short",
        SLURM_CORES="1",
        SLURM_MEMORY="2GB",
        SLURM_WALLTIME="00:20:00",
        SLURM_MAXIMUM_JOBS="2",
        SLURM_SCRATCH_DIR=str(tmp_path),
    ).wait_until_workers_are_there()
    assert slurm.submitted() == 0  # nothing waits
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=4, columns=6)
    with service.client(conn) as client:
        execution_id = run(client, plate_id)
        cancelled: list[str] = []
        for event in follow(client, execution_id, seconds=500):
            if not cancelled and event.kind == "well_saving":
                cancelled = slurm.jobs()[:1]
                slurm.ask("scancel", *cancelled)
        assert cancelled
        assert_complete(client, execution_id)
        assert {well.worker.startswith("worker-SLURMCluster") for well in client.execution(execution_id).wells} == {True}
    assert 2 <= slurm.submitted() <= 4  # jobs serve many wells
    service.stop()
    wait_for(lambda: not slurm.ask("squeue", "-h").strip(), 60, "the jobs to be cancelled with the service")


@pytest.mark.chaos
@pytest.mark.slurm
@pytest.mark.stack
@pytest.mark.engine
@pytest.mark.timeout(900)
def test_a_plate_whose_job_reaches_its_time_limit_goes_on_in_another(
    make_service: Callable[..., RunningService], lab: Lab, slurm: SlurmMachine, tmp_path: Path
) -> None:
    """The limit of a job is cut short behind the workers' backs, so that Slurm ends it while a well is computed."""
    service = make_service(
        slurm.environment,
        ENGINE="slurm",
        SLURM_HOST="127.0.0.1",
        SLURM_PARTITION="short",
        SLURM_CORES="1",
        SLURM_MEMORY="2GB",
        SLURM_WALLTIME="00:20:00",
        SLURM_MAXIMUM_JOBS="2",
        SLURM_SCRATCH_DIR=str(tmp_path),
    ).wait_until_workers_are_there()
    conn = lab.person()
    plate_id = nuclei_plate(conn, rows=4, columns=6, size=1024)
    slow = [PipelineStep(name=f"Top hat {number}", function="skimage:morphology.white_tophat") for number in range(14)]
    count = PipelineStep(name="Nuclei", function="omero_openhcs:segment_nuclei")
    document = PipelineDocument(id="slow-count", name="Slow count", steps=[count, *slow])
    with service.client(conn) as client:
        execution_id = client.execute_remote(plate_id=plate_id, pipeline=document)
        shortened: list[str] = []
        for event in follow(client, execution_id, seconds=800):
            if not shortened and event.kind == "well_saving":
                shortened = slurm.jobs()[:1]
                slurm.ask("scontrol", "update", f"JobId={shortened[0]}", "TimeLimit=1")
        assert "JobState=TIMEOUT" in slurm.ask("scontrol", "show", "job", shortened[0])
        assert_complete(client, execution_id)
        again = {well.well: well.attempt for well in client.execution(execution_id).wells if well.attempt > 1}
    print(f"wells that were computed again: {again}")
    assert again  # or the job ended while it had nothing to do, and this test says nothing
