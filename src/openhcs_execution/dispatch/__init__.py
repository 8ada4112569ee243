# SPDX-License-Identifier: AGPL-3.0-or-later
"""Getting wells computed and saved: the Dask cluster, what runs on its workers, and the loops that feed and empty it.

Nothing is imported here: worker processes import :mod:`.worker` alone, without the database, the API and pandas.
"""
