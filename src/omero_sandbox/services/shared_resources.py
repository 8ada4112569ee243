# SPDX-License-Identifier: AGPL-3.0-or-later
"""SharedResources: the door to OMERO.tables. There are no script processors here."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import Any

import omero
import omero.grid
import omero.model
from omero.rtypes import rlong, rstring, unwrap

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.object_access import require_readable
from omero_sandbox.services.tables import TABLE_MIMETYPE, TableService
from omero_sandbox.store.saving import save

__all__ = ["SharedResourcesService"]

_LONGEST_NAME = 255


class SharedResourcesService(Service):
    """Tables by their OriginalFile."""

    def areTablesEnabled(self, caller: Caller) -> bool:
        """Whether there are tables: yes."""
        return True

    def repositories(self, caller: Caller) -> omero.grid.RepositoryMap:
        """The places where tables can be made: one, without a service of its own (there is nothing to import from)."""
        description = omero.model.OriginalFileI(0, True)
        description.name, description.path = rstring("sandbox"), rstring("/")
        description.mimetype, description.size = rstring("Repository"), rlong(0)
        return omero.grid.RepositoryMap(descriptions=[description], proxies=[None])

    def getScriptRepository(self, caller: Caller) -> None:
        """The place of scripts: none."""

    @own_transactions
    def newTable(self, repository_id: int, path: str, caller: Caller) -> Any:
        """Make an OriginalFile for a new table, in the caller's group, and return the table. It gets its columns later.

        There is one place for tables, so ``repository_id`` does not matter. ``path`` is only a name to find the file by.
        """
        name = PurePosixPath((path or "").replace("\\", "/"))
        if not name.name or len(str(name)) > _LONGEST_NAME:
            raise api_usage(f"A table needs a name of 1 to {_LONGEST_NAME} characters.")
        file = omero.model.OriginalFileI()
        file.name = rstring(name.name)
        file.path = rstring(f"{name.parent}/" if str(name.parent) not in (".", "/") else "/")
        file.mimetype = rstring(TABLE_MIMETYPE)
        file.size = rlong(0)
        (saved,) = save(self.database, [file], caller)
        return self._serve(unwrap(saved.id))

    @own_transactions
    def openTable(self, file: Any, caller: Caller) -> Any:
        """Return the table in an OriginalFile.

        Raises:
            omero.ValidationException: the file does not exist or may not be read.
        """
        if file is None or file.id is None:
            raise api_usage("A table is opened by an OriginalFile that has an id.")
        require_readable(self.database, "OriginalFile", unwrap(file.id), caller)
        return self._serve(unwrap(file.id))

    def _serve(self, file_id: int) -> Any:
        name = f"{uuid.uuid4()}/omero.grid.Table"
        return self.session.serve(omero.grid.Table, name, lambda: TableService(self.server, self.session, file_id))
