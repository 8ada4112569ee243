# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO's services, one module each. Method names are OMERO's, the caller comes last, the gate checks before."""
