# SPDX-License-Identifier: AGPL-3.0-or-later
"""HQL, the query language of OMERO's clients, on SQLite."""
