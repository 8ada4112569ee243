# SPDX-License-Identifier: AGPL-3.0-or-later
"""Channels as people name them: by name or by number from 1."""

from __future__ import annotations

from collections.abc import Sequence

from openhcs_client import ParameterValue

__all__ = ["channel_number"]


def channel_number(channel: ParameterValue, channels: Sequence[str]) -> int:
    """Return the number, from 1, of a channel given by name, by number, or by a number in text.

    A name wins over a number: a plate may have a channel called ``2``.

    Raises:
        ValueError: when the plate has no such channel, with a sentence that lists those it has.
    """
    if isinstance(channel, str):
        if channel in channels:
            return list(channels).index(channel) + 1
        folded = [name.casefold() for name in channels]
        if folded.count(channel.casefold()) == 1:
            return folded.index(channel.casefold()) + 1
        if channel.isdecimal():
            channel = int(channel)
    if isinstance(channel, int) and not isinstance(channel, bool) and 1 <= channel <= len(channels):
        return channel
    known = ", ".join(f"{number} ({name})" for number, name in enumerate(channels, start=1))
    raise ValueError(f"There is no channel {channel!r}; the channels are {known}.")
