# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import numpy as np
import pytest

from openhcs_execution.engine.inference import documented, parameter_facts


class Way(Enum):
    UP = "up"
    DOWN = "down"


class Rich(Enum):
    ALL = ("all", True)
    NONE = ("none", False)


def annotated(
    image: np.ndarray, size: Annotated[int, "A size."] = 3, sigma: float = 1.0, way: Way = Way.UP, rich: Rich = Rich.ALL,
    limit: float | None = None, name: str = "x", on: bool = True, mask: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Do something.

    Args:
        size: How large it is. In pixels.
        way: Where to.
    """


def bare(  # type: ignore[no-untyped-def]
    image, sigma=1, count=3, mode="nearest", label="x", flag=False, level=None, mask=None, function=np.sum, sizes=(1, 2)
):
    """Filter.

    Parameters
    ----------
    image : ndarray
        The image.
    sigma : scalar or sequence of scalars, optional
        Width of the kernel. More text.
    count : int, optional
        How many.
    mode : {'reflect', 'nearest', "wrap"}, optional
        The border.
    level, other : float, optional
        A level.
    mask : 2-D array of bool, optional
        Where.

    Returns
    -------
    sigma : bool
        Not a parameter.
    """


def test_annotations_are_taken_at_their_word() -> None:
    facts = parameter_facts(annotated)
    assert {name: fact["type"] for name, fact in facts.items()} == {
        "size": "integer", "sigma": "number", "way": "choice", "rich": "choice", "limit": "number", "name": "string",
        "on": "boolean",
    }  # fmt: skip
    assert not any(fact["inferred"] for fact in facts.values())
    assert (facts["way"]["choices"], facts["way"]["default"]) == (["up", "down"], "up")
    assert facts["rich"]["choices"] == ["all", "none"]
    assert facts["size"]["help"] == "How large it is."
    assert "default" not in facts["limit"]


def test_without_annotations_defaults_and_documentation_decide_and_say_so() -> None:
    facts = parameter_facts(bare)
    assert {name: fact["type"] for name, fact in facts.items()} == {
        "sigma": "number", "count": "integer", "mode": "choice", "label": "string", "flag": "boolean", "level": "number",
    }  # fmt: skip
    assert all(fact["inferred"] for fact in facts.values())
    assert facts["mode"]["choices"] == ["reflect", "nearest", "wrap"]
    assert facts["sigma"]["help"] == "Width of the kernel."


@pytest.mark.parametrize("name", ["image", "mask", "function", "sizes"])
def test_what_no_form_could_hold_is_left_out(name: str) -> None:
    assert name not in parameter_facts(bare)


def test_a_docstring_of_neither_kind_describes_nothing() -> None:
    assert documented("Just a sentence: with a colon.") == {}
    assert parameter_facts(lambda x=1: x) == {"x": {"help": "", "type": "integer", "inferred": True, "default": 1}}


def test_what_is_returned_is_no_parameter() -> None:
    assert documented(bare.__doc__ or "")["sigma"][0].startswith("scalar")


def test_broken_annotations_do_no_harm() -> None:
    def odd(size: Any = 3) -> Any:
        return size

    odd.__annotations__["size"] = "NoSuchThing"
    assert parameter_facts(odd)["size"]["type"] == "integer"
