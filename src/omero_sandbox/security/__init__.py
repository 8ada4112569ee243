# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who asks, what she may do, and what she may see."""
