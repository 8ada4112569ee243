# SPDX-License-Identifier: AGPL-3.0-or-later
"""The functions that OMERO.parade calls, called as it calls them, against the whole stack; without OMERO.parade itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from omero_openhcs import settings

from .conftest import WebUser, World, wait_until_final

pytestmark = pytest.mark.stack


def module(name: str) -> Any:
    """As OMERO.parade imports the parts of a module in ``omero.web.parade.filters``."""
    return importlib.import_module(f"omero_openhcs.parade.{name}")


def request(**parameters: object) -> Any:
    return SimpleNamespace(GET={name: str(value) for name, value in parameters.items()})


@pytest.fixture
def service_of_the_stack(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process asks the stack's service, as a worker of OMERO.web does."""
    monkeypatch.setattr(settings, "SERVICE_URL", f"http://127.0.0.1:{world.stack.service_port}")
    monkeypatch.setattr(settings, "SERVICE_SECRET_FILE", str(world.stack.secret_file))


@pytest.fixture
def connected(world: World, service_of_the_stack: None) -> Iterator[Callable[[WebUser], Any]]:
    opened = []

    def connect(person: WebUser) -> Any:
        opened.append(world.omero(person))
        opened[-1].SERVICE_OPTS.setOmeroGroup(-1)  # what OMERO.web gives to views
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def test_measurements_of_a_plate_are_numbers_by_image(
    ada: WebUser, stranger: WebUser, lab: int, make_plate: Callable[..., int], connected: Callable[[WebUser], Any]
) -> None:
    plate = make_plate(ada, lab, name="For parade")
    created = ada.post("/openhcs/api/v1/executions/", {"plate_id": plate, "pipeline_id": "nuclei-count"})
    assert wait_until_final(ada, created.json()["execution_id"]).status == "completed"
    providers, conn = module("data_providers"), connected(ada)

    names = providers.get_dataproviders(request(plate=plate, field=0), conn)
    (count,) = [name for name in names if name.startswith("OpenHCS nuclei_count (Count nuclei v1, ")]
    images = {child.getImage().getId() for child in conn.getObject("Plate", plate).listChildren()}
    assert providers.get_data(request(plate=plate, field=0), count, conn) == dict.fromkeys(images, 3.0)

    # No second field, no such name, no plate, a dataset: nothing, and no error.
    assert providers.get_dataproviders(request(plate=plate, field=1), conn) == []
    assert providers.get_data(request(plate=plate, field=0), "OpenHCS other", conn) == {}
    for wrong in (
        request(dataset=1),
        request(plate="1; drop", field=0),
        request(plate=plate, field="x"),
        request(plate=987654),
    ):
        assert providers.get_dataproviders(wrong, conn) == []

    # Who may not read the plate is offered nothing of it.
    other = connected(stranger)
    assert providers.get_dataproviders(request(plate=plate, field=0), other) == []
    assert providers.get_data(request(plate=plate, field=0), count, other) == {}


def test_without_the_service_the_other_providers_go_on(
    ada: WebUser,
    plate: int,
    connected: Callable[[WebUser], Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(settings, "SERVICE_URL", "http://127.0.0.1:9")
    assert module("data_providers").get_dataproviders(request(plate=plate, field=0), connected(ada)) == []
    assert "OMERO.parade" in caplog.text


def test_there_are_no_filters() -> None:
    filters = module("omero_filters")
    assert filters.get_filters(request(plate=1), None) == []
    assert filters.get_script(request(plate=1), "x", None).status_code == 404
