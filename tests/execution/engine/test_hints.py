# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is remembered of type hints is what Python says, also for classes that OpenHCS makes while it runs."""

from __future__ import annotations

import gc
import typing
from dataclasses import dataclass, make_dataclass

import pytest
from objectstate import context_manager
from openhcs.core.config import GlobalPipelineConfig, LazyProcessingConfig, PathPlanningConfig, PipelineConfig
from python_introspect import validation

from openhcs_execution.engine import hints

pytestmark = pytest.mark.engine


@dataclass
class Annotated:
    size: typing.Annotated[int, "in pixels"]


@pytest.fixture(autouse=True)
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (validation, context_manager):
        monkeypatch.setattr(module, "get_type_hints", module.get_type_hints)
    hints.remember_type_hints()


@pytest.mark.parametrize("owner", [Annotated, GlobalPipelineConfig, LazyProcessingConfig, PathPlanningConfig, PipelineConfig])
def test_the_hints_are_those_of_python(owner: type) -> None:
    for _ in range(2):
        for module in (validation, context_manager):
            assert module.get_type_hints(owner, include_extras=True) == typing.get_type_hints(owner, include_extras=True)
        assert validation.get_type_hints(owner) == typing.get_type_hints(owner)


def test_what_a_caller_does_with_them_is_forgotten() -> None:
    validation.get_type_hints(Annotated, include_extras=True).clear()
    assert list(validation.get_type_hints(Annotated, include_extras=True)) == ["size"]


def test_classes_that_are_gone_are_not_kept() -> None:
    short_lived = make_dataclass("ShortLived", [("size", int)])
    validation.get_type_hints(short_lived, include_extras=True)
    before = len(hints._known)
    del short_lived
    gc.collect()
    assert len(hints._known) == before - 1


def test_objects_are_still_checked() -> None:
    class Checked(validation.AnnotatedDataclassValidationMixin):
        pass

    size = make_dataclass("Size", [("pixels", int)], bases=(Checked,))
    assert size(3).pixels == 3
    for _ in range(2):
        with pytest.raises(TypeError, match="must be int"):
            size("three")
