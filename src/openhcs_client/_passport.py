# SPDX-License-Identifier: AGPL-3.0-or-later
"""The run passport of an execution: an RO-Crate in a zip file that says everything that a result depends on.

This module has what is in it as data, and reads one that came from anywhere. Nothing in it is trusted: names of members are
checked and nothing is unpacked, each file is read up to a limit, its SHA-256 must be the one that the crate tells, and the
pipeline is read like any other document. The hashes find damage, not malice: whoever changes a file can change its hash.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ._documents import LARGEST_DOCUMENT, read_document
from ._errors import OpenHCSError
from ._executions import ResultLinks
from ._pipelines import ParameterValue, PipelineDocument
from ._plates import FieldShape, PlateShape, WellKind
from ._strict_json import read_json
from ._wells import well_name, well_position

__all__ = [
    "PASSPORT_FILES",
    "Methods",
    "Passport",
    "PassportField",
    "PassportInputs",
    "PassportLabel",
    "PassportMachine",
    "PassportOutputs",
    "PassportRun",
    "PassportWell",
    "PassportWellOutput",
    "read_passport",
]

METADATA: Final = "ro-crate-metadata.json"

PASSPORT_FILES: Final[Mapping[str, int]] = {
    METADATA: 8 * 2**20,
    "pipeline.json": LARGEST_DOCUMENT,
    "parameters.json": 2**20,
    "run.json": 2**20,
    "inputs.json": 64 * 2**20,
    "outputs.json": 64 * 2**20,
}
"""The files that are read again, and how many bytes of each are read at most."""

_MOST_MEMBERS = 200_000

Sha256 = str
WellName = Annotated[str, AfterValidator(lambda name: well_name(*well_position(name)))]
"""However it is written, it is read as ``A01``."""


class Methods(BaseModel):
    """What was done, as text for the methods section of a paper."""

    execution_id: str
    text: str


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PassportField(_Part):
    """An image that was read: where it is in OMERO, its size in pixels and planes, and the hash of its pixels."""

    field: int = Field(ge=1)
    image_id: int
    size_x: int = Field(ge=1)
    size_y: int = Field(ge=1)
    size_z: int = Field(default=1, ge=1)
    size_c: int = Field(default=1, ge=1)
    size_t: int = Field(default=1, ge=1)
    pixel_type: str = Field(max_length=20)
    sha256: Sha256 | None = Field(default=None, description="Null when the field was not computed or its hash not kept.")


class PassportWell(_Part):
    """A well that the execution was asked to compute."""

    well: WellName
    well_id: int
    fields: list[PassportField] = Field(min_length=1, max_length=10_000)


class PassportInputs(_Part):
    """What was computed on: ``inputs.json``."""

    schema_version: Literal[1] = 1
    omero_server: str = Field(max_length=300, description="host:port")
    plate_id: int = Field(ge=1)
    plate_name: str
    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    channels: list[str] = Field(min_length=1, max_length=100)
    pixel_size_um: float | None = None
    wells: list[PassportWell] = Field(min_length=1, max_length=10_000)

    def shape(self) -> PlateShape:
        """What a plate must look like on which the same can be run."""
        kinds: dict[tuple[FieldShape, ...], list[str]] = {}
        for well in self.wells:
            fields = tuple(
                FieldShape(
                    size_x=each.size_x, size_y=each.size_y, size_z=each.size_z, size_t=each.size_t, pixel_type=each.pixel_type
                )
                for each in well.fields
            )
            kinds.setdefault(fields, []).append(well.well)
        return PlateShape(
            plate_id=self.plate_id,
            channels=tuple(self.channels),
            kinds=tuple(WellKind(wells=tuple(names), fields=fields) for fields, names in kinds.items()),
        )


class PassportLabel(_Part):
    """A label image that was made. ``file`` is its member of the zip, when the label images are in it."""

    field: int = Field(ge=1)
    name: str
    objects: int = Field(ge=0)
    sha256: Sha256
    omero_image_id: int | None = None
    file: str | None = None


class PassportWellOutput(_Part):
    """What came of a well. The hashes of its tables are over the values of all columns; see the documentation."""

    well: WellName
    state: str = Field(max_length=20)
    failure: str = ""
    measurements: dict[str, float | None] = Field(default_factory=dict)
    field_rows: int = Field(default=0, ge=0)
    object_rows: int = Field(default=0, ge=0)
    fields_sha256: Sha256 | None = None
    objects_sha256: Sha256 | None = None
    labels: list[PassportLabel] = Field(default_factory=list, max_length=100_000)


class PassportOutputs(_Part):
    """What came out: ``outputs.json``."""

    schema_version: Literal[1] = 1
    omero: ResultLinks = Field(default_factory=ResultLinks)
    wells: list[PassportWellOutput] = Field(max_length=10_000)


class PassportMachine(_Part):
    """A kind of machine that wells were computed on; ``memory_mb`` in MiB."""

    processor: str = ""
    architecture: str = ""
    system: str = ""
    cores: int = 0
    memory_mb: int = 0
    wells: int = Field(default=0, description="How many wells were computed on such machines.")


class PassportRun(_Part):
    """Who ran what, when, and with which software and machines: ``run.json``. Times are UTC."""

    schema_version: Literal[1] = 1
    execution_id: str = Field(max_length=64)
    status: str = Field(max_length=40)
    pipeline_id: str
    pipeline_version: int
    pipeline_sha256: Sha256
    executed_by: str
    test_well: bool = False
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    software: dict[str, str] = Field(default_factory=dict, max_length=200)
    machines: list[PassportMachine] = Field(default_factory=list, max_length=1000)


@dataclass(frozen=True)
class Passport:
    """A passport as far as software needs it: to run the same again, and to compare results."""

    document: PipelineDocument
    parameters: dict[str, ParameterValue]
    run: PassportRun
    inputs: PassportInputs
    outputs: PassportOutputs


Model = TypeVar("Model", bound=BaseModel)

_PARAMETERS: TypeAdapter[dict[str, ParameterValue]] = TypeAdapter(dict[str, ParameterValue])


def read_passport(path: Path) -> Passport:
    """Read the passport in the zip file ``path``. Nothing is unpacked.

    Raises:
        OpenHCSError: ``not_a_passport``, ``passport_unsafe`` (names that leave the folder, links, too many members),
            ``passport_too_large``, ``passport_damaged`` (a hash is not right), or what is wrong with the document.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive)
            contents = {name: _read(archive, name, most) for name, most in PASSPORT_FILES.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _no_passport(f"{path.name} cannot be read as a zip file") from error
    except OSError as error:
        raise OpenHCSError("unreadable_file", f"{path} cannot be read: {error.strerror or error}.") from error
    _check_hashes(contents)
    document = read_document(contents["pipeline.json"])
    passport = Passport(
        document=document,
        parameters=_parameters(contents["parameters.json"]),
        run=_parsed(PassportRun, contents, "run.json"),
        inputs=_parsed(PassportInputs, contents, "inputs.json"),
        outputs=_parsed(PassportOutputs, contents, "outputs.json"),
    )
    if document.content_hash() != passport.run.pipeline_sha256:
        raise _damaged("pipeline.json is not the pipeline that run.json names")
    return passport


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise _unsafe(f"has more than {_MOST_MEMBERS:,} members")
    names: set[str] = set()
    for member in members:
        parts = member.filename.split("/")
        if member.filename.startswith("/") or "\\" in member.filename or ":" in parts[0] or ".." in parts:
            raise _unsafe(f"has a member that would leave its folder ({member.filename[:80]!r})")
        if (member.external_attr >> 16) & 0o170000 == 0o120000:
            raise _unsafe(f"has a link ({member.filename[:80]!r})")
        if member.filename in names:
            raise _unsafe(f"has {member.filename[:80]!r} twice")
        names.add(member.filename)


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member, up to ``most`` bytes of what it really unpacks to, whatever the zip says about its size."""
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise _no_passport(f"It has no {name}") from None
    with archive.open(member) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OpenHCSError("passport_too_large", f"{name} in the passport has more than {most:,} bytes.", status=413)
    return content


def _check_hashes(contents: Mapping[str, bytes]) -> None:
    told = _told_hashes(read_json(contents[METADATA], f"{METADATA} in the passport"))
    for name, content in contents.items():
        if name == METADATA:
            continue
        if name not in told:
            raise _damaged(f"{METADATA} does not tell the SHA-256 of {name}")
        if hashlib.sha256(content).hexdigest() != told[name]:
            raise _damaged(f"{name} was changed after the passport was made")


def _told_hashes(metadata: Any) -> dict[str, Any]:
    graph = metadata.get("@graph") if isinstance(metadata, dict) else None
    if not isinstance(graph, list):
        raise _no_passport(f"{METADATA} is not that of an RO-Crate")
    entities = [entity for entity in graph if isinstance(entity, dict) and isinstance(entity.get("@id"), str)]
    root = next((entity for entity in entities if entity["@id"] == "./"), None)
    if root is None or root.get("mainEntity") != {"@id": "pipeline.json"}:
        raise _no_passport("Its main entity is not a pipeline of omero-openhcs")
    return {entity["@id"]: entity["sha256"] for entity in entities if "sha256" in entity}


def _parsed(model: type[Model], contents: Mapping[str, bytes], name: str) -> Model:
    content = read_json(contents[name], f"{name} in the passport")
    if isinstance(content, dict) and isinstance(version := content.get("schema_version"), int) and version > 1:
        raise OpenHCSError(
            "newer_passport", "The passport was made by a newer version of omero-openhcs. Update to use it.", status=422
        )
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _wrong(name, error) from error


def _parameters(content: bytes) -> dict[str, ParameterValue]:
    try:
        return _PARAMETERS.validate_python(read_json(content, "parameters.json in the passport"))
    except ValidationError as error:
        raise _wrong("parameters.json", error) from error


def _wrong(name: str, error: ValidationError) -> OpenHCSError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:120]
    return _no_passport(f"{name} is not right at {where or 'its top'}: {first['msg']}")


def _no_passport(reason: str) -> OpenHCSError:
    return OpenHCSError("not_a_passport", f"This is not a run passport. {reason}.", status=422)


def _unsafe(reason: str) -> OpenHCSError:
    return OpenHCSError("passport_unsafe", f"The zip file {reason}. No run passport has; it is not opened.", status=422)


def _damaged(reason: str) -> OpenHCSError:
    return OpenHCSError("passport_damaged", f"The run passport is damaged: {reason}.", status=422)
