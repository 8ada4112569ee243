# SPDX-License-Identifier: AGPL-3.0-or-later
"""The JSON API under ``/openhcs/api/v1/``, documented in ``docs/openapi.yaml``: one module per resource, thin views."""
