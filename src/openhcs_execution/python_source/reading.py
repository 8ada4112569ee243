# SPDX-License-Identifier: AGPL-3.0-or-later
"""Read an OpenHCS script as a pipeline document. The script is looked at, never run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ValidationError

from openhcs_client import (
    MAXIMUM_STEPS,
    ImportedPipeline,
    ImportNote,
    OpenHCSError,
    PipelineDocument,
    PipelineStep,
    field_errors_of,
    read_document,
)

from .blocks import ABOUT, STEP, STEP_WITHOUT_CODE, Block, read_blocks
from .functions import FunctionTable
from .patterns import steps_of
from .scanning import RefusedError, comments_of, text_of
from .script import Script, read_script
from .steps import StepCode, merged, step_of
from .values import Call, Named, Place, Unreadable

__all__ = ["import_python"]

_MOST_NOTES = 500
_BROKEN_BLOCK = "This comment of omero-openhcs cannot be read any more: it is left out."


def import_python(source: bytes | str, table: FunctionTable, name: str = "") -> ImportedPipeline:
    """Read a script; ``name`` is what to call the pipeline when the script does not say.

    Whatever ``source`` is, this returns: what is not understood is in the notes.
    """
    return _Import(table, name).read(source)


class _Import:
    def __init__(self, table: FunctionTable, name: str) -> None:
        self._table = table
        self._name = name
        self._notes: list[ImportNote] = []

    def read(self, source: bytes | str) -> ImportedPipeline:
        try:
            text = text_of(source)
            blocks = read_blocks(comments_of(text))
            script = read_script(text, self._note)
        except RefusedError as error:
            self._note("error", Place(error.line, error.column), str(error))
            return self._result(None)
        about = self._about(blocks)
        self._note_config(script)
        steps = self._steps(script, blocks, about.get("channels"))
        return self._result(self._document(script, about, steps) if steps else None)

    def _result(self, document: PipelineDocument | None) -> ImportedPipeline:
        notes = sorted(self._notes, key=lambda note: (note.line, note.column))
        return ImportedPipeline(document=document, notes=notes)

    def _note(self, severity: Literal["info", "warning", "error"], place: Place, message: str) -> None:
        if len(self._notes) < _MOST_NOTES:
            note = ImportNote(line=place.line, column=place.column, severity=severity, message=message)
            if note not in self._notes:
                self._notes.append(note)
        elif len(self._notes) == _MOST_NOTES:
            text = "There is more to say than is said here."
            self._notes.append(ImportNote(line=place.line, column=place.column, severity="error", message=text))

    # ----------------------------------------------------------------- comments

    def _about(self, blocks: Sequence[Block]) -> dict[str, Any]:
        for block in blocks:
            if block.content is None or block.kind not in (ABOUT, STEP, STEP_WITHOUT_CODE):
                self._note("warning", Place(block.line, 1), _BROKEN_BLOCK)
        return next((dict(block.content) for block in blocks if block.kind == ABOUT and block.content is not None), {})

    def _noted(self, block: Block) -> PipelineStep | None:
        if block.content is None:
            return None
        try:
            return PipelineStep.model_validate(block.content)
        except ValidationError:
            self._note("warning", Place(block.line, 1), _BROKEN_BLOCK)
            return None

    # ----------------------------------------------------------------- steps

    def _steps(self, script: Script, blocks: Sequence[Block], channels: object) -> list[PipelineStep]:
        names = [name for name in channels if isinstance(name, str)] if isinstance(channels, list) else []
        noted = [block for block in blocks if block.kind == STEP]
        read: list[tuple[int, PipelineStep]] = []
        begin = 0
        for member in script.steps or []:
            if isinstance(member, Unreadable):
                self._note("error", member.place, member.message)
                continue
            if not isinstance(member, Call) or member.target.last != "FunctionStep":
                place = member.place if isinstance(member, Call | Named) else Place(1, 1)
                self._note("error", place, "The list of steps holds something that is no FunctionStep: it is left out.")
                continue
            line = member.place.line
            found = steps_of(member, self._table, self._note)
            above = [block for block in noted if begin < block.line < line]
            block = self._noted(above[-1]) if above and len(found) == 1 else None
            read += [(line, step) for code, place in found if (step := self._step(code, block, names, place)) is not None]
            begin = line
        for alone in (block for block in blocks if block.kind == STEP_WITHOUT_CODE):
            if (step := self._noted(alone)) is not None:
                before = [index for index, (line, _) in enumerate(read) if line < alone.line]
                read.insert(before[-1] + 1 if before else 0, (alone.line, step))
        if len(read) > MAXIMUM_STEPS:
            self._note("error", Place(1, 1), f"A pipeline has at most {MAXIMUM_STEPS} steps; the script has {len(read)}.")
        return [step for _, step in read[:MAXIMUM_STEPS]]

    def _step(self, code: StepCode, noted: PipelineStep | None, names: Sequence[str], place: Place) -> PipelineStep | None:
        try:
            if noted is None:
                return step_of(code)
            step, agree = merged(noted, code, self._table, names)
        except ValidationError as error:
            problem = "; ".join(f"{path}: {text}" for path, text in field_errors_of(error).items())
            self._note("error", place, f"The step is left out. {problem}")
            return None
        if not agree:
            self._note("info", place, "The code was changed since omero-openhcs wrote it; the code counts.")
        return step

    # ----------------------------------------------------------------- the document around the steps

    def _note_config(self, script: Script) -> None:
        if script.config is None:
            return
        for name in script.config.keywords:
            place = script.config.places[name]
            self._note("warning", place, f"{name} of the pipeline's configuration has no counterpart here: it is left out.")

    def _document(self, script: Script, about: dict[str, Any], steps: list[PipelineStep]) -> PipelineDocument | None:
        functions, _ = about.pop("functions", None), about.pop("channels", None)
        name = self._name.strip() or "Imported pipeline"
        content: dict[str, Any] = {"id": _identifier(name), "name": name, "description": script.description} | about
        content["steps"] = [step.model_dump() for step in steps]
        if "parameters" in content:
            content["parameters"] = self._exposed(content["parameters"], functions, steps)
        try:
            return read_document(content)
        except OpenHCSError as error:
            self._note("warning", Place(1, 1), f"What the comments say about the pipeline is left out. {error.message}")
        plain = {"id": _identifier(name), "name": name, "description": script.description, "steps": content["steps"]}
        try:
            return read_document(plain)
        except OpenHCSError as error:
            self._note("error", Place(1, 1), error.message)
            return None

    def _exposed(self, noted: object, functions: object, steps: Sequence[PipelineStep]) -> list[Any]:
        """The exposed parameters, pointing at the steps as they are now, with the values that the steps hold now."""
        before = functions if isinstance(functions, list) else []
        now = [step.function for step in steps]
        kept: list[Any] = []
        for exposed in noted if isinstance(noted, list) else []:
            index = exposed.get("step") if isinstance(exposed, dict) else None
            where = _same_step(index, before, now) if isinstance(index, int) and not isinstance(index, bool) else None
            if where is None:
                self._note("warning", Place(1, 1), "A parameter that was shown on the page belongs to a step that is gone.")
                continue
            parameter = exposed.get("parameter")
            value = steps[where].parameters.get(str(parameter), exposed.get("default"))
            if value != exposed.get("default"):
                self._note("info", Place(1, 1), f"The value of {parameter!r} was changed in the code; the page offers it now.")
            kept.append(exposed | {"step": where, "default": value})
        return kept


def _same_step(index: int, before: Sequence[object], now: Sequence[str]) -> int | None:
    """Where the step is now that was at ``index``: steps of the same function keep their order among each other."""
    if not 0 <= index < len(before):
        return None
    nth = list(before[:index]).count(before[index])
    same = [place for place, function in enumerate(now) if function == before[index]]
    return same[nth] if nth < len(same) else None


def _identifier(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "imported"
