# SPDX-License-Identifier: AGPL-3.0-or-later
"""A passport as a zip file that is made while it is sent: no more of it is in memory than one block."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from openhcs_client import OpenHCSError
from openhcs_execution.catalogue import FunctionCatalogue

from .crate import METADATA, CrateFile, crate_metadata
from .gathering import Gathered
from .methods import methods_text
from .tables import join_tables, wells_csv

__all__ = ["PassportArchive"]

_BLOCK = 1 << 20
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_PARQUET = "application/vnd.apache.parquet"


class PassportArchive:
    """Everything prepared in a temporary folder below ``scratch``; the folder goes with :meth:`stream` or :meth:`close`."""

    def __init__(self, gathered: Gathered, functions: FunctionCatalogue, scratch: Path, *, most_label_bytes: int) -> None:
        """Write the tables and the metadata; what can be refused is refused here.

        Raises:
            OpenHCSError: ``passport_too_large`` (413) when the label images have more than ``most_label_bytes``.
        """
        self._labels = gathered.label_files
        _refuse_too_large(self._labels, most_label_bytes)
        self._folder = tempfile.TemporaryDirectory(prefix="passport-", dir=scratch, ignore_cleanup_errors=True)
        try:
            self._members = self._write(gathered, functions)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._folder.cleanup()

    def stream(self) -> Iterator[bytes]:
        """The zip file in blocks, once."""
        sink = _Sink()
        try:
            with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
                for name, path in [*self._members.items(), *self._labels.items()]:
                    yield from _member(archive, sink, name, path)
            yield sink.take()
        finally:
            self.close()

    def _write(self, gathered: Gathered, functions: FunctionCatalogue) -> dict[str, Path]:
        root = Path(self._folder.name)
        (root / "measurements").mkdir()
        facts = gathered.facts
        texts = {
            "pipeline.json": ("Pipeline document", "application/json", _json(json.loads(facts.document.canonical_json()))),
            "pipeline.py": ("The pipeline that ran, for OpenHCS", "text/x-python", gathered.python),
            "parameters.json": ("Values that the user changed", "application/json", _json(facts.parameters)),
            "run.json": ("Who ran it, when, with which software and machines", "application/json", _model(facts.run)),
            "inputs.json": ("Plate, wells and images, with hashes of pixels", "application/json", _model(gathered.inputs)),
            "outputs.json": ("Results of each well, with hashes", "application/json", _model(gathered.outputs)),
            "methods.txt": ("What was done, for a paper", "text/plain", methods_text(facts, functions)),
            "measurements/wells.csv": ("Measurements of wells", "text/csv", wells_csv(gathered.outputs.wells)),
        }
        for name, (_, _, text) in texts.items():
            (root / name).write_text(text, encoding="utf-8", newline="\n")
        titles = {name: (title, media_type) for name, (title, media_type, _) in texts.items()}
        for level in ("fields", "objects"):
            name = f"measurements/{level}.parquet"
            sources = [path for result in gathered.results if (path := getattr(result, f"{level}_table")) is not None]
            if join_tables(sources, root / name):
                titles[name] = (f"Measurements of {level}", _PARQUET)
        files = [_crate_file(root, name, *title) for name, title in titles.items()]
        (root / METADATA).write_bytes(crate_metadata(gathered, files, datetime.now(UTC)))
        return {name: root / name for name in (METADATA, *titles)}


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False)


def _model(model: BaseModel) -> str:
    return model.model_dump_json(indent=1)


def _crate_file(root: Path, name: str, title: str, media_type: str) -> CrateFile:
    with (root / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CrateFile(name, title, media_type, (root / name).stat().st_size, digest)


def _refuse_too_large(labels: dict[str, Path], most: int) -> None:
    size = sum(path.stat().st_size for path in labels.values())
    if size > most:
        raise OpenHCSError(
            "passport_too_large",
            f"The label images of this run have {size / 2**20:,.0f} MiB; at most {most / 2**20:,.0f} MiB go into a passport. "
            "Take it without label images: their hashes are in it all the same.",
            status=413,
        )


def _member(archive: zipfile.ZipFile, sink: _Sink, name: str, path: Path) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, _EARLIEST)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with path.open("rb") as source, archive.open(info, "w", force_zip64=path.stat().st_size > 2**31) as target:
        while block := source.read(_BLOCK):
            target.write(block)
            if sink.waiting >= _BLOCK:
                yield sink.take()


class _Sink(io.RawIOBase):
    """Takes what the zip writer writes, until somebody takes it away. It cannot go back, and the writer can do without."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    @property
    def waiting(self) -> int:
        return len(self._buffer)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._buffer += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken
