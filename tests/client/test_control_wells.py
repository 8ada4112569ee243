# SPDX-License-Identifier: AGPL-3.0-or-later
"""CSV files of control wells as spreadsheets write them, and what a wrong one is told, line by line."""

from __future__ import annotations

import pytest

from openhcs_client import OpenHCSError, WellContent, WellRole, is_role_key, normal_contents, read_controls_csv, role_of


def test_a_file_as_people_write_it() -> None:
    text = (
        "\ufeffWell;Control Type;Compound;Concentration (µM);plate\r\nb2;Positive control;Agonist;10,5;7\r\n\r\nA1;neg;DMSO\r\n"
    )
    assert read_controls_csv(text) == [
        WellContent(well="A01", role=WellRole.NEGATIVE, compound="DMSO"),
        WellContent(well="B02", role=WellRole.POSITIVE, compound="Agonist", concentration="10,5"),
    ]


@pytest.mark.parametrize("text", ["well,role\nA01,empty\n", "role\twell\nempty\tA1", '"well","role"\r"A01","Empty"\r'])
def test_separators_orders_and_line_ends(text: str) -> None:
    assert read_controls_csv(text) == [WellContent(well="A01", role=WellRole.EMPTY)]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", {"line 1": "empty"}),
        (" \n\n", {"line 1": "empty"}),
        ("well,role\n", {"line 1": "no well below"}),
        ("A01,positive\n", {"line 1": "no column “well”"}),
        ("well,compound\nA01,x\n", {"line 1": "no column “role”"}),
        ("well,role,type,control\nA01,x,x,x\n", {"line 1": "more than one column “role”"}),
        ("well,role\nA01,positive\nA02,postive\n", {"line 3": "“postive” is not a role"}),
        ("well,role\nA01,\n", {"line 2": "no role"}),
        ("well,role\nA00,positive\n", {"line 2": "“A00” is not the name of a well"}),
        ("well,role\n,positive\n", {"line 2": "no well"}),
        ("well,role\nA01,neg\na1,pos\n", {"line 3": "A01 is there twice"}),
        ('well,role\n"A01,neg\n', {"line 2": "not CSV"}),
        (f"well,role,compound\nA01,neg,{'x' * 201}\n", {"line 2": "longer than 200"}),
        ("well,role\nx,neg\n\nA02,y\n", {"line 2": "“x” is not", "line 4": "“y” is not"}),
    ],
)
def test_what_is_wrong_is_said_by_line(text: str, errors: dict[str, str]) -> None:
    with pytest.raises(OpenHCSError) as refused:
        read_controls_csv(text)
    assert (refused.value.code, refused.value.status) == ("invalid_controls", 422)
    assert refused.value.field_errors.keys() == errors.keys()
    for line, says in errors.items():
        assert says in refused.value.field_errors[line]
    assert next(iter(errors)) in refused.value.message.lower()


def test_many_errors_are_cut_short_and_counted() -> None:
    with pytest.raises(OpenHCSError) as refused:
        read_controls_csv("well,role\n" + "x,neg\n" * 500)
    assert len(refused.value.field_errors) == 20
    assert "499 more lines are wrong" in refused.value.message


def test_wells_of_a_request() -> None:
    positive = WellRole.POSITIVE
    wells = [WellContent(well="h12", role=positive), WellContent(well="B1", role=positive)]
    assert [entry.well for entry in normal_contents(wells)] == ["B01", "H12"]
    with pytest.raises(OpenHCSError) as refused:
        normal_contents([*wells, WellContent(well="H012", role=positive), WellContent(well="12", role=positive)])
    assert refused.value.field_errors.keys() == {"wells.2", "wells.3"}


def test_words() -> None:
    assert role_of(" Positive_Control ") is role_of("POS") is WellRole.POSITIVE
    assert role_of("control") is role_of("") is None
    assert is_role_key("control_type") and is_role_key("Role") and not is_role_key("Compound")
