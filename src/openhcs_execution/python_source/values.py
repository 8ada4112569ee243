# SPDX-License-Identifier: AGPL-3.0-or-later
"""Expressions of a script as plain data. Nothing is computed: a call is *described*, not made; a name stands for what it names.

The kinds of expression that are understood are the ones listed in :func:`read_value`; every other is an :class:`Unreadable`
with a sentence, at its place.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "Named", "Place", "Unreadable", "Value", "read_value", "sentence_for"]

Value = Any
"""``None``, ``bool``, ``int``, ``float``, ``str``, a list, a dict, or one of the classes below."""


@dataclass(frozen=True)
class Place:
    """Where something stands in the script, counted from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, node: ast.AST) -> Place:
        return cls(getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)


@dataclass(frozen=True)
class Named:
    """Something imported, by its dotted path: a function, a class, a member of an enumeration."""

    path: str
    place: Place

    @property
    def last(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """Name of what it is an attribute of: the class of a member."""
        return self.path.rpartition(".")[0].rpartition(".")[2]


@dataclass(frozen=True)
class Unreadable:
    """An expression whose value only running the script would tell."""

    place: Place
    message: str


@dataclass
class Call:
    """A call as it is written. Two objects that come from the same call are one and the same."""

    target: Named
    place: Place
    positional: list[Value] = field(default_factory=list)
    keywords: dict[str, Value] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)


_SENTENCES: dict[type[ast.AST], str] = {
    ast.Lambda: "A lambda is code, which is not run",
    ast.JoinedStr: "An f-string is put together when the script runs, which is not done",
    ast.ListComp: "A comprehension is a loop, which is not run",
    ast.SetComp: "A comprehension is a loop, which is not run",
    ast.DictComp: "A comprehension is a loop, which is not run",
    ast.GeneratorExp: "A comprehension is a loop, which is not run",
    ast.NamedExpr: "An assignment within an expression (:=) is not read",
    ast.BinOp: "This is computed when the script runs, which is not done",
    ast.BoolOp: "This is computed when the script runs, which is not done",
    ast.Compare: "This is computed when the script runs, which is not done",
    ast.IfExp: "This is decided when the script runs, which is not done",
    ast.Subscript: "This is looked up when the script runs, which is not done",
    ast.Starred: "What a star (*) unpacks is known only when the script runs, which is not done",
    ast.Await: "Await is not read",
    ast.Yield: "Yield is not read",
    ast.YieldFrom: "Yield is not read",
    ast.For: "A loop is not run; steps that are made in it are not read",
    ast.AsyncFor: "A loop is not run; steps that are made in it are not read",
    ast.While: "A loop is not run; steps that are made in it are not read",
    ast.If: "A condition is not decided; steps within it are not read",
    ast.FunctionDef: "A function is not run; steps that are made in it are not read",
    ast.AsyncFunctionDef: "A function is not run; steps that are made in it are not read",
    ast.ClassDef: "A class is not made; what is in it is not read",
    ast.With: "A with block is not run; steps within it are not read",
    ast.AsyncWith: "A with block is not run; steps within it are not read",
    ast.Try: "A try block is not run; steps within it are not read",
    ast.Match: "A match block is not run; steps within it are not read",
    ast.Call: "A call is not made",
}


def sentence_for(node: ast.AST) -> str:
    """Why a node is not read, without the full stop."""
    return _SENTENCES.get(type(node), "This is not something that a pipeline document can hold")


def read_value(node: ast.expr, names: Mapping[str, Value]) -> Value:
    """The expression as data.

    Understood are constants, signs before numbers, tuples and lists (both as lists), dictionaries with constant keys, names of
    ``names``, attributes of imported things, and calls of imported things.

    It goes only as deep as the brackets of the script, which :func:`~.scanning.comments_of` has bounded.
    """
    match node:
        case ast.Constant(value=None | bool() | int() | str() as constant):
            return constant
        case ast.Constant(value=float() as number) if math.isfinite(number):
            return number
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
            if isinstance(number, bool) or not math.isfinite(number):
                return _unreadable(node)
            return -number if isinstance(sign, ast.USub) else number
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return [read_value(element, names) for element in elements]
        case ast.Dict(keys=keys, values=values):
            return _read_dict(node, keys, values, names)
        case ast.Name(id=name):
            if name in names:
                known = names[name]
                return Named(known.path, Place.of(node)) if isinstance(known, Named) else known
            return Unreadable(Place.of(node), f"{name!r} is nothing that was read before.")
        case ast.Attribute():
            return _read_attribute(node, names)
        case ast.Call():
            return _read_call(node, names)
        case _:
            return _unreadable(node)


def _unreadable(node: ast.AST) -> Unreadable:
    return Unreadable(Place.of(node), f"{sentence_for(node)}.")


def _read_dict(node: ast.Dict, keys: list[ast.expr | None], values: list[ast.expr], names: Mapping[str, Value]) -> Value:
    content: dict[Any, Value] = {}
    for key, value in zip(keys, values, strict=True):
        read = read_value(key, names) if key is not None else None
        if not isinstance(read, str | int) or isinstance(read, bool):
            return Unreadable(Place.of(key or node), "Only text and whole numbers are read as keys.")
        content[read] = read_value(value, names)
    return content


def _read_attribute(node: ast.Attribute, names: Mapping[str, Value]) -> Value:
    path: list[str] = []
    here: ast.expr = node
    while isinstance(here, ast.Attribute):
        path.append(here.attr)
        here = here.value
    base = read_value(here, names) if isinstance(here, ast.Name) else None
    if not isinstance(base, Named):
        return base if isinstance(base, Unreadable) else Unreadable(Place.of(node), "This attribute is of nothing imported.")
    return Named(".".join((base.path, *reversed(path))), Place.of(node))


def _read_call(node: ast.Call, names: Mapping[str, Value]) -> Value:
    target = read_value(node.func, names) if isinstance(node.func, ast.Name | ast.Attribute) else None
    if not isinstance(target, Named):
        return Unreadable(Place.of(node), "A call is not made; only what OpenHCS's own classes are given is read.")
    call = Call(target, Place.of(node), [read_value(argument, names) for argument in node.args])
    for keyword in node.keywords:
        if keyword.arg is None:
            return Unreadable(Place.of(keyword), "What two stars (**) unpack is known only when the script runs.")
        call.keywords[keyword.arg] = read_value(keyword.value, names)
        call.places[keyword.arg] = Place.of(keyword)
    return call
