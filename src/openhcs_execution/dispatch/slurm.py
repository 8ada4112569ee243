# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workers in Slurm jobs, submitted as wells wait for them and cancelled when nothing does.

A job holds several workers and serves many wells of whoever is next, so a plate is a few jobs, not one for each well. Nothing
is claimed for a job before it runs: what waits, waits in our queue. A job that ends (its time limit, ``scancel``, a node that
dies) is seen from Slurm's own queue and replaced; its wells are computed again by others.
"""

from __future__ import annotations

import logging
import math
import shlex
import subprocess
import time
from typing import Any

import dask
from dask_jobqueue import SLURMCluster
from distributed import Client
from distributed.security import Security

from openhcs_execution.logging import get_logger
from openhcs_execution.settings import Settings

from .cluster import Cluster, security_of
from .host import WorkerHost, resources_of
from .tasks import WorkerSettings

__all__ = ["SlurmJobs", "lifetime_seconds", "open_slurm", "wanted_jobs"]

_WELLS_PER_WORKER = 4
"""Waiting wells for which another worker is worth a job."""

_IDLE_SECONDS = 120.0
"""How long jobs are kept when nothing waits: somebody who tries values on a well is soon back."""

_QUEUE_SECONDS = 10.0
"""How often Slurm is asked which jobs it still has."""

_LONGEST_PAUSE = 600.0
"""Seconds between two submissions while jobs end before any worker of theirs was seen, at most."""

_DEATH_SECONDS = 120

log = get_logger(__name__)


def wanted_jobs(wells: int, per_job: int, least: int, most: int) -> int:
    """Jobs for so many unfinished wells, each job with ``per_job`` workers."""
    return max(least, min(most, math.ceil(wells / (_WELLS_PER_WORKER * per_job))))


def lifetime_seconds(walltime: str) -> int:
    """When workers of a job stop taking wells: five minutes, or a fifth of the time when it is short, before ``HH:MM:SS``."""
    hours, minutes, seconds = (int(part) for part in walltime.split(":"))
    total = 3600 * hours + 60 * minutes + seconds
    return total - min(300, total // 5)


class SlurmJobs(Cluster):
    """A cluster that grows and shrinks by jobs."""

    elastic = True

    def __init__(self, client: Client, settings: WorkerSettings, cluster: SLURMCluster, *, per_job: int, limits: range) -> None:
        self._jobs = cluster
        self._per_job = per_job
        self._limits = limits
        self._wells = 0
        self._wanted_at = time.monotonic()
        self._asked_at = time.monotonic()
        self._pause = 0.0
        self._not_before = 0.0
        self._served: set[str] = set()
        """Jobs of which a worker was seen."""
        super().__init__(client, settings, cluster)

    def want(self, wells: int) -> None:
        self._wells = wells
        if wells:
            self._wanted_at = time.monotonic()

    def look(self) -> bool:
        """See also to the jobs. One thread looks at a time."""
        changed = super().look()
        self._served |= {_job_of(slot.name, self._per_job) for slot in self.slots.values()}
        now = time.monotonic()
        if now - self._asked_at >= _QUEUE_SECONDS and self._jobs.workers:
            self._asked_at = now
            self._forget_ended()
        self._scale(now)
        return changed

    def _scale(self, now: float) -> None:
        jobs = len(self._jobs.worker_spec)
        least, most = self._limits.start, self._limits.stop
        wanted = wanted_jobs(self._wells, self._per_job, least, most)
        if wanted > jobs and now >= self._not_before:
            log.info("jobs_wanted", jobs=wanted, wells=self._wells)
            self._jobs.scale(jobs=wanted)
        elif jobs > least and not self._wells and now - self._wanted_at > _IDLE_SECONDS:
            log.info("jobs_idle", jobs=jobs)
            self._jobs.scale(jobs=least)

    def _forget_ended(self) -> None:
        """Jobs that Slurm no longer has are not counted any more."""
        ids = {name: str(job.job_id) for name, job in list(self._jobs.workers.items()) if job.job_id}
        there = _queue()
        if there is None:
            return
        ended = [name for name, job in ids.items() if job not in there]
        if not ended:
            return
        log.warning("jobs_ended", jobs=[ids[name] for name in ended])
        if all(str(name) not in self._served for name in ended):
            # They came to nothing: a wrong setting, most likely. Not again at once.
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause + _QUEUE_SECONDS)
            log.error("jobs_failed", logs=str(self._jobs._job_kwargs.get("log_directory")), next_try_seconds=self._pause)
        else:
            self._pause = 0.0
        self._not_before = time.monotonic() + self._pause

        async def forget() -> None:
            for name in ended:
                self._jobs.worker_spec.pop(name, None)
                self._jobs.workers.pop(name, None)

        self._jobs.sync(forget)


def _job_of(worker: str, per_job: int) -> str:
    """Workers of a job with several are called ``<job>-<number>``."""
    return worker.rpartition("-")[0] if per_job > 1 else worker


def _queue() -> set[str] | None:
    """Ids of our jobs that wait or run; None when Slurm does not answer."""
    try:
        done = subprocess.run(
            ["squeue", "--me", "--noheader", "--format=%A"],  # noqa: S607 - the Slurm that sbatch belongs to
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("slurm_does_not_answer", reason=str(error))
        return None
    if done.returncode != 0:
        log.warning("slurm_does_not_answer", reason=done.stderr.strip()[-500:])
        return None
    return set(done.stdout.split())


def open_slurm(settings: Settings, workers: WorkerSettings) -> Cluster:
    """A scheduler here, and no job yet beyond the smallest number that is kept.

    Certificates are those of the settings, which the nodes must see under the same names, or are made for this start and
    written to the shared folder, readable by this account only.
    """
    shared = settings.slurm_shared
    (shared / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
    security = security_of(settings) if settings.tls_ca_file is not None else Security.temporary()
    dask.config.set({"distributed.adaptive.interval": None})
    host: dict[str, Any] = {} if settings.slurm_host is None else {"host": settings.slurm_host}
    cluster = SLURMCluster(
        cores=settings.slurm_cores,
        processes=settings.slurm_cores,
        memory=settings.slurm_memory,
        queue=settings.slurm_partition,
        account=settings.slurm_account,
        walltime=settings.slurm_walltime,
        job_name="openhcs",
        job_extra_directives=list(settings.slurm_directives),
        job_script_prologue=_prologue(settings),
        worker_extra_args=_worker_arguments(settings),
        death_timeout=_DEATH_SECONDS,
        local_directory=shlex.quote(str(settings.slurm_scratch_dir)),
        log_directory=str(shared / "logs"),
        shared_temp_directory=str(shared),
        security=security,
        protocol="tls://",
        scheduler_options={"dashboard": False, "dashboard_address": "127.0.0.1:0", "protocol": "tls://", **host},
        silence_logs=logging.WARNING,
    )
    try:
        client = Client(cluster, security=security, set_as_default=False)
    except BaseException:
        cluster.close(timeout=10)
        raise
    limits = range(settings.slurm_minimum_jobs, max(settings.slurm_minimum_jobs, settings.slurm_maximum_jobs))
    return SlurmJobs(client, workers, cluster, per_job=settings.slurm_cores, limits=limits)


def _worker_arguments(settings: Settings) -> list[str]:
    resources = resources_of(settings.slurm_labels, None)
    said = ",".join(f"{name}={amount:g}" for name, amount in resources.items())
    # They leave before Slurm takes the job away, a little apart, and Dask gives their wells to others.
    lifetime = lifetime_seconds(settings.slurm_walltime)
    return ["--resources", shlex.quote(said), "--lifetime", f"{lifetime}s", "--lifetime-stagger", f"{lifetime // 20}s"]


def _prologue(settings: Settings) -> list[str]:
    """Commands before the workers: the host's own folders, and what jobs that were killed have left in them."""
    folder = settings.slurm_scratch_dir / "openhcs-$USER"
    host = WorkerHost(scratch=folder / "wells-$SLURM_JOB_ID", engine_home=folder / "engine", labels=settings.slurm_labels)
    exports = [f"export {name}={shlex.quote(text)}" for name, text in host.environment().items()]
    quoted = shlex.quote(str(settings.slurm_scratch_dir))
    tidy = f'find {quoted}/"openhcs-$USER" -maxdepth 1 -name "wells-*" -mmin +{24 * 60} -exec rm -rf {{}} + 2>/dev/null'
    return [*([settings.slurm_prologue] if settings.slurm_prologue else []), *exports, tidy]
