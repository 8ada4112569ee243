# SPDX-License-Identifier: AGPL-3.0-or-later
"""Run passports: an RO-Crate with everything that the results of an ended execution depend on, and the methods as text."""

from .archive import PassportArchive
from .gathering import gather, read_facts, require_ended
from .methods import methods_text
from .same_plate import require_same_plate

__all__ = ["PassportArchive", "gather", "methods_text", "read_facts", "require_ended", "require_same_plate"]
