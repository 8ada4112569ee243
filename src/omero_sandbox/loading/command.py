# SPDX-License-Identifier: AGPL-3.0-or-later
"""``omero-sandbox load-plate``: a folder of TIFF files becomes a plate."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["load_plate"]

_PASSWORD_VARIABLE = "OMERO_PASSWORD"  # noqa: S105 - the name of a variable


def load_plate(
    folder: Annotated[Path, typer.Argument(help="Folder with one TIFF file per plane.")],
    pattern: Annotated[
        str | None,
        typer.Option(
            help="How file names are made: 'AS_*_{well}f{field}d{channel}.TIF' ({row} {column} {z} {t} too), a regular "
            "expression with named groups, or opera-phenix, cellvoyager, imagexpress, cellomics, simple. Default: guessed."
        ),
    ] = None,
    plate_name: Annotated[str | None, typer.Option(help="Name of the plate. Default: name of the folder.")] = None,
    screen: Annotated[
        str | None, typer.Option(help="Screen to put the plate into; made when you have none of that name.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Rows of the plate. Default: the smallest usual plate that fits.")
    ] = None,
    columns: Annotated[int | None, typer.Option(min=1, help="Columns of the plate.")] = None,
    channel_names: Annotated[str | None, typer.Option(help="Names of the channels, separated by commas.")] = None,
    pixel_size: Annotated[float | None, typer.Option(min=1e-6, help="Size of a pixel in µm.")] = None,
    host: Annotated[str, typer.Option(help="Host of the OMERO server.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 4064,
    user: Annotated[str, typer.Option(help="Login name.")] = "root",
    group: Annotated[str | None, typer.Option(help="Group to load into. Default: yours.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data folder of the sandbox: knows the passwords of the demo's users.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would be loaded.")] = False,
) -> None:
    """Load a folder of TIFF files as a plate, into the sandbox or any other OMERO.

    The password is taken from OMERO_PASSWORD, or from the demo's users in --data, or asked for.
    """
    from omero_sandbox.loading.plate_folder import FolderError, plate_format, scan_folder

    try:
        plate = scan_folder(folder, pattern)
        size = plate_format(plate, rows, columns)
    except FolderError as error:
        raise _stop(str(error)) from error
    typer.echo(
        f"{len(plate.fields)} wells, {plate.image_count} images of {plate.size_x} x {plate.size_y} pixels ({plate.dtype}), "
        f"channels {', '.join(plate.channels)}; plate of {size[0]} x {size[1]} wells; pattern {plate.pattern}"
    )
    if check:
        return
    from omero.gateway import BlitzGateway

    from omero_sandbox.loading.upload import PlateOptions, upload_plate

    conn = BlitzGateway(user, _password(user, data), host=host, port=port, group=group, secure=True)
    if not conn.connect():
        raise _stop(f"{user} could not sign in to OMERO at {host}:{port}.")
    try:
        names = [name.strip() for name in channel_names.split(",")] if channel_names else []
        options = PlateOptions(plate_name or folder.resolve().name, screen, rows, columns, names, pixel_size)
        with typer.progressbar(length=plate.image_count, label="Loading") as bar:
            plate_id = upload_plate(conn, plate, options, lambda done, total: bar.update(1))
    except FolderError as error:
        raise _stop(str(error)) from error
    finally:
        conn.close()
    typer.echo(f"Plate {plate_id}")


def _password(user: str, data: Path | None) -> str:
    given = os.environ.get(_PASSWORD_VARIABLE)
    if given:
        return given
    if data is not None:
        path = data / "demo-users.json"
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["users"][user]["password"])
        except (OSError, ValueError, KeyError) as error:
            raise _stop(f"{path} does not tell the password of {user}; set {_PASSWORD_VARIABLE}.") from error
    return str(typer.prompt(f"Password of {user}", hide_input=True))


def _stop(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)
