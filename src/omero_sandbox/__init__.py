# SPDX-License-Identifier: AGPL-3.0-or-later
"""An embedded OMERO for laptops and tests, spoken to over the real Ice protocol."""
