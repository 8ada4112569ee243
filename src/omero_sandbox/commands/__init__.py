# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands (omero.cmd): requests that a client submits and whose answer it fetches from a handle."""
