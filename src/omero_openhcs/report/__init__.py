# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report of an execution: one HTML file that needs nothing else, to be read, printed and kept."""
