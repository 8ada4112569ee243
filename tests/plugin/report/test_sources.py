# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a report's parts come from, and what it says when one of the places has nothing any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from omero_openhcs.omero_access.label_images import LabelImage
from omero_openhcs.report import sources
from openhcs_client import ExecutionDetail, LabelInfo, Methods, OpenHCSError, ServiceHealth, WellState
from openhcs_client import LabelImage as SentLabels

from .made import execution, quality
from .test_pictures import jpeg, labels

REMOVED = OpenHCSError("results_removed", "The results were removed because they were old.", status=410)


class Service:
    """An execution service whose answers are given; an error is raised."""

    def __init__(self, found: ExecutionDetail, **answers: Any) -> None:
        self._answers = {"execution": found, "functions": [], "health": ServiceHealth(status="ok", version="1.2"), **answers}
        self._answers.setdefault("methods", Methods(execution_id=found.execution_id, text="Nuclei were found."))

    def __getattr__(self, name: str) -> Any:
        def answer(*_: Any, **__: Any) -> Any:
            given = self._answers[name]
            if isinstance(given, OpenHCSError):
                raise given
            return given

        return answer


@pytest.fixture
def omero(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """OMERO's answers, by the name of the function that asks; every field of every well has image 7."""
    fields = [SimpleNamespace(field=1, image_id=7)]
    wells = [SimpleNamespace(well=well, fields=fields) for well in ("A01", "A02")]
    answers: dict[str, Any] = {
        "open_plate": SimpleNamespace(screen_name="Screen A"),
        "read_layout": SimpleNamespace(wells=wells),
        "draw_image": jpeg(),
        "find_label_images": [],
        "read_image": None,
        "read_plane": labels(),
        "quality_of": quality(["count"]),
    }

    def asks(name: str) -> Any:
        def answer(*_: Any, **__: Any) -> Any:
            if isinstance(answers[name], OpenHCSError):
                raise answers[name]
            return answers[name]

        return answer

    for name in answers:
        monkeypatch.setattr(sources, name, asks(name))
    return answers


def gather(**answers: Any) -> sources.ReportSources:
    sent = SentLabels((40, 40), labels().astype("<i4").tobytes())
    given = {"labels": [LabelInfo(field=1, name="nuclei", objects=2)], "label_image": sent, **answers}
    found = given.pop("found", None) or execution(rows=1, columns=1)
    return sources.gather(SimpleNamespace(service=Service(found, **given), omero=object()), found.execution_id)  # type: ignore[arg-type]


def test_pictures_and_objects(omero: dict[str, Any]) -> None:
    found = gather()
    (picture,) = found.pictures
    assert (picture.trouble, picture.objects) == ("", [("nuclei", "#ffd800")])
    assert picture.outlined
    assert (found.screen, list(found.versions), list(found.troubles)) == (
        "Screen A",
        [("execution service", "1.2"), ("OpenHCS", "unknown")],
        [],
    )


def test_objects_come_from_omero_when_the_service_has_removed_its_copies(omero: dict[str, Any]) -> None:
    omero["find_label_images"] = [
        LabelImage(70, 1, "another", "cells", (40, 40)),
        LabelImage(71, 2, "3f2a91c0", "nuclei", (40, 40)),
        LabelImage(72, 3, "3f2a91c0", "huge", (100_000, 100_000)),
    ]
    (picture,) = gather(labels=REMOVED).pictures
    assert (picture.trouble, [name for name, _ in picture.objects]) == ("", ["nuclei"])


def test_objects_that_are_nowhere_are_said(omero: dict[str, Any]) -> None:
    (picture,) = gather(labels=REMOVED).pictures
    assert picture.plain
    assert picture.trouble == "Outlines are missing: The results were removed because they were old."


def test_an_image_that_is_gone_is_said(omero: dict[str, Any]) -> None:
    omero["read_layout"] = SimpleNamespace(wells=[])
    (picture,) = gather().pictures
    assert (picture.plain, picture.trouble) == ("", "Field 1 of well A01 is not in OMERO any more.")


def test_parts_that_cannot_be_asked_for_are_said(omero: dict[str, Any]) -> None:
    omero["quality_of"] = omero["open_plate"] = OpenHCSError("x", "Nobody answers.", status=503)
    silent = OpenHCSError("service_unavailable", "The service is silent.", status=503)
    found = gather(functions=silent, health=silent)
    assert found.quality is None
    assert len(found.troubles) == 4
    assert all("Nobody answers." in trouble or "The service is silent." in trouble for trouble in found.troubles)


def test_nothing_is_drawn_of_a_run_that_has_nothing_done(omero: dict[str, Any]) -> None:
    omero["draw_image"] = AssertionError
    waiting = execution(state=lambda number: WellState.WAITING, status="queued")
    assert list(gather(found=waiting).pictures) == []


def test_whoever_may_not_see_the_execution_is_refused(omero: dict[str, Any]) -> None:
    with pytest.raises(OpenHCSError, match="no such execution"):
        gather(execution=OpenHCSError("execution_not_found", "There is no such execution.", status=404))


def test_methods_of_a_run_that_has_ended(omero: dict[str, Any]) -> None:
    assert gather().methods == "Nuclei were found."
    found = gather(methods=REMOVED)
    assert (found.methods, list(found.troubles)) == (
        "",
        ["The methods are missing: The results were removed because they were old."],
    )
    assert gather(found=execution(rows=1, columns=1, status="running")).methods == ""
