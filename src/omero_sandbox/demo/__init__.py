# SPDX-License-Identifier: AGPL-3.0-or-later
"""The example plates, users and groups that a demo starts with."""
