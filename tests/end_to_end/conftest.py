# SPDX-License-Identifier: AGPL-3.0-or-later
"""People and plates of the end-to-end tests: accounts of the demo data, signed in through OMERO.web."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from omero.gateway import BlitzGateway
from playwright.sync_api import Page
from signing_in import sign_in
from stack import Stack

from openhcs_client import RemoteOrchestrator

ROW_PLATE = "Transfluor row O"


@contextmanager
def omero_connection(stack: Stack, user: str) -> Iterator[BlitzGateway]:
    """A plain omero-py connection, as any OMERO script would make it."""
    account = stack.users()[user]
    connection = BlitzGateway(account.name, account.password, host="127.0.0.1", port=stack.omero_port, secure=True)
    assert connection.connect(), connection.getLastError()
    try:
        yield connection
    finally:
        connection.close()


def first_user(stack: Stack) -> str:
    """Login name of the user who owns the example plates."""
    return next(iter(stack.users()))


def web_client(stack: Stack, user: str) -> RemoteOrchestrator:
    """The client, signed in to OMERO.web by user name and password."""
    account = stack.users()[user]
    return RemoteOrchestrator.sign_in_to_web(stack.web_url, account.name, account.password)


def sign_in_first_user(page: Page, stack: Stack, site: str | None = None, then: str = "/openhcs/") -> None:
    """Sign in the owner of the example plates, at ``site`` or the OMERO.web of the stack, and go to the page ``then``."""
    account = stack.users()[first_user(stack)]
    sign_in(page, site or stack.web_url, account.name, account.password, then)


def plate_named(connection: BlitzGateway, name: str) -> int:
    """Id of the newest plate called ``name``, in any group of the user."""
    connection.SERVICE_OPTS.setOmeroGroup("-1")
    found = [plate.getId() for plate in connection.getObjects("Plate", attributes={"name": name})]
    assert found, f"no plate is called {name}"
    return max(found)


@pytest.fixture(scope="session")
def row_plate(stack: Stack, screening_row: Path) -> int:
    """The real row as a plate of the first demo user, loaded by the command that users type."""
    account = stack.users()[first_user(stack)]
    command = [sys.executable, "-m", "omero_sandbox.cli", "load-plate", str(screening_row)]
    command += ["--port", str(stack.omero_port), "--user", account.name, "--data", str(stack.folder / "omero")]
    command += ["--pattern", "AS_*_{well}f{field}d{channel}.TIF", "--plate-name", ROW_PLATE, "--channel-names", "GFP"]
    command += ["--rows", "16", "--columns", "24"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    with omero_connection(stack, account.name) as connection:
        return plate_named(connection, ROW_PLATE)
