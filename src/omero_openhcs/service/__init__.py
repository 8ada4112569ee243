# SPDX-License-Identifier: AGPL-3.0-or-later
"""The connection from OMERO.web to the execution service: who asks (signed tokens) and where to (one client per request)."""
