# SPDX-License-Identifier: AGPL-3.0-or-later
"""What OMERO's objects are: entities, their fields and enumeration values, read from omero-py itself."""
