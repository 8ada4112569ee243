# SPDX-License-Identifier: AGPL-3.0-or-later
"""What pydantic finds wrong, by field path (``steps.0.name``) and in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ._pipelines import PATTERNS

__all__ = ["MOST_ERRORS", "field_errors_of", "summary_of"]

MOST_ERRORS = 100
"""More are not told: a large document with everything wrong would give an answer larger than itself."""

_SENTENCES = {
    "missing": "This must be given.",
    "extra_forbidden": "There is no such field.",
    "too_long": "At most {max_length} are allowed.",
    "too_short": "At least {min_length} must be given.",
    "string_too_long": "At most {max_length} characters are allowed.",
    "string_too_short": "This must not be empty.",
    "string_type": "This must be text.",
    "string_unicode": "This is not text.",
    "list_type": "This must be a list.",
    "dict_type": "This must be an object with fields.",
    "model_type": "This must be an object with fields.",
    "model_attributes_type": "This must be an object with fields.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "finite_number": "This must be a number that is neither infinite nor NaN.",
    "greater_than_equal": "The least is {ge}.",
    "less_than_equal": "The most is {le}.",
    "less_than": "This must be less than {lt}.",
    "literal_error": "This must be {expected}.",
}

_ANY_VALUE = "This must be text, a number, true, false, null, or a flat list of these."


def field_errors_of(error: ValidationError | Sequence[ErrorDetails], content: Any = None) -> dict[str, str]:
    """The problems by field path, without the offending input; at most :data:`MOST_ERRORS`.

    ``content`` is what was validated. With it a value that fits none of several types is one problem at the value's own
    path; without it pydantic's names of the types end up in paths (``parameters.sigma.float``).
    """
    fields: dict[str, str] = {}
    problems = error.errors(include_url=False, include_input=False) if isinstance(error, ValidationError) else error
    for problem in problems:
        place: Iterable[str | int] = problem["loc"]
        context = problem.get("ctx", {})
        sentence = _sentence(problem["type"], problem["msg"], context)
        if problem["type"] == "unusable_value":
            place = (*place, *context["path"])
        elif content is not None:
            found = _place_in(content, place, missing=problem["type"] == "missing")
            if found != tuple(place) and problem["type"] != "finite_number":
                sentence = _ANY_VALUE
            place = found
        path = ".".join(str(part) for part in place)
        if path not in fields or problem["type"] == "finite_number":
            fields[path] = sentence
        if len(fields) >= MOST_ERRORS:
            break
    return fields


def summary_of(fields: Mapping[str, str], subject: str) -> str:
    """The first problem, and how many more there are, as the rest of a sentence: ``steps.0.name: … (and 2 more)``."""
    name, problem = next(iter(fields.items()))
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    return f"{name or subject}: {problem.rstrip('.')}{more}."


def _sentence(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "unusable_value":
        return str(context["problem"])
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], "This has characters that are not allowed here.")
    sentence = _SENTENCES.get(kind)
    return sentence.format(**context) if sentence is not None else message.removeprefix("Value error, ")


def _place_in(content: Any, place: Iterable[str | int], *, missing: bool) -> tuple[str | int, ...]:
    """``place`` without what is no key or index of ``content``: pydantic's names of the types that it tried."""
    path: list[str | int] = []
    here = content
    for part in place:
        if isinstance(here, Mapping) and (part in here or missing):
            here = here.get(part)
        elif isinstance(here, list | tuple) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            continue
        path.append(part)
    return tuple(path)
