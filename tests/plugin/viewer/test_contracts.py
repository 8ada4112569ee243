# SPDX-License-Identifier: AGPL-3.0-or-later
"""The TypeScript side of the API's models names the same fields as the Python side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import openhcs_client
from openhcs_client import CheckState, ExecutionStatusName, FailureClass, WaitingCode, WellState

SOURCE = (Path(__file__).parents[3] / "frontend" / "src" / "shared" / "contracts.ts").read_text(encoding="utf-8")
INTERFACES = {
    name: set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))
    for name, body in re.findall(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", SOURCE, re.MULTILINE | re.DOTALL)
}


def union(name: str) -> set[str]:
    """The strings of a union type."""
    match = re.search(rf"export type {name} =(.*?);", SOURCE, re.DOTALL)
    assert match is not None
    return set(re.findall(r"'(\w+)'", match[1]))


@pytest.mark.parametrize("name", sorted(INTERFACES))
def test_every_interface_has_the_fields_of_its_model(name: str) -> None:
    model: type[BaseModel] = getattr(openhcs_client, name)
    assert INTERFACES[name] == set(model.model_fields)


def test_the_interfaces_were_found() -> None:
    assert {"ExecutionStatus", "EventPage", "WellExecution", "ErrorBody"} <= set(INTERFACES)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ExecutionStatusName", ExecutionStatusName),
        ("WellState", WellState),
        ("FailureClass", FailureClass),
        ("CheckState", CheckState),
        ("WaitingCode", WaitingCode),
    ],
)
def test_the_unions_have_the_values_of_the_enumerations(name: str, values: type) -> None:
    assert union(name) == {member.value for member in values}  # type: ignore[attr-defined]
