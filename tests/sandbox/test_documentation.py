# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page on the embedded OMERO names the calls that are not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omero_sandbox.commands.handles import HandleService
from omero_sandbox.commands.registry import COMMANDS
from omero_sandbox.ice.operations import operations_of
from omero_sandbox.services.service_factory import STATEFUL, STATELESS, interface_named

PAGE = Path(__file__).resolve().parents[2] / "docs" / "developers" / "embedded-omero.md"
SERVICES = dict((*STATELESS.values(), *STATEFUL.values()))


def documented() -> dict[str, str]:
    rows = re.findall(r"^\| ([\w., ]+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {service.strip(): text for services, text in rows for service in services.split(",")}


def missing(name: str) -> set[str]:
    operations = operations_of(interface_named(name))
    return {each for each in operations if not callable(getattr(SERVICES[name], each, None))}


@pytest.mark.parametrize(
    "name", ["IAdmin", "IContainer", "IPixels", "ISession", "ITimeline", "ITypes", "IRepositoryInfo", "SharedResources"]
)
def test_every_missing_operation_is_named(name: str) -> None:
    text = documented()[name].replace("(s)", "")
    assert {each for each in missing(name) if each.removesuffix("s") not in text and each not in text} == set()


@pytest.mark.parametrize("name", ["IQuery", "IUpdate", "IConfig", "IMetadata", "RawFileStore", "ThumbnailStore"])
def test_services_that_are_not_in_the_table_are_complete(name: str) -> None:
    assert missing(name) == set() or name in documented()


def test_every_command_is_named() -> None:
    assert HandleService is not None  # importing it registers the commands
    assert {name for name in COMMANDS if name not in documented()["omero.cmd"]} == set()
