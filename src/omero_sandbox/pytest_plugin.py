# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pytest fixtures that start an embedded OMERO."""
