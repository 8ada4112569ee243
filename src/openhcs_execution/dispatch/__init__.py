# SPDX-License-Identifier: AGPL-3.0-or-later
"""Getting wells computed and saved: the Dask cluster, what runs on its workers, and the loops that feed and empty it."""

from .desk import EngineDesk
from .dispatcher import Dispatcher
from .saver import Saver
from .sessions import SessionKeeper

__all__ = ["Dispatcher", "EngineDesk", "Saver", "SessionKeeper"]
