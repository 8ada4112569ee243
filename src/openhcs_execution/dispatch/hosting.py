# SPDX-License-Identifier: AGPL-3.0-or-later
"""Worker processes and schedulers that administrators run on hosts of their own."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import dask
from distributed import Nanny, Scheduler
from distributed.security import Security

from .cluster import CONFIG
from .host import WorkerHost, resources_of

__all__ = ["run_scheduler", "run_workers", "tls_files"]


def tls_files(ca: Path, certificate: Path, key: Path) -> Security:
    """The same certificate for every role that a process may have."""
    roles = ("client", "worker", "scheduler")
    files = {f"tls_{role}_cert": str(certificate) for role in roles} | {f"tls_{role}_key": str(key) for role in roles}
    return Security(require_encryption=True, tls_ca_file=str(ca), **files)


def run_workers(scheduler: str, security: Security, host: WorkerHost, slots: int, name: str | None) -> None:
    """Run ``slots`` worker processes until SIGTERM or SIGINT; one that dies is started again.

    They wait for a scheduler that is not there yet, and for one that went away.
    """
    dask.config.set(CONFIG)
    for folder in (host.scratch, host.engine_home):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    called = name or socket.gethostname()

    async def work() -> None:
        nannies = [
            Nanny(
                scheduler,
                nthreads=1,
                name=f"{called}-{number}",
                security=security,
                protocol="tls://",
                memory_limit=0,  # the memory is in the engine processes, which have a limit of their own
                local_directory=str(host.scratch / "dask"),
                resources=resources_of(host.labels, host.memory_mb),
                env=host.environment(),
            )
            for number in range(slots)
        ]
        async with asyncio.TaskGroup() as group:
            stop = _stop_signal()
            for nanny in nannies:
                group.create_task(_until_it_ends(nanny, stop))

    asyncio.run(work())


async def _until_it_ends(nanny: Nanny, stop: asyncio.Event) -> None:
    starting = asyncio.ensure_future(_start(nanny))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        print(f"READY {nanny.name}", flush=True)
        finished = asyncio.ensure_future(nanny.finished())
        await asyncio.wait({finished, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    starting.cancel()
    await nanny.close(timeout=10)


async def _start(nanny: Nanny) -> None:
    await nanny


def run_scheduler(host: str, port: int, security: Security) -> None:
    """Run a scheduler until SIGTERM or SIGINT."""
    dask.config.set(CONFIG)

    async def schedule() -> None:
        stop = _stop_signal()
        async with Scheduler(host=host, port=port, protocol="tls://", security=security, dashboard=False) as scheduler:
            print(f"READY {scheduler.address}", flush=True)
            await stop.wait()

    asyncio.run(schedule())


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
