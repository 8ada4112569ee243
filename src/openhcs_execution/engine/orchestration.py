# SPDX-License-Identifier: AGPL-3.0-or-later
"""Drive OpenHCS's in-process orchestrator for one well. Runs in the engine's child only.

OpenHCS was made for one user at a desk, and keeps state in module globals. What follows from that is kept here:

* one execution per process: the progress queue is a module global, so it is set before compiling and the caller runs one
  job at a time;
* one well per call: a failing well aborts the whole call, and a well that OpenHCS does not know is left out in silence;
* a fresh configuration context, fresh steps and an empty memory store for every run;
* nothing is materialised: results are taken from memory as OpenHCS observed them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from objectstate import ObjectStateRegistry
from objectstate.lazy_factory import ensure_global_config_context
from openhcs.constants import Microscope
from openhcs.core.config import (
    AnalysisConsolidationConfig,
    GlobalPipelineConfig,
    PathPlanningConfig,
    PipelineConfig,
)
from openhcs.core.orchestrator.execution_result import ExecutionResult, RuntimeObservationMode
from openhcs.core.orchestrator.orchestrator import PipelineOrchestrator
from openhcs.core.progress import set_progress_queue
from openhcs.core.steps.function_step import FunctionStep
from polystore.base import Backend, reset_memory_backend, storage_registry

from .tables import Artifact

__all__ = ["Events", "WellMissingError", "artifacts_of", "compile_well", "configuration", "run_well"]


class WellMissingError(RuntimeError):
    """OpenHCS finished without saying what became of the well."""


class _Orchestrator(PipelineOrchestrator):
    """The orchestrator with its resolved configuration remembered.

    Upstream resolves the whole configuration anew at every question, some twelve times per well, which is half of the time
    that initialising and compiling take. Ours differ in the output folder only, and are values that nobody changes.
    """

    _resolved: ClassVar[tuple[Path, GlobalPipelineConfig] | None] = None

    def __init__(self, planes: Path, output: Path) -> None:
        self._output = output
        super().__init__(planes, pipeline_config=PipelineConfig())

    def get_effective_config(self, *, for_serialization: bool = False) -> GlobalPipelineConfig:
        known = _Orchestrator._resolved
        if known is None or known[0] != self._output:
            known = self._output, super().get_effective_config(for_serialization=for_serialization)
            _Orchestrator._resolved = known
        return known[1]


class Events:
    """What OpenHCS takes for its progress queue: anything with ``put``."""

    def __init__(self, listener: Callable[[dict[str, Any]], None]) -> None:
        self.put = listener


def _forget() -> None:
    """Drop what OpenHCS keeps of a well: the files and folders of its memory store, and the parameters of each run.

    The latter are for the time travel of its user interface, a third of a megabyte for each well, and folders are looked
    through whenever files are listed: without this, an engine grows and slows down until its memory limit blames a well.
    """
    reset_memory_backend()
    with contextlib.suppress(FileNotFoundError):
        storage_registry[Backend.MEMORY.value].delete_all("/")
    ObjectStateRegistry.clear()


def configuration(output: Path) -> GlobalPipelineConfig:
    """OpenHCS as the engine runs it: inline, and nothing written that nobody asked for."""
    return GlobalPipelineConfig(
        num_workers=1,
        microscope=Microscope.OPENHCS,
        materialize_runtime_artifacts=False,
        path_planning_config=PathPlanningConfig(global_output_folder=output),
        analysis_consolidation_config=AnalysisConsolidationConfig(enabled=False),
    )


def compile_well(
    planes: Path, output: Path, well: str, steps: Sequence[FunctionStep], listener: Callable[[dict[str, Any]], None]
) -> tuple[PipelineOrchestrator, Any]:
    """Initialise OpenHCS on a staged well and compile ``steps``, which are used up by it.

    Returns the orchestrator and the compiled bundle. ``listener`` gets OpenHCS's progress events.

    Raises:
        WellMissingError: when OpenHCS does not find the well among the staged planes.
    """
    _forget()
    ensure_global_config_context(GlobalPipelineConfig, configuration(output))
    set_progress_queue(Events(listener))
    orchestrator = _Orchestrator(planes, output).initialize()
    bundle = orchestrator.compile_pipelines(list(steps), well_filter=[well])
    compiled = {str(axis) for axis in bundle.axis_ids}
    if compiled != {well}:
        raise WellMissingError(f"OpenHCS was asked for well {well} and prepared {sorted(compiled) or 'none'}.")
    return orchestrator, bundle


def run_well(
    planes: Path,
    output: Path,
    well: str,
    steps: Sequence[FunctionStep],
    listener: Callable[[dict[str, Any]], None],
    *,
    execution_id: str,
) -> list[Artifact]:
    """Run ``steps`` on one staged well and return everything that they made, per field.

    Raises:
        WellMissingError: when OpenHCS finishes without this well, or without success.
        Exception: whatever OpenHCS or a step function raised.
    """
    try:
        orchestrator, bundle = compile_well(planes, output, well, steps, listener)
        results = orchestrator.execute_compiled_plate(
            execution_bundle=bundle,
            max_workers=1,
            progress_queue=Events(listener),
            progress_context={"execution_id": execution_id, "plate_id": str(planes), "axis_id": ""},
            runtime_observation_mode=RuntimeObservationMode.MERGE_INTO_PARENT,
        )
        if set(results) != {well} or not results[well].is_success():
            said = {axis: result.error_message or result.status.value for axis, result in results.items()}
            raise WellMissingError(f"OpenHCS was asked for well {well} and answered {said or 'nothing'}.")
        return artifacts_of(results[well])
    finally:
        _forget()


def artifacts_of(result: ExecutionResult) -> list[Artifact]:
    """What OpenHCS observed while it computed a well: one artifact per step and field."""
    return [
        Artifact(record.key.name, int(str(record.key.scope.value)), record.value.data)
        for context in result.runtime_observation.contexts
        for record in context.records
    ]
