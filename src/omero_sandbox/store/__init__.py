# SPDX-License-Identifier: AGPL-3.0-or-later
"""How objects are kept: one SQLite file beside the pixel and file folders; loading, saving, deleting and moving them."""
