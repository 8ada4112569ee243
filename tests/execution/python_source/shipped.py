# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pipelines that ship inside the OpenHCS package, read as documents: the table of ``docs/imported-pipelines.md``.

``python -m tests.execution.python_source.shipped`` writes it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from openhcs_client import ImportedPipeline
from openhcs_execution.catalogue.scripts import document_of

__all__ = ["PATH", "Shipped", "shipped", "text"]

PATH = Path(__file__).resolve().parents[3] / "docs" / "imported-pipelines.md"
_FOLDERS = ("processing/presets/pipelines", "demo")

_HEAD = """# The pipelines that ship with OpenHCS, imported

<!-- Written by python -m tests.execution.python_source.shipped; a test compares it. -->

OpenHCS {version} ships {count} Python files that define pipelines or make them when they run. Each was read as
[users' scripts are](users/pipelines.md#openhcs-python-scripts): from its syntax tree, never run. *Fully* means that nothing was
left out; *in part* that some steps were read and the rest is named line by line; *not* that no step could be read.

**{full} map fully, {part} in part, {none} not.** The functions that are offered decide most of it.

"""


@dataclass(frozen=True)
class Shipped:
    """A file of the package, below its root, and what came of reading it."""

    path: str
    imported: ImportedPipeline

    @property
    def verdict(self) -> str:
        if self.imported.document is None:
            return "not"
        return "fully" if self.imported.complete else "in part"


def shipped() -> list[Shipped]:
    """Every file of the package's folders of pipelines that speaks of steps; nothing is imported from it."""
    root = Path(str(metadata.distribution("openhcs").locate_file("openhcs")))
    files = [file for folder in _FOLDERS for file in sorted((root / folder).glob("*.py"))]
    found = []
    for file in files:
        source = file.read_text(encoding="utf-8")
        if "FunctionStep" in source or "pipeline_steps" in source:
            found.append(Shipped(file.relative_to(root).as_posix(), document_of(source, file.stem)))
    return found


def text() -> str:
    """The table with its reasons, as Markdown."""
    files = shipped()
    verdicts = Counter(file.verdict for file in files)
    head = _HEAD.format(
        version=metadata.version("openhcs"),
        count=len(files),
        full=verdicts["fully"],
        part=verdicts["in part"],
        none=verdicts["not"],
    )
    return head + "\n".join([*_table(files), "", "## Reasons", "", *_reasons(files)]) + "\n"


def _table(files: list[Shipped]) -> Iterator[str]:
    yield "| file | maps | steps read | lines not read | lines left out |"
    yield "|---|---|---|---|---|"
    for file in files:
        steps = len(file.imported.document.steps) if file.imported.document else 0
        lines = {
            severity: len({note.line for note in file.imported.notes if note.severity == severity})
            for severity in ("error", "warning")
        }
        yield f"| `{file.path}` | {file.verdict} | {steps} | {lines['error']} | {lines['warning']} |"


def _reasons(files: list[Shipped]) -> Iterator[str]:
    """Per file what was not read or left out: each sentence once with its lines."""
    for file in files:
        if file.verdict == "fully":
            continue
        lines: dict[str, list[int]] = {}
        for note in file.imported.notes:
            if note.severity != "info":
                lines.setdefault(note.message, []).append(note.line)
        yield f"### `{file.path}`"
        yield ""
        for message, where in lines.items():
            places = f"line {where[0]}" if len(where) == 1 else f"lines {', '.join(map(str, where))}"
            yield f"- {places}: {_plain(message)}"
        yield ""


def _plain(message: str) -> str:
    """Dotted names as code, so that Markdown leaves their underscores alone."""
    return re.sub(r"(?<![\w`'])((?:\w+[.:])+\w+(?:\(\))?|\w*_\w*(?:\(\))?)", r"`\1`", message)


if __name__ == "__main__":
    PATH.write_text(text().rstrip("\n") + "\n", encoding="utf-8")
