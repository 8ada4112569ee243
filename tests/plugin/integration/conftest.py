# SPDX-License-Identifier: AGPL-3.0-or-later
"""Real OMERO.web sessions against the whole stack: embedded OMERO, execution service, unmodified OMERO.web."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import omero
import pytest
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring
from stack import Stack, StackOptions, free_port

from openhcs_client import ExecutionStatus, RemoteOrchestrator


@dataclass
class WebUser:
    """A person with a browser, without JavaScript: cookies, the CSRF token, and nothing cached."""

    name: str
    password: str
    user_id: int
    base: str
    client: httpx.Client = field(repr=False)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(self.base + path, headers=headers)

    def post(
        self, path: str, body: Any = None, *, csrf: bool = True, content: bytes | None = None, **headers: str
    ) -> httpx.Response:
        if csrf:
            headers["X-CSRFToken"] = self._csrf_token()
        if content is not None:
            return self.client.post(self.base + path, content=content, headers={"Content-Type": "application/json", **headers})
        return self.client.post(self.base + path, json={} if body is None else body, headers=headers)

    def delete(self, path: str, *, csrf: bool = True) -> httpx.Response:
        headers = {"X-CSRFToken": self._csrf_token()} if csrf else {}
        return self.client.delete(self.base + path, headers=headers)

    def _csrf_token(self) -> str:
        return next(cookie.value or "" for cookie in self.client.cookies.jar if cookie.name == "csrftoken")

    def api(self, path: str) -> str:
        return f"/openhcs/api/v1/{path}"


def sign_in(web_url: str, name: str, password: str, user_id: int) -> WebUser:
    """Sign in through OMERO.web's own JSON API."""
    jar = CookieJar()
    RemoteOrchestrator.sign_in_to_web(web_url, name, password, cookies=jar, timeout=30).close()
    client = httpx.Client(cookies=jar, headers={"Referer": f"{web_url}/", "X-Requested-With": "XMLHttpRequest"}, timeout=60)
    return WebUser(name, password, user_id, web_url, client)


@dataclass
class World:
    """What the tests act on: groups of each kind, people in them, and plates that somebody owns."""

    stack: Stack
    root: BlitzGateway
    groups: dict[str, int]

    def group(self, permissions: str) -> int:
        """A group with these permissions, made once."""
        if permissions not in self.groups:
            group = omero.model.ExperimenterGroupI()
            group.name = rstring(f"group-{permissions.strip('-')}-{secrets.token_hex(3)}")
            group.details.permissions = omero.model.PermissionsI(permissions)
            self.groups[permissions] = self.root.getAdminService().createGroup(group)
        return self.groups[permissions]

    def person(self, *groups: int) -> WebUser:
        """A new user, signed in to OMERO.web; the first group is their default."""
        name, password = f"user-{secrets.token_hex(4)}", secrets.token_hex(8)
        person = omero.model.ExperimenterI()
        person.omeName, person.firstName, person.lastName = rstring(name), rstring(name.title()), rstring("Test")
        proxies = [omero.model.ExperimenterGroupI(group, False) for group in groups]
        user_id = self.root.getAdminService().createExperimenterWithPassword(person, rstring(password), proxies[0], proxies[1:])
        return sign_in(self.stack.web_url, name, password, int(user_id))

    def omero(self, person: WebUser, group: int | None = None) -> BlitzGateway:
        """A plain connection of that person, in ``group``."""
        connection = BlitzGateway(person.name, person.password, host="127.0.0.1", port=self.stack.omero_port, secure=True)
        assert connection.connect(), connection.getLastError()
        connection.SERVICE_OPTS.setOmeroGroup(group if group is not None else connection.getEventContext().groupId)
        return connection


@pytest.fixture(scope="session")
def world(stack: Stack) -> Iterator[World]:
    root = BlitzGateway("root", stack.root_password, host="127.0.0.1", port=stack.omero_port, secure=True)
    assert root.connect(), root.getLastError()
    yield World(stack, root, {})
    root.close()


@pytest.fixture(scope="session")
def make_plate(world: World) -> Callable[..., int]:
    """Make a plate of tiny images as somebody: ``make_plate(person, group, wells=2)``."""

    def make(person: WebUser, group: int, *, wells: int = 2, name: str = "Tiny plate") -> int:
        connection = world.omero(person, group)
        try:
            return _make_plate(connection, wells, name)
        finally:
            connection.close()

    return make


def _make_plate(connection: BlitzGateway, wells: int, name: str) -> int:
    context = connection.SERVICE_OPTS
    update = connection.getUpdateService()
    plate = omero.model.PlateI()
    plate.setName(rstring(name))
    plate = update.saveAndReturnObject(plate, context)
    rng = np.random.default_rng(3)
    for column in range(wells):
        pixels = rng.integers(90, 130, (64, 64)).astype(np.uint16)
        for y, x in ((14, 15), (40, 44), (18, 47)):
            pixels[y - 5 : y + 6, x - 5 : x + 6] += 2500
        image = connection.createImageFromNumpySeq(iter([pixels]), f"A{column + 1:02d}", sizeZ=1, sizeC=1, sizeT=1)
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.plate = omero.model.PlateI(plate.id.val, False)
        well.row, well.column = rint(0), rint(column)
        sample.image = omero.model.ImageI(image.getId(), False)
        well.addWellSample(sample)
        update.saveObject(well, context)
    return plate.id.val


@pytest.fixture
def other_web(stack: Stack, tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Start another OMERO.web before the same OMERO and service: ``other_web(prefix=…, service_url=…, **config)``."""
    started: list[Stack] = []

    def start(*, prefix: str = "", config: dict[str, Any] | None = None) -> Stack:
        folder = tmp_path / f"web-{len(started)}"
        options = StackOptions(
            folder=folder, prefix=prefix, web_workers=1, web_config=config or {}, root_password=stack.root_password
        )
        other = Stack(options)
        (folder / "secrets").mkdir(parents=True)
        (folder / "secrets" / "service-secret").write_text(stack.secret_file.read_text())
        other.omero_port, other.service_port, other.web_port = stack.omero_port, stack.service_port, free_port()
        started.append(other)
        other.start_web()
        assert other.web is not None
        other.web.wait_for_http(f"{other.web_url}/webclient/login/")
        return other

    yield start
    for other in started:
        other.stop()


@pytest.fixture(scope="session")
def lab(world: World) -> int:
    """A read-annotate group."""
    return world.group("rwra--")


@pytest.fixture(scope="session")
def ada(world: World, lab: int) -> WebUser:
    return world.person(lab)


@pytest.fixture(scope="session")
def colleague(world: World, lab: int) -> WebUser:
    return world.person(lab)


@pytest.fixture(scope="session")
def stranger(world: World) -> WebUser:
    """Somebody in another, private group."""
    return world.person(world.group("rw----"))


@pytest.fixture(scope="session")
def plate(ada: WebUser, lab: int, make_plate: Callable[..., int]) -> int:
    return make_plate(ada, lab)


def wait_until_final(person: WebUser, execution_id: str, seconds: float = 120) -> ExecutionStatus:
    """Follow the events until the execution is over."""
    deadline, since = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        page = person.get(person.api(f"executions/{execution_id}/events/?since={since}")).json()
        since = page["next"]
        status = ExecutionStatus.model_validate(person.get(f"/openhcs/status/{execution_id}/").json())
        if status.status.is_final:
            return status
        time.sleep(0.2)
    raise AssertionError(f"{execution_id} is not over after {seconds} s: {status}")


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The body of the error envelope; fails when the answer is something else."""
    assert response.headers["content-type"] == "application/json", response.text[:300]
    assert "Traceback" not in response.text
    return response.json()["error"]
