# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pipelines as OpenHCS scripts and back, with the functions of the catalogue: how scripts import and call each of them."""

from __future__ import annotations

from functools import lru_cache

from openhcs_client import ImportedPipeline, PipelineDocument
from openhcs_execution.engine import check_published
from openhcs_execution.engine.candidates import candidates
from openhcs_execution.engine.catalogue import PROJECTION, catalogue_entry
from openhcs_execution.engine.catalogue import load_functions as load_catalogue
from openhcs_execution.engine.naming import ADAPTED, SEES_WELL, attribute_of, name_parameters
from openhcs_execution.python_source import FunctionTable, KnownFunction, import_python, render_python
from openhcs_execution.python_source.functions import EnumClass

__all__ = ["document_of", "function_table", "script_of"]

_FUNCTIONS = "openhcs_execution.engine.functions"
_NUMPY = "openhcs.processing.backends.processors.numpy_processor"

_OWN = {
    PROJECTION: (_NUMPY, "create_projection"),
    "openhcs:gaussian_blur": (f"{_FUNCTIONS}.native", "gaussian_blur"),
    "openhcs:tophat": (f"{_FUNCTIONS}.native", "tophat"),
    "omero_openhcs:correct_illumination": (f"{_FUNCTIONS}.intensity", "correct_illumination"),
    "omero_openhcs:measure_field_intensity": (f"{_FUNCTIONS}.intensity", "measure_field_intensity"),
    "omero_openhcs:find_spots": (f"{_FUNCTIONS}.spots", "find_spots"),
    "omero_openhcs:measure_colocalisation": (f"{_FUNCTIONS}.colocalisation", "measure_colocalisation"),
    "omero_openhcs:segment_nuclei": (f"{_FUNCTIONS}.nuclei", "segment_nuclei"),
    "omero_openhcs:measure_nuclei_intensity": (f"{_FUNCTIONS}.nuclei", "measure_nuclei_intensity"),
}

_UPSTREAM = {"openhcs:gaussian_blur": f"{_NUMPY}.gaussian_blur", "openhcs:tophat": f"{_NUMPY}.tophat"}

_METHODS = {"max_projection": "MAX", "mean_projection": "MEAN", "min_projection": "MIN"}
_ENUMS = {PROJECTION: {"method": EnumClass(_NUMPY, "NumpyStackProjectionMethod", _METHODS)}}


def script_of(document: PipelineDocument) -> str:
    """``document`` as Python for OpenHCS on a desktop; see :func:`~openhcs_execution.python_source.render_python`."""
    return render_python(document, function_table())


def document_of(source: str, name: str = "") -> ImportedPipeline:
    """What a script says, read and never run, and what is still to be put right before it can be saved."""
    imported = import_python(source, function_table(), name)
    if imported.document is not None:
        imported.field_errors = check_published(imported.document, None).field_errors
    return imported


@lru_cache(maxsize=1)
def function_table() -> FunctionTable:
    """Every offered function. A contract test compares the paths with the callables that the engine runs."""
    return FunctionTable(_known(info.id) for info in load_catalogue() if info.offered)


def _known(function_id: str) -> KnownFunction:
    entry = catalogue_entry(function_id)
    candidate = candidates().get(function_id)
    module, attribute = _OWN[function_id] if candidate is None else (ADAPTED, attribute_of(function_id))
    upstream = _UPSTREAM.get(function_id)
    if candidate is not None and not candidate.import_path.startswith("openhcs_execution."):
        upstream = candidate.import_path
    return KnownFunction(
        info=entry.info,
        module=module,
        attribute=attribute,
        over=entry.grouping.over,
        by=entry.grouping.by,
        plane_by_plane=entry.info.restrictable and entry.kind not in SEES_WELL,
        name_parameters=name_parameters(candidate) if candidate is not None else (),
        upstream=upstream,
        enums=_ENUMS.get(function_id, {}),
    )
