# SPDX-License-Identifier: AGPL-3.0-or-later
"""Puts the demo into a data folder: people, a screen with two example plates, and the truth about the synthetic one.

Done once per data folder: what a user deletes or changes afterwards stays that way. If it is interrupted, nothing of the
plates is there and the next start does it again.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import omero.model
from omero.rtypes import rlong, rstring, unwrap

from omero_sandbox.demo import cardiomyocytes, synthetic
from omero_sandbox.demo.people import PEOPLE, make_people
from omero_sandbox.demo.plate_design import COLUMNS, FIELDS, ROWS, WellPlan, all_wells
from omero_sandbox.demo.plate_writer import Channel, FieldContent, PlateContent, WellContent, write_plate
from omero_sandbox.services.raw_files import file_path, record_content
from omero_sandbox.store.database import Database
from omero_sandbox.store.saving import save
from openhcs_client import well_position

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.security.caller import Caller

__all__ = ["CARDIOMYOCYTE_PLATE", "LAYOUT_NAMESPACE", "SCREEN", "SYNTHETIC_PLATE", "TRUTH_FILE", "install_demo"]

SCREEN = "Demo screen"
SYNTHETIC_PLATE = "Synthetic GFP assay"
CARDIOMYOCYTE_PLATE = "Cardiomyocyte nuclei"

LAYOUT_NAMESPACE = "openhcs.org/omero/plate-layout/v1"
"""Of the key-value pairs on wells: ``Role`` (negative control, positive control or sample), ``Compound`` and
``Concentration (µM)``."""

TRUTH_FILE = "synthetic-plate-truth.csv"
TRUTH_NAMESPACE = "openhcs.org/omero/synthetic-truth/v1"

_PASSWORD_VARIABLE = "OMERO_SANDBOX_DEMO_PASSWORD"  # noqa: S105 - the name of a variable
_BLUE, _WHITE = (0, 0, 255), (255, 255, 255)


def install_demo(server: SandboxServer, passwords: Mapping[str, str] | None = None) -> None:
    """Install the demo into the server's data folder unless it is there.

    Args:
        passwords: of the demo's users, by login name. The others get the one in ``OMERO_SANDBOX_DEMO_PASSWORD``, else a
            random one each; `people` says where they are written.
    """
    database = server.database
    given = os.environ.get(_PASSWORD_VARIABLE)
    common = {person.login: given for person in PEOPLE} if given else {}
    make_people(database, server.accounts, {**common, **(passwords or {})})
    if database.value("SELECT value FROM setting WHERE area = 'demo' AND key = 'installed'"):
        return
    owner = PEOPLE[0]
    session = server.sessions.open(server.accounts.user_id(owner.login), server.accounts.group_id(owner.group), agent="demo")
    try:
        caller = server.accounts.caller(session, session.group_id)
        with database.transaction(write=True):
            _install_plates(database, caller)
            database.execute("INSERT INTO setting VALUES ('demo', 'installed', '1')")
    finally:
        server.sessions.close(session)


def _install_plates(database: Database, caller: Caller) -> None:
    screen = omero.model.ScreenI()
    screen.name = rstring(SCREEN)
    screen.description = rstring("Example plates: one made by the computer, so that the truth is known, and one real.")
    save(database, [screen], caller)
    parent = omero.model.ScreenI(unwrap(screen.id), False)
    truth: list[list[Any]] = []
    plate = write_plate(database, _synthetic_plate(truth), caller, parent)
    _attach_truth(database, plate, truth, caller)
    write_plate(database, _cardiomyocyte_plate(), caller, parent)


def _synthetic_plate(truth: list[list[Any]]) -> PlateContent:
    def wells() -> Iterator[WellContent]:
        for plan in all_wells():
            fields = [synthetic.make_field(plan.well, number) for number in range(1, FIELDS + 1)]
            counts = [each.truth.count for each in fields]
            gfp = sum(float(each.truth.gfp.sum()) for each in fields) / sum(counts)
            truth.append([plan.well, plan.role, *counts, sum(counts), f"{gfp:.3f}"])
            width = synthetic.SIZE * synthetic.PIXEL_SIZE_UM
            content = [FieldContent(each.image, (index * width, 0.0)) for index, each in enumerate(fields)]
            yield WellContent(plan.row, plan.column, content, _notes(plan))

    return PlateContent(
        name=SYNTHETIC_PLATE,
        description=(
            "A synthetic plate: 96 wells, 2 fields, nuclei (DAPI) and a marker (GFP). Column 1: negative control (DMSO); "
            "column 12: positive control; columns 2-11: eight compounds in ten concentrations. "
            f"The true numbers are in the attached {TRUTH_FILE}."
        ),
        rows=ROWS,
        columns=COLUMNS,
        channels=[Channel(name, synthetic.COLOURS[name], synthetic.EMISSION_NM[name]) for name in synthetic.CHANNELS],
        pixel_size_um=synthetic.PIXEL_SIZE_UM,
        wells=wells(),
        notes_namespace=LAYOUT_NAMESPACE,
    )


def _notes(plan: WellPlan) -> list[tuple[str, str]]:
    notes = [("Role", plan.role), ("Compound", plan.compound)]
    if plan.concentration_um is not None:
        notes.append(("Concentration (µM)", f"{plan.concentration_um:g}"))
    return notes


def _cardiomyocyte_plate() -> PlateContent:
    row, column = well_position(cardiomyocytes.WELL)
    step = 256 * cardiomyocytes.PIXEL_SIZE_UM
    fields = [
        FieldContent(cardiomyocytes.make_field(number), ((number - 1) % 2 * step, (number - 1) // 2 * step))
        for number in range(1, cardiomyocytes.FIELDS + 1)
    ]
    return PlateContent(
        name=CARDIOMYOCYTE_PLATE,
        description=(
            "Well B03 of 20200812-CardiomyocyteDifferentiation14-Cycle1, as shipped with the Python package ngio. "
            "Four fields: the quarters of the image. Channel 2 holds the labels of a reference segmentation."
        ),
        rows=row + 1,
        columns=column + 1,
        channels=[Channel(cardiomyocytes.CHANNELS[0], _BLUE, 461.0), Channel(cardiomyocytes.CHANNELS[1], _WHITE)],
        pixel_size_um=cardiomyocytes.PIXEL_SIZE_UM,
        wells=[WellContent(row, column, fields)],
    )


def _attach_truth(database: Database, plate: Any, rows: list[list[Any]], caller: Caller) -> None:
    """Attach the true counts of each well as a CSV file. Mean GFP is in photons per pixel."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = [f"nuclei_field_{number}" for number in range(1, FIELDS + 1)]
    writer.writerow(["well", "role", *fields, "nuclei", "mean_gfp"])
    writer.writerows(rows)
    content = text.getvalue().encode()
    file = omero.model.OriginalFileI()
    file.name, file.path, file.mimetype = rstring(TRUTH_FILE), rstring("/"), rstring("text/csv")
    file.size = rlong(len(content))
    annotation = omero.model.FileAnnotationI()
    annotation.ns, annotation.file = rstring(TRUTH_NAMESPACE), file
    link = omero.model.PlateAnnotationLinkI()
    link.parent, link.child = plate, annotation
    save(database, [link], caller)
    path = file_path(database, unwrap(file.id))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    record_content(database, unwrap(file.id))
