# SPDX-License-Identifier: AGPL-3.0-or-later
"""Image analysis on plain two-dimensional arrays: no OpenHCS, no files, so that it can be tested against known truth."""
