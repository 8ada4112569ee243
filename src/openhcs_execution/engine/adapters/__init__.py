# SPDX-License-Identifier: AGPL-3.0-or-later
"""Calls catalogue functions in a way that cannot harm data: one adapter per kind, driven by the tables of candidates.

Nothing here imports OpenHCS by itself; what a candidate names is imported when it is built, in the engine's child.
"""
