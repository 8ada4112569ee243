# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report's text: what it says, that it says it as text, that it needs nothing else, and that it stays small."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import time
from html.parser import HTMLParser

import pytest

from omero_openhcs.report.content import measured_names
from omero_openhcs.report.document import content_policy, file_name
from omero_openhcs.report.examples import Example
from omero_openhcs.report.pictures import LARGEST_PICTURE, Picture
from openhcs_client import FunctionInfo, ImageFlag, PipelineDocument, WellFailure, WellRole, WellState

from .made import controls, document, execution, html, quality, report

EVIL = '<script>alert("1")</script>&\'"><img src=x onerror=alert(2)>'


class Elements(HTMLParser):
    """Every element with its attributes, and the text of each element in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def test_it_says_who_ran_what_where_and_how_it_ended() -> None:
    text = Elements(html(execution(), screen="Screen A")).text
    for words in (
        "Count nuclei on Screen A plate 3",
        "Screen A",
        "id 51",
        "version 2",
        "ab" * 32,
        "Completed",
        "6 of 6 done, 0 failed",
        "Ada Test",
        "2026-03-01 12:00 UTC",
        "5 min 0 s",
    ):
        assert words in text


def test_parameters_are_those_of_the_run() -> None:
    made = report(execution(parameters={"size": 35}), functions={"openhcs:gaussian_blur": blur()})
    assert [(entry.title, entry.value, entry.unit, entry.changed) for step in made.steps for entry in step.parameters] == [
        ("Width", 1.5, "pixels", False),
        ("Diameter", 35, "pixels", True),
    ]
    text = Elements(html(execution(parameters={"size": 35}))).text
    assert "Diameter: 35 pixels" in text
    assert "switched off, not run" in text


def blur() -> FunctionInfo:
    return FunctionInfo.model_validate(
        {
            "id": "openhcs:gaussian_blur",
            "title": "Blur",
            "library": "openhcs",
            "parameters": [{"name": "sigma", "title": "Width", "type": "number", "unit": "pixels"}],
        }
    )


def test_quality_controls_and_flags() -> None:
    known = controls({"A01": WellRole.POSITIVE, "B01": WellRole.NEGATIVE})
    flags = [ImageFlag(well="A02", field=1, kind="saturated", message="2 % of the pixels.")] * 101
    found = quality(["count"], known, flags, z_prime=0.7183, ssmd=4.2, verdict="excellent", notes=["Few controls."])
    text = Elements(html(execution(), quality=found)).text
    for words in (
        "0.7183",
        "excellent",
        "Edge effect: higher.",
        "Few controls.",
        "Marked by Ada",
        "A02, field 1: 2 % of the pixels.",
    ):
        assert words in text
    assert text.count("2 % of the pixels.") == 100
    assert "1 more are on the results page" in text


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (None, "The plate cannot be read any more"),
        (controls({}, "none"), "No control wells are known"),
        (controls({"A01": WellRole.EMPTY}, "annotations"), "Read from the annotations"),
        (controls({"A01": WellRole.EMPTY}, "plate_owner"), "the owner of the plate"),
    ],
)
def test_where_controls_come_from(known: object, words: str) -> None:
    assert words in Elements(html(execution(), quality=quality(["count"], known))).text  # type: ignore[arg-type]


def test_failures_have_cause_sentence_and_remedy() -> None:
    found = execution(state=lambda number: WellState.FAILED if number < 2 else WellState.DONE, status="completed_with_errors")
    failure = WellFailure(
        cause="out_of_memory", message="Too large.", remedy="Take fewer channels.", traceback="Traceback: secret"
    )
    found.wells[0].failure = failure
    page = html(found)
    text = Elements(page).text
    for words in ("Completed with errors", "Out of memory", "Too large.", "Take fewer channels.", "The reason is not known."):
        assert words in text
    assert "secret" not in page


@pytest.mark.parametrize("status", ["queued", "running", "waiting_for_sign_in", "saving"])
def test_a_run_that_is_not_over_is_told_as_of_now(status: str) -> None:
    waiting = execution(state=lambda number: WellState.WAITING, status=status, ended_at=None, started_at=None)
    text = Elements(html(waiting)).text
    assert "As of 2026-03-01 12:00 UTC" in text
    assert "No well has a value of any measurement yet" in text
    assert "No well is done yet" in text


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_run_that_ended_early(status: str) -> None:
    ended = execution(state=lambda number: WellState.SKIPPED, status=status, message="The disk is full.")
    text = Elements(html(ended)).text
    assert "The disk is full." in text
    assert "As of" not in text
    assert "No well is done." in text


@pytest.mark.parametrize(
    ("value", "words", "maps"),
    [
        (lambda number: {"count": math.nan}, "No well has a value of any measurement.", 0),
        (lambda number: {}, "No well has a value of any measurement.", 0),
        (lambda number: {"count": 4.0}, "every well with a value: 4", 1),
        (lambda number: {"count": None if number else 4.0}, "no value (5)", 1),
    ],
)
def test_values_that_say_little(value, words: str, maps: int) -> None:
    page = html(execution(value=value), quality=quality([]))
    assert words in Elements(page).text
    assert page.count('aria-label="Heat map') == maps
    assert not re.search(r"\b(nan|inf)\b", Elements(page.split("</style>")[1]).text)


def test_a_pipeline_without_measurements_and_a_plate_without_wells() -> None:
    empty = execution(rows=0, columns=0, pipeline=document([]))
    assert "No well has a value" in Elements(html(empty)).text


def test_the_main_measurement_comes_first_and_at_most_six_are_drawn() -> None:
    names = [f"m{number}" for number in range(9)]
    pipeline = document(names, primary_measurement="m4")
    found = execution(value=lambda number: {**{name: float(number) for name in names}, "extra": 1.0}, pipeline=pipeline)
    assert measured_names(found, pipeline) == ["m4", "m0", "m1", "m2", "m3", "m5", "m6", "m7", "m8", "extra"]
    page = html(found)
    assert page.count('aria-label="Heat map') == 6
    assert "6 of 10 measurements are drawn" in Elements(page).text


def evil_page() -> str:
    pipeline = document(
        name=EVIL[:100],
        steps=[{"name": EVIL[:100], "function": "openhcs:gaussian_blur", "parameters": {"sigma": EVIL}}],
        parameters=[],
        measurements=[{"name": "count", "title": EVIL[:100], "level": "well", "unit": EVIL[:100]}],
    )
    found = execution(
        pipeline=pipeline,
        value=lambda number: {"count": 1.0, EVIL: float(number)},
        state=lambda number: WellState.FAILED if number == 0 else WellState.DONE,
        plate_name=EVIL,
        pipeline_name=EVIL,
        owner_name=EVIL,
        message=EVIL,
        parameters={"size": EVIL},
    )
    found.wells[0].failure = WellFailure(cause="engine_error", message=EVIL, remedy=EVIL)
    known = controls({"A01": WellRole.POSITIVE}).model_copy(update={"source": "colleague", "marked_by": EVIL})
    flags = [ImageFlag(well="A02", field=1, kind="saturated", message=EVIL)]
    return html(
        found,
        quality=quality(["count", EVIL], known, flags, notes=[EVIL]),
        pictures=[Picture(Example("A01", 1, EVIL), trouble=EVIL, objects=[(EVIL, "#ffd800")])],
        troubles=[EVIL],
        screen=EVIL,
        versions=[(EVIL, EVIL)],
    )


def test_markup_in_names_stays_text() -> None:
    page = Elements(evil_page())
    assert page.all("script", "iframe", "object", "embed", "link", "form", "base") == []
    assert page.all("img") == []
    assert page.text.count(EVIL[:28]) >= 15
    for _, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on")]


def test_it_loads_nothing() -> None:
    uri = "data:image/jpeg;base64,AAAA"
    text = html(execution(), pictures=[Picture(Example("A01", 1, "median well"), plain=uri, outlined=uri)])
    page = Elements(text)
    assert [image["src"] for image in page.all("img")] == [uri, uri]
    assert all(image["alt"] for image in page.all("img"))
    assert page.all("use", "image", "source", "video", "audio", "link", "script") == []
    assert not [attributes for _, attributes in page.found if "style" in attributes or "srcset" in attributes]
    assert not re.search(r"@import|url\((?!#)", text)
    assert {link["href"] for link in page.all("a")} == {
        "https://omero.example.org/webclient/?show=plate-51",
        "https://omero.example.org/openhcs/results/e1/",
    }


def test_its_policy_allows_its_own_style_sheet_and_pictures_only() -> None:
    text = html(execution())
    policy = next(meta["content"] for meta in Elements(text).all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy == content_policy()
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_a_large_plate_stays_small_and_is_made_in_time() -> None:
    names = [f"measurement_{number}" for number in range(50)]
    pipeline = document(names)
    values = dict.fromkeys(names, 1234.5678)
    found = execution(rows=32, columns=48, value=lambda number: {**values, names[0]: number * 1.37}, pipeline=pipeline)
    picture = "data:image/jpeg;base64,".ljust(LARGEST_PICTURE, "A")
    pictures = [Picture(Example("A01", 1, "median well"), plain=picture, outlined=picture)] * 4
    flags = [ImageFlag(well="A02", field=1, kind="saturated", message="2 % of the pixels.")] * 6000
    statistics = quality(names, controls({well.well: WellRole.NEGATIVE for well in found.wells}), flags, z_prime=0.5)
    begun = time.monotonic()
    text = html(found, quality=statistics, pictures=pictures)
    taken = time.monotonic() - begun
    assert text.count("<tr>") > 1536
    assert len(text.encode()) < 5_000_000
    assert taken < 10


@pytest.mark.parametrize(
    ("plate", "name"),
    [
        ("Screen A plate 3", "openhcs-report-Screen-A-plate-3-nuclei-count-3f2a91c0.html"),
        ('../../etc/"passwd"\r\nX: y', "openhcs-report-etc-passwd-X-y-nuclei-count-3f2a91c0.html"),
        ("Zellzählung 细胞", "openhcs-report-Zellzahlung-nuclei-count-3f2a91c0.html"),
        ("细胞", "openhcs-report-nuclei-count-3f2a91c0.html"),
        ("x" * 300, f"openhcs-report-{'x' * 60}-nuclei-count-3f2a91c0.html"),
    ],
)
def test_the_name_of_the_file_is_safe(plate: str, name: str) -> None:
    assert file_name(execution(plate_name=plate)) == name


def test_the_document_of_the_run_is_what_is_shown() -> None:
    found = execution(pipeline=document(name="Another name"))
    assert report(found).document == PipelineDocument.model_validate(found.document)


def test_methods_are_shown_as_text_and_left_out_when_there_are_none() -> None:
    page = html(execution(), methods="First.\n\n<script>second</script>")
    assert '<h2 id="methods">Methods</h2>' in page
    assert "<p>First.</p>" in page
    assert "&lt;script&gt;second" in page
    assert 'id="methods"' not in html(execution())
