# SPDX-License-Identifier: AGPL-3.0-or-later
"""The back-test of the forecast: how well it would have told the end of runs whose end is known.

    .venv/bin/python scripts/forecast_bench.py                                     # simulated runs only
    .venv/bin/python scripts/forecast_bench.py --database sqlite:///…/execution.db # and the recorded runs of a service

Prints, for recorded and for simulated runs apart, the median relative error of the forecast when a tenth of the wells was
done, and the part of runs that ended within the 80 % interval. Recorded runs come from real wells; simulated ones are drawn
from the distributions of ``openhcs_execution.forecast.simulated`` with the seeds 0, 1, 2, … and say how the method behaves
when well times differ as on real plates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from openhcs_client import ExecutionStatusName
from openhcs_execution.database import Database, ExecutionRow, WellRow
from openhcs_execution.forecast.replay import PastWell, ReplayedForecast, Summary, replay, summarise
from openhcs_execution.forecast.simulated import DISTRIBUTIONS, simulated_run

FEWEST_WELLS = 12
"""A tenth of fewer wells is one well."""
PLATES = ((24, 2), (96, 4), (384, 8))
"""Wells and slots of the simulated runs."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", help="SQLAlchemy URL of the database of a service, for its recorded runs")
    parser.add_argument("--slots", type=int, default=2, help="workers of that service")
    parser.add_argument("--seeds", type=int, default=25, help="simulated runs of each kind and size")
    options = parser.parse_args(arguments)
    if options.database:
        runs = recorded_runs(options.database)
        print(f"recorded: {len(runs)} runs of {FEWEST_WELLS} wells or more")
        if runs:
            show("  all", summarise(forecasts(runs, options.slots)))
    simulated = {name: simulated_forecasts(name, options.seeds) for name in DISTRIBUTIONS}
    print("simulated:")
    for name, found in simulated.items():
        show(f"  {name}", summarise(found))
    show("  all", summarise(each for found in simulated.values() for each in found))
    return 0


def show(name: str, summary: Summary) -> None:
    print(
        f"{name:14} {summary.runs:4} runs, median error {100 * summary.median_error:5.1f} %, "
        f"{100 * summary.coverage:3.0f} % within the 80 % interval"
    )


def simulated_forecasts(distribution: str, seeds: int) -> list[ReplayedForecast]:
    """Forecasts of simulated runs when a tenth of their wells was done."""
    runs = ((simulated_run(distribution, wells, slots, seed), slots) for wells, slots in PLATES for seed in range(seeds))
    return [found for run, slots in runs if (found := replay(run, slots)) is not None]


def forecasts(runs: Iterable[Sequence[PastWell]], slots: int) -> list[ReplayedForecast]:
    """Forecasts of recorded runs, each without knowledge of earlier ones."""
    return [found for run in runs if (found := replay(run, slots)) is not None]


def recorded_runs(url: str) -> list[list[PastWell]]:
    """The runs of a service whose wells were all computed at the first attempt; nothing is changed."""
    database = Database(url)
    try:
        with database.read() as session:
            rows = session.scalars(
                select(ExecutionRow).where(
                    ExecutionRow.status == ExecutionStatusName.COMPLETED, ExecutionRow.wells_total >= FEWEST_WELLS
                )
            )
            wells = (session.scalars(select(WellRow).where(WellRow.execution == row.number)).all() for row in list(rows))
            return [run for found in wells if (run := _recorded(found))]
    finally:
        database.close()


def _recorded(wells: Sequence[WellRow]) -> list[PastWell]:
    if any(well.committed_at is None or well.seconds is None or well.attempt != 1 for well in wells):
        return []
    start = min(well.committed_at.timestamp() for well in wells if well.committed_at)
    return [
        PastWell(well.committed_at.timestamp() - start, well.seconds)
        for well in wells
        if well.committed_at is not None and well.seconds is not None
    ]


if __name__ == "__main__":
    sys.exit(main())
