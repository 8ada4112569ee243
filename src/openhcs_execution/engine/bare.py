# SPDX-License-Identifier: AGPL-3.0-or-later
"""The same pipeline on bare OpenHCS: local files in, files out, no OMERO, no service. The yardstick of the benchmark.

This is how a skilled user would run OpenHCS 0.8.6 over a plate: a few processes, each taking every n-th well, one
initialisation and one compilation for all its wells, results written as they come. OpenHCS's own worker processes are not
used because they start anew for every run and import everything again, which has been measured to be slower.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openhcs_client import PipelineDocument

from .environment import engine_environment
from .staging import read_staged_planes

__all__ = ["BareRun", "run_bare"]


@dataclass(frozen=True)
class BareRun:
    """How long a bare run took, in seconds of wall time.

    ``seconds`` is everything a user waits for; ``startup_seconds`` is the part, of the slowest process, that passed before
    OpenHCS was imported, which a warm service does not pay.
    """

    seconds: float
    startup_seconds: float
    wells: int


def run_bare(
    plate: Path, document: PipelineDocument, channels: Sequence[str], *, processes: int, output: Path, home: Path
) -> BareRun:
    """Run ``document`` on every well of ``plate``, a folder in the layout of :mod:`~openhcs_execution.engine.staging`.

    The results of each well are written below ``output``; ``home`` holds OpenHCS's caches.

    Raises:
        RuntimeError: when a process fails, with the end of what it said.
    """
    wells = sorted({plane.well for plane in read_staged_planes(plate)})
    home.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    running = []
    for number in range(min(processes, len(wells))):
        request = {
            "plate": str(plate.resolve()),
            "output": str(output.resolve()),
            "number": number,
            "wells": wells[number::processes],
            "channels": list(channels),
            "document": document.model_dump(mode="json"),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "openhcs_execution.engine.bare"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=engine_environment(home),
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        process.stdin = None
        running.append(process)
    startup = 0.0
    for process in running:
        said, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"bare OpenHCS failed: {said[-4000:]}")
        startup = max(startup, float(json.loads(said.strip().splitlines()[-1])["startup"]))
    return BareRun(time.monotonic() - started, startup, len(wells))


def _shard(request: dict[str, Any]) -> None:
    """Compute the wells of one process, in one OpenHCS call."""
    from objectstate.lazy_factory import ensure_global_config_context
    from openhcs.core.config import GlobalPipelineConfig, PipelineConfig
    from openhcs.core.orchestrator.execution_result import RuntimeObservationMode
    from openhcs.core.orchestrator.orchestrator import PipelineOrchestrator
    from openhcs.core.progress import set_progress_queue

    from .collect import collect
    from .orchestration import Events, artifacts_of, configuration
    from .steps import build_steps

    startup = time.monotonic() - _STARTED
    plate, output, wells = Path(request["plate"]), Path(request["output"]), request["wells"]
    document = PipelineDocument.model_validate(request["document"])
    planes = [plane for plane in read_staged_planes(plate) if plane.well in set(wells)]
    events = Events(lambda event: None)
    ensure_global_config_context(GlobalPipelineConfig, configuration(output / f"openhcs-{request['number']}"))
    set_progress_queue(events)
    orchestrator = PipelineOrchestrator(plate, pipeline_config=PipelineConfig()).initialize()
    steps = build_steps(document, request["channels"], focal_planes=max(plane.z for plane in planes))
    bundle = orchestrator.compile_pipelines(steps, well_filter=wells)
    results = orchestrator.execute_compiled_plate(
        execution_bundle=bundle,
        max_workers=1,
        progress_queue=events,
        progress_context={"execution_id": "bare", "plate_id": str(plate), "axis_id": ""},
        runtime_observation_mode=RuntimeObservationMode.MERGE_INTO_PARENT,
    )
    if set(results) != set(wells):
        raise RuntimeError(f"OpenHCS returned {sorted(results)} instead of {wells}")
    for well, result in results.items():
        fields = sorted({plane.field for plane in planes if plane.well == well})
        collect(artifacts_of(result), fields, well, output / well)
    print(json.dumps({"startup": startup}))


if __name__ == "__main__":
    _STARTED = time.monotonic()
    _shard(json.load(sys.stdin))
