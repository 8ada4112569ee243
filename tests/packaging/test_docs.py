# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages name exists: files, headings, commands with their options, ``make`` targets, settings."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from omero_openhcs.settings import CUSTOM_SETTINGS_MAPPINGS
from omero_sandbox.cli import app as omero_sandbox
from openhcs_client.cli import app as openhcs
from openhcs_execution.cli import app as openhcs_execution
from openhcs_execution.settings import Settings

from .markdown import REPOSITORY, Page, pages

PAGES = pages()
# Groups of commands; Any, because Typer's are not everywhere those of the click that is installed.
PROGRAMS: dict[str, Any] = {
    name: typer.main.get_command(app)
    for name, app in (("openhcs", openhcs), ("openhcs-execution", openhcs_execution), ("omero-sandbox", omero_sandbox))
}
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

# Not called `page`: that is a fixture of pytest-playwright, which would start a browser.
each_page = pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)


# ----------------------------------------------------------------- links and files


def pictures_to_be_taken() -> set[Path]:
    folder = REPOSITORY / "docs" / "images"
    text = (folder / "README.md").read_text(encoding="utf-8")
    return {folder / name for name in re.findall(r"^- `([\w.-]+)`", text, re.MULTILINE)}


def broken_links(page: Page, later: set[Path]) -> Iterator[str]:
    for link in page.links():
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        if target in later:
            continue
        there = target.is_relative_to(REPOSITORY) and target.exists()
        if not there or (anchor and anchor not in Page(target).anchors()):
            yield link


@each_page
def test_links_lead_somewhere(document: Page) -> None:
    assert list(broken_links(document, pictures_to_be_taken())) == []


def test_pictures_that_were_taken_are_not_waited_for() -> None:
    assert [path.name for path in pictures_to_be_taken() if path.exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = Page(REPOSITORY / "docs" / "README.md")
    listed = {(index.path.parent / link.partition("#")[0]).resolve() for link in index.links()}
    documents = {page.path for page in PAGES if page.name.startswith("docs/") and page.path.name != "README.md"}
    assert documents - listed == set()


@each_page
def test_files_of_the_repository_exist(document: Page) -> None:
    named = [
        code
        for code in document.code_in_sentences()
        if re.fullmatch(r"(src|docs|tests|scripts|frontend|requirements)/[\w./-]+", code) and "/dist/" not in code
    ]
    homes = (REPOSITORY, REPOSITORY / "frontend")
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []


# ----------------------------------------------------------------- commands


def wrong_make(command: str) -> Iterator[str]:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", MAKEFILE, re.MULTILINE))
    if not re.match(r"make( |$)", command):
        return
    for word in shlex.split(command, comments=True)[1:]:
        name, assigned, _ = word.partition("=")
        if name not in (variables if assigned else targets):
            yield f"{command}: {word}"


@each_page
def test_make_targets_exist(document: Page) -> None:
    assert [problem for command in document.commands() for problem in wrong_make(command)] == []


def options_of(command: Any) -> set[str]:
    return {"--help"} | {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def commands_of(program: Any) -> Iterator[Any]:
    """Its commands, and those of its groups of commands."""
    for command in program.commands.values():
        yield command
        yield from getattr(command, "commands", {}).values()


def wrong_program_call(command: str) -> Iterator[str]:
    """What is wrong with a call of one of our programs; nothing for any other command."""
    found = re.match(r"(?:\$ |ExecStart=)?(?:[\w./~-]*/)?(openhcs-execution|omero-sandbox|openhcs)((?: .*)?)$", command)
    if found is None:
        return
    program = PROGRAMS[found[1]]
    words = shlex.split(re.sub(r"[\[\]…]", " ", found[2]), comments=True)
    if not words:
        return
    chosen = program.commands.get(words[0])
    if chosen is None:
        yield f"{command}: {found[1]} has no command {words[0]}"
        return
    known = options_of(chosen)
    if len(words) > 1 and words[1] in getattr(chosen, "commands", {}):
        known |= options_of(chosen.commands[words[1]])
    for word in words[1:]:
        if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known:
            yield f"{command}: {words[0]} has no option {word}"


@each_page
def test_commands_and_options_exist(document: Page) -> None:
    assert [problem for command in document.commands() for problem in wrong_program_call(command)] == []


@each_page
def test_options_in_sentences_exist(document: Page) -> None:
    known = {option for program in PROGRAMS.values() for command in commands_of(program) for option in options_of(command)}
    named = [code.split()[0] for code in document.code_in_sentences() if code.startswith("--")]
    assert [option for option in named if option not in known] == []


@each_page
def test_npm_scripts_exist(document: Page) -> None:
    scripts = json.loads((REPOSITORY / "frontend" / "package.json").read_text(encoding="utf-8"))["scripts"]
    named = re.findall(r"npm run (?:--silent )?([a-z:]+)", "\n".join(document.commands()))
    assert [name for name in named if name not in scripts] == []


def test_a_wrong_command_is_found() -> None:
    for command in (
        "openhcs rn 1 x",
        "openhcs pipelines export x --level well",
        "$ openhcs-execution serve --port 1",
        "/opt/bin/omero-sandbox serve --dat x",
    ):
        assert list(wrong_program_call(command)) != []
    for command in ("make everything", "make test FILES=x"):
        assert list(wrong_make(command)) != []
    for command in (
        "openhcs run 1 x --watch  # waits",
        "openhcs pipelines export x --format python",
        "openhcs",
        "systemctl stop openhcs-execution",
        "make test TESTS=a",
    ):
        assert [*wrong_program_call(command), *wrong_make(command)] == []


def test_a_broken_link_is_found() -> None:
    wrong = Page(REPOSITORY / "docs" / "README.md")
    wrong.__dict__["text"] = (
        "[a](users/first-run.md#no-such-heading) [b](users/none.md) ![c](images/none.png) "
        "`[d](none)` [e](users/first-run.md#the-results-page)"
    )
    assert list(broken_links(wrong, set())) == ["users/first-run.md#no-such-heading", "users/none.md", "images/none.png"]


# ----------------------------------------------------------------- settings


@each_page
def test_settings_of_the_service_exist(document: Page) -> None:
    known = {f"OPENHCS_EXECUTION_{name.upper()}" for name in Settings.model_fields} | {"OPENHCS_EXECUTION_"}
    assert set(re.findall(r"OPENHCS_EXECUTION_[A-Z_]*", document.text)) - known == set()


@each_page
def test_settings_of_the_plugin_exist(document: Page) -> None:
    assert set(re.findall(r"omero\.web\.openhcs\.[a-z_]+", document.text)) - set(CUSTOM_SETTINGS_MAPPINGS) == set()


def test_every_setting_of_the_plugin_has_its_line() -> None:
    text = (REPOSITORY / "docs" / "administrators" / "install.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(omero\.web\.openhcs\.[a-z_]+)` \| (\S+) \|", text, re.MULTILINE))
    defaults = {name: f"`{mapping[1]}`" if mapping[1] else "*(empty)*" for name, mapping in CUSTOM_SETTINGS_MAPPINGS.items()}
    assert rows == defaults


@each_page
def test_other_variables_exist(document: Page) -> None:
    named = set(re.findall(r"\bOMERO_(?:SANDBOX|OPENHCS)_[A-Z_]+\b", document.text))
    files = [path for folder in ("src", "scripts", "tests") for path in (REPOSITORY / folder).rglob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    assert {name for name in named if name not in code} == set()


# ----------------------------------------------------------------- what does not belong here


def test_nothing_outside_the_repository_is_named() -> None:
    """The project is complete by itself: no file points at a folder beside it or at the place where it was written."""
    outside = re.compile("|".join((r"\.\./" + "shared", "/" + r"work/(main|shared|brief)")))
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout of the repository")
    found = []
    for name in listed.stdout.split("\0"):
        path = REPOSITORY / name
        # The front end has a folder `shared` of its own.
        if not path.is_file() or name.startswith("frontend/"):
            continue
        if outside.search(path.read_text(encoding="utf-8", errors="ignore")):
            found.append(name)
    assert found == []
