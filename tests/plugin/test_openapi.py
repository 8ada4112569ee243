# SPDX-License-Identifier: AGPL-3.0-or-later
"""``docs/openapi.yaml`` says what the plugin does: same addresses, same methods, same models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from openhcs_client import ExecutionStatus

from . import openapi_document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return yaml.safe_load(openapi_document.PATH.read_text(encoding="utf-8"))


def served() -> Iterator[str]:
    """The addresses of the API as OpenAPI writes them, from Django's own patterns."""
    from django.urls import get_resolver

    for pattern in get_resolver("omero_openhcs.api.urls").url_patterns:
        route = str(pattern.pattern)
        if pattern.name not in (None, "openhcs_api"):
            yield openapi_document.API + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
    yield "/openhcs/status/{execution_id}/"


def test_it_is_up_to_date_with_the_models() -> None:
    written = openapi_document.PATH.read_text(encoding="utf-8")
    assert written == openapi_document.text(), "run: python -m tests.plugin.openapi_document"


def test_it_lists_exactly_the_addresses_that_are_served(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == set(served())


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = openapi_document.PATH.read_text(encoding="utf-8")
    for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert name in document["components"]["schemas"]


def test_the_methods_are_those_that_the_views_take(document: dict[str, Any], django_client: Any) -> None:
    for path, operations in document["paths"].items():
        address = re.sub(r"\{(field|plate_id|user_id)\}", "1", path)
        address = re.sub(r"\{function_id\}", "skimage:gaussian", address)
        address = re.sub(r"\{\w+\}", "x1", address)
        for method in ("get", "post", "delete"):
            response = getattr(django_client, method)(address)
            taken = response.status_code != 405
            assert taken == (method in operations), f"{method.upper()} {address} answers {response.status_code}"


def test_the_status_has_what_the_contract_promises(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["ExecutionStatus"]["properties"]
    promised = {
        "execution_id",
        "status",
        "wells_total",
        "wells_completed",
        "wells_failed",
        "current_well",
        "current_step",
        "started_at",
        "estimated_completion",
    }
    assert promised <= set(properties)
    assert set(properties) == set(ExecutionStatus.model_fields)
