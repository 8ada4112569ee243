# SPDX-License-Identifier: AGPL-3.0-or-later
"""Collects the HQL that the installed omero-py gateway and OMERO.web contain, from their syntax trees.

A query is often put together: ``"select … from %s" % dtype``, f-strings, ``query += " where …"``. What can be read off is put
together in the same way, with placeholders for what is known only at run time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import omero.gateway
import omeroweb
from omero.rtypes import rlist, rlong, rstring

__all__ = ["HOLE", "StaticQuery", "installed_queries", "parameters_for"]

HOLE = "\N{WHITE SQUARE}"
"""Stands for a part of a query that is only known at run time."""

_QUERY = re.compile(r"^\s*(select\b.*\bfrom\b|from\s+[A-Z]\w+)", re.IGNORECASE | re.DOTALL)
_CONVERSION = re.compile(r"%(\(\w+\))?[sdi]|\{\w*\}")


@dataclass(frozen=True)
class StaticQuery:
    """A query and where it is written."""

    file: str
    line: int
    hql: str


def _text(node: ast.expr) -> str | None:
    """The text of an expression, with holes for what is not literal; None where it is no text at all."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = (each.value if isinstance(each, ast.Constant) else HOLE for each in node.values)
        return "".join(str(part) for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        left = _text(node.left)
        return None if left is None else _CONVERSION.sub(HOLE, left)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None and right is None else (left or HOLE) + (right or HOLE)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        left = _text(node.func.value)
        return None if left is None else _CONVERSION.sub(HOLE, left)
    return None


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """The largest text expressions: parts of a concatenation are not queries by themselves."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.expr) and _text(node) is not None:
            yield node
            continue
        waiting.extend(ast.iter_child_nodes(node))


def installed_queries() -> list[StaticQuery]:
    """Every distinct query, gateway first."""
    web = Path(omeroweb.__file__).parent
    files = [Path(omero.gateway.__file__), *sorted(web.rglob("*.py"))]
    found: dict[str, StaticQuery] = {}
    for path in files:
        for node in _expressions(ast.parse(path.read_text(encoding="utf-8"))):
            text = _text(node) or ""
            if _QUERY.match(text):
                # Texts with {names} are filled in with str.format elsewhere; HQL itself has no braces.
                hql = " ".join(re.sub(r"\{\w*\}", HOLE, text).split())
                found.setdefault(hql, StaticQuery(f"{path.parent.name}/{path.name}", node.lineno, hql))
    return list(found.values())


def parameters_for(hql: str) -> omero.sys.ParametersI:
    """A value for every named parameter of a query: lists after ``in``, texts beside names, numbers otherwise."""
    parameters = omero.sys.ParametersI()
    for name in set(re.findall(r":(\w+)", hql)):
        is_list = re.search(rf"\bin\s*\(?\s*:{name}\b", hql, re.IGNORECASE)
        is_text = re.search(rf"(\bns|[nN]ame|Value|like|ilike)\s*(=|!=)?\s*:{name}\b", hql)
        values = [rstring("1")] if is_text else [rlong(each) for each in (2, 1, 3, 4, 5)]
        parameters.map[name] = rlist(values) if is_list else values[0]
    return parameters
