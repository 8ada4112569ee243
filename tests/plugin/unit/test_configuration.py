# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the plugin presents itself to OMERO.web: settings, addresses, and the configuration lines that ship with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from stack import shipped_config_lines

from omero_openhcs import settings
from omero_openhcs.settings import CUSTOM_SETTINGS_MAPPINGS

REPOSITORY = Path(__file__).resolve().parents[3]


def mapped(key: str, text: str) -> object:
    return CUSTOM_SETTINGS_MAPPINGS[key][2](text)


def test_every_setting_has_a_default_that_its_own_mapping_accepts() -> None:
    for key, (name, default, mapping, description, *_) in CUSTOM_SETTINGS_MAPPINGS.items():
        assert key.startswith("omero.web.openhcs.")
        assert isinstance(default, str), f"{key}: OMERO.web applies the mapping to the default as well"
        mapping(default)
        assert hasattr(settings, name)
        assert description


def test_the_configured_values_are_used() -> None:
    assert settings.SERVICE_URL.startswith("http://127.0.0.1:")
    assert settings.POLL_INTERVAL_MS == 1500


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("omero.web.openhcs.service_url", "127.0.0.1:7777"),
        ("omero.web.openhcs.service_url", "file:///etc/passwd"),
        ("omero.web.openhcs.poll_interval_ms", "0"),
        ("omero.web.openhcs.poll_interval_ms", "soon"),
        ("omero.web.openhcs.job_session_idle_minutes", "-5"),
        ("omero.web.openhcs.live_url", "openhcs-live"),
        ("omero.web.openhcs.live_url", "javascript:alert(1)"),
    ],
)
def test_a_wrong_value_stops_omero_web_at_start(key: str, text: str) -> None:
    with pytest.raises(ValueError):
        mapped(key, text)


def test_the_live_address_ends_with_a_slash_or_is_empty() -> None:
    assert mapped("omero.web.openhcs.live_url", "/openhcs-live") == "/openhcs-live/"
    assert mapped("omero.web.openhcs.live_url", "wss://omero.example/live//") == "wss://omero.example/live/"
    assert mapped("omero.web.openhcs.live_url", " ") == ""


def test_an_app_whose_settings_were_not_processed_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.apps import apps
    from django.core.exceptions import ImproperlyConfigured

    monkeypatch.delattr(settings, "SERVICE_URL")
    with pytest.raises(ImproperlyConfigured, match="SERVICE_URL missing"):
        apps.get_app_config("openhcs").ready()


def test_every_setting_is_documented_for_administrators() -> None:
    text = (REPOSITORY / "docs" / "administrators" / "install.md").read_text(encoding="utf-8")
    for key in CUSTOM_SETTINGS_MAPPINGS:
        assert key in text, f"{key} is not in docs/administrators/install.md"


def test_every_shipped_configuration_line_is_documented() -> None:
    text = (REPOSITORY / "docs" / "administrators" / "install.md").read_text(encoding="utf-8")
    for key, _ in shipped_config_lines():
        assert key in text


def test_url_names_cannot_collide_with_another_plugin() -> None:
    from django.urls import get_resolver

    resolver = get_resolver("omero_openhcs.urls")
    names = {name for name in resolver.reverse_dict if isinstance(name, str)}
    assert "openhcs_index" in names
    assert {name for name in names if not name.startswith("openhcs_")} == set()


def test_the_configuration_lines_name_things_that_exist() -> None:
    from django.contrib.staticfiles import finders
    from django.template.loader import get_template
    from django.urls import reverse

    items = {}
    for key, item in shipped_config_lines():
        items.setdefault(key, []).append(item)
    assert items["omero.web.apps"] == ["omero_openhcs"]
    assert reverse(items["omero.web.ui.top_links"][0][1]) == "/openhcs/"
    _, view, options = items["omero.web.open_with"][0]
    assert reverse(view) == "/openhcs/open/"
    assert finders.find(options["script_url"])
    get_template(items["omero.web.ui.right_plugins"][0][1])


def test_addresses_are_those_of_the_contract() -> None:
    from django.urls import reverse

    execution = {"execution_id": "a1b2c3"}
    assert reverse("openhcs_status", kwargs=execution) == "/openhcs/status/a1b2c3/"
    assert reverse("openhcs_results", kwargs=execution) == "/openhcs/results/a1b2c3/"
    assert reverse("openhcs_execute", kwargs={"plate_id": 7}) == "/openhcs/execute/7/"
    assert reverse("openhcs_api_events", kwargs=execution) == "/openhcs/api/v1/executions/a1b2c3/events/"
    assert reverse("openhcs_api_pipeline", kwargs={"pipeline_id": "nuclei-count"}) == "/openhcs/api/v1/pipelines/nuclei-count/"
