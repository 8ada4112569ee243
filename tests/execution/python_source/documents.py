# SPDX-License-Identifier: AGPL-3.0-or-later
"""Any document that the model takes: of functions that are known and not, with values that fit and do not."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from openhcs_client import ExposedParameter, GoldenWell, Measurement, ParameterValue, PipelineDocument, PipelineStep
from openhcs_execution.engine import load_functions

FUNCTIONS = load_functions()

# Text as people and programs write it: quotes, ends of lines of every kind, what looks like our own comments, no half letters.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
tricky = st.sampled_from(['"', "'", "\\", "\n", "\r", "\u2028", "\x85", "# --- end", "'''", '"""', "{", "\\N{BULLET}", "# "])
text = st.lists(st.one_of(st.text(letters, max_size=8), tricky), max_size=4).map("".join)
short = text.map(lambda value: value.strip()[:120].strip()).filter(bool)
identifier = st.from_regex(re.compile(r"[a-z0-9][a-z0-9_-]{0,10}", re.ASCII), fullmatch=True)
variable = st.from_regex(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,10}", re.ASCII), fullmatch=True)
numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
plain = st.one_of(st.booleans(), numbers, text)
values: st.SearchStrategy[ParameterValue] = st.one_of(st.none(), plain, st.lists(plain, max_size=4))
channels = st.one_of(short, st.integers(1, 12).map(str))


def _value(parameter: Any) -> st.SearchStrategy[ParameterValue]:
    match parameter.type:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-5, 500)
        case "number":
            return st.one_of(st.integers(0, 50), st.floats(0, 100))
        case "choice":
            return st.sampled_from(parameter.choices)
        case "channel":
            return st.one_of(st.integers(1, 8), channels)
        case _:
            return st.one_of(variable, text)


@st.composite
def steps(draw: st.DrawFn) -> PipelineStep:
    content: dict[str, Any] = {"name": draw(short)}
    function = draw(st.sampled_from(FUNCTIONS))
    content["function"] = function.id
    fitting = {parameter.name: _value(parameter) for parameter in function.parameters}
    content["parameters"] = draw(st.fixed_dictionaries({}, optional=fitting))
    if draw(st.integers(0, 3)) == 0:  # what does not fit
        content["function"] = draw(st.one_of(st.just(function.id), st.just("elsewhere:gone")))
        content["parameters"] |= draw(
            st.dictionaries(st.one_of(text, st.sampled_from([*fitting, "channels"])), values, max_size=3)
        )
        content["enabled"] = draw(st.booleans())
        content["grouping"] = draw(st.sampled_from([None, {"over": ["z_index"], "by": None}, {}]))
    content["channels"] = draw(st.one_of(st.none(), st.lists(channels, max_size=3)))
    content["input"] = draw(st.sampled_from(["previous", "start"]))
    return PipelineStep.model_validate(content)


@st.composite
def exposed(draw: st.DrawFn, made: list[PipelineStep]) -> ExposedParameter:
    """A parameter of a step; its default is what the step holds, as a published pipeline has to have it."""
    index = draw(st.integers(0, len(made) - 1))
    parameter = draw(st.one_of(variable, st.sampled_from([name for step in made for name in step.parameters] or ["x"])))
    parameter = parameter if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", parameter) else "x"
    return ExposedParameter(
        name=draw(identifier),
        title=draw(short),
        step=index,
        parameter=parameter,
        type=draw(st.sampled_from(["integer", "number", "boolean", "choice", "channel"])),
        default=made[index].parameters.get(parameter, draw(values)),
        minimum=draw(st.none() | numbers),
        choices=draw(st.none() | st.lists(text, max_size=3)),
        unit=draw(st.none() | text),
        help=draw(text),
    )


measurements = st.builds(
    Measurement,
    name=variable,
    title=short,
    level=st.sampled_from(["object", "field", "well"]),
    unit=st.none() | text,
    help=text,
)
golden_wells = st.builds(
    GoldenWell,
    plate_id=st.integers(1, 2**63 - 1),
    well=st.sampled_from(["A1", "B03", "AF48"]),
    parameters=st.dictionaries(text, values, max_size=2),
    expected=st.lists(st.fixed_dictionaries({"name": variable, "value": st.none() | numbers}), min_size=1, max_size=3),
    note=text,
)


@st.composite
def documents(draw: st.DrawFn) -> PipelineDocument:
    """Any document that can be kept."""
    made = draw(st.lists(steps(), min_size=1, max_size=5))
    return PipelineDocument(
        id=draw(identifier),
        version=draw(st.integers(1, 1000)),
        name=draw(short),
        description=draw(text),
        steps=made,
        parameters=draw(st.lists(exposed(made), max_size=3, unique_by=lambda each: each.name)),
        measurements=draw(st.lists(measurements, max_size=3)),
        primary_measurement=draw(st.none() | text),
        minimum_channels=draw(st.integers(1, 32)),
        golden_wells=draw(st.lists(golden_wells, max_size=2)),
    )
