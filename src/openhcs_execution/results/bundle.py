# SPDX-License-Identifier: AGPL-3.0-or-later
"""Result bundles: everything that one attempt at one well produced, in a folder that appears whole or not at all.

::

    <results>/<execution id>/A01.1/result.json       what is there
                                  /fields.parquet    one row per field
                                  /objects.parquet   one row per object
                                  /labels/0000.npy
                                  /images/0000.npy  processed images, where they are to be saved; until they are

The folder is written under another name and renamed at the end. Nothing in a finished bundle ever changes, so it may be read
without a lock and cached without an end. Only the processed images, which are large and which nothing here shows, are removed
when OMERO has them.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow.parquet as pq

from openhcs_execution.engine import EngineResult, ImageFile, LabelFile
from openhcs_execution.hashing import array_sha256

__all__ = ["Bundle", "ResultStore"]

MANIFEST = "result.json"
LABELS, IMAGES = "labels", "images"
_UNFINISHED = ".unfinished-"

_Array = TypeVar("_Array", LabelFile, ImageFile)


class Bundle:
    """A finished bundle, for reading. Paths in its :attr:`result` are absolute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        result = EngineResult.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
        self.result = result.model_copy(
            update={
                "fields_table": None if result.fields_table is None else folder / result.fields_table,
                "objects_table": None if result.objects_table is None else folder / result.objects_table,
                "labels": [label.model_copy(update={"path": folder / label.path}) for label in result.labels],
                "images": [image.model_copy(update={"path": folder / image.path}) for image in result.images],
            }
        )

    @property
    def field_rows(self) -> int:
        return _rows(self.result.fields_table)

    @property
    def object_rows(self) -> int:
        return _rows(self.result.objects_table)


def _rows(table: Path | None) -> int:
    return 0 if table is None else int(pq.read_metadata(table).num_rows)


class ResultStore:
    """Bundles below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _folder(self, execution_id: str, well: str, attempt: int) -> Path:
        return self.root / execution_id / f"{well}.{attempt}"

    def write(self, execution_id: str, attempt: int, result: EngineResult) -> Bundle:
        """Move the files of ``result`` into a new bundle. A bundle that is there already is kept: it is as good.

        Raises:
            OSError: when the disk is full or cannot be written; then nothing is left behind.
        """
        target = self._folder(execution_id, result.well, attempt)
        if target.exists():
            return Bundle(target)
        draft = target.parent / f"{_UNFINISHED}{target.name}-{uuid.uuid4().hex}"
        try:
            _make_folders(draft)
            portable = result.model_copy(
                update={
                    "fields_table": _take(result.fields_table, draft, "fields.parquet"),
                    "objects_table": _take(result.objects_table, draft, "objects.parquet"),
                    "labels": [_take_array(label, draft, LABELS, number) for number, label in enumerate(result.labels)],
                    "images": [_take_array(image, draft, IMAGES, number) for number, image in enumerate(result.images)],
                }
            )
            _write_durably(draft / MANIFEST, portable.model_dump_json())
            draft.rename(target)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return Bundle(target)

    @contextmanager
    def receive(self, execution_id: str, well: str, attempt: int) -> Iterator[Path]:
        """A folder for the files of a bundle that was written elsewhere; it becomes the bundle when the block ends.

        Raises:
            ValueError: when the manifest names a file that is not there, or the bundle is of another well.
            OSError: when the disk is full or cannot be written. Whatever is raised, nothing is left behind.
        """
        target = self._folder(execution_id, well, attempt)
        draft = target.parent / f"{_UNFINISHED}{target.name}-{uuid.uuid4().hex}"
        try:
            _make_folders(draft)
            yield draft
            _check_received(draft, well)
            if target.exists():  # as good
                shutil.rmtree(draft)
            else:
                draft.rename(target)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def folder(self, execution_id: str, well: str, attempt: int) -> Path:
        """Where the bundle of an attempt is, or would be."""
        return self._folder(execution_id, well, attempt)

    def read(self, execution_id: str, well: str, attempt: int) -> Bundle:
        """Open a bundle.

        Raises:
            FileNotFoundError: when it is not there.
        """
        return Bundle(self._folder(execution_id, well, attempt))

    def discard(self, execution_id: str, well: str, attempt: int) -> None:
        """Remove the bundle of an attempt that was given up, if it has one."""
        shutil.rmtree(self._folder(execution_id, well, attempt), ignore_errors=True)

    def discard_images(self, execution_id: str, well: str, attempt: int) -> None:
        """Remove the processed images of a bundle, which are saved elsewhere now."""
        shutil.rmtree(self._folder(execution_id, well, attempt) / IMAGES, ignore_errors=True)

    def discard_unfinished(self) -> None:
        """Remove what was being written when the service or a worker died. Only before workers are started."""
        for folder in self.root.glob(f"*/{_UNFINISHED}*"):
            shutil.rmtree(folder, ignore_errors=True)


def _check_received(draft: Path, well: str) -> None:
    result = EngineResult.model_validate_json((draft / MANIFEST).read_text(encoding="utf-8"))
    here = {file.relative_to(draft) for file in draft.rglob("*") if file.is_file()}
    arrays = [label.path for label in result.labels] + [image.path for image in result.images]
    named = {path for path in (result.fields_table, result.objects_table, *arrays) if path}
    if result.well != well or not named <= here:
        raise ValueError(f"the results that came for well {well} are incomplete")


def _take(file: Path | None, draft: Path, name: str) -> Path | None:
    if file is None:
        return None
    shutil.move(file, draft / name)
    return Path(name)


def _make_folders(draft: Path) -> None:
    for name in (LABELS, IMAGES):
        (draft / name).mkdir(parents=True)


def _take_array(file: _Array, draft: Path, folder: str, number: int) -> _Array:
    # Named by position: what a label is called is text for people and never part of a path.
    name = f"{folder}/{number:04d}.npy"
    shutil.move(file.path, draft / name)
    changes: dict[str, object] = {"path": Path(name)}
    if isinstance(file, LabelFile):
        changes["sha256"] = array_sha256(np.load(draft / name, mmap_mode="r", allow_pickle=False))
    return file.model_copy(update=changes)


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
