# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which fields the report shows: at most four, each chosen by a rule that the report tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median_low

from openhcs_client import QualityReport, WellExecution, WellRole, WellState

from .colours import is_number

__all__ = ["Example", "choose_examples"]


@dataclass(frozen=True)
class Example:
    """A field of a well (from 1), and why it is shown."""

    well: str
    field: int
    why: str


def choose_examples(wells: Sequence[WellExecution], main: str | None, quality: QualityReport | None) -> list[Example]:
    """A positive control, a negative control, a well in the middle of the plate's values, and a field with a remark.

    Of each kind it is the well whose main measurement is the median, so that it is a typical one; without values the first one
    that is done. No field comes twice.
    """
    done = [well for well in wells if well.state is WellState.DONE]
    controls = quality.controls.wells if quality is not None and quality.controls is not None else []
    roles = {entry.well: entry.role for entry in controls}

    def role(well: WellExecution) -> WellRole:
        return roles.get(well.well, WellRole.TREATMENT)

    kinds: list[tuple[str, Callable[[WellExecution], bool]]] = [
        ("positive control", lambda well: role(well) is WellRole.POSITIVE),
        ("negative control", lambda well: role(well) is WellRole.NEGATIVE),
        ("median well", lambda well: role(well) is WellRole.TREATMENT),
    ]
    chosen: list[Example] = []
    for why, belongs in kinds:
        typical = _typical([well for well in done if belongs(well)], main)
        if typical is not None:
            chosen.append(Example(typical.well, 1, why))
    names = {well.well for well in done}
    taken = {(example.well, example.field) for example in chosen}
    flags = quality.flags if quality is not None else []
    flag = next((each for each in flags if each.well in names and (each.well, each.field) not in taken), None)
    return chosen if flag is None else [*chosen, Example(flag.well, flag.field, f"flagged: {flag.message}")]


def _typical(wells: Sequence[WellExecution], main: str | None) -> WellExecution | None:
    valued = [(well.measurements.get(main), well) for well in wells] if main else []
    known = [(value, well) for value, well in valued if value is not None and is_number(value)]
    if not known:
        return wells[0] if wells else None
    middle = median_low([value for value, _ in known])
    return next(well for value, well in known if value == middle)
