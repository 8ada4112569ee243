# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which class of users somebody belongs to is what OMERO says and the settings name."""

from __future__ import annotations

import pytest

from openhcs_execution.omero_io import SessionUser
from openhcs_execution.queue.adding import PriorityClass
from openhcs_execution.settings import Settings
from openhcs_execution.submission import priority_class_of


@pytest.mark.parametrize(
    ("admin", "groups", "expected"),
    [
        (False, ("Lab A",), PriorityClass.USER),
        (False, (), PriorityClass.USER),
        (False, ("Lab A", "Screening core"), PriorityClass.POWER_USER),
        (False, ("Screening",), PriorityClass.USER),
        (True, ("Screening core",), PriorityClass.ADMINISTRATOR),
        (True, (), PriorityClass.ADMINISTRATOR),
    ],
)
def test_classes(monkeypatch: pytest.MonkeyPatch, admin: bool, groups: tuple[str, ...], expected: PriorityClass) -> None:
    monkeypatch.setenv("OPENHCS_EXECUTION_POWER_USER_GROUPS", " Screening core, Imaging ,")
    settings = Settings()
    assert settings.power_user_groups == ("Screening core", "Imaging")
    user = SessionUser(user_id=2, name="Ada", admin=admin, groups=(), group_names=groups)
    assert priority_class_of(user, settings.power_user_groups) is expected


def test_nobody_is_a_power_user_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENHCS_EXECUTION_POWER_USER_GROUPS", raising=False)
    user = SessionUser(user_id=2, name="Ada", admin=False, groups=(), group_names=("", "default"))
    assert priority_class_of(user, Settings().power_user_groups) is PriorityClass.USER
