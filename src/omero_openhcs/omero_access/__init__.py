# SPDX-License-Identifier: AGPL-3.0-or-later
"""The only folder of the plugin that touches OMERO: plain functions that take a ``BlitzGateway`` and return dataclasses."""
