# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where wells are computed: three kinds of Dask cluster behind one face. A pipeline does not know which.

- *local*: processes of this machine, started with the service, on loopback;
- *scheduler*: a Dask scheduler that is there already, with workers that administrators started on their hosts;
- *slurm*: a scheduler in this process, and workers in batch jobs that are submitted as they are needed (:mod:`.slurm`).

Dask carries pickles between its parts, so whoever can talk to a scheduler can run code. Every connection is therefore mutual
TLS: with certificates made at each start and never written down, or with those of the installation.
"""

from __future__ import annotations

import importlib
import logging
import math
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster
from distributed.security import Security

from openhcs_client import OpenHCSError
from openhcs_execution.queue.needs import WorkerKind
from openhcs_execution.settings import Settings

from .host import MEMORY, OURS, label_of, resources_of
from .tasks import WorkerSettings
from .worker import EnginePlugin

__all__ = ["CONFIG", "Cluster", "Slot", "check_address", "open_cluster", "prepare", "probe", "security_of"]

CONFIG = {
    # A lost worker's wells come back to us at once: which attempt runs next is decided in the database.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.multiprocessing-method": "spawn",
    # Their web servers cannot be switched off, but nothing needs to be on them.
    "distributed.worker.http.routes": [],
    "distributed.scheduler.http.routes": [],
    # Nobody looks at Dask's own profiles, which each process would sample a hundred times a second, also while idle.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
}

_CONNECT_SECONDS = 15.0


@dataclass(frozen=True)
class Slot:
    """One worker process, which computes one well at a time. ``memory_mb`` None: nobody has said how much it has."""

    address: str
    name: str
    labels: frozenset[str] = frozenset()
    memory_mb: float | None = None

    @property
    def kind(self) -> WorkerKind:
        return WorkerKind(self.labels, self.memory_mb)


class Cluster:
    """Workers, and the one client that may ask them."""

    elastic = False
    """Whether it grows and shrinks by what is wanted."""

    def __init__(self, client: Client, settings: WorkerSettings, cluster: Any = None) -> None:
        """Give every worker, also those to come, its engine; this takes some seconds where workers are there already.

        ``cluster`` is what was started for it and is stopped with it. When this fails, what was started is gone before the
        error is raised.
        """
        self.client = client
        self._cluster = cluster
        self._slots: dict[str, Slot] = {}
        try:
            client.register_plugin(EnginePlugin(settings), name="openhcs-engine")
            self.look()
        except BaseException:
            self.close()
            raise

    @property
    def slots(self) -> Mapping[str, Slot]:
        """The workers that were there at the last look, by address."""
        return self._slots

    @property
    def lost(self) -> bool:
        """Whether the connection to the scheduler broke; a scheduler that comes back knows nothing of us or of our tasks."""
        return self.client.status != "running"

    def look(self) -> bool:
        """Ask the scheduler who is there; whether that has changed."""
        if self.client.status != "running":
            found: dict[str, Slot] = {}
        else:
            workers = self.client.scheduler_info()["workers"]
            found = {address: slot for address, info in workers.items() if (slot := _slot(address, info)) is not None}
        changed = found.keys() != self._slots.keys()
        self._slots = found
        return changed

    def want(self, wells: int) -> None:
        """So many wells are not finished: a cluster that can grow and shrink does."""

    def close(self) -> None:
        """Leave the workers, and stop those that were started for us; each closes its engine process."""
        self.client.close(timeout=5)
        if self._cluster is not None:
            self._cluster.close(timeout=10)


def _slot(address: str, info: Mapping[str, Any]) -> Slot | None:
    """A worker as its scheduler tells of it; None for one that is not ours, of another version, or about to leave."""
    resources = info.get("resources") or {}
    if OURS not in resources or info.get("status", "running") != "running":
        return None
    labels = frozenset(label for name in resources if (label := label_of(name)) is not None)
    memory = resources.get(MEMORY)
    return Slot(address, str(info.get("name", address)), labels, None if memory is None or math.isnan(memory) else memory)


def security_of(settings: Settings) -> Security:
    """The installation's own certificates.

    Raises:
        OpenHCSError: ``no_certificates`` when the settings name none.
    """
    ca, certificate, key = (
        None if path is None else str(path) for path in (settings.tls_ca_file, settings.tls_cert_file, settings.tls_key_file)
    )
    if ca is None or certificate is None or key is None:
        raise OpenHCSError(
            "no_certificates",
            "Workers on other machines are reached over TLS: set OPENHCS_EXECUTION_TLS_CA_FILE, "
            "OPENHCS_EXECUTION_TLS_CERT_FILE and OPENHCS_EXECUTION_TLS_KEY_FILE.",
            status=409,
        )
    roles = ("client", "worker", "scheduler")
    files = {f"tls_{role}_cert": certificate for role in roles} | {f"tls_{role}_key": key for role in roles}
    return Security(require_encryption=True, tls_ca_file=ca, **files)


def open_cluster(settings: Settings, workers: WorkerSettings, address: str | None = None) -> Cluster:
    """The cluster that the settings ask for, or the scheduler at ``address`` instead.

    Raises:
        OpenHCSError: ``no_certificates``, ``engine_not_safe``, ``engine_unreachable``.
    """
    dask.config.set(CONFIG)
    if address is not None:
        return _at_address(address, settings, workers)
    if settings.engine == "scheduler":
        return _at_address(settings.scheduler_address or "", settings, workers)
    if settings.engine == "slurm":
        from .slurm import open_slurm  # brings dask-jobqueue, which nobody else needs

        return open_slurm(settings, workers)
    return _on_this_machine(settings.workers, workers)


def prepare(settings: Settings) -> None:
    """Import what an engine needs; to be called once, by the main thread.

    dask-jobqueue puts a handler of its own on SIGINT when it is imported, which only the main thread may do and nobody wants.
    """
    if settings.engine == "slurm":
        handler = signal.getsignal(signal.SIGINT)
        importlib.import_module("openhcs_execution.dispatch.slurm")
        signal.signal(signal.SIGINT, handler)


def _on_this_machine(count: int, settings: WorkerSettings) -> Cluster:
    security = Security.temporary()
    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tls://",
        security=security,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,  # the memory is in the engine processes, which have a limit of their own
        local_directory=str(settings.scratch / "dask"),
        resources=resources_of((), None),
        silence_logs=logging.WARNING,
    )
    try:
        client = Client(cluster, security=security, set_as_default=False)
    except BaseException:
        cluster.close(timeout=10)
        raise
    return Cluster(client, settings, cluster)


def _at_address(address: str, settings: Settings, workers: WorkerSettings) -> Cluster:
    return Cluster(_connect(address, settings), workers)


def probe(address: str, settings: Settings) -> None:
    """Find out whether a scheduler can be reached and accepts us.

    Raises:
        OpenHCSError: ``no_certificates``, ``engine_not_safe``, ``engine_unreachable``.
    """
    dask.config.set(CONFIG)
    _connect(address, settings).close(timeout=5)


def _connect(address: str, settings: Settings) -> Client:
    check_address(address)
    security = security_of(settings)
    try:
        return Client(address, security=security, timeout=_CONNECT_SECONDS, set_as_default=False)
    except Exception as error:  # OSError, and what TLS says to a wrong certificate or key
        raise OpenHCSError(
            "engine_unreachable",
            f"The Dask scheduler at {address} does not answer, or does not accept our certificate ({type(error).__name__}).",
            status=502,
        ) from error


def check_address(address: str) -> None:
    """Refuse what is no address of a scheduler, or is not safe.

    Raises:
        OpenHCSError: ``engine_not_safe``, status 400.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme != "tls" or not host or not port or parts.path or parts.query or parts.username:
        plain = host is not None and parts.scheme == "tcp"
        raise OpenHCSError(
            "engine_not_safe",
            "Workers are reached over TLS only: plain tcp:// would let anybody who can connect run programs."
            if plain
            else "The address of a Dask scheduler looks like tls://scheduler.example.org:8786.",
            status=400,
            field_errors={"address": "tls://host:port"},
        )
