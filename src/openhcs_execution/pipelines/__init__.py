# SPDX-License-Identifier: AGPL-3.0-or-later
"""The built-in pipelines: ``<id>/<version>.json``, each a pipeline document. A published version never changes."""
