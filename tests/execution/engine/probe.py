# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looks at OpenHCS from inside, in a process of its own: OpenHCS keeps global state and must not enter the test process.

``python -m tests.execution.engine.probe SCENARIO FOLDER`` prints one line of JSON.
"""

import contextlib
import gc
import inspect
import json
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
from objectstate import ObjectState, ObjectStateRegistry
from openhcs.constants.constants import GroupBy, VariableComponents
from openhcs.core.artifacts import ArtifactSpec, SpecialArtifactType
from openhcs.core.config import LazyProcessingConfig
from openhcs.core.memory import numpy as numpy_function
from openhcs.core.pipeline.function_contracts import artifact_outputs
from openhcs.core.pipeline_document import PipelineDocumentAuthority
from openhcs.core.steps.function_step import FunctionStep
from polystore.base import storage_registry

from openhcs_client import PipelineDocument, PipelineStep
from openhcs_execution.catalogue import PipelineCatalogue
from openhcs_execution.catalogue.scripts import function_table
from openhcs_execution.engine import load_functions
from openhcs_execution.engine.orchestration import WellMissingError, compile_well, run_well
from openhcs_execution.engine.staging import StagingFolder
from openhcs_execution.engine.steps import build_steps, callable_of
from openhcs_execution.python_source import render_python


@numpy_function
@artifact_outputs(ArtifactSpec.output("seen", SpecialArtifactType))
def look(image: np.ndarray):
    """Report the planes as they arrive."""
    return image, np.array(image)


def stage(folder: Path, planes: dict[tuple[int, int, int], np.ndarray], well: str = "A01") -> Path:
    channels = [f"C{number}" for number in range(1, max(channel for _, channel, _ in planes) + 1)]
    staging = StagingFolder(folder / f"planes-{well}", well, channels, None)
    for (field, channel, z), pixels in planes.items():
        staging.add_plane(field, channel, z, 1, pixels)
    staging.finish()
    return staging.root


def seen_after(
    folder: Path, planes: dict[tuple[int, int, int], np.ndarray], *steps: PipelineStep, focal_planes: int = 1
) -> dict[int, np.ndarray]:
    """What a step would see, by field, after ``steps`` have run through the real orchestrator."""
    channels = [f"C{number}" for number in range(1, max(channel for _, channel, _ in planes) + 1)]
    built = []
    if steps:
        document = PipelineDocument(id="probe", name="Probe", steps=list(steps))
        built = build_steps(document, channels, focal_planes=focal_planes)
    config = LazyProcessingConfig(variable_components=[VariableComponents.CHANNEL], group_by=GroupBy.SITE)
    built.append(FunctionStep(func=look, name="Look", processing_config=config))
    made = run_well(stage(folder, planes), folder / "out", "A01", built, lambda event: None, execution_id="probe")
    return {artifact.field: artifact.value for artifact in made if artifact.name == "seen"}


def two_fields(seed: int = 0) -> dict[tuple[int, int, int], np.ndarray]:
    """Two channels of two fields; field 1 is black in channel 1."""
    random = np.random.default_rng(seed)
    planes = {
        (field, channel, 1): random.integers(300, 26000, (48, 64)).astype(np.uint16) for field in (1, 2) for channel in (1, 2)
    }
    return planes | {(1, 1, 1): np.zeros((48, 64), np.uint16)}


def scenario_filters(folder: Path) -> Any:
    """Each filter against the same filter of scipy, applied to one plane."""
    from skimage.filters import gaussian

    planes = two_fields()
    report = {}
    for name, parameters in (("gaussian_blur", {"sigma": 1.5}), ("tophat", {"selem_radius": 8, "downsample_factor": 1})):
        step = PipelineStep(name=name, function=f"openhcs:{name}", parameters=parameters, channels=["C1"])
        seen = seen_after(folder / name, planes, step)
        report[name] = {
            "dtypes": sorted({str(stack.dtype) for stack in seen.values()}),
            "black_field_maximum": int(seen[1][0].max()),
            "other_channel_untouched": all(bool((seen[field][1] == planes[field, 2, 1]).all()) for field in (1, 2)),
            "means": [float(seen[2][0].mean()), float(planes[2, 1, 1].mean())],
        }
        if name == "gaussian_blur":
            expected = gaussian(planes[2, 1, 1], sigma=1.5, preserve_range=True).astype(np.uint16)
            report[name]["equals_two_dimensional"] = bool((seen[2][0] == expected).all())
    return report


def scenario_untouched(folder: Path) -> Any:
    """Without filters a step sees exactly what was staged, whatever its type."""
    report = {}
    for kind in ("uint8", "uint16", "int16", "float32"):
        planes = {key: (pixels // 256).astype(kind) for key, pixels in two_fields().items()}
        seen = seen_after(folder / kind, planes)
        report[kind] = all(
            seen[field].dtype == kind and bool((seen[field][channel - 1] == planes[field, channel, 1]).all())
            for field in (1, 2)
            for channel in (1, 2)
        )
    return report


def scenario_projection(folder: Path) -> Any:
    random = np.random.default_rng(1)
    planes = {
        (field, channel, z): random.integers(0, 60000, (20, 30)).astype(np.uint16)
        for field in (1, 4)
        for channel in (1, 2)
        for z in (1, 2, 3)
    }
    step = PipelineStep(name="Project", function="openhcs:create_projection")
    seen = seen_after(folder, planes, step, focal_planes=3)
    return {
        "fields": sorted(seen),
        "right": all(
            bool((seen[field][channel - 1] == np.max([planes[field, channel, z] for z in (1, 2, 3)], axis=0)).all())
            for field in (1, 4)
            for channel in (1, 2)
        ),
    }


def scenario_signatures(folder: Path) -> Any:
    """Parameters and defaults of every callable behind the catalogue; each also becomes a step."""
    report = {}
    for info in load_functions():
        if not info.offered:
            continue
        build_steps(PipelineDocument(id="p", name="P", steps=[PipelineStep(name="S", function=info.id)]), ["C1", "C2"])
        parameters = inspect.signature(callable_of(info.id)).parameters
        report[info.id] = {
            name: getattr(parameter.default, "value", parameter.default)
            for name, parameter in parameters.items()
            if parameter.default is not inspect.Parameter.empty and name not in ("dtype_config",)
        }
    return report


def scenario_contract(folder: Path) -> Any:
    """What the adapter relies on, and the pitfalls that it is built around."""
    document = PipelineDocument(id="p", name="P", steps=[PipelineStep(name="N", function="omero_openhcs:segment_nuclei")])
    planes = stage(folder, {(1, 1, 1): np.ones((32, 32), np.uint16)})
    report: dict[str, Any] = {"version": metadata.version("openhcs")}

    orchestrator, _ = compile_well(planes, folder / "out", "A01", build_steps(document, ["C1"]), lambda event: None)
    steps = build_steps(document, ["C1"])
    orchestrator.compile_pipelines(steps, well_filter=["A01"])
    try:
        orchestrator.compile_pipelines(steps, well_filter=["A01"])
    except Exception as error:
        report["steps_are_single_use"] = str(error)
    try:
        run_well(planes, folder / "out", "B02", build_steps(document, ["C1"]), lambda event: None, execution_id="probe")
    except WellMissingError as error:
        report["unknown_well"] = str(error)
    events: list[dict[str, Any]] = []
    run_well(planes, folder / "out", "A01", build_steps(document, ["C1"]), events.append, execution_id="probe")
    started = [event for event in events if event["phase"] == "step_started"]
    report["started"] = [(event["step_name"], event["completed"], event["total"]) for event in started]
    report["written"] = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return report


def scenario_forgetting(folder: Path) -> Any:
    """What OpenHCS still holds after wells, one of which failed: it keeps the parameters of every run, for its time travel."""
    report: dict[str, Any] = {"held": [], "during": 0}
    step = PipelineStep(name="N", function="omero_openhcs:segment_nuclei")
    document = PipelineDocument(id="p", name="P", steps=[step])

    def listen(event: dict[str, Any]) -> None:
        report["during"] = len(ObjectStateRegistry.get_all())

    for well in ("A01", "A02", "A03"):
        planes = stage(folder, {(1, 1, 1): np.ones((32, 32), np.uint16)}, well)
        asked = "P24" if well == "A02" else well
        with contextlib.suppress(WellMissingError):
            run_well(planes, folder / "out", asked, build_steps(document, ["C1"]), listen, execution_id="probe")
        gc.collect()
        states = sum(1 for thing in gc.get_objects() if type(thing) is ObjectState)
        stored = len(storage_registry["memory"]._memory_store)
        report["held"].append([states, len(ObjectStateRegistry.get_all()), stored])
    return report


def scenario_scripts(folder: Path) -> Any:
    """Our own Python of a pipeline, executed and compiled by OpenHCS, beside the steps that the engine builds."""
    report: dict[str, Any] = {}
    table = function_table()
    for line in PipelineCatalogue.packaged().summaries():
        document = PipelineCatalogue.packaged().resolve(line.id)
        script = PipelineDocumentAuthority.from_source(render_python(document, table)).pipeline_steps
        channels = [f"C{number}" for number in range(1, document.minimum_channels + 1)]
        built = build_steps(document, channels, focal_planes=2)
        same = [_said(one) == _said(other) for one, other in zip(script, built, strict=True)]
        planes = stage(
            folder / line.id,
            {(1, channel, z): np.ones((32, 32), np.uint16) for channel in range(1, len(channels) + 1) for z in (1, 2)},
        )
        compile_well(planes, folder / "out", "A01", script, lambda event: None)
        report[line.id] = {"steps": len(script), "same": same}
    return report


def _said(step: FunctionStep) -> Any:
    """What a step says, in words that can be compared: OpenHCS makes a bare function of one without arguments."""
    function, parameters = step.func if isinstance(step.func, tuple) else (step.func, {})
    config = step.processing_config
    return (
        step.name,
        f"{function.__module__}.{function.__qualname__}",
        {name: value for name, value in parameters.items() if value != inspect.signature(function).parameters[name].default},
        [component.value for component in config.variable_components],
        config.group_by.value,
        config.input_source.value,
    )


def scenario_paths(folder: Path) -> Any:
    """Whether the paths that scripts import lead to the callables that the engine runs."""
    table, report = function_table(), {}
    for info in (info for info in load_functions() if info.offered):
        function = table.get(info.id)
        assert function is not None
        names = {parameter.name: str(parameter.default) for parameter in info.parameters}
        attribute = function.attribute_for(names[name] for name in function.name_parameters)
        report[info.id] = getattr(import_module(function.module), attribute) is callable_of(info.id)
        for enum in function.enums.values():
            members = {member.value: member.name for member in getattr(import_module(enum.module), enum.name)}
            report[f"{info.id} {enum.name}"] = members == enum.members
    return report


def scenario_smoke(folder: Path) -> Any:
    """The smoke test on functions that do what it must catch."""
    import types

    from scipy import ndimage

    from openhcs_execution.engine import harvest
    from openhcs_execution.engine.candidates import Candidate, Grey, Kind, candidates
    from openhcs_execution.engine.catalogue import use_entries
    from openhcs_execution.engine.functions import adapted
    from openhcs_execution.engine.smoke import checks

    def stretches(plane: np.ndarray) -> np.ndarray:
        return (plane - plane.min()) / (np.ptp(plane) or 1) * 60000

    def mixes(fields: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(fields, 1.0)

    def dims(plane: np.ndarray) -> np.ndarray:
        return plane * 0.8

    def fails_on_nothing(plane: np.ndarray) -> np.ndarray:
        return plane / 1 if plane.any() else 1 / 0

    state = np.random.default_rng(0)

    def random(plane: np.ndarray) -> np.ndarray:
        return plane + state.integers(0, 50, plane.shape)

    def good(plane: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(plane, 1.0, mode="nearest")

    toys = types.ModuleType("skimage.toys")
    sys.modules["skimage.toys"] = toys
    grey = {"dims": Grey.KEPT, "stretches": Grey.UNITS, "mixes": Grey.UNITS, "good": Grey.KEPT}
    for function in (stretches, mixes, dims, fails_on_nothing, random, good):
        name = function.__name__
        setattr(toys, name, function)
        kind = Kind.WELL_IMAGE if name == "mixes" else Kind.IMAGE
        candidates()[f"skimage:toys.{name}"] = Candidate(
            f"skimage:toys.{name}", kind, name, "morphology", "", f"skimage.toys.{name}", grey=grey.get(name, Grey.CHANGED)
        )
    adapted._ids.cache_clear()  # attributes were asked for while OpenHCS was imported
    entries = harvest.entries([])
    use_entries(entries)
    checks._TOGETHER = frozenset()
    report = {}
    for entry in entries:
        if entry.info.id.startswith("skimage:toys"):
            try:
                report[entry.info.title] = checks.check(entry, lambda what: None)
            except checks.Failed as failed:
                report[entry.info.title] = str(failed)
    return report


if __name__ == "__main__":
    scenario, folder = sys.argv[1], Path(sys.argv[2])
    answer = globals()[f"scenario_{scenario}"](folder)
    print("ANSWER " + json.dumps(answer))
