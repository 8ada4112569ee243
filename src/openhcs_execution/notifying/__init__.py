# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mail to the owner and calls of the facility's webhooks when a run has ended.

What is to be sent stands in the database (an *outbox*), so a service that dies loses none of it. A message that was sent in the
very moment of dying is sent again: each is delivered **at least once**, always under the same id, by which a receiver can drop
the second one.
"""

from __future__ import annotations

from .notifier import Notifier

__all__ = ["Notifier"]
