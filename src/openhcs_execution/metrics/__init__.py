# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``/metrics`` tells Prometheus. Counters follow the event log; gauges are read from the database and the processes.

Nothing here names a person, a plate or anything that a user typed: labels come from closed lists (statuses, classes, kinds of
events, routes) and from the catalogue of functions.
"""

from __future__ import annotations

from .meters import Meters

__all__ = ["Meters"]
