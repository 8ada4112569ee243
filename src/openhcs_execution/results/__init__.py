# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was computed, as files: one bundle per committed well, and measurements and label images read from it."""
