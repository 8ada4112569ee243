# SPDX-License-Identifier: AGPL-3.0-or-later
"""The engine: one adapter around OpenHCS's in-process orchestrator, and the only folder that imports openhcs.

The rest of the service sees plain data. A worker stages the planes of a well with :class:`StagingFolder`, hands an
:class:`EngineJob` to its warm :class:`EngineProcess` and gets an :class:`EngineResult`; pipelines are checked with
:func:`check_document` against the functions of :func:`load_functions`. Importing this package imports neither openhcs nor
numpy's heavier friends: those live in the child process, which can be killed without harm.
"""

from __future__ import annotations

from .catalogue import CatalogueSource, catalogue_source, choose_catalogue, function, load_functions
from .fitting import Misfit, find_misfits, focal_planes, projects_focal_planes
from .jobs import EngineJob, EngineLine, EngineProgress, EngineResult, Hardware, ImageFile, LabelFile, TrialKind, TrialResult
from .process import EngineLost, EngineProcess
from .staging import StagingFolder
from .validation import check_document, check_published, check_value

__all__ = [
    "CatalogueSource",
    "EngineJob",
    "EngineLine",
    "EngineLost",
    "EngineProcess",
    "EngineProgress",
    "EngineResult",
    "Hardware",
    "ImageFile",
    "LabelFile",
    "Misfit",
    "StagingFolder",
    "TrialKind",
    "TrialResult",
    "catalogue_source",
    "check_document",
    "check_published",
    "check_value",
    "find_misfits",
    "focal_planes",
    "choose_catalogue",
    "function",
    "load_functions",
    "projects_focal_planes",
]
