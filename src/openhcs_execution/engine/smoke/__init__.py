# SPDX-License-Identifier: AGPL-3.0-or-later
"""The smoke test of the catalogue: every candidate is run as a step, through OpenHCS's orchestrator, on planes whose answers
can be judged. Only what passes is offered.
"""
