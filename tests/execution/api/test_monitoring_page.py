# SPDX-License-Identifier: AGPL-3.0-or-later
"""The administrators' page, the scrape example and the alert rules name the metrics that there are, and only those."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from openhcs_execution.service import Service

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "docs" / "administrators" / "monitoring.md"
RULES = REPOSITORY / "deploy" / "prometheus" / "openhcs-rules.yml"
SCRAPE = REPOSITORY / "deploy" / "prometheus" / "scrape.yml"


def described(service: Service) -> Iterator[tuple[str, str, list[str], str]]:
    """Name as Prometheus shows it, type, labels and help of each metric."""
    for collector in service.meters.registry._collector_to_names:
        if hasattr(collector, "_labelnames"):
            suffix = {"counter": "_total", "info": "_info"}.get(collector._type, "")
            yield collector._name + suffix, collector._type, list(collector._labelnames), collector._documentation
        else:
            for family in collector.collect():
                labels = sorted({name for sample in family.samples for name in sample.labels})
                yield family.name, family.type, labels, family.documentation


def table(service: Service) -> str:
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for name, kind, labels, text in sorted(described(service)):
        lines.append(f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |")
    return "\n".join(lines)


def test_the_page_lists_every_metric(service: Service) -> None:
    found = re.search(r"<!-- metrics: begin -->\n(.*)\n?<!-- metrics: end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert found[1].strip() == table(service), f"docs/administrators/monitoring.md should have:\n{table(service)}"


def test_rules_and_dashboards_name_metrics_that_exist(service: Service) -> None:
    known = {name for name, *_ in described(service)}
    known |= {f"{name}_{part}" for name in set(known) for part in ("bucket", "sum", "count")}
    files = [PAGE, *sorted(RULES.parent.iterdir())]
    for file in files:
        named = set(re.findall(r"\bopenhcs_(?!execution\b)[a-z_]+", file.read_text(encoding="utf-8")))
        assert named - known == set(), file.name


def test_the_rules_are_rules() -> None:
    content = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    rules = [rule for group in content["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"OpenHCS[A-Za-z]+", rule["alert"])
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_the_example_on_the_page_is_the_file() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    assert yaml.safe_load(example[1]) == yaml.safe_load(SCRAPE.read_text(encoding="utf-8"))
