# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a run needs of a worker, and which workers have it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["ANYTHING", "GPU", "Needs", "WorkerKind", "fits", "some_fit"]

GPU = "gpu"
"""The label of a worker with a GPU of its own."""


@dataclass(frozen=True)
class Needs:
    """Labels that a worker must have, and memory for one well in MB; None when nobody knows."""

    labels: frozenset[str] = frozenset()
    memory_mb: int | None = None

    @property
    def gpu(self) -> bool:
        return GPU in self.labels

    def in_words(self) -> str:
        """For people: what is missing."""
        parts = [f"labelled {label}" for label in sorted(self.labels)]
        if self.memory_mb is not None:
            parts.append(f"with {self.memory_mb} MB of memory")
        return " and ".join(parts)

    @staticmethod
    @lru_cache(1024)
    def read(labels: str, memory_mb: int | None) -> Needs:
        """From a row: labels with commas between them."""
        return Needs(frozenset(filter(None, labels.split(","))), memory_mb)


ANYTHING = Needs()


@dataclass(frozen=True)
class WorkerKind:
    """A worker as far as needs look at it; ``memory_mb`` None when it did not say."""

    labels: frozenset[str] = frozenset()
    memory_mb: float | None = None


def fits(needs: Needs, worker: WorkerKind) -> bool:
    """Whether a worker has all that is needed. One that did not say how much memory it has is believed to have enough."""
    enough = needs.memory_mb is None or worker.memory_mb is None or worker.memory_mb >= needs.memory_mb
    return needs.labels <= worker.labels and enough


def some_fit(needs: Needs, workers: Collection[WorkerKind] | None) -> bool:
    """Whether any worker does; always when it is not known which there are."""
    return workers is None or any(fits(needs, worker) for worker in workers)
