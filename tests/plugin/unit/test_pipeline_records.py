# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the descriptions of pipeline annotations say, and that nobody's words can pass for their structure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omero_openhcs.omero_access.pipeline_records import (
    DEPRECATED_MARK,
    TEXT_KEY,
    Card,
    Description,
    owner_of,
    stored,
)
from openhcs_client import PipelineDocument, plain_text, searchable_text, words_of_search

DOCUMENT = PipelineDocument.model_validate(
    {"id": "u7-count", "name": "Count", "steps": [{"name": "Smooth", "function": "openhcs:gaussian_blur"}]}
)


def head(document: PipelineDocument = DOCUMENT, **card: Any) -> Description:
    first = Card(revision=0, version=0, name=document.name).with_version(document, document.name)
    return Description.of(document).with_card(first.model_copy(update=card), searchable_text(document, {}))


def row(description: str, owner_id: int = 7) -> list[Any]:
    return [1, owner_id, "Ada", "Lovelace", 3, "lab", {"perm": "rwra--"}, description]


@given(st.text(max_size=60).filter(str.strip), st.lists(st.text(max_size=40), max_size=3), st.text(max_size=200))
def test_no_name_looks_like_the_structure_around_it(name: str, tags: list[str], note: str) -> None:
    """The list asks OMERO for patterns in the description, so these must be found where they are meant only."""
    text = head(
        name=f"{name}{DEPRECATED_MARK}{TEXT_KEY}", tags=[*tags, DEPRECATED_MARK, TEXT_KEY], note=note + TEXT_KEY
    ).as_json()
    assert DEPRECATED_MARK not in text
    assert text.count(TEXT_KEY) == 1
    assert text.endswith('"}')
    searched = text.partition(TEXT_KEY)[2][:-2]
    assert json.loads(f'"{searched}"') == searched, "what is searched is written as it is"
    for word in words_of_search(name):
        assert word in searched


def test_a_deprecated_head_is_marked() -> None:
    assert DEPRECATED_MARK in head(deprecated=True).as_json()


def test_a_version_that_is_no_head_is_not_found_by_a_search() -> None:
    assert TEXT_KEY not in Description.of(DOCUMENT).as_json()


def test_steps_and_functions_are_found_by_their_words() -> None:
    text = searchable_text(DOCUMENT, {"openhcs:gaussian_blur": "Smooth with a Gaussian"}, ["Tag One"])
    for word in ("smooth", "gaussian blur", "with a gaussian", "tag one", "u7-count"):
        assert word in text


def test_the_searched_text_is_bounded() -> None:
    steps = [{"name": f"{'x' * 100}{number}", "function": "openhcs:f"} for number in range(100)]
    long = DOCUMENT.model_copy(
        update={"steps": PipelineDocument.model_validate({**DOCUMENT.model_dump(), "steps": steps}).steps}
    )
    assert len(searchable_text(long, {})) <= 6000


def test_plain_text_has_nothing_that_json_escapes() -> None:
    assert plain_text('GRÖSSE "x"\\|\n\t\x00.').split() == ["grösse", "x", "."]


def test_a_renamed_pipeline_is_still_found_by_its_steps() -> None:
    card = head().known_card().model_copy(update={"name": "Other", "tags": ["kinase"]})
    text = head().with_card(card).text
    assert text.startswith("other kinase | ")
    assert "smooth" in text
    assert head().with_card(card).with_card(card).text == text, "changing twice adds nothing"


def test_a_name_given_by_renaming_holds_until_a_version_brings_another() -> None:
    card = Card(version=1, name="Shown", renamed=True)
    second = card.with_version(DOCUMENT.model_copy(update={"version": 2}), name_before="Count")
    assert (second.name, second.renamed, second.revision) == ("Shown", True, 2)
    third = second.with_version(DOCUMENT.model_copy(update={"version": 3, "name": "New"}), name_before="Count")
    assert (third.name, third.renamed, third.version) == ("New", False, 3)


@pytest.mark.parametrize(
    ("permissions", "private"), [("rw----", True), ("rwr---", False), ("rwra--", False), ("rwrw--", False)]
)
def test_a_private_group_is_told(permissions: str, private: bool) -> None:
    values = row(head().as_json())
    values[6] = {"perm": permissions}
    version = stored(values)
    assert version is not None
    assert version.private is private
    assert version.summary().owner == "Ada Lovelace"


@pytest.mark.parametrize("description", ["", "{}", "no JSON", None, '{"id": "x"}', "[1]"])
def test_what_is_no_description_is_left_out(description: str) -> None:
    assert stored(row(description)) is None


def test_somebody_elses_claim_is_left_out() -> None:
    assert stored(row(head().as_json(), owner_id=8)) is None
    assert stored(row(head().as_json(), owner_id=7)) is not None


def test_a_version_from_before_there_were_cards_is_its_own_head() -> None:
    version = stored(row(Description.of(DOCUMENT).as_json()))
    assert version is not None
    assert (version.summary().name, version.summary().versions, version.summary().revision) == ("Count", [1], 0)


@pytest.mark.parametrize(
    ("pipeline_id", "owner"), [("u7-x", 7), ("nuclei-count", None), ("u-x", None), ("ux7-x", None), (f"u{'9' * 40}-x", None)]
)
def test_the_owner_is_read_from_the_id(pipeline_id: str, owner: int | None) -> None:
    assert owner_of(pipeline_id) == owner
