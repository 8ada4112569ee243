# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the service and its engines keep what they no longer need: their memory over many executions, one after the other.

Each is a real execution of 24 small wells with everything saved in OMERO. Ten people watch it over live connections; its tables
and its quality are asked for when it has ended, as pages do. The first executions fill caches that have a bound, so growth
counts from the fifth to the eighth execution on.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from listening_bench import Heard, seconds_to_hear, watch_together

from openhcs_client import MeasurementLevel, PipelineDocument, RemoteOrchestrator, well_name

__all__ = ["Soak", "engines_of", "growth", "soak"]

EXECUTIONS, WATCHERS = 24, 10
WELLS = [well_name(row, column) for row in range(2) for column in range(12)]
SETTLED = slice(4, 8)
LAST = slice(-4, None)


@dataclass(frozen=True)
class Soak:
    """What was seen after each execution.

    Attributes:
        service: Resident memory of the service in MB (10⁶ bytes).
        engines: Resident memory of all engines that compute wells together, in MB.
        delays: Seconds from an event to a watcher.
    """

    service: Sequence[float]
    engines: Sequence[float]
    delays: Sequence[float]


def growth(megabytes: Sequence[float]) -> float:
    """How much larger a memory is at the end, as a share."""
    return statistics.median(megabytes[LAST]) / statistics.median(megabytes[SETTLED]) - 1


def engines_of(service: psutil.Process) -> list[psutil.Process]:
    """The engines that compute wells: children of workers. One that answers questions is a child of the service itself."""
    children = service.children(recursive=True)
    return [each for each in children if each.ppid() != service.pid and "openhcs_execution.engine.child" in each.cmdline()]


def soak(service: psutil.Process, url: str, client: RemoteOrchestrator, plate_id: int, document: PipelineDocument) -> Soak:
    """Run executions on the first rows of a plate. ``client`` asks the service at ``url`` directly."""
    megabytes: list[float] = []
    of_engines: list[float] = []
    watched: list[list[Heard]] = []
    for _ in range(EXECUTIONS):
        execution_id = client.execute_remote(plate_id=plate_id, pipeline=document, config={"wells": WELLS})
        watched += asyncio.run(watch_together(url, client, execution_id, WATCHERS))
        _look_at(client, execution_id)
        megabytes.append(service.memory_info().rss / 1e6)
        of_engines.append(sum(each.memory_info().rss for each in engines_of(service)) / 1e6)
    return Soak(megabytes, of_engines, seconds_to_hear(watched))


def _look_at(client: RemoteOrchestrator, execution_id: str) -> None:
    """What a results page asks for."""
    status = client.execution(execution_id).status
    if status != "completed":
        raise RuntimeError(f"the execution ended as {status}")
    for level in MeasurementLevel:
        client.measurements(execution_id, level=level)
    client.quality(execution_id)
