# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands for hosts that compute: ``worker``, ``scheduler``, and ``certificates`` for both.

Worker processes import this module again; so everything heavy is imported inside the commands.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

__all__ = ["certificates", "scheduler", "worker"]

_Ca = Annotated[Path, typer.Option("--tls-ca-file", help="Certificate of the authority.", exists=True, dir_okay=False)]
_Cert = Annotated[Path, typer.Option("--tls-cert-file", help="Certificate of this host.", exists=True, dir_okay=False)]
_Key = Annotated[Path, typer.Option("--tls-key-file", help="Its key.", exists=True, dir_okay=False)]


def worker(
    scheduler: Annotated[str, typer.Option(help="tls://host:port of the scheduler.")],
    tls_ca_file: _Ca,
    tls_cert_file: _Cert,
    tls_key_file: _Key,
    scratch: Annotated[Path, typer.Option(help="Folder on a disk of this host, for images that are being computed.")],
    slots: Annotated[int, typer.Option(min=1, max=256, help="Wells computed at the same time; one process each.")] = 1,
    label: Annotated[list[str] | None, typer.Option(help="What this host has or is: gpu, site=basel. Repeatable.")] = None,
    memory_mb: Annotated[int | None, typer.Option(min=1, help="Memory that a well may use here, in MB.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of this host in logs and on pages; its own when left out.")] = None,
    omero_host: Annotated[str | None, typer.Option(help="OMERO's address as seen from here, if it is another one.")] = None,
    omero_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its SSL port.")] = None,
    own_results: Annotated[
        bool, typer.Option("--own-results", help="Send results over the connection even if the service's folder is visible.")
    ] = False,
) -> None:
    """Compute on this host for a scheduler, until SIGTERM: then wells in work are given back."""
    from openhcs_client import OpenHCSError
    from openhcs_execution.dispatch.cluster import check_address
    from openhcs_execution.dispatch.host import LABEL, WorkerHost
    from openhcs_execution.dispatch.hosting import run_workers, tls_files

    try:
        check_address(scheduler)
    except OpenHCSError as error:
        _refuse(error.message)
    labels = tuple(label or ())
    for text in labels:
        if LABEL.fullmatch(text) is None:
            _refuse(f"{text!r} is no label; letters, digits and . _ = - will do")
    scratch = scratch.expanduser().absolute()
    host = WorkerHost(
        scratch=scratch / "wells",
        engine_home=scratch / "engine",
        labels=labels,
        memory_mb=memory_mb,
        omero_host=omero_host,
        omero_port=omero_port,
        own_results=own_results,
    )
    run_workers(scheduler, tls_files(tls_ca_file, tls_cert_file, tls_key_file), host, slots, name)


def scheduler(
    tls_ca_file: _Ca,
    tls_cert_file: _Cert,
    tls_key_file: _Key,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8786,
) -> None:
    """Run a Dask scheduler as the service expects it: TLS only, no web pages, one try for each task."""
    from openhcs_execution.dispatch.hosting import run_scheduler, tls_files

    run_scheduler(host, port, tls_files(tls_ca_file, tls_cert_file, tls_key_file))


def certificates(
    folder: Annotated[Path, typer.Argument(help="Where the authority is, or is made.")],
    names: Annotated[list[str], typer.Argument(help="Hosts to make a certificate and a key for.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long they are valid.")] = 825,
) -> None:
    """Make an authority for schedulers and workers, and a certificate for each host; keys are readable by you only."""
    from openhcs_execution.certificates import make_certificates

    for path in make_certificates(folder, names, days):
        typer.echo(str(path))


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(2)
