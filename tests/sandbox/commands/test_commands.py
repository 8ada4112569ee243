# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands with unmodified clients: handles, callbacks, all or nothing, and what lies on disk afterwards."""

from __future__ import annotations

import numpy as np
import omero.cmd
import omero.model
import pytest
from omero.callbacks import CmdCallbackI
from omero.gateway import BlitzGateway
from omero.rtypes import rstring

from tests.sandbox.people import People

pytestmark = pytest.mark.stack


def dataset(conn: BlitzGateway, name: str = "d") -> int:
    new = omero.model.DatasetI()
    new.name = rstring(name)
    return conn.getUpdateService().saveAndReturnObject(new, conn.SERVICE_OPTS).id.val


def run(conn: BlitzGateway, request: omero.cmd.Request) -> omero.cmd.Response:
    handle = conn.c.sf.submit(request, conn.SERVICE_OPTS)
    try:
        return handle.getResponse()
    finally:
        handle.close()


def exists(conn: BlitzGateway, key: int) -> bool:
    return conn.getObject("Dataset", key) is not None


def test_a_callback_tells_when_a_command_has_finished(people: People) -> None:
    conn = people.connect("owner", "read-write")
    key = dataset(conn)
    handle = conn.c.sf.submit(omero.cmd.Delete2(targetObjects={"Dataset": [key]}), conn.SERVICE_OPTS)
    callback = CmdCallbackI(conn.c, handle)
    try:
        assert callback.loop(50, 100) is not None
        assert callback.getResponse().deletedObjects == {"ome.model.containers.Dataset": [key]}
        assert omero.cmd.State.FAILURE not in callback.getStatus().flags
    finally:
        callback.close(True)


def test_a_failed_command_says_why_and_has_failed(people: People) -> None:
    conn = people.connect("owner", "read-write")
    handle = conn.c.sf.submit(omero.cmd.Delete2(targetObjects={"Dataset": [10**9]}), conn.SERVICE_OPTS)
    assert omero.cmd.State.FAILURE in handle.getStatus().flags
    assert str(10**9) in handle.getResponse().parameters["message"]
    handle.close()


def test_do_all_is_all_or_nothing(people: People) -> None:
    conn = people.connect("owner", "read-write")
    key = dataset(conn)
    requests = [omero.cmd.Delete2(targetObjects={"Dataset": [key]}), omero.cmd.Delete2(targetObjects={"Dataset": [10**9]})]
    assert isinstance(run(conn, omero.cmd.DoAll(requests=requests)), omero.cmd.ERR)
    assert exists(conn, key)
    answer = run(conn, omero.cmd.DoAll(requests=requests[:1]))
    assert len(answer.responses) == 1
    assert not exists(conn, key)


def test_a_dry_run_changes_nothing(people: People) -> None:
    conn = people.connect("owner", "read-write")
    key = dataset(conn)
    answer = run(conn, omero.cmd.Delete2(targetObjects={"Dataset": [key]}, dryRun=True))
    assert answer.deletedObjects == {"ome.model.containers.Dataset": [key]}
    assert exists(conn, key)


def test_pixels_leave_the_disk_with_their_image(people: People) -> None:
    conn = people.connect("owner", "read-write")
    image = conn.createImageFromNumpySeq(iter([np.ones((8, 8), np.uint8)]), "short-lived")
    key = image.getPrimaryPixels().getId()
    stored = [path for path in (people.sandbox.folder / "Pixels").rglob(str(key)) if path.is_file()]
    assert len(stored) == 1
    conn.deleteObjects("Image", [image.getId()], wait=True)
    assert not stored[0].exists()


def test_moving_to_another_group(people: People) -> None:
    conn = people.connect("owner", "read-write")
    key = dataset(conn)
    answer = run(conn, omero.cmd.Chgrp2(targetObjects={"/Dataset": [key]}, groupId=people.groups["private"]))
    assert answer.includedObjects == {"ome.model.containers.Dataset": [key]}
    assert not exists(conn, key)
    assert exists(people.connect("owner", "private"), key)


def test_the_timeout_of_ones_session_can_be_changed(people: People) -> None:
    conn = people.connect("owner", "read-write")
    session = conn.getSessionService().createUserSession(0, 60_000, "")
    request = omero.cmd.UpdateSessionTimeoutRequest(session.uuid.val, None, omero.rtypes.rlong(120_000))
    assert isinstance(run(conn, request), omero.cmd.OK)
    assert conn.getSessionService().getSession(session.uuid.val).timeToIdle.val == 120_000
    conn.getSessionService().closeSession(session)
