# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nothing of a script is executed, whatever is in it, and no script can take the reader down."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openhcs_client import LARGEST_SOURCE
from openhcs_execution.catalogue.scripts import function_table
from openhcs_execution.python_source import import_python

REPOSITORY = Path(__file__).resolve().parents[3]
TRACE = "TRACE_FILE"

LEAVE = f"__import__('pathlib').Path({TRACE!r}).touch()"
"""An expression that leaves a trace when it is evaluated."""

HOSTILE = {
    "statement": LEAVE,
    "os.system": f"import os\nos.system('touch {TRACE}')",
    "subprocess": f"import subprocess\nx = subprocess.run(['touch', {TRACE!r}])",
    "open": f"x = open({TRACE!r}, 'w')",
    "eval": f"x = eval({LEAVE!r})",
    "exec": f"exec({LEAVE!r})",
    "compile": f"exec(compile({LEAVE!r}, 'x', 'exec'))",
    "decorator": f"@({LEAVE})\ndef f(): pass",
    "default argument": f"def f(x={LEAVE}): pass",
    "annotation": f"x: {LEAVE} = 1\ndef f(x: {LEAVE}) -> {LEAVE}: pass",
    "class body": f"class A:\n    {LEAVE}",
    "base class": f"class A({LEAVE}): pass",
    "metaclass": f"class M(type):\n    def __new__(*a): {LEAVE}\nclass A(metaclass=M): pass",
    "f-string": f'x = f"{{{LEAVE}}}"',
    "lambda": f"x = (lambda: {LEAVE})()",
    "loop": f"for i in [1]: {LEAVE}",
    "while": f"while True:\n    {LEAVE}\n    break",
    "comprehension": f"x = [{LEAVE} for i in [1]]",
    "generator": f"x = list({LEAVE} for i in [1])",
    "walrus": f"x = (y := {LEAVE})",
    "condition": f"if True:\n    {LEAVE}",
    "conditional expression": f"x = {LEAVE} if True else 1",
    "try": f"try:\n    raise ValueError\nexcept ValueError:\n    {LEAVE}",
    "with": f"with ({LEAVE}): pass",
    "match": f"match 1:\n    case _: {LEAVE}",
    "assert": f"assert {LEAVE}",
    "main": f"if __name__ == '__main__':\n    {LEAVE}",
    "operator": f"x = 1 + {LEAVE}",
    "subscript": f"x = [1][{LEAVE}]",
    "in the list of steps": f"pipeline_steps = [{LEAVE}]",
    "in func": f"from openhcs.core.steps.function_step import FunctionStep\npipeline_steps = [FunctionStep(func={LEAVE})]",
    "in a value": "from openhcs.core.steps.function_step import FunctionStep\n"
    "from openhcs.processing.backends.processors.numpy_processor import gaussian_blur\n"
    f"pipeline_steps = [FunctionStep(func=(gaussian_blur, {{'sigma': {LEAVE}}}), name={LEAVE})]",
    "a function that is called like one of OpenHCS": f"def FunctionStep(**k): {LEAVE}\npipeline_steps = [FunctionStep(func=1)]",
    "import of the script's folder": "import trace_on_import\nfrom trace_on_import import pipeline_steps",
    "encoding declaration": f"# -*- coding: trace_codec -*-\n{LEAVE}",
    "a comment of ours": f'# --- omero-openhcs pipeline\n# {{"id": "x", "name": {LEAVE}}}\n# --- end',
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_is_executed(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = tmp_path / "trace"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("trace_on_import", "trace_codec"):
        (tmp_path / f"{module}.py").write_text(f"open({str(trace)!r}, 'w')\npipeline_steps = []\n")
    source = source.replace(TRACE, str(trace))
    before = set(sys.modules)
    for form in (source, source.encode()):
        imported = import_python(form, function_table())
        assert not imported.complete, "something of this must be told"
    assert not trace.exists(), "the script was executed"
    assert "trace_on_import" not in set(sys.modules) - before
    if "omero-openhcs" not in source and "coding" not in source:
        try:
            # The trace is real: running the script leaves one.
            exec(compile(source, "hostile", "exec", dont_inherit=True), {"__name__": "__main__"})
        except Exception as error:
            assert trace.exists(), error
        assert trace.exists()


AUDIT = """
import json, sys
from openhcs_execution.catalogue.scripts import function_table
from openhcs_execution.python_source import import_python, render_python
from tests.execution.python_source.test_hostile import HOSTILE
from openhcs_execution.catalogue import PipelineCatalogue

table = function_table()
sources = list(HOSTILE.values()) + ["x = '\\\\d'", "(", "\\0", b"\\xff", "x = 1" + "+1" * 9000]
sources.append(render_python(PipelineCatalogue.packaged().resolve("colocalisation"), table))
for source in sources:  # whatever is loaded on first use is loaded now
    import_python(source, table)
events = []
armed = False
def hook(event, arguments):
    if armed:
        events.append((event, str(arguments[:1])[:80]))
sys.addaudithook(hook)
armed = True
for source in sources:
    import_python(source, table)
armed = False
print(json.dumps({"events": events, "sources": len(sources)}))
"""


def test_reading_a_script_raises_no_event_but_the_parsers_own() -> None:
    """An audit hook sees every exec, import, open, socket and subprocess of the interpreter; parsing alone says `compile`."""
    done = subprocess.run([sys.executable, "-c", AUDIT], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.splitlines()[-1])
    compiled = [what for name, what in report["events"] if name == "compile"]
    others = {(name, what) for name, what in report["events"] if name != "compile"}
    assert len(compiled) <= report["sources"]
    # Where the parser looks for the line of a mistake: a name of ours, below something that is no folder.
    assert others <= {("open", "('/dev/null/openhcs-script',)")}


CHAINS = {
    "plus": "x = 1" + " + 1" * 200_000,
    "plus within the limit": "x = 1" + "+1" * 15_000,
    "minus": "x = " + "-" * 100_000 + "1",
    "minus within the limit": "x = " + "-" * 30_000 + "1",
    "not": "x = " + "not " * 9_000 + "1",
    "attributes": "import openhcs\nx = openhcs" + ".a" * 15_000,
    "calls": "import openhcs\nx = openhcs" + "()" * 15_000,
    "subscripts": "import openhcs\nx = openhcs" + "[0]" * 12_000,
    "lambdas": "x = " + "lambda: " * 4_000 + "1",
    "conditions": "x = " + "1 if 1 else " * 3_000 + "1",
    "continued lines": "x = 1" + " + \\\n1" * 20_000,
    "brackets": "x = " + "[" * 100_000 + "]" * 100_000,
    "brackets within the parser's limit": "x = " + "[" * 150 + "]" * 150,
    "open brackets": "(" * 100_000,
    "braces": "x = " + "{1:" * 20_000 + "1" + "}" * 20_000,
    "f-strings": "x = " + "f'{" * 5_000,
    "blocks": "".join(" " * depth + "if 1:\n" for depth in range(500)) + " " * 500 + "pass",
    "elif": "if 1: pass\n" + "elif 1: pass\n" * 30_000,
    "strings": "x = " + "'a' " * 9_000,
    "long string": "x = '" + "a" * 30_000 + "'",
    "digits": "x = " + "9" * 30_000,
    "names": "\n".join(f"x{i} = [{', '.join([f'x{i - 1}'] * 10) if i else 1}]" for i in range(200)),
    "decorators": "@a\n" * 20_000 + "def f(): pass",
    "many statements": "import os\n" * 40_000,
    "semicolons": "x=1;" * 9_000,
    "unfinished string": "x = '''" + "a\n" * 100_000,
    "quotes": "'" * 99_999,
    "backslashes": "\\" * 99_999,
    "our marker": "# --- omero-openhcs pipeline\n" * 15_000,
    "our json": "# --- omero-openhcs pipeline\n# " + "[" * 100_000 + "\n# --- end",
    "too long": "x = 1\n" * (LARGEST_SOURCE // 6 + 1),
    "five megabytes": "x" * 5_000_000,
    "nul": "x = 1\0",
    "half a letter": "x = '\ud800'",
    "form feed": "\f" * 1000 + "x = 1",
    "not utf-8": b"x = '\xff\xfe'",
    "utf-16": "x = 1".encode("utf-16"),
    "binary": bytes(range(256)) * 100,
    "latin-1 by declaration": b"# -*- coding: latin-1 -*-\nx = '\xe9'",
    "tabs and spaces": "if 1:\n\tx = 1\n        y = 1",
    "no python": "<html><script>alert(1)</script></html>",
}


@pytest.mark.parametrize("source", CHAINS.values(), ids=CHAINS.keys())
def test_no_script_takes_the_reader_down(source: str | bytes) -> None:
    begin = time.process_time()
    imported = import_python(source, function_table())
    assert imported.document is None
    assert [note for note in imported.notes if note.severity == "error"]
    assert len(imported.notes) <= 501
    assert time.process_time() - begin < 20


def test_line_ends_of_every_kind_count_as_lines() -> None:
    for end in ("\n", "\r\n", "\r"):
        [note, *_] = import_python(f"x = 1{end}{end}import os{end}".encode(), function_table()).notes[-1:]
        assert note.line == 3, repr(end)


def test_text_in_notes_is_short_and_text() -> None:
    name = "<img src=x onerror=alert(1)>" * 50
    source = (
        "from openhcs.core.steps.function_step import FunctionStep\n"
        "from openhcs.processing.backends.processors.numpy_processor import tophat\n"
        f"pipeline_steps = [FunctionStep(func=(tophat, {{{name!r}: 1}}))]"
    )
    for note in import_python(source, function_table()).notes:
        assert len(note.message) < 400
