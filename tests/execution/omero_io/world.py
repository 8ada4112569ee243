# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates, people and label files to test with, made and read back with plain omero-py, and a way to die between two calls."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import omero
import omero.model
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring, unwrap

from omero_sandbox.testing import RunningSandbox
from openhcs_client import PlateLayout, WellLayout
from openhcs_execution.engine.jobs import LabelFile
from openhcs_execution.omero_io import OmeroServer, ResultTarget, join_session

PASSWORD = "a long password"
COUNTED = (
    "Plate",
    "Well",
    "WellSample",
    "Image",
    "Pixels",
    "Channel",
    "LogicalChannel",
    "StatsInfo",
    "MapAnnotation",
    "FileAnnotation",
    "OriginalFile",
    "PlateAnnotationLink",
    "ImageAnnotationLink",
    "ScreenPlateLink",
)


@dataclass
class Lab:
    """A group of its own on the shared sandbox, with people in it."""

    sandbox: RunningSandbox
    permissions: str = "rwra--"
    name: str = field(default_factory=lambda: f"lab-{uuid.uuid4().hex[:8]}")
    connections: list[BlitzGateway] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.group_id = self.sandbox.create_group(self.name, self.permissions)

    @property
    def server(self) -> OmeroServer:
        return OmeroServer(self.sandbox.host, self.sandbox.port)

    def person(self, *, owner: bool = False) -> BlitzGateway:
        """A new member of the group, signed in."""
        name = f"user-{uuid.uuid4().hex[:8]}"
        self.sandbox.create_user(name, PASSWORD, [self.group_id], owner_of=[self.group_id] if owner else [])
        conn = self.sandbox.connect(name, PASSWORD)
        self.connections.append(conn)
        return conn

    @contextmanager
    def joined(self, conn: BlitzGateway) -> Iterator[BlitzGateway]:
        """The service's view of a person's session."""
        with join_session(self.server, key_of(conn)) as joined:
            yield joined

    def close(self) -> None:
        for conn in self.connections:
            conn.close()


def key_of(conn: BlitzGateway) -> str:
    return conn.getEventContext().sessionUuid


def picture(seed: int, *, size: tuple[int, int] = (24, 32), dtype: str = "uint16") -> np.ndarray:
    """A plane whose every row and column differs, so that a transposed, shifted or byte-swapped one is noticed."""
    values = np.random.default_rng(seed).integers(0, 100, size) + np.arange(size[1])
    return values.astype(dtype)


def make_image(
    conn: BlitzGateway, name: str, planes: Sequence[np.ndarray], *, z: int = 1, c: int = 1, t: int = 1
) -> omero.gateway.ImageWrapper:
    return conn.createImageFromNumpySeq(iter(planes), name, z, c, t)


def make_plate(
    conn: BlitzGateway,
    wells: Mapping[tuple[int, int], Sequence[int]],
    *,
    name: str = "Plate",
    acquisitions: Mapping[int, str] | None = None,
) -> int:
    """Make a plate with these image ids in each well; ``acquisitions`` puts image ids into named acquisitions."""
    plate = omero.model.PlateI()
    plate.name = rstring(name)
    plate.rowNamingConvention, plate.columnNamingConvention = rstring("letter"), rstring("number")
    update = conn.getUpdateService()
    plate = update.saveAndReturnObject(plate, conn.SERVICE_OPTS)
    runs = {}
    for run in sorted(set((acquisitions or {}).values())):
        acquisition = omero.model.PlateAcquisitionI()
        acquisition.name = rstring(run)
        acquisition.plate = omero.model.PlateI(plate.id.val, False)
        runs[run] = update.saveAndReturnObject(acquisition, conn.SERVICE_OPTS).id.val
    for (row, column), images in wells.items():
        well = omero.model.WellI()
        well.plate = omero.model.PlateI(plate.id.val, False)
        well.row, well.column = rint(row), rint(column)
        for image_id in images:
            sample = omero.model.WellSampleI()
            sample.image = omero.model.ImageI(image_id, False)
            if acquisitions:
                sample.plateAcquisition = omero.model.PlateAcquisitionI(runs[acquisitions[image_id]], False)
            well.addWellSample(sample)
        update.saveObject(well, conn.SERVICE_OPTS)
    return plate.id.val


def make_screen(conn: BlitzGateway, plate_id: int, name: str = "Screen") -> int:
    screen = omero.model.ScreenI()
    screen.name = rstring(name)
    link = omero.model.ScreenPlateLinkI()
    link.parent, link.child = screen, omero.model.PlateI(plate_id, False)
    return conn.getUpdateService().saveAndReturnObject(link, conn.SERVICE_OPTS).parent.id.val


def small_plate(conn: BlitzGateway, *, wells: int = 2, fields: int = 2, screen: bool = True) -> int:
    """A plate with its wells in row A, and two channels per field."""
    places = {}
    for column in range(wells):
        images = []
        for number in range(fields):
            planes = [picture(100 * column + 10 * number + channel) for channel in range(2)]
            images.append(make_image(conn, f"A{column + 1} field {number + 1}", planes, c=2).getId())
        places[(0, column)] = images
    plate_id = make_plate(conn, places)
    if screen:
        make_screen(conn, plate_id)
    return plate_id


def make_target(conn: BlitzGateway, plate: PlateLayout, execution_id: str | None = None) -> ResultTarget:
    return ResultTarget(
        execution_id=execution_id or uuid.uuid4().hex,
        user_id=conn.getUserId(),
        plate=plate,
        pipeline_id="nuclei-count",
        pipeline_name="Count nuclei",
        pipeline_version=2,
        pipeline_hash="0" * 64,
    )


def label_array(field_number: int, size: tuple[int, int] = (24, 32), largest: int = 2) -> np.ndarray:
    array = np.zeros(size, np.int32)
    array[2:6, 3:9] = 1
    array[10 : 12 + field_number, 20:25] = largest
    return array


def label_files(folder: Path, well: WellLayout, names: Iterable[str] = ("nuclei",), largest: int = 2) -> list[LabelFile]:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for each in well.fields:
        for name in names:
            path = folder / f"{well.well}-{each.field}-{name}.npy"
            np.save(path, label_array(each.field, (each.size_y, each.size_x), largest))
            files.append(LabelFile(field=each.field, name=name, path=path, objects=2))
    return files


def count_objects(sandbox: RunningSandbox, group_id: int) -> dict[str, int]:
    """How many objects of each kind the group holds, as an administrator sees it."""
    with sandbox.connection() as root:
        service = root.getQueryService()
        context = {"omero.group": "-1"}
        parameters = omero.sys.ParametersI().addLong("group", group_id)
        return {
            kind: unwrap(
                service.projection(f"select count(x.id) from {kind} x where x.details.group.id = :group", parameters, context)
            )[0][0]
            for kind in COUNTED
        }


class Killed(BaseException):
    """The process ends here; nothing of ours runs any more, not even clean-up that talks to OMERO."""


@dataclass
class Fuse:
    """Lets ``calls`` calls to OMERO through; then there are no more."""

    calls: int
    made: int = 0

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self.made >= self.calls:
            raise Killed
        self.made += 1
        return function(*arguments)


class _Service:
    """A service whose every operation burns the fuse."""

    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target, self._fuse = target, fuse

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._target, name)

        def call(*arguments: Any) -> Any:
            result = self._fuse.call(operation, *arguments)
            # A table is a service that another service hands out.
            return _Service(result, self._fuse) if name == "newTable" else result

        return call


class _ServiceFactory:
    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target, self._fuse = target, fuse

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._target, name)

        def call(*arguments: Any) -> Any:
            if name.startswith("create") or name == "submit":
                result = self._fuse.call(operation, *arguments)
                return result if name == "submit" else _Service(result, self._fuse)
            return _Service(operation(*arguments), self._fuse)

        return call


class _Client:
    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target = target
        self.sf = _ServiceFactory(target.sf, fuse)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class FusedGateway:
    """A BlitzGateway that counts the calls it makes to OMERO, and ends the process after so many."""

    def __init__(self, conn: BlitzGateway, calls: int = 10_000) -> None:
        self.fuse = Fuse(calls)
        self.SERVICE_OPTS = conn.SERVICE_OPTS
        self.c = _Client(conn.c, self.fuse)
