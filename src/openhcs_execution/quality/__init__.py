# SPDX-License-Identifier: AGPL-3.0-or-later
"""How good a plate is: statistics of controls, effects of a well's place, images worth a second look.

``robust``, ``controls``, ``place`` and ``images`` are plain functions of numbers; ``report`` reads an execution and puts them
together.
"""
