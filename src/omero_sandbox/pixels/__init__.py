# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pixel files, their statistics, and the way from intensities to a picture on the screen.

Nothing in this folder knows about Ice or the database: the services hand in numbers and get arrays and bytes back.
"""
