# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measure the whole system on this machine, print a table and write ``build/bench.json``.

    make bench                              # the real screening row, when it is on this machine
    .venv/bin/python scripts/bench.py --repeats 5

Everything runs on loopback, with as many workers as bare OpenHCS gets processes. Figures of one run belong together: machines
differ and are noisy, so times are medians of interleaved repeats, and ratios say more than seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import forecast_bench
import list_bench
import live_bench
import overhead_bench
import pixel_bench
import plate_map_bench
import psutil
import queue_bench
import saving_bench
import soak_bench
import tables_bench
import tifffile
import zarr_bench
from omero.gateway import BlitzGateway
from rich.console import Console
from rich.table import Table
from stack import Stack, StackOptions

from omero_sandbox.loading.plate_folder import scan_folder
from openhcs_client import PipelineDocument, RemoteOrchestrator, well_name
from openhcs_execution.engine.bare import run_bare
from openhcs_execution.engine.staging import IMAGES, StagedPlane, write_index

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
PIPELINE = "spot-count"
PROCESSES = min(2, os.cpu_count() or 1)
POLLERS = 20
POLL_SECONDS = 20
POLL_EVERY = 1.0
ROW_NAME = "Transfluor row O"
ROW_PATTERN = "AS_*_{well}f{field}d{channel}.TIF"


@dataclass(frozen=True)
class Figure:
    """A measured value. ``ok`` is ``None`` where there is no target."""

    value: float
    unit: str
    target: float | None
    ok: bool | None


class Figures(dict[str, Figure]):
    """What was measured so far. A target is an upper bound, but for rates, which are the names in ``rates``."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: set[str] = set()

    def note_rate(self, name: str, value: float, unit: str, target: float) -> None:
        """Note something that should be at least ``target``."""
        self.rates.add(name)
        self.note(name, value, unit, target)

    def note(self, name: str, value: float, unit: str, target: float | None = None) -> None:
        met = None if target is None else value >= target if name in self.rates else value <= target
        self[name] = Figure(round(value, 3), unit, target, met)
        print(f"-- {name}: {value:.3f} {unit}" + (f" (target {target:g})" if target is not None else ""), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="repeats of the plate runs")
    parser.add_argument(
        "--row", type=Path, default=Path(os.environ.get("OMERO_OPENHCS_ROW", ROOT.parent / "shared/data/transfluor-row-o"))
    )
    options = parser.parse_args()
    if not any(options.row.glob("*.TIF")):
        print("The real screening row is not on this machine; set OMERO_OPENHCS_ROW to its folder.", file=sys.stderr)
        return 1
    work = BUILD / "bench"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)

    figures = Figures()
    try:
        measure_all(figures, options.row, options.repeats, work)
    finally:  # what was measured before something went wrong is not lost
        report(figures)
        text = json.dumps({name: asdict(figure) for name, figure in figures.items()}, indent=2)
        (BUILD / "bench.json").write_text(text + "\n", encoding="utf-8")
    return 0


def measure_all(figures: Figures, row: Path, repeats: int, work: Path) -> None:
    settings = StackOptions(folder=work / "stack", workers=PROCESSES, demo_data=True, read_files=True)
    started = time.monotonic()
    with Stack(settings):
        figures.note("first_start", time.monotonic() - started, "s")
    started = time.monotonic()
    with Stack(settings) as stack:
        figures.note("second_start", time.monotonic() - started, "s", target=20)
        measure(stack, row, repeats, work, figures)
    forecast_figures(figures)
    queue_bench.measure(figures, work / "queue")


def measure(stack: Stack, row: Path, repeats: int, work: Path, figures: Figures) -> None:
    account = next(iter(stack.users().values()))
    plate_id = load_row(stack, row, account.name, account.password)
    client = RemoteOrchestrator.sign_in_to_web(stack.web_url, account.name, account.password)
    client.wait(client.execute_remote(plate_id=plate_id, pipeline=PIPELINE, config={"test_well": "O01"}), progress=False)

    delays = [first_progress(client, plate_id) for _ in range(5)]
    figures.note("submit_to_first_progress", statistics.median(delays), "s", target=2)

    live_figures(stack, client, account.name, account.password, figures)
    saving_figures(stack, client, account.name, account.password, figures)
    table_figures(stack, client, account.name, account.password, figures)

    document = client.pipeline(PIPELINE)[0]
    local = stage_locally(row, work / "local")
    whole, bare, startup = [], [], []
    for number in range(repeats):
        result = run_bare(
            local,
            document,
            ["GFP"],
            processes=PROCESSES,
            output=work / f"bare-{number}",
            home=stack.folder / "service" / "engine",
        )
        bare.append(result.seconds)
        startup.append(result.startup_seconds)
        whole.append(whole_row(client, plate_id, document))
    figures.note("row_whole_system", statistics.median(whole), "s")
    figures.note("row_bare_openhcs", statistics.median(bare), "s")
    figures.note("row_bare_openhcs_startup", statistics.median(startup), "s")
    figures.note("row_ratio", statistics.median(whole) / statistics.median(bare), "x", target=1.25)
    computing = [total - start for total, start in zip(bare, startup, strict=True)]
    figures.note("row_ratio_to_bare_without_startup", statistics.median(whole) / statistics.median(computing), "x")

    reading_figures(stack, account.name, account.password, figures)
    overhead_figures(stack, client, plate_id, local, work, figures, account.name, account.password)
    poll_status(stack, client, plate_id, figures)
    soak_figures(stack, account.name, account.password, figures)
    plate_map_figures(stack, client, plate_id, account.name, account.password, figures)
    presets_list_p95(stack, client, account.name, account.password, figures)
    zarr_figures(stack, account.name, account.password, figures)
    for name, value in memory(stack).items():
        figures.note(name, value, "MB")


@contextmanager
def connected(stack: Stack, user: str, password: str) -> Iterator[BlitzGateway]:
    """A connection to the stack's OMERO."""
    connection = BlitzGateway(user, password, host="127.0.0.1", port=stack.omero_port)
    if not connection.connect():
        raise RuntimeError("cannot connect to the embedded OMERO")
    try:
        yield connection
    finally:
        connection.close()


def reading_figures(stack: Stack, user: str, password: str, figures: Figures) -> None:
    """How fast pixels are read, in every way: eight images of 2048 x 2048 in three channels, 16 bit, and 64 small ones."""
    with connected(stack, user, password) as connection:
        large = pixel_bench.make_images(connection, edge=2048, channels=3, images=8, dtype="uint16")
        small = pixel_bench.make_images(connection, edge=512, channels=1, images=64, dtype="uint8")
        for size, plate_id in (("large", large), ("small", small)):
            speeds = pixel_bench.measure_reading(connection, stack.folder / "omero", plate_id)
            for name, value in asdict(speeds).items():
                figures.note(f"read_{size}_{name}", value, "MB/s")


def overhead_figures(
    stack: Stack,
    client: RemoteOrchestrator,
    row_id: int,
    row: Path,
    work: Path,
    figures: Figures,
    user: str,
    password: str,
) -> None:
    """What a well costs more than on bare OpenHCS."""
    with connected(stack, user, password) as connection:
        tiny_id = overhead_bench.make_tiny_plate(connection)
    home = stack.folder / "service" / "engine"

    def compared(
        document: PipelineDocument,
        local: Path,
        plate_id: int,
        channels: list[str],
        repeats: int = 2,
        wells: Sequence[str] | None = None,
    ) -> overhead_bench.Overhead:
        return overhead_bench.compare(
            document,
            local,
            channels,
            lambda chosen: whole_run(client, plate_id, chosen, wells),
            slots=PROCESSES,
            repeats=repeats,
            work=work,
            home=home,
        )

    few, many = (
        compared(
            overhead_bench.nothing(),
            overhead_bench.stage_tiny_plate(work / f"tiny-{rows}", ["Channel 1"], rows),
            tiny_id,
            ["Channel 1"],
            repeats=5,
            wells=overhead_bench.tiny_wells(rows),
        )
        for rows in (2, overhead_bench.ROWS)
    )
    figures.note("fixed_cost_per_well_ms", 1000 * overhead_bench.cost_of_a_well(few, many), "ms", target=10)
    figures.note("fixed_cost_per_run", overhead_bench.cost_of_a_run(few, many), "s")
    figures.note("noop_well_bare_openhcs_ms", 1000 * many.well_seconds, "ms")
    for name, count, target in (("1", 1, 1.15), ("5", 9, 1.05)):
        wells = compared(overhead_bench.filters(count), row, row_id, ["GFP"], repeats=5)
        figures.note(f"wells_of_{name}_s_bare_openhcs", wells.well_seconds, "s")
        figures.note(f"ratio_wells_of_{name}_s", wells.ratio, "x", target=target)


def soak_figures(stack: Stack, user: str, password: str, figures: Figures) -> None:
    """The service's memory over many executions that people watch, and how soon they hear what happens."""
    with connected(stack, user, password) as connection:
        plate_id = overhead_bench.make_tiny_plate(connection)
        key = connection.getSession().getUuid().getValue()
        assert stack.service and stack.service.process
        with RemoteOrchestrator("127.0.0.1", stack.service_port, omero_session=key) as direct:
            service = psutil.Process(stack.service.process.pid)
            done = soak_bench.soak(service, stack.service_url, direct, plate_id, overhead_bench.nothing())
    figures.note("live_event_median", 1000 * statistics.median(done.delays), "ms")
    figures.note("live_event_p95", 1000 * percentile(done.delays, 95), "ms", target=500)
    figures.note("memory_service_after_24_executions", done.service[-1], "MB")
    figures.note("memory_service_growth", 100 * soak_bench.growth(done.service), "%", target=5)
    figures.note("memory_engines_growth", 100 * soak_bench.growth(done.engines), "%", target=5)


def plate_map_figures(
    stack: Stack, client: RemoteOrchestrator, plate_id: int, user: str, password: str, figures: Figures
) -> None:
    """How smooth the page of a running plate of 1,536 wells is."""
    if plate_map_bench.chromium() is None:
        print("-- Chromium is not installed: the plate map was not measured")
        return
    execution_id = client.execute_remote(plate_id=plate_id, pipeline=PIPELINE, config={"wells": ["O01"]})
    client.wait(execution_id, progress=False)
    frames = plate_map_bench.frame_times(stack.web_url, user, password, execution_id)
    if not frames.done:
        raise RuntimeError("the plate map showed no events")
    figures.note("plate_map_1536_frame_median", statistics.median(frames.milliseconds), "ms")
    figures.note("plate_map_1536_frame_p95", frames.percentile(95), "ms", target=33)
    figures.note("plate_map_1536_longest_frame", max(frames.milliseconds), "ms")


def forecast_figures(figures: Figures) -> None:
    """How far the end told after a tenth of the wells was from the real one, in simulated runs."""
    found = [each for name in forecast_bench.DISTRIBUTIONS for each in forecast_bench.simulated_forecasts(name, seeds=25)]
    summary = forecast_bench.summarise(found)
    figures.note("forecast_median_error", 100 * summary.median_error, "%", target=20)
    figures.note("forecast_within_80_percent_interval", 100 * summary.coverage, "%")


def table_figures(stack: Stack, client: RemoteOrchestrator, user: str, password: str, figures: Figures) -> None:
    """The plate view of 384 wells through OMERO.web, and the service's answers about 768,000 objects."""
    with connected(stack, user, password) as connection:
        plate_id = tables_bench.make_plate(connection)
        figures.note("plate_pictures_384_undrawn", tables_bench.seconds_for_pictures(client, plate_id, size=48), "s")
        tables_bench.draw_thumbnails(connection, plate_id, size=64)
    figures.note("plate_pictures_384", tables_bench.seconds_for_pictures(client, plate_id, size=64), "s", target=1.5)
    figures.note("plate_pictures_384_kept", tables_bench.seconds_for_pictures(client, plate_id, size=64), "s")
    for name, seconds in tables_bench.table_times().items():
        figures.note(name, seconds, "s")


def live_figures(stack: Stack, client: RemoteOrchestrator, user: str, password: str, figures: Figures) -> None:
    """What somebody waits for who sets up a run."""
    with connected(stack, user, password) as connection:
        plate_id = live_bench.make_well(connection)
    figures.note("validate_seconds", live_bench.seconds_to_check(client, plate_id), "s", target=1)
    first, again = live_bench.seconds_to_test(client, plate_id)
    figures.note("test_well_first_seconds", first, "s")
    figures.note("test_well_rerun_seconds", again, "s", target=3)


def saving_figures(stack: Stack, client: RemoteOrchestrator, user: str, password: str, figures: Figures) -> None:
    """How much later a run ends because its results are saved in OMERO."""
    with connected(stack, user, password) as connection:
        plate_id = saving_bench.make_plate(connection)
    cost = saving_bench.compare(client, plate_id)
    figures.note("run_with_saving", cost.saved, "s")
    figures.note("run_without_saving", cost.unsaved, "s")
    figures.note("saving_after_last_well", cost.tail, "s")
    figures.note("save_share_of_run", cost.share, "", target=0.10)


def zarr_figures(stack: Stack, user: str, password: str, figures: Figures) -> None:
    """What somebody waits for who looks at images, and how much OMERO.web can deliver."""
    with connected(stack, user, password) as connection:
        images = [zarr_bench.make_image(connection, number) for number in range(3)]
    cookie = zarr_bench.cookie_of(stack.web_url, user, password)
    seconds = [zarr_bench.first_tile_seconds(stack.web_url, cookie, image) for image in images]
    figures.note("zarr_first_tile_2048x2048x4", max(seconds), "s", target=1)
    rate, _, slow = zarr_bench.cached_chunks(stack.web_url, cookie, images[0])
    figures.note_rate("zarr_chunks_per_second", rate, "/s", target=500)
    figures.note("zarr_chunk_p95", slow, "ms", target=20)
    rate, _, slow = zarr_bench.cached_chunks(stack.web_url, cookie, images[0], etag=True)
    figures.note("zarr_unchanged_per_second", rate, "/s")
    figures.note("zarr_unchanged_p95", slow, "ms", target=20)


def presets_list_p95(stack: Stack, client: RemoteOrchestrator, user: str, password: str, figures: Figures) -> None:
    """The list of pipelines with a thousand of them."""
    with connected(stack, user, password) as connection:
        list_bench.make_many(connection, client, PIPELINE)
    milliseconds = list_bench.list_milliseconds(stack.web_url, user, password)
    figures.note("presets_list_median", percentile(milliseconds, 50), "ms")
    figures.note("presets_list_p95", percentile(milliseconds, 95), "ms", target=200)


def load_row(stack: Stack, row: Path, user: str, password: str) -> int:
    command = [sys.executable, "-m", "omero_sandbox.cli", "load-plate", str(row), "--port", str(stack.omero_port)]
    command += ["--user", user, "--data", str(stack.folder / "omero"), "--pattern", ROW_PATTERN]
    command += ["--plate-name", ROW_NAME, "--channel-names", "GFP", "--rows", "16", "--columns", "24"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the command is ours
    with connected(stack, user, password) as connection:
        return max(plate.getId() for plate in connection.getObjects("Plate") if plate.getName() == ROW_NAME)


def stage_locally(row: Path, folder: Path) -> Path:
    """The row as files in the layout that OpenHCS reads, as a user of bare OpenHCS would have it."""
    plate = scan_folder(row, ROW_PATTERN)
    (folder / IMAGES).mkdir(parents=True)
    staged = []
    for (row_number, column), fields in plate.fields.items():
        for number, label in enumerate(fields, start=1):
            for pixels in plate.planes(row_number, column, label):
                plane = StagedPlane(well=well_name(row_number, column), field=number, channel=1, z=1, t=1)
                tifffile.imwrite(folder / IMAGES / plane.file_name, pixels)
                staged.append(plane)
    write_index(folder, staged, ["GFP"], None)
    return folder


def first_progress(client: RemoteOrchestrator, plate_id: int) -> float:
    """Seconds from the submission to the first event of a well, as a page would see it."""
    started = time.monotonic()
    execution_id = client.execute_remote(plate_id=plate_id, pipeline=PIPELINE, config={"test_well": "O02"})
    cursor = 0
    while True:
        page = client.events(execution_id, since=cursor)
        cursor = page.next
        if any(event.well for event in page.events):
            seconds = time.monotonic() - started
            client.wait(execution_id, progress=False)
            return seconds


def whole_row(client: RemoteOrchestrator, plate_id: int, document: PipelineDocument) -> float:
    """Seconds of a built-in pipeline, from the submission until everything is saved in OMERO."""
    return whole_run(client, plate_id, document.id)


def whole_run(
    client: RemoteOrchestrator, plate_id: int, pipeline: str | PipelineDocument, wells: Sequence[str] | None = None
) -> float:
    """The same for any pipeline, on all wells or some.

    A question through OMERO.web costs some 10 ms of a core, so long runs are asked less often.
    """
    started = time.monotonic()
    config = {} if wells is None else {"wells": wells}
    execution_id = client.execute_remote(plate_id=plate_id, pipeline=pipeline, config=config)
    while not (status := client.status(execution_id)).status.is_final:
        time.sleep(max(0.1, 0.01 * (time.monotonic() - started)))
    if status.status != "completed":
        raise RuntimeError(f"the run ended as {status.status}: {status.message}")
    return time.monotonic() - started


def poll_status(stack: Stack, client: RemoteOrchestrator, plate_id: int, figures: Figures) -> None:
    """Answer times of the status endpoint with twenty pages open on a running execution, each asking once a second."""
    execution_id = client.execute_remote(plate_id=plate_id, pipeline=PIPELINE)
    account = next(iter(stack.users().values()))
    with omero_session(stack, account.name, account.password) as session:
        direct = RemoteOrchestrator("127.0.0.1", stack.service_port, omero_session=session)
        milliseconds = poll_together(lambda: direct.status(execution_id))
    figures.note("status_p95_service_20_pollers", percentile(milliseconds, 95), "ms", target=50)

    execution_id = client.execute_remote(plate_id=plate_id, pipeline=PIPELINE)
    milliseconds = poll_together(lambda: client.status(execution_id))
    figures.note("status_p95_omero_web_20_pollers", percentile(milliseconds, 95), "ms")
    figures.note("status_median_omero_web_20_pollers", percentile(milliseconds, 50), "ms")
    client.wait(execution_id, progress=False)


def poll_together(ask: Callable[[], object]) -> list[float]:
    """Let all pollers ask for a while and return every answer time in milliseconds."""
    times: list[float] = []
    stop = time.monotonic() + POLL_SECONDS

    def poll(number: int) -> None:
        due = time.monotonic() + POLL_EVERY * number / POLLERS
        while due < stop:
            time.sleep(max(0.0, due - time.monotonic()))
            started = time.monotonic()
            ask()
            times.append(1000 * (time.monotonic() - started))
            due += POLL_EVERY

    threads = [threading.Thread(target=poll, args=(number,)) for number in range(POLLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


@contextmanager
def omero_session(stack: Stack, user: str, password: str) -> Iterator[str]:
    with connected(stack, user, password) as connection:
        yield connection.getSession().getUuid().getValue()


def memory(stack: Stack) -> dict[str, float]:
    """Resident memory in MB of each kind of process; one Dask worker, one engine, one worker of OMERO.web."""
    assert stack.service and stack.service.process and stack.omero and stack.omero.process and stack.web and stack.web.process
    service = psutil.Process(stack.service.process.pid)
    engines = soak_bench.engines_of(service)
    workers = [process.parent() for process in engines]
    web = psutil.Process(stack.web.process.pid).children()
    return {
        "memory_service": megabytes(service),
        "memory_dask_worker": statistics.median(megabytes(process) for process in workers if process),
        "memory_engine": statistics.median(megabytes(process) for process in engines),
        "memory_embedded_omero": megabytes(psutil.Process(stack.omero.process.pid)),
        "memory_omero_web_worker": statistics.median(megabytes(process) for process in web),
    }


def megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def report(figures: Figures) -> None:
    cores = os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in ("openhcs", "distributed", "omero-py", "omero-web", "numpy"))
    table = Table(title=f"{platform.machine()}, {cores} cores, Python {platform.python_version()}; {versions}")
    for column in ("figure", "value", "unit", "target", ""):
        table.add_column(column, justify="right" if column in ("value", "target") else "left")
    for name, figure in figures.items():
        target = "" if figure.target is None else f"{'>=' if name in figures.rates else '<='} {figure.target:g}"
        verdict = {None: "", True: "ok", False: "MISSED"}[figure.ok]
        table.add_row(name, f"{figure.value:g}", figure.unit, target, verdict)
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
