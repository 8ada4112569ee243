# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OMERO.web app: pages, JSON API, permission checks and the OME-Zarr endpoint."""
