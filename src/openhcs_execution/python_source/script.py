# SPDX-License-Identifier: AGPL-3.0-or-later
"""The statements of a script, read one after the other: what is imported, what names stand for, what the list of steps holds.

Only assignments, ``append``, ``extend`` and imports at the top level mean anything; everything else is named and left out.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .scanning import RefusedError
from .values import Call, Named, Place, Unreadable, Value, read_value, sentence_for

__all__ = ["Note", "Script", "read_script"]

Note = Callable[[Literal["info", "warning", "error"], Place, str], None]

# Where Python's parser looks for the line of an error to show it. There can be no such file, whatever the working directory is.
_FILE = "/dev/null/openhcs-script"
# It also warns of odd escapes in strings, which is no news for anybody here.
warnings.filterwarnings("ignore", module=_FILE)

_STEPS = "pipeline_steps"
_MOST_STEPS = 1000

_HARMLESS = ("openhcs", "openhcs_execution", "skimage", "numpy", "arraybridge", "polystore", "pathlib", "typing", "enum")


@dataclass
class Script:
    """What a script assigns. ``steps`` are the members of its list of steps, as they are written."""

    description: str = ""
    steps: list[Value] | None = None
    config: Call | None = None
    names: dict[str, Value] = field(default_factory=dict)


def read_script(text: str, note: Note) -> Script:
    """Read the statements of ``text``; what is not understood goes to ``note``.

    Raises:
        RefusedError: when it is no Python.
    """
    tree = _parsed(text)
    reader = _Reader(note)
    for statement in tree.body:
        reader.read(statement)
    reader.finish()
    script = reader.script
    docstring = ast.get_docstring(tree)
    script.description = (docstring or "").partition("\n\n")[0].strip()[:4000]
    return script


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text, filename=_FILE)
    except SyntaxError as error:
        raise RefusedError(
            f"This is not Python: {error.msg.partition(';')[0]}.", max(error.lineno or 1, 1), max(error.offset or 1, 1)
        ) from error
    except (RecursionError, MemoryError) as error:
        raise RefusedError("The script is nested too deeply to be read.") from error
    except ValueError as error:
        raise RefusedError("The file is not text.") from error


class _Reader:
    def __init__(self, note: Note) -> None:
        self.script = Script()
        self._names = self.script.names
        self._note = note

    def read(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Import(names=aliases):
                for alias in aliases:
                    self._import(alias.name, alias.asname or alias.name.partition(".")[0], alias)
            case ast.ImportFrom():
                self._import_from(statement)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value):
                if value is not None:
                    self._assign(name, value)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                self._extend(name, value, Place.of(statement))
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item], keywords=[])):
                self._append(name, item, Place.of(statement))
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend"), args=[item], keywords=[])):
                self._extend(name, item, Place.of(statement))
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                self._note("info", Place.of(statement), "What the file does when it is run by itself is left out.")
            case ast.Expr(value=expression):
                self._note("error", Place.of(statement), f"{sentence_for(expression)}: this line is left out.")
            case _:
                self._note("error", Place.of(statement), f"{sentence_for(statement)}.")

    def finish(self) -> None:
        """Choose the list of steps: ``pipeline_steps``, the one of a ``PipelineDocument``, or the only list of steps."""
        found = self._names.get(_STEPS)
        documents = [
            value for value in self._names.values() if isinstance(value, Call) and value.target.last == "PipelineDocument"
        ]
        lists = {name: value for name, value in self._names.items() if isinstance(value, list) and any(map(_is_step, value))}
        if found is None and documents:
            call = documents[-1]
            found = call.keywords.get(_STEPS, call.positional[1] if len(call.positional) > 1 else None)
        if found is None and len(lists) == 1:
            [(name, found)] = lists.items()
            self._note("info", Place(1, 1), f"The list {name!r} is taken as the steps of the pipeline.")
        if isinstance(found, Unreadable):
            self._note("error", found.place, f"{found.message} So the steps of the pipeline are not known.")
        elif isinstance(found, Call):
            self._note("error", found.place, f"The steps come out of {found.target.last}(), which is not run.")
        elif isinstance(found, list):
            self.script.steps = found
        else:
            self._note("error", Place(1, 1), "The script has no list 'pipeline_steps' of steps.")
        configs = [value for value in self._names.values() if isinstance(value, Call) and value.target.last == "PipelineConfig"]
        self.script.config = configs[-1] if configs else None

    def _import(self, path: str, name: str, node: ast.alias) -> None:
        place = Place.of(node)
        self._names[name] = Named(path if node.asname else name, place)
        if path.partition(".")[0] not in _HARMLESS:
            self._note("error", place, f"{path} is imported, which a pipeline document cannot do: the line is left out.")

    def _import_from(self, statement: ast.ImportFrom) -> None:
        place, module = Place.of(statement), statement.module or ""
        if module == "__future__":
            return
        if statement.level or module.partition(".")[0] not in _HARMLESS:
            what = "." * statement.level + module
            self._note("error", place, f"{what} is imported, which a pipeline document cannot do: the line is left out.")
        for alias in statement.names:
            if alias.name == "*":
                self._note(
                    "error", place, f"What * brings from {module} is known only when the script runs; name what is used."
                )
            else:
                self._names[alias.asname or alias.name] = Named(f"{module}.{alias.name}", Place.of(alias))

    def _assign(self, name: str, value: ast.expr) -> None:
        read = read_value(value, self._names)
        if isinstance(read, Unreadable):
            self._note("error", read.place, read.message)
        self._names[name] = list(read) if isinstance(read, list) and isinstance(value, ast.List | ast.Tuple) else read

    def _append(self, name: str, item: ast.expr, place: Place) -> None:
        self._add(name, [read_value(item, self._names)], place)

    def _extend(self, name: str, items: ast.expr, place: Place) -> None:
        read = read_value(items, self._names)
        if isinstance(read, list):
            self._add(name, list(read), place)
        else:
            message = read.message if isinstance(read, Unreadable) else "What is added here is no list."
            self._note("error", read.place if isinstance(read, Unreadable) else place, message)

    def _add(self, name: str, items: list[Value], place: Place) -> None:
        known = self._names.get(name)
        if not isinstance(known, list):
            self._note("error", place, f"{name!r} is no list that was read before: this line is left out.")
            return
        if len(known) + len(items) > _MOST_STEPS:
            raise RefusedError(f"The list {name!r} has more than {_MOST_STEPS} members.", place.line, place.column)
        known.extend(items)


def _is_step(value: Value) -> bool:
    return isinstance(value, Call) and value.target.last == "FunctionStep"
