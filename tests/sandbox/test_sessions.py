# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sessions with unmodified clients: signing in, joining, leaving, timing out, and other people's sessions."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import Glacier2
import Ice
import omero
import omero.model
import omero.sys
import pytest
from omero.gateway import BlitzGateway
from omero.rtypes import rlong, rstring

from omero_sandbox.testing import RunningSandbox, start_sandbox

from .people import People

pytestmark = pytest.mark.stack


def join(people: People, key: str) -> BlitzGateway | None:
    """Join a session by its key, as the plugin's service does; None when that is refused."""
    conn = BlitzGateway(host=people.sandbox.host, port=people.sandbox.port, secure=True)
    return conn if conn.connect(sUuid=key) else None


def sign_in(people: People, role: str) -> BlitzGateway:
    return people.sandbox.connect(people.name(role), people.password(role))


def session_row(key: str) -> omero.model.SessionI:
    session = omero.model.SessionI()
    session.uuid = rstring(key)
    return session


@pytest.mark.parametrize("password", ["wrong", "", " "])
def test_a_wrong_password_is_refused(people: People, password: str) -> None:
    client = omero.client(host=people.sandbox.host, port=people.sandbox.port)
    try:
        with pytest.raises((Glacier2.PermissionDeniedException, omero.ClientError)):
            client.createSession(people.name("owner"), password)
    finally:
        client.closeSession()


@pytest.mark.parametrize("name", ["nobody", "guest", "' OR 1=1 --", "root\0"])
def test_an_unknown_user_is_refused_with_the_same_words(people: People, name: str) -> None:
    client = omero.client(host=people.sandbox.host, port=people.sandbox.port)
    try:
        with pytest.raises(Glacier2.PermissionDeniedException) as refusal:
            client.createSession(name, "x")
        assert "Password check failed" in refusal.value.reason
    finally:
        client.closeSession()


def test_a_session_is_joined_by_key_from_another_process(people: People) -> None:
    conn = sign_in(people, "owner")
    try:
        program = (
            "import sys; from omero.gateway import BlitzGateway\n"
            "conn = BlitzGateway(host='127.0.0.1', port=int(sys.argv[1]), secure=True)\n"
            "assert conn.connect(sUuid=sys.stdin.read())\n"
            "print(conn.getUser().getName()); conn.close(hard=False)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(people.sandbox.port)],
            input=conn.c.getSessionId(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.strip() == people.name("owner"), done.stderr
        assert conn.getUser().getName() == people.name("owner")  # the other's soft close left it alone
    finally:
        conn.close()


def test_a_second_session_outlives_the_first(people: People) -> None:
    """What the plugin does at submit: a session for the run, in the plate's group, that logging out does not end."""
    conn = sign_in(people, "owner")
    group = people.groups["read-only"]
    key = conn.getSessionService().createUserSession(0, 600_000, str(group)).uuid.val
    by_name = conn.getSessionService().createUserSession(0, 0, f"read-only-{people.tag}").uuid.val
    conn.close()
    assert join(people, by_name) is not None
    job = join(people, key)
    assert job is not None
    context = job.getAdminService().getEventContext()
    assert (context.userName, context.groupId) == (people.name("owner"), group)
    job.close(hard=False)
    again = join(people, key)
    assert again is not None
    again.close()
    assert join(people, key) is None


def test_a_second_session_only_in_a_group_one_is_in(people: People) -> None:
    conn = people.connect("owner", "private")
    for group in (str(people.outside), f"outside-{people.tag}", "system", "0", "no such group", "999999"):
        with pytest.raises(omero.SecurityViolation):
            conn.getSessionService().createUserSession(0, 60_000, group)


def test_a_hard_close_ends_the_session_for_everybody(people: People) -> None:
    first = sign_in(people, "owner")
    key = first.c.getSessionId()
    second = join(people, key)
    assert second is not None
    first.close()
    with pytest.raises((Ice.ObjectNotExistException, Ice.ConnectionLostException)):
        second.c.sf.getAdminService()
    second.close(hard=False)
    assert join(people, key) is None


def test_a_soft_close_of_a_joined_session_leaves_it_alone(people: People) -> None:
    first = sign_in(people, "owner")
    second = join(people, first.c.getSessionId())
    assert second is not None
    second.close(hard=False)
    assert first.getUser().getName() == people.name("owner")
    first.close()


def test_a_plain_client_that_leaves_ends_its_session(people: People) -> None:
    """Without detachOnDestroy a session ends with its last client (omero.client, no gateway)."""
    client = omero.client(host=people.sandbox.host, port=people.sandbox.port)
    key = client.createSession(people.name("owner"), people.password("owner")).ice_getIdentity().name
    assert join_and_leave(people, key)
    client.closeSession()
    assert join(people, key) is None


def join_and_leave(people: People, key: str) -> bool:
    conn = join(people, key)
    if conn is not None:
        conn.close(hard=False)
    return conn is not None


def test_closing_services_and_connection_raises_nothing(people: People, caplog: pytest.LogCaptureFixture) -> None:
    conn = sign_in(people, "owner")
    for name in (
        "createRenderingEngine",
        "createThumbnailStore",
        "createRawPixelsStore",
        "createRawFileStore",
        "createSearchService",
    ):
        assert getattr(conn, name)() is not None
    conn.close()
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def test_keep_alive_tells_which_services_are_gone(people: People) -> None:
    conn = sign_in(people, "owner")
    try:
        query, store = conn.c.sf.getQueryService(), conn.c.sf.createRawFileStore()
        assert conn.c.sf.keepAlive(query) and conn.c.sf.keepAlive(None)
        assert conn.c.sf.keepAllAlive([query, store]) == 0
        store.close()
        assert conn.c.sf.keepAllAlive([query, store]) == 2
        assert conn.keepAlive()
    finally:
        conn.close()


def test_an_idle_session_ends_and_a_used_one_does_not(tmp_path: Path) -> None:
    sandbox = start_sandbox(tmp_path / "data", options=["--idle-timeout", "1.5"])
    try:
        idle, used = sandbox.connect(), sandbox.connect()
        deadline = time.monotonic() + 30
        gone = False
        while not gone and time.monotonic() < deadline:
            assert used.keepAlive()
            open_now = {each.uuid.val for each in used.getSessionService().getMyOpenSessions()}
            gone = idle.c.getSessionId() not in open_now
            threading.Event().wait(0.2)
        assert gone
        with pytest.raises(Ice.ObjectNotExistException):
            idle.c.sf.getQueryService()
        idle.close(hard=False)
        used.close()
    finally:
        sandbox.stop()


def test_a_user_cannot_ask_for_an_endless_session(people: People) -> None:
    service = people.connect("owner", "private").getSessionService()
    session = service.createUserSession(0, 10**12, "")
    assert session.timeToIdle.val == 6_000_000
    request = omero.cmd.UpdateSessionTimeoutRequest(session.uuid.val, None, rlong(0))
    handle = people.connect("owner", "private").c.sf.submit(request)
    assert isinstance(handle.getResponse(), omero.cmd.ERR)
    service.closeSession(session)


# Other people's sessions ------------------------------------------------------------------------------------------------


def test_another_users_session_cannot_be_closed_even_with_its_key(people: People) -> None:
    victim = sign_in(people, "owner")
    service = people.connect("member", "private").getSessionService()
    with pytest.raises(omero.SecurityViolation):
        service.closeSession(session_row(victim.c.getSessionId()))
    assert victim.getUser().getName() == people.name("owner")
    victim.close()


@pytest.mark.parametrize(
    "operation", ["getSession", "getReferenceCount", "getInputKeys", "getOutputKeys", "getInputs", "getOutputs"]
)
def test_another_users_session_cannot_be_read_even_with_its_key(people: People, operation: str) -> None:
    key = people.connect("owner", "private").c.getSessionId()
    with pytest.raises(omero.RemovedSessionException):
        getattr(people.connect("member", "private").getSessionService(), operation)(key)


def test_values_of_another_users_session_are_out_of_reach(people: People) -> None:
    key = people.connect("owner", "private").c.getSessionId()
    own = people.connect("owner", "private").getSessionService()
    own.setInput(key, "note", rstring("mine"))
    others = people.connect("member", "private").getSessionService()
    for attempt in (
        lambda: others.getInput(key, "note"),
        lambda: others.getOutput(key, "note"),
        lambda: others.setInput(key, "note", rstring("changed")),
        lambda: others.setOutput(key, "note", rstring("changed")),
    ):
        with pytest.raises(omero.RemovedSessionException):
            attempt()
    assert own.getInput(key, "note").val == "mine"


def test_nobody_but_an_administrator_signs_in_as_another(people: People) -> None:
    principal = omero.sys.Principal(people.name("owner"), "", "User", None)
    for role in ("member", "leader", "outsider"):
        service = people.connect(role, "private").getSessionService()
        for attempt in (
            lambda service=service: service.createSessionWithTimeouts(principal, 0, 60_000),
            lambda service=service: service.createSessionWithTimeout(principal, 60_000),
        ):
            with pytest.raises(omero.SecurityViolation):
                attempt()
        with pytest.raises(omero.ServerError):
            service.createSession(principal, people.password("owner"))
        assert people.connect(role, "private").suConn(people.name("owner")) is None


def test_an_administrator_signs_in_as_another(people: People) -> None:
    with people.sandbox.connection() as root:
        conn = root.suConn(people.name("owner"))
        assert conn.getUser().getName() == people.name("owner")
        assert not conn.isAdmin()
        conn.close()


def test_the_identity_of_a_service_is_worth_nothing(people: People) -> None:
    """An attacker who has seen the identity of another session's service, or its ServiceFactory, cannot call it."""
    victim = people.connect("owner", "private")
    file_store = victim.c.sf.createRawFileStore()
    attacker = people.connect("member", "private").c
    for proxy, cast in (
        (victim.c.sf, omero.api.ServiceFactoryPrx),
        (victim.c.sf.getQueryService(), omero.api.IQueryPrx),
        (file_store, omero.api.RawFileStorePrx),
    ):
        identity = attacker.getCommunicator().identityToString(proxy.ice_getIdentity())
        stolen = cast.uncheckedCast(
            attacker.getCommunicator().stringToProxy(identity).ice_router(attacker.getRouter(attacker.getCommunicator()))
        )
        calls = {
            omero.api.ServiceFactoryPrx: lambda p: p.getAdminService(),
            omero.api.IQueryPrx: lambda p: p.findAll("Image", None),
            omero.api.RawFileStorePrx: lambda p: p.close(),
        }
        with pytest.raises(Ice.ObjectNotExistException):
            calls[cast](stolen)
    assert victim.getUser().getName() == people.name("owner")
    file_store.close()


def test_the_context_of_a_call_does_not_say_who_calls(people: People) -> None:
    """Naming another's session and client in the context of a call changes nothing."""
    victim = people.connect("owner", "private")
    attacker = people.connect("member", "private")
    forged = {
        "omero.session.uuid": victim.c.getSessionId(),
        "omero.client.uuid": victim.c.getImplicitContext().get("omero.client.uuid"),
        "omero.user": "root",
        "omero.group": str(people.groups["private"]),
    }
    assert attacker.c.sf.getAdminService().getEventContext(forged).userName == people.name("member")
    router = attacker.c.getRouter(attacker.c.getCommunicator())
    client = omero.client(host=people.sandbox.host, port=people.sandbox.port)
    client.createSession(people.name("member"), people.password("member"))
    client.getRouter(client.getCommunicator()).destroySession(forged)
    client.closeSession()
    assert router is not None
    assert victim.getUser().getName() == people.name("owner")


def test_a_client_without_a_session_reaches_nothing(people: People) -> None:
    victim = people.connect("owner", "private")
    name = victim.c.getCommunicator().identityToString(victim.c.sf.getQueryService().ice_getIdentity())
    communicator = Ice.initialize()
    try:
        properties = Ice.createProperties()
        for key, value in {"Ice.Plugin.IceSSL": "IceSSL:createIceSSL", "IceSSL.VerifyPeer": "0"}.items():
            properties.setProperty(key, value)
        data = Ice.InitializationData()
        data.properties = properties
        communicator.destroy()
        communicator = Ice.initialize(data)
        endpoint = f"ssl -h {people.sandbox.host} -p {people.sandbox.port}"
        query = omero.api.IQueryPrx.uncheckedCast(communicator.stringToProxy(f"{name}:{endpoint}"))
        with pytest.raises(Ice.ObjectNotExistException):
            query.findAll("Experimenter", None)
    finally:
        communicator.destroy()


def test_a_session_ends_with_the_membership_it_worked_in(people: People) -> None:
    """Rights are looked up at each call: taking a user out of a group works at once, also in open sessions."""
    sandbox = people.sandbox
    group = sandbox.create_group(f"passing-{people.tag}", "rwra--")
    sandbox.create_user(f"passing-{people.tag}", "x", [group])
    conn = sandbox.connect(f"passing-{people.tag}", "x")
    assert conn.getAdminService().getEventContext().groupId == group
    with sandbox.connection() as root:
        user = root.getAdminService().lookupExperimenter(f"passing-{people.tag}")
        root.getAdminService().removeGroups(user, [omero.model.ExperimenterGroupI(group, False)])
    with pytest.raises(omero.SecurityViolation):
        conn.getAdminService().getEventContext()
    conn.close()


# The whole server -------------------------------------------------------------------------------------------------------


def test_data_survive_a_crash_and_sessions_do_not(tmp_path: Path) -> None:
    sandbox = start_sandbox(tmp_path / "data", root_password="a secret")
    try:
        conn = sandbox.connect()
        dataset = omero.model.DatasetI()
        dataset.name = rstring("kept")
        key, kept = conn.c.getSessionId(), conn.getUpdateService().saveAndReturnObject(dataset).id.val
        sandbox.kill()
        sandbox.restart()
        again = BlitzGateway(host=sandbox.host, port=sandbox.port, secure=True)
        assert not again.connect(sUuid=key)
        with sandbox.connection() as after:
            assert after.getObject("Dataset", kept).getName() == "kept"
    finally:
        sandbox.stop()


def test_a_start_takes_less_than_three_seconds(tmp_path: Path) -> None:
    """In processor time, and on a busy machine no more than twice what importing omero-py alone takes there."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    start_sandbox(tmp_path / "data").stop()
    start = used() - before
    subprocess.run([sys.executable, "-c", "import omero.all"], check=True)
    library = used() - before - start
    assert start < max(3.0, 2 * library)


def test_what_is_not_implemented_says_so_and_is_counted(tmp_path: Path) -> None:
    sandbox: RunningSandbox = start_sandbox(tmp_path / "data")
    with sandbox.connection() as conn:
        for _ in range(2):
            with pytest.raises(omero.ApiUsageException, match=r"does not implement IScript\.runScript"):
                conn.c.sf.getScriptService().runScript(1, {}, None)
        response = conn.c.sf.submit(omero.cmd.FindPyramids()).getResponse()
        assert "does not implement omero.cmd.FindPyramids" in response.parameters["message"]
    sandbox.stop()
    assert "not implemented: IScript.runScript, called 2 times" in sandbox.log
    assert "not implemented: omero.cmd.FindPyramids, called 1 times" in sandbox.log


def test_only_loopback(tmp_path: Path) -> None:
    from omero_sandbox.ice.server import SandboxServer

    with pytest.raises(ValueError, match="loopback"):
        SandboxServer(tmp_path, host="0.0.0.0")
