# SPDX-License-Identifier: AGPL-3.0-or-later
"""The service's threads: woken when there is something to do, and not ended by anything but a stop."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import OperationalError

from openhcs_execution import background
from openhcs_execution.background import BackgroundLoop


@pytest.mark.parametrize("error", [ValueError("a mistake"), OperationalError("select", {}, Exception("disk full"))])
def test_a_turn_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(background, "_AFTER_TROUBLE", 0.0)
    turns, again = [], threading.Event()

    def turn() -> None:
        turns.append(1)
        if len(turns) == 1:
            raise error
        again.set()

    loop = BackgroundLoop("test", turn, trouble="test_failed")
    loop.start()
    try:
        assert again.wait(10)
    finally:
        loop.stop()
    assert len(turns) == 2


def test_it_rests_until_it_is_woken_and_tells_when_it_has_ended() -> None:
    taken, ended = threading.Semaphore(0), threading.Event()
    loop = BackgroundLoop("test", lambda: taken.release(), trouble="test_failed", ended=ended.set)
    loop.start()
    assert taken.acquire(timeout=10)
    assert not taken.acquire(timeout=0.05)
    loop.wake()
    assert taken.acquire(timeout=10)
    loop.stop()
    assert loop.stopping
    assert ended.wait(10)
