# SPDX-License-Identifier: AGPL-3.0-or-later
"""Try a pipeline on made-up wells of the plate's kind. Runs in the engine's child only.

OpenHCS says only while it compiles whether it takes a pipeline, and needs staged images for it. Their content does not matter
to it, so tiny ones are made: as many channels, the same type of pixels, one field or several, one focal plane or several.
The pipeline also runs on them, because what a function thinks of a pixel type shows only then. A made-up image may upset a
function that real ones do not; so a run that fails refuses the pipeline only when the same run succeeds on uint16, the type
that cameras write, and is a warning otherwise.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openhcs_client import PipelineDocument

from .failures import failure_from
from .jobs import TrialKind, TrialResult
from .orchestration import compile_well, run_well
from .staging import StagingFolder
from .steps import build_steps

__all__ = ["TINY", "TINY_WELL", "stage_tiny_well", "try_document"]

TINY_WELL = "A01"
TINY = 64
"""Edge, in pixels, of the planes of a well that only serves to try something."""

_USUAL = "uint16"

_TYPES = {"float": "float32", "double": "float64"}
"""OMERO's names of pixel types where NumPy has other ones."""


def try_document(document: PipelineDocument, channels: Sequence[str], kinds: Sequence[TrialKind]) -> TrialResult:
    """Compile ``document`` for each kind of well, and run it on a tiny one.

    What OpenHCS refuses to compile is in ``error``; so is a type of pixels that a function cannot work with.
    """
    result = TrialResult()
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="openhcs-trial-", ignore_cleanup_errors=True) as folder:
            _try_kind(document, channels, kind, Path(folder), result)
        if result.error is not None:
            break
    return result


def _try_kind(document: PipelineDocument, channels: Sequence[str], kind: TrialKind, folder: Path, result: TrialResult) -> None:
    error = _run(document, channels, kind, folder)
    if error is None:  # running includes compiling
        return
    refusal = _compile(document, channels, kind, folder)
    if refusal is not None:
        result.error = f"OpenHCS does not take this pipeline: {_sentence(refusal)}"
        return
    usual = kind.model_copy(update={"pixel_type": _USUAL})
    if kind.pixel_type != _USUAL and _run(document, channels, usual, folder) is None:
        result.error = f"The pipeline cannot work with images of type {kind.pixel_type}: {_sentence(error)}"
    else:
        result.warnings.append(
            f"The pipeline failed on a tiny made-up image ({_sentence(error)}). Test one well before you run it."
        )


def _compile(document: PipelineDocument, channels: Sequence[str], kind: TrialKind, folder: Path) -> Exception | None:
    planes = stage_tiny_well(folder / "compile", channels, kind)
    try:
        steps = build_steps(document, channels, focal_planes=kind.focal_planes)
        compile_well(planes, folder / "out", TINY_WELL, steps, lambda event: None)
    except Exception as error:  # whatever OpenHCS has against it is an answer
        return error
    return None


def _run(document: PipelineDocument, channels: Sequence[str], kind: TrialKind, folder: Path) -> Exception | None:
    planes = stage_tiny_well(folder / f"run-{kind.pixel_type}", channels, kind)
    output = folder / "out"
    try:
        steps = build_steps(document, channels, focal_planes=kind.focal_planes)
        run_well(planes, output, TINY_WELL, steps, lambda event: None, execution_id="trial")
    except Exception as error:  # whatever a function has against it is an answer
        return error
    finally:
        shutil.rmtree(output, ignore_errors=True)
    return None


def _sentence(error: Exception) -> str:
    """What happened, without the introduction that a failed well gets."""
    return failure_from(error, TINY_WELL).message.removeprefix(f"OpenHCS could not compute well {TINY_WELL}: ")


def stage_tiny_well(folder: Path, channels: Sequence[str], kind: TrialKind) -> Path:
    """Stage a well of small fields, each a few bright discs on noise."""
    y, x = np.mgrid[:TINY, :TINY]
    discs = sum(np.exp(-(((y - cy) ** 2 + (x - cx) ** 2) / 40)) for cy, cx in ((16, 16), (40, 44), (52, 14)))
    dtype = np.dtype(_TYPES.get(kind.pixel_type, kind.pixel_type))
    brightest = min(1000, np.iinfo(dtype).max) if dtype.kind in "iu" else 1000
    counts = np.random.default_rng(0).poisson(100 + 900 * discs)
    pixels = np.clip(counts * (brightest / counts.max()), 0, brightest).astype(dtype)
    staging = StagingFolder(folder, TINY_WELL, channels, None)
    for field in range(1, kind.fields + 1):
        for channel in range(1, len(channels) + 1):
            for z in range(1, kind.focal_planes + 1):
                staging.add_plane(field, channel, z, 1, pixels)
    staging.finish()
    return staging.root
