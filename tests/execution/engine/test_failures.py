# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import errno

import pytest

from openhcs_client import FailureClass, OpenHCSError
from openhcs_execution.engine.failures import failure_from, out_of_memory, time_limit, well_failure


def wrapped(cause: BaseException) -> BaseException:
    """``cause`` as OpenHCS passes it on: inside errors of its own."""
    try:
        try:
            raise cause
        except BaseException as inner:
            raise ValueError("Failed to process pattern group") from inner
    except ValueError as outer:
        return outer


class TiffFileError(Exception):
    """Named like tifffile's."""


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (MemoryError(), FailureClass.OUT_OF_MEMORY),
        (OSError(errno.ENOSPC, "No space left on device"), FailureClass.DISK_FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), FailureClass.DISK_FULL),
        (OSError(errno.EACCES, "Permission denied"), FailureClass.ENGINE_ERROR),
        (TiffFileError("not a TIFF file"), FailureClass.BAD_INPUT),
        (OpenHCSError("bad_pixels", "An image has pixels that are not a number."), FailureClass.BAD_INPUT),
        (OpenHCSError("omero_unreachable", "OMERO does not answer."), FailureClass.OMERO_LOST),
        (OpenHCSError("fields_missing", "OpenHCS lost field 2."), FailureClass.ENGINE_ERROR),
        (OpenHCSError("disk_full", "The scratch disk is full."), FailureClass.DISK_FULL),
        (ZeroDivisionError("division by zero"), FailureClass.ENGINE_ERROR),
    ],
)
def test_the_class_is_that_of_the_first_cause(cause: BaseException, expected: FailureClass) -> None:
    failure = failure_from(wrapped(cause), "B02")
    assert failure.cause == expected
    assert failure.remedy
    assert "Traceback" in failure.traceback
    assert "Traceback" not in failure.message


def test_causes_in_groups_are_found() -> None:
    group = ExceptionGroup("several", [ValueError("a"), OSError(errno.ENOSPC, "full")])
    assert failure_from(group, "B02").cause == FailureClass.DISK_FULL


def test_sentences_are_short() -> None:
    failure = failure_from(RuntimeError("x" * 5000 + "\nsecond line"), "B02")
    assert len(failure.message) < 400
    assert "second line" not in failure.message


@pytest.mark.parametrize("cause", list(FailureClass))
def test_every_class_has_a_remedy(cause: FailureClass) -> None:
    assert well_failure(cause, "It failed.").remedy.endswith(".")


def test_limits_are_named() -> None:
    assert "1500 MB" in out_of_memory("B02", 1500).message
    assert "90 seconds" in time_limit("B02", 90).message


def test_a_refusal_of_omero_is_not_told_as_an_outage() -> None:
    refused = failure_from(OpenHCSError("omero_not_allowed", "OMERO does not allow this."), "B02")
    broken = failure_from(OpenHCSError("omero_error", "OMERO reported an error."), "B02")
    away = failure_from(OpenHCSError("omero_unreachable", "OMERO does not answer."), "B02")
    assert refused.message == "OMERO does not allow this."
    assert "right" in refused.remedy
    assert "people who run your OMERO" in broken.remedy
    assert "when OMERO answers again" in away.remedy


def test_the_remedy_for_a_pipeline_is_not_to_look_at_the_images() -> None:
    images = failure_from(OpenHCSError("bad_pixels", "Bad."), "B02")
    pipeline = failure_from(OpenHCSError("bad_pipeline", "Bad."), "B02")
    assert "images of this well" in images.remedy
    assert "Choose a pipeline" in pipeline.remedy
