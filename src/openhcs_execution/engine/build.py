# SPDX-License-Identifier: AGPL-3.0-or-later
"""Build the catalogue: harvest in a process of its own, try every candidate, write what is offered and why the rest is not."""

from __future__ import annotations

import fnmatch
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from openhcs_client import FunctionCost

from .candidates import CATEGORIES
from .catalogue import CatalogueEntry, installed_versions
from .environment import engine_environment
from .smoke.run import TIME_LIMIT, Tried, smoke_test

__all__ = ["build_catalogue", "harvested", "packaged_catalogue", "table_of", "write_table"]

_SLOW_START = 15.0  # seconds


def packaged_catalogue() -> Path:
    """Where the catalogue lies that ships with the package."""
    return Path(str(resources.files(__package__))) / "catalogue.json"


def harvested(home: Path) -> list[CatalogueEntry]:
    """Everything that could be offered, from OpenHCS and from our tables; takes half a minute.

    Raises:
        RuntimeError: when the process that imports OpenHCS fails, with the end of what it said.
    """
    home.mkdir(parents=True, exist_ok=True)
    answer = home / "harvest.json"
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "openhcs_execution.engine.build", str(answer)],
        env=engine_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"OpenHCS's functions could not be listed: {done.stderr[-2000:]}")
    return [CatalogueEntry.from_json(entry) for entry in json.loads(answer.read_text(encoding="utf-8"))]


def build_catalogue(
    output: Path,
    home: Path,
    *,
    only: str | None = None,
    jobs: int = 1,
    cache: Path | None = None,
    time_limit: float = TIME_LIMIT,
    on_result: Callable[[CatalogueEntry, Tried], None] = lambda entry, tried: None,
) -> dict[str, int]:
    """Write the catalogue of the installed versions to ``output`` and return how many functions it has and offers.

    With ``only``, a pattern of ids, the rest is taken over from what ``output`` has, or from the packaged catalogue.

    Raises:
        RuntimeError: when OpenHCS cannot be imported.
        ValueError: when nothing matches ``only``.
    """
    entries = harvested(home)
    wanted = [entry for entry in entries if entry.kind != "none" and (only is None or fnmatch.fnmatch(entry.info.id, only))]
    if not wanted:
        raise ValueError(f"no function is called {only!r}")
    tried = smoke_test(entries, wanted, home, jobs=jobs, cache=cache, time_limit=time_limit, on_result=on_result)
    before = _before(output) if only is not None else {}
    finished = [_finished(entry, tried.get(entry.info.id), before.get(entry.info.id)) for entry in entries]
    _write(output, finished)
    return {"functions": len(finished), "offered": sum(1 for entry in finished if entry.info.offered)}


def _before(output: Path) -> dict[str, CatalogueEntry]:
    """Results of an earlier build of the same versions."""
    for path in (output, packaged_catalogue()):
        if path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["versions"] == installed_versions():
                return {entry["info"]["id"]: CatalogueEntry.from_json(entry) for entry in content["functions"]}
    return {}


def _finished(entry: CatalogueEntry, tried: Tried | None, before: CatalogueEntry | None) -> CatalogueEntry:
    """The entry with what its test found."""
    if entry.kind == "none":
        return entry
    if tried is None:
        if before is None or before.kind == "none":
            update: dict[str, Any] = {"offered": False, "reason": "It has not been tested."}
            return _with(entry, update, {})
        kept = {"offered": before.info.offered, "reason": before.info.reason, "cost": before.info.cost}
        return _with(entry, kept, before.tests)
    if "failed" in tried:
        return _with(entry, {"offered": False, "reason": tried["failed"]}, {})
    tests = tried["passed"]
    cost = FunctionCost(
        seconds_per_megapixel=tests["seconds_per_megapixel"], memory_mb_per_megapixel=max(0.0, tests["memory_mb_per_megapixel"])
    )
    help = entry.info.help
    if tests["first_seconds"] > _SLOW_START:
        help += " The first well takes up to a minute longer, because the function compiles itself."
    return _with(entry, {"offered": True, "reason": "", "cost": cost, "help": help}, tests)


def _with(entry: CatalogueEntry, update: dict[str, Any], tests: dict[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(entry.info.model_copy(update=update), entry.parameters, entry.kind, entry.grouping, tests)


def _write(output: Path, entries: Sequence[CatalogueEntry]) -> None:
    content = {"versions": installed_versions(), "functions": [entry.to_json() for entry in entries]}
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_suffix(".json.part")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(output)


def write_table(catalogue: Path, table: Path) -> None:
    """Write the table of the documentation for a catalogue file."""
    table.write_text(table_of(json.loads(catalogue.read_text(encoding="utf-8"))), encoding="utf-8")


def table_of(content: dict[str, Any]) -> str:
    """A catalogue as a page of Markdown: what is offered by category, then what is not and why."""
    entries = [CatalogueEntry.from_json(entry) for entry in content["functions"]]
    offered = [entry for entry in entries if entry.info.offered]
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    lines = [
        "# Functions",
        "",
        f"Steps of pipelines may name {len(offered)} functions. They were tested as steps with {versions}.",
        "This page is written by `openhcs-execution catalogue build --table docs/functions.md`.",
        "",
        "- *Type*: whether the result has the type of the image, or is float32.",
        "- *Grey values*: **kept** (mean and unit stay), **units** (other values, still grey values: twice the light gives",
        "  twice the result), **changed** (on purpose), **score** (a number without a unit), **mask** (0 and 1), **untouched**",
        "  (the image is handed on).",
        "- *Fields*: whether fields of a well are computed separately, or together on purpose.",
        "- *Seconds* and *MB*: of one plane of one megapixel on the machine of the test, to compare functions with each other.",
        "",
    ]
    for category in CATEGORIES:
        rows = [entry for entry in offered if entry.info.category == category]
        lines += [f"## {category.capitalize()}", "", "| function | id | library | type | grey values | fields | seconds | MB |"]
        lines += ["|---|---|---|---|---|---|---|---|", *(_offered_row(entry) for entry in rows), ""]
    lines += ["## Not offered", "", "| function | id | library | why |", "|---|---|---|---|"]
    lines += [
        f"| {_cell(entry.info.title)} | `{entry.info.id}` | {entry.info.library} | {_cell(entry.info.reason)} |"
        for entry in entries
        if not entry.info.offered
    ]
    return "\n".join(lines) + "\n"


def _offered_row(entry: CatalogueEntry) -> str:
    info, tests = entry.info, entry.tests
    cost = info.cost or FunctionCost(seconds_per_megapixel=0, memory_mb_per_megapixel=0)
    cells = (
        _cell(info.title),
        f"`{info.id}`",
        info.library,
        tests["dtype"],
        tests["intensity"],
        tests["fields"],
        f"{cost.seconds_per_megapixel:.2g}",
        f"{cost.memory_mb_per_megapixel:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that cannot break a table or become markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _harvest(answer: Path) -> None:
    from .harvest import entries, upstream_functions

    found = [entry.to_json() for entry in entries(upstream_functions())]
    answer.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    _harvest(Path(sys.argv[1]))
