# SPDX-License-Identifier: AGPL-3.0-or-later
"""The exceptions with which OMERO refuses, each with a sentence.

What does not exist and what may not be seen is refused in the same words, so that a refusal tells nothing.
"""

from __future__ import annotations

import omero

__all__ = ["invalid", "mixed_group", "not_readable", "outdated", "refused", "wrong_use"]


def refused(sentence: str) -> omero.SecurityViolation:
    """The caller may not do this."""
    return omero.SecurityViolation("", "ome.conditions.SecurityViolation", sentence)


def not_readable(entity: str, object_id: int) -> omero.SecurityViolation:
    """There is no such object, or not for this caller in this group."""
    return refused(f"Cannot read {entity}:{object_id}: it does not exist, or may not be seen in this group context.")


def mixed_group(sentence: str) -> omero.GroupSecurityViolation:
    """Objects of different groups cannot be linked."""
    return omero.GroupSecurityViolation("", "ome.conditions.GroupSecurityViolation", f"MIXED GROUP: {sentence}")


def invalid(sentence: str) -> omero.ValidationException:
    """The values cannot be stored."""
    return omero.ValidationException("", "ome.conditions.ValidationException", sentence)


def outdated(sentence: str) -> omero.OptimisticLockException:
    """Someone else has changed the object meanwhile."""
    return omero.OptimisticLockException("", "ome.conditions.OptimisticLockException", sentence)


def wrong_use(sentence: str) -> omero.ApiUsageException:
    """The call makes no sense."""
    return omero.ApiUsageException("", "ome.conditions.ApiUsageException", sentence)
