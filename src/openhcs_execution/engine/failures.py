# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why a well failed, said to a biologist: a class, a sentence, and what to do about it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from openhcs_client import FailureClass, OpenHCSError, WellFailure

from .staging import disk_full_errors

__all__ = ["failure_from", "omero_remedy", "out_of_memory", "time_limit", "well_failure"]

_REMEDIES = {
    FailureClass.BAD_INPUT: "Look at the images of this well in OMERO; import them again if they are damaged, then retry.",
    FailureClass.OUT_OF_MEMORY: "Retry the well; if it fails again, ask your facility to give the workers more memory.",
    FailureClass.TIME_LIMIT: "Test the parameters on one well: settings that take noise for objects make a pipeline slow.",
    FailureClass.DISK_FULL: "Ask your facility to free space on the scratch disk of the service, then retry the well.",
    FailureClass.ENGINE_ERROR: "Retry the well; if it fails again, send the details to the people who run this service.",
    FailureClass.OMERO_LOST: "Retry the well when OMERO answers again.",
    FailureClass.WORKER_LOST: "Retry the well.",
}

_CLASSES = {"disk_full": FailureClass.DISK_FULL, "fields_missing": FailureClass.ENGINE_ERROR}
_ABOUT_THE_PIPELINE = {"bad_pipeline", "too_many_planes", "sizes_differ"}
_PIPELINE_REMEDY = "Choose a pipeline that fits these images, or change this one, and run it again."

# OMERO answered, but said no: waiting for it would not help.
_OMERO_REMEDIES = {
    "omero_not_allowed": "Ask an owner of the group of the plate for the right to do this, then retry the well.",
    "omero_error": "Retry the well; if it fails again, send the details to the people who run your OMERO.",
}

# Errors of the libraries that read images, by name: naming the classes here would import the libraries.
_UNREADABLE = {"StorageResolutionError", "TiffFileError", "TiffPageError", "FileFormatError", "CorruptImageError"}


def well_failure(cause: FailureClass, message: str, error: BaseException | None = None) -> WellFailure:
    """Build a failure with the remedy of its class; the traceback is kept for those who ask for it."""
    details = "".join(traceback.format_exception(error)) if error is not None else ""
    return WellFailure(cause=cause, message=message, remedy=_REMEDIES[cause], traceback=details)


def out_of_memory(well: str, limit_mb: int | None, error: BaseException | None = None) -> WellFailure:
    """The well needed more memory than there is."""
    limit = f" than the {limit_mb} MB a worker may use" if limit_mb else " than there is"
    return well_failure(FailureClass.OUT_OF_MEMORY, f"Well {well} needs more memory{limit}.", error)


def time_limit(well: str, seconds: float) -> WellFailure:
    """The well was still being computed when its time was over."""
    return well_failure(FailureClass.TIME_LIMIT, f"Well {well} was not finished within {seconds:g} seconds and was stopped.")


def omero_remedy(error: BaseException) -> str:
    """What to do when OMERO did not do its part: a refusal calls for something else than an outage."""
    code = error.code if isinstance(error, OpenHCSError) else ""
    return _OMERO_REMEDIES.get(code, _REMEDIES[FailureClass.OMERO_LOST])


def failure_from(error: BaseException, well: str) -> WellFailure:
    """Find the class of ``error`` in its chain of causes: OpenHCS wraps what really happened."""
    for cause in _chain(error):
        if isinstance(cause, MemoryError):
            return out_of_memory(well, None, error)
        if isinstance(cause, OSError) and cause.errno in disk_full_errors:
            return well_failure(FailureClass.DISK_FULL, "The scratch disk of the execution service is full.", error)
        if isinstance(cause, OpenHCSError):
            return _said_before(cause, error)
        if type(cause).__name__ in _UNREADABLE:
            return well_failure(FailureClass.BAD_INPUT, f"An image of well {well} cannot be read; it seems damaged.", error)
    return well_failure(FailureClass.ENGINE_ERROR, f"OpenHCS could not compute well {well}: {_first_line(error)}", error)


def _said_before(said: OpenHCSError, error: BaseException) -> WellFailure:
    """A failure that was put into a sentence where it happened; its code tells the class."""
    if said.code.startswith("omero_"):
        failure = well_failure(FailureClass.OMERO_LOST, said.message, error)
        return failure.model_copy(update={"remedy": omero_remedy(said)})
    failure = well_failure(_CLASSES.get(said.code, FailureClass.BAD_INPUT), said.message, error)
    return failure.model_copy(update={"remedy": _PIPELINE_REMEDY}) if said.code in _ABOUT_THE_PIPELINE else failure


def _chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and everything that led to it, outermost first."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.extend(linked for linked in (current.__cause__, current.__context__) if linked is not None)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:300]
