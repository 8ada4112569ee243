# SPDX-License-Identifier: AGPL-3.0-or-later
"""Command line ``omero-sandbox``: serve an embedded OMERO, load a plate into it, or empty its data folder."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from omero_sandbox.loading.command import load_plate
from omero_sandbox.store.occupation import FolderInUseError, occupy, release

__all__ = ["app", "main"]

app = typer.Typer(
    help="An embedded OMERO for laptops and tests. Loopback only; no replacement for OMERO.server.",
    no_args_is_help=True,
    add_completion=False,
)
log = logging.getLogger("omero_sandbox")

_MARKER = "omero.sqlite"  # what tells a sandbox's data folder from any other
_CONTENTS = (
    "omero.sqlite",
    "omero.sqlite-wal",
    "omero.sqlite-shm",
    "Pixels",
    "ManagedRepository",
    "pixels",
    "files",
    "certificate.pem",
    "thumbnails",
    "in-use.lock",
    "demo-users.json",
)

DataFolder = Annotated[
    Path, typer.Option("--data", help="Folder that holds the data; made when it is missing.", file_okay=False)
]


@app.command()
def serve(
    data: DataFolder,
    port: Annotated[int, typer.Option(help="Port for TLS on 127.0.0.1; 0 takes a free one.")] = 4064,
    demo: Annotated[bool, typer.Option("--demo", help="Put the demo plates and users into a fresh data folder.")] = False,
    idle_timeout: Annotated[float, typer.Option(help="Seconds without a call after which a session ends.", min=0.1)] = 600.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each refused call.")] = False,
) -> None:
    """Serve until Ctrl-C or SIGTERM. Prints one line READY … when it answers.

    The administrator is root; a fresh data folder takes the password from OMERO_SANDBOX_ROOT_PASSWORD (default: omero).
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    # Imported here: the model takes most of a second, which `--help` and `reset` need not wait for.
    import Ice

    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import SessionLimits

    try:
        server = SandboxServer(
            data,
            ssl_port=port,
            root_password=os.environ.get("OMERO_SANDBOX_ROOT_PASSWORD") or "omero",
            limits=SessionLimits(time_to_idle=int(idle_timeout * 1000)),
        )
    except Ice.SocketException as error:
        typer.echo(f"The sandbox cannot listen on 127.0.0.1 port {port}: {os.strerror(error.error)}.", err=True)
        raise typer.Exit(1) from None
    except FolderInUseError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    server.start()
    if demo:
        from omero_sandbox.demo.install import install_demo

        install_demo(server)
    print(f"READY host={server.host} port={server.ssl_port} user=root", flush=True)
    while not stopping.wait(1.0):
        pass
    missing = server.gate.unimplemented
    server.stop()
    for name, count in sorted(missing.items()):
        print(f"not implemented: {name}, called {count} times", file=sys.stderr)


@app.command()
def reset(
    data: DataFolder,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Empty the data folder of a sandbox that is not running: all images, users and settings in it are lost."""
    if not (data / _MARKER).is_file():
        typer.echo(f"{data} is not the data folder of a sandbox; nothing was changed.", err=True)
        raise typer.Exit(1)
    if not yes:
        typer.confirm(f"Delete everything in the sandbox {data}?", abort=True)
    try:
        occupation = occupy(data)
    except FolderInUseError as error:
        typer.echo(f"{error} Stop it first; nothing was changed.", err=True)
        raise typer.Exit(1) from None
    for name in _CONTENTS:
        path = data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    release(occupation)
    typer.echo(f"{data} is empty.")


app.command("load-plate")(load_plate)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
