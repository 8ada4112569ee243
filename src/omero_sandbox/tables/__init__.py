# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO.tables: measurements in HDF5 files that are laid out as OMERO's own, with conditions that we parse ourselves."""
