# SPDX-License-Identifier: AGPL-3.0-or-later
"""Translates expressions and subqueries of HQL to SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omero_sandbox.query import syntax
from omero_sandbox.query.context import Context, Scope, Term
from omero_sandbox.query.errors import HqlError
from omero_sandbox.query.functions import call_function, collection_rows
from omero_sandbox.query.paths import resolve
from omero_sandbox.query.sources import add_sources

__all__ = ["translate", "translate_condition"]

_CASTS = {
    "boolean": ("INTEGER", "bool"),
    "double": ("REAL", "double"),
    "float": ("REAL", "double"),
    "int": ("INTEGER", "int"),
    "integer": ("INTEGER", "int"),
    "long": ("INTEGER", "long"),
    "string": ("TEXT", "string"),
    "text": ("TEXT", "string"),
}


def translate(context: Context, scope: Scope, expression: syntax.Expression) -> Term:
    """Translate one expression.

    Raises:
        HqlError: a name does not resolve, or the construct is not supported.
    """
    translator = _TRANSLATORS.get(type(expression))
    if translator is None:
        raise HqlError(f"{type(expression).__name__} cannot stand here")
    return translator(context, scope, expression)


def translate_condition(context: Context, scope: Scope, expression: syntax.Expression) -> str:
    """Translate a condition to SQL text."""
    return translate(context, scope, expression).sql


def _literal_kind(value: Any) -> str | None:
    kinds: dict[type, str] = {bool: "bool", int: "long", float: "double", str: "string"}
    return kinds.get(type(value))


def _literal(context: Context, _scope: Scope, node: syntax.Literal) -> Term:
    return Term("NULL" if node.value is None else context.bind(node.value), _literal_kind(node.value))


def _parameter(context: Context, _scope: Scope, node: syntax.Parameter) -> Term:
    value = context.parameter(node.name)
    if isinstance(value, list):
        return Term(f"({context.bind_list(value)})", "list")
    return Term(context.bind(value), _literal_kind(value))


def _path(context: Context, scope: Scope, node: syntax.Path) -> Term:
    return resolve(context, scope, node)


def _star(_context: Context, _scope: Scope, _node: syntax.Star) -> Term:
    return Term("*", None)


def _negative(context: Context, scope: Scope, node: syntax.Negative) -> Term:
    term = _value(context, scope, node.operand)
    return Term(f"(-{term.sql})", term.kind)


def _not(context: Context, scope: Scope, node: syntax.Not) -> Term:
    return Term(f"NOT ({_value(context, scope, node.operand).sql})", "bool")


def _value(context: Context, scope: Scope, expression: syntax.Expression) -> Term:
    """An expression that has a value of its own."""
    term = translate(context, scope, expression)
    if term.kind == "collection":
        raise HqlError(f"illegal attempt to dereference collection [{expression}]")
    return term


def _binary(context: Context, scope: Scope, node: syntax.Binary) -> Term:
    left, right = _value(context, scope, node.left), _value(context, scope, node.right)
    if node.operator in ("AND", "OR"):
        kind = "bool"
    elif node.operator == "||":
        kind = "string"
    else:
        numbers = {left.kind, right.kind}
        kind = "double" if numbers & {"double", "float", "unit"} else "time" if numbers == {"time", "long"} else "long"
    return Term(f"({left.sql} {node.operator} {right.sql})", kind)


def _comparison(context: Context, scope: Scope, node: syntax.Comparison) -> Term:
    left, right = _value(context, scope, node.left), _value(context, scope, node.right)
    if left.kind == "class":
        right = _class_name(context, scope, node.right, right)
    elif right.kind == "class":
        left = _class_name(context, scope, node.left, left)
    return Term(f"{left.sql} {node.operator} {right.sql}", "bool")


def _class_name(context: Context, scope: Scope, expression: syntax.Expression, term: Term) -> Term:
    """What a class is compared with: clients write ``TagAnnotation`` or ``'ome.model.annotations.TagAnnotation'``."""
    value: Any = None
    if isinstance(expression, syntax.Literal):
        value = expression.value
    elif isinstance(expression, syntax.Parameter):
        value = context.parameter(expression.name)
    return Term(context.bind(value.rsplit(".", 1)[-1]), "class") if isinstance(value, str) else term


def _is_null(context: Context, scope: Scope, node: syntax.IsNull) -> Term:
    return Term(f"{_value(context, scope, node.operand).sql} IS {'NOT ' if node.negated else ''}NULL", "bool")


def _is_empty(context: Context, scope: Scope, node: syntax.IsEmpty) -> Term:
    rows = collection_rows(context, translate(context, scope, node.operand))
    return Term(f"{'' if node.negated else 'NOT '}EXISTS ({rows})", "bool")


def _like(context: Context, scope: Scope, node: syntax.Like) -> Term:
    text, pattern = _value(context, scope, node.operand), _value(context, scope, node.pattern)
    options = f"{context.bind(node.escape)}, {context.bind(int(node.ignore_case))}"
    return Term(f"{'NOT ' if node.negated else ''}like_match({text.sql}, {pattern.sql}, {options})", "bool")


def _between(context: Context, scope: Scope, node: syntax.Between) -> Term:
    operand, low, high = (_value(context, scope, each) for each in (node.operand, node.low, node.high))
    return Term(f"{operand.sql} {'NOT ' if node.negated else ''}BETWEEN {low.sql} AND {high.sql}", "bool")


def _in(context: Context, scope: Scope, node: syntax.In) -> Term:
    operand = _value(context, scope, node.operand)
    choices = node.choices
    word = "NOT IN" if node.negated else "IN"
    if len(choices) == 1 and isinstance(choices[0], syntax.SubQuery):
        return Term(f"{operand.sql} {word} ({subquery(context, scope, choices[0].query)[0]})", "bool")
    if len(choices) == 1 and isinstance(choices[0], syntax.Function) and choices[0].name == "elements":
        rows = collection_rows(context, translate(context, scope, choices[0].arguments[0]))
        return Term(f"{operand.sql} {word} ({rows})", "bool")
    parts: list[str] = []
    for choice in choices:
        value = context.parameter(choice.name) if isinstance(choice, syntax.Parameter) else None
        if isinstance(value, list) and len(choices) == 1:
            values = [str(each).rsplit(".", 1)[-1] for each in value] if operand.kind == "class" else value
            return Term(f"{operand.sql} {word} ({context.bind_list(values)})", "bool")
        if isinstance(value, list):
            parts.extend(context.bind(each) for each in value)
        else:
            term = _value(context, scope, choice)
            parts.append((_class_name(context, scope, choice, term) if operand.kind == "class" else term).sql)
    return Term(f"{operand.sql} {word} ({','.join(parts)})", "bool")


def _exists(context: Context, scope: Scope, node: syntax.Exists) -> Term:
    if isinstance(node.operand, syntax.SubQuery):
        return Term(f"EXISTS ({subquery(context, scope, node.operand.query)[0]})", "bool")
    if isinstance(node.operand, syntax.Function) and node.operand.name == "elements":
        rows = collection_rows(context, translate(context, scope, node.operand.arguments[0]))
        return Term(f"EXISTS ({rows})", "bool")
    raise HqlError("exists needs a subquery")


def _sub_query(context: Context, scope: Scope, node: syntax.SubQuery) -> Term:
    sql, kind = subquery(context, scope, node.query)
    return Term(f"({sql})", kind)


def _tuple(context: Context, scope: Scope, node: syntax.TupleOf) -> Term:
    return Term(f"({','.join(_value(context, scope, each).sql for each in node.items)})", "list")


def _case(context: Context, scope: Scope, node: syntax.Case) -> Term:
    parts: list[str] = []
    kinds: list[str | None] = []
    for condition, result in node.branches:
        term = _value(context, scope, result)
        kinds.append(term.kind)
        parts.append(f"WHEN {_value(context, scope, condition).sql} THEN {term.sql}")
    if node.otherwise is not None:
        term = _value(context, scope, node.otherwise)
        kinds.append(term.kind)
        parts.append(f"ELSE {term.sql}")
    return Term(f"CASE {' '.join(parts)} END", next((kind for kind in kinds if kind), None))


def _cast(context: Context, scope: Scope, node: syntax.Cast) -> Term:
    if node.type not in _CASTS:
        raise HqlError(f"cannot cast to {node.type}")
    sql_type, kind = _CASTS[node.type]
    return Term(f"CAST({_value(context, scope, node.operand).sql} AS {sql_type})", kind)


def _function(context: Context, scope: Scope, node: syntax.Function) -> Term:
    arguments = [translate(context, scope, each) for each in node.arguments]
    return call_function(context, node.name, arguments, node.distinct)


def subquery(context: Context, parent: Scope, query: syntax.Query) -> tuple[str, str | None]:
    """Translate a query inside another; returns its SQL and the kind of its first column."""
    scope = Scope(parent)
    add_sources(context, scope, query.sources, lambda condition: translate_condition(context, scope, condition))
    items = query.select or (syntax.SelectItem(_first_alias(query), None),)
    columns: list[Term] = []
    for item in items:
        if isinstance(item.expression, syntax.NewMap):
            raise HqlError("new map cannot be used in a subquery")
        columns.append(_value(context, scope, item.expression))
    where = [*scope.where]
    if query.where is not None:
        where.append(f"({_value(context, scope, query.where).sql})")
    # Conditions may add to scope.where only through sources, which are all translated above.
    group = [_value(context, scope, each).sql for each in query.group_by]
    having = None if query.having is None else _value(context, scope, query.having).sql
    order = [f"{_value(context, scope, each.expression).sql}{' DESC' if each.descending else ''}" for each in query.order_by]
    sql = f"SELECT {'DISTINCT ' if query.distinct else ''}{', '.join(each.sql for each in columns)}"
    sql += f" FROM {' '.join(scope.joins)}"
    sql += f" WHERE {' AND '.join(where)}" if where else ""
    sql += f" GROUP BY {', '.join(group)}" if group else ""
    sql += f" HAVING {having}" if having else ""
    sql += f" ORDER BY {', '.join(order)}" if order else ""
    return sql, columns[0].kind


def _first_alias(query: syntax.Query) -> syntax.Path:
    first = query.sources[0]
    assert isinstance(first, syntax.FromEntity)
    return syntax.Path((first.alias,))


_TRANSLATORS: dict[type, Callable[[Context, Scope, Any], Term]] = {
    syntax.Between: _between,
    syntax.Binary: _binary,
    syntax.Case: _case,
    syntax.Cast: _cast,
    syntax.Comparison: _comparison,
    syntax.Exists: _exists,
    syntax.Function: _function,
    syntax.In: _in,
    syntax.IsEmpty: _is_empty,
    syntax.IsNull: _is_null,
    syntax.Like: _like,
    syntax.Literal: _literal,
    syntax.Negative: _negative,
    syntax.Not: _not,
    syntax.Parameter: _parameter,
    syntax.Path: _path,
    syntax.Star: _star,
    syntax.SubQuery: _sub_query,
    syntax.TupleOf: _tuple,
}
