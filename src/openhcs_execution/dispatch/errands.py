# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO session keys on their way to a worker.

In the database they are encrypted with a key derived from the installation's secret, which stays with the service. For a worker
they are encrypted anew, with a key that is made at each start of the service and given to the workers over TLS. So a host that
computes never holds anything that opens the database, or signs in anybody else; and a key in a log or a picture of Dask's
tasks is of no use.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict

from openhcs_execution.secrets import SessionVault

__all__ = ["SessionErrands"]

_REMEMBERED = 1000


class SessionErrands:
    """Seals the same session the same way each time, so that a worker knows it again. For one thread."""

    def __init__(self, vault: SessionVault) -> None:
        self.secret = secrets.token_urlsafe(48)
        """What workers open the sessions with."""
        self._vault = vault
        self._for_workers = SessionVault(self.secret)
        self._sealed: OrderedDict[str, str] = OrderedDict()

    def seal(self, stored: str) -> str:
        """A session as it is stored, encrypted for workers.

        Raises:
            SecretError: when it was stored with another secret.
        """
        if stored not in self._sealed:
            self._sealed[stored] = self._for_workers.seal(self._vault.open(stored))
            while len(self._sealed) > _REMEMBERED:
                self._sealed.popitem(last=False)
        self._sealed.move_to_end(stored)
        return self._sealed[stored]
