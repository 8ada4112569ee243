# SPDX-License-Identifier: AGPL-3.0-or-later
"""The long one takes minutes: it runs when it is asked for, by ``-m chaos``, and in no other choice of tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "chaos" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("chaos")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)
