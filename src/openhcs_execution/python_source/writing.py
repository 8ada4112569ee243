# SPDX-License-Identifier: AGPL-3.0-or-later
"""Write a pipeline document as an OpenHCS script.

The code is what OpenHCS on a desktop executes, with the functions that this version runs. What OpenHCS has no words for stands
in comments (:mod:`.blocks`), so that reading the script again gives the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openhcs_client import PipelineDocument, PipelineStep

from .blocks import ABOUT, STEP, STEP_WITHOUT_CODE, block_lines
from .functions import FunctionTable, KnownFunction
from .steps import StepCode, channel_names, code_of, step_of

__all__ = ["render_python"]

_COMPONENTS = ("openhcs.constants.constants", "VariableComponents")
_GROUP = ("openhcs.constants.constants", "GroupBy")
_INPUT = ("openhcs.constants.input_source", "InputSource")
_PROCESSING = ("openhcs.core.config", "LazyProcessingConfig")
_CONFIG = ("openhcs.core.config", "PipelineConfig")
_STEP = ("openhcs.core.steps.function_step", "FunctionStep")


def render_python(document: PipelineDocument, table: FunctionTable) -> str:
    """``document`` as a script that defines ``pipeline_config`` and ``pipeline_steps``.

    Channels given by name are numbered in order of appearance, and the script says so.
    """
    names = channel_names(document, table)
    imports = _Imports((_CONFIG, _STEP))
    steps = [line for step in document.steps for line in _step(step, table, names, imports)]
    lines = [
        f"# OpenHCS pipeline {_comment(document.name)}, written by omero-openhcs.",
        "# Comments that begin with --- carry what OpenHCS has no words for, for importing this file again. The code counts.",
        "",
        *imports.lines(),
        "",
        "pipeline_config = PipelineConfig()",
        "",
        *(f"# Channel {number} is {_comment(name)}." for number, name in enumerate(names, start=1)),
        "pipeline_steps = [",
        *(f"    {line}" for line in steps),
        "]",
        "",
        *block_lines(ABOUT, _about(document, names)),
    ]
    return "\n".join(lines) + "\n"


class _Imports:
    """The names that a script uses, imported once each; a second module's same name gets an alias."""

    def __init__(self, always: Sequence[tuple[str, str]]) -> None:
        self._aliases: dict[tuple[str, str], str] = {}
        for module, name in always:
            self.alias(module, name)

    def alias(self, module: str, name: str) -> str:
        """What the script calls ``name`` of ``module``."""
        if (module, name) not in self._aliases:
            taken = set(self._aliases.values())
            free = (name, *(f"{name}_{number}" for number in range(2, len(taken) + 3)))
            self._aliases[module, name] = next(alias for alias in free if alias not in taken)
        return self._aliases[module, name]

    def lines(self) -> Iterator[str]:
        for (module, name), alias in sorted(self._aliases.items()):
            yield f"from {module} import {name}" + (f" as {alias}" if alias != name else "")


def _about(document: PipelineDocument, names: Sequence[str]) -> dict[str, object]:
    content = document.model_dump(mode="json", exclude={"steps"}, exclude_defaults=True)
    content |= {"schema_version": document.schema_version, "functions": [step.function for step in document.steps]}
    return content | ({"channels": list(names)} if names else {})


def _step(step: PipelineStep, table: FunctionTable, names: Sequence[str], imports: _Imports) -> Iterator[str]:
    content = step.model_dump(mode="json", exclude_defaults=True)
    code, function = code_of(step, table, names), table.get(step.function)
    if code is None or function is None:
        reason = "is switched off" if not step.enabled else f"needs {step.function}, which is not known here"
        yield f"# The step {_comment(step.name)} {reason}."
        yield from block_lines(STEP_WITHOUT_CODE, content)
        return
    if step_of(code) != step or _values(step_of(code)) != _values(step):
        yield from block_lines(STEP, content)
    yield from _code(code, function, imports)


def _values(step: PipelineStep) -> str:
    """Tells 1 from 1.0 and true, which are equal in Python."""
    return step.model_dump_json()


def _code(code: StepCode, function: KnownFunction, imports: _Imports) -> Iterator[str]:
    named = [str(_named(function, name, code)) for name in function.name_parameters]
    callable_ = imports.alias(function.module, function.attribute_for(named))
    arguments = {
        name: _argument(function, name, value, imports)
        for name, value in code.parameters.items()
        if name not in function.name_parameters
    }
    if code.channels is not None:
        arguments["channels"] = f"({', '.join(map(str, code.channels))},)"
    components, group, source = (imports.alias(*each) for each in (_COMPONENTS, _GROUP, _INPUT))
    over = ", ".join(f"{components}.{dimension.upper()}" for dimension in function.over)
    yield f"{imports.alias(*_STEP)}("
    if arguments:
        yield f"    func=({callable_}, {{"
        yield from (f"        {name!r}: {text}," for name, text in arguments.items())
        yield "    }),"
    else:
        yield f"    func={callable_},"
    yield f"    name={code.name!r},"
    yield f"    processing_config={imports.alias(*_PROCESSING)}("
    yield f"        variable_components=[{over}],"
    yield f"        group_by={group}.{function.by.upper()},"
    yield f"        input_source={source}.{'PIPELINE_START' if code.input == 'start' else 'PREVIOUS_STEP'},"
    yield "    ),"
    yield "),"


def _named(function: KnownFunction, name: str, code: StepCode) -> object:
    default = next((parameter.default for parameter in function.info.parameters if parameter.name == name), None)
    return code.parameters.get(name, default)


def _argument(function: KnownFunction, name: str, value: object, imports: _Imports) -> str:
    enum = function.enums.get(name)
    if enum is None:
        return repr(value)
    return f"{imports.alias(enum.module, enum.name)}.{enum.members[str(value)]}"


def _comment(text: str) -> str:
    """Text for a comment: on one line whatever is in it."""
    return repr(text)
