# SPDX-License-Identifier: AGPL-3.0-or-later
"""RawFileStore: the bytes of an OriginalFile.

A file lies under its id in the data folder; the name and path that clients give to an OriginalFile never become a place on
disk. Size and SHA-1 of the OriginalFile are brought up to date by ``save`` and when the service is closed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omero.rtypes import rlong

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.query.execution import load_objects
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.object_access import anywhere, require_editable, require_readable, resource_error
from omero_sandbox.store.database import Database

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session

__all__ = ["RawFileStoreService", "file_path", "record_content"]

LARGEST_READ = 64 * 1024 * 1024
"""Bytes that one call returns at most."""

LARGEST_FILE = 1 << 40
"""Bytes that a file may have; protects against a stray offset that would make a file of petabytes."""

_FILES_PER_FOLDER = 1000
_CHUNK = 1 << 20


def file_path(database: Database, file_id: int) -> Path:
    """Return where the content of OriginalFile ``file_id`` lies (a thousand files per subfolder)."""
    number = int(file_id)
    return database.files_folder / f"{number // _FILES_PER_FOLDER:03d}" / str(number)


def record_content(database: Database, file_id: int) -> None:
    """Write the size and SHA-1 of a file's content into its OriginalFile."""
    path = file_path(database, file_id)
    digest, size = hashlib.sha1(usedforsecurity=False), 0  # OMERO records this checksum; it protects nothing
    if path.exists():
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    with database.transaction(write=True):
        database.execute(
            "UPDATE e_OriginalFile SET c_size = ?, c_hash = ?, c_hasher = "
            "coalesce((SELECT id FROM e_ChecksumAlgorithm WHERE c_value = 'SHA1-160'), c_hasher) WHERE id = ?",
            size,
            digest.hexdigest(),
            file_id,
        )


class RawFileStoreService(Service):
    """One client's access to one file at a time. Rights are checked at every call; no call holds the database lock."""

    def __init__(self, server: SandboxServer, session: Session) -> None:
        super().__init__(server, session)
        self._file_id: int | None = None
        self._modified = False

    @own_transactions
    def setFileId(self, file_id: int, caller: Caller) -> None:
        """Choose the file."""
        self.release()
        require_readable(self.database, "OriginalFile", file_id, caller)
        self._file_id = file_id

    def getFileId(self, caller: Caller) -> Any:
        """Return the id of the file in use."""
        return rlong(self._chosen())

    @own_transactions
    def exists(self, caller: Caller) -> bool:
        """Whether the file has any content yet."""
        return self._readable(caller).exists()

    @own_transactions
    def size(self, caller: Caller) -> int:
        """The size of the content in bytes."""
        path = self._readable(caller)
        return path.stat().st_size if path.exists() else 0

    @own_transactions
    def read(self, position: int, length: int, caller: Caller) -> bytes:
        """Return up to ``length`` bytes from ``position``; fewer where the file ends."""
        path = self._readable(caller)
        if position < 0 or not 0 <= length <= LARGEST_READ:
            raise api_usage(f"Read 0 to {LARGEST_READ} bytes from a place in the file, not {length} from {position}.")
        if not path.exists():
            return b""
        with path.open("rb") as stream:
            return os.pread(stream.fileno(), length, position)

    @own_transactions
    def write(self, values: bytes | Sequence[int], position: int, length: int, caller: Caller) -> None:
        """Write the first ``length`` bytes of ``values`` at ``position``."""
        path = self._changeable(caller)
        data = (values if isinstance(values, bytes) else bytes(values))[:length]
        if position < 0 or not 0 <= length <= len(data) or position + length > LARGEST_FILE:
            raise api_usage(f"{length} bytes at {position} were announced, {len(values)} were sent.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as stream:
                stream.seek(position)
                rest = memoryview(data)
                while rest:
                    rest = rest[stream.write(rest) :]
        except OSError as error:
            raise resource_error(f"The file cannot be written: {error.strerror}.") from error

    @own_transactions
    def truncate(self, length: int, caller: Caller) -> bool:
        """Cut the content to ``length`` bytes; returns whether there was anything to cut."""
        path = self._changeable(caller)
        if length < 0:
            raise api_usage(f"A file cannot have {length} bytes.")
        if not path.exists() or path.stat().st_size <= length:
            return False
        os.truncate(path, length)
        return True

    @own_transactions
    def save(self, caller: Caller) -> Any:
        """Record size and checksum and return the OriginalFile."""
        self._changeable(caller)
        self.release()
        (file,) = load_objects(self.database, "OriginalFile", [self._chosen()], anywhere(caller))
        return file

    @own_transactions
    def close(self, caller: Caller) -> None:
        """Record size and checksum of what was written and free the service."""
        super().close(caller)

    def release(self) -> None:
        """Record size and checksum when something was written. Each write was allowed when it was made."""
        if self._modified:
            self._modified = False
            record_content(self.database, self._chosen())

    def _chosen(self) -> int:
        if self._file_id is None:
            raise api_usage("Call setFileId first: this service does not know which file is meant.")
        return self._file_id

    def _readable(self, caller: Caller) -> Path:
        require_readable(self.database, "OriginalFile", self._chosen(), caller)
        return file_path(self.database, self._chosen())

    def _changeable(self, caller: Caller) -> Path:
        require_editable(self.database, "OriginalFile", self._chosen(), caller)
        self._modified = True
        return file_path(self.database, self._chosen())
