# SPDX-License-Identifier: AGPL-3.0-or-later
"""A large read must not make everybody wait: no service holds the database while it moves or draws pixels."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import omero.romio
import pytest
from omero.rtypes import rint

from omero_sandbox.demo.plate_writer import Channel, FieldContent, PlateContent, WellContent, write_plate
from omero_sandbox.ice.server import SandboxServer
from omero_sandbox.pixels.buffers import PixelBuffer
from omero_sandbox.services.raw_files import RawFileStoreService
from omero_sandbox.services.raw_pixels import RawPixelsStoreService
from omero_sandbox.services.rendering import RenderingEngineService
from omero_sandbox.services.tables import TableService
from omero_sandbox.services.thumbnails import ThumbnailStoreService

pytestmark = pytest.mark.stack

PLANE = omero.romio.PlaneDef(omero.romio.XY, 0, 0, 0, 0, None, 0)
CALLS = {
    "getPlane": (RawPixelsStoreService, "setPixelsId", (False,), ("getPlane", 0, 0, 0)),
    "setPlane": (RawPixelsStoreService, "setPixelsId", (False,), ("setPlane", bytes(64), 0, 0, 0)),
    "renderCompressed": (RenderingEngineService, "lookupPixels", (), ("renderCompressed", PLANE)),
    "getThumbnail": (ThumbnailStoreService, "setPixelsId", (), ("getThumbnail", rint(8), rint(8))),
    "getThumbnailSet": (ThumbnailStoreService, "setPixelsId", (), ("getThumbnailSet", rint(8), rint(8), [1])),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SandboxServer]:
    server = SandboxServer(tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize("name", CALLS)
def test_the_database_is_free_while_pixels_move(server: SandboxServer, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = server.sessions.open(0)
    caller = server.accounts.caller(session, session.group_id)
    image = np.zeros((1, 8, 8), np.uint8)
    content = PlateContent("p", "", 1, 1, [Channel("c", (0, 0, 0))], 1.0, [WellContent(0, 0, [FieldContent(image)])])
    write_plate(server.database, content, caller)
    pixels_id = server.database.value("SELECT max(id) FROM e_Pixels")
    service_class, choose, more, (operation, *arguments) = CALLS[name]
    service: Any = service_class(server, session)
    getattr(service, choose)(pixels_id, *more, caller)
    arguments = [[pixels_id] if argument == [1] else argument for argument in arguments]
    method = getattr(service, operation)
    assert getattr(method, "own_transactions", False), "the gate would open a transaction around this call"

    inside, go_on = threading.Event(), threading.Event()
    moved = "write_plane" if operation == "setPlane" else "plane"
    original = getattr(PixelBuffer, moved)

    def held_up(*args: Any) -> Any:
        inside.set()
        assert go_on.wait(30)
        return original(*args)

    monkeypatch.setattr(PixelBuffer, moved, held_up)
    failures: list[BaseException] = []

    def call() -> None:
        try:
            method(*arguments, caller)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        assert inside.wait(30), failures
        assert server.database.lock.acquire(timeout=10), f"{operation} holds the database while pixels move"
        server.database.lock.release()
    finally:
        go_on.set()
        thread.join()
    assert not failures


@pytest.mark.parametrize(
    ("service", "operations"),
    [
        (
            RawPixelsStoreService,
            "getTile getHypercube getStack getTimepoint getRow getCol getRegion setTile setStack close save",
        ),
        (RenderingEngineService, "render renderAsPackedInt renderProjectedCompressed load resetDefaultSettings"),
        (ThumbnailStoreService, "getThumbnailByLongestSideSet getThumbnailByLongestSide createThumbnails resetDefaults"),
        (RawFileStoreService, "read write truncate save close"),
        (TableService, "addData read slice readCoordinates getWhereList update close"),
    ],
)
def test_no_call_that_moves_data_runs_inside_the_gates_transaction(service: type, operations: str) -> None:
    for operation in operations.split():
        assert getattr(getattr(service, operation), "own_transactions", False), operation
