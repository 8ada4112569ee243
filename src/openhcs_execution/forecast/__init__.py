# SPDX-License-Identifier: AGPL-3.0-or-later
"""When a run will be done, how sure that is, and how good such forecasts were: ``remaining`` (the method), ``board`` (the runs
of the database), ``replay`` and ``simulated`` (the back-test)."""
