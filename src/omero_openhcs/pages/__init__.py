# SPDX-License-Identifier: AGPL-3.0-or-later
"""The HTML pages: one module per page, thin views that gather a context and name a template."""
