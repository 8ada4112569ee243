# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alembic migrations. A published migration never changes; a change of the schema is a new one."""
