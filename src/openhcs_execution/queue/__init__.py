# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is to be computed, in which order, and what became of it: every change of state with its event, in one transaction."""
