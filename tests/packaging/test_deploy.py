# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is in ``deploy/``, as far as it can be checked without Docker and without installing anything."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from openhcs_execution.settings import Settings

from .markdown import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
UNIT = DEPLOY / "systemd" / "openhcs-execution.service"
COMPOSE = DEPLOY / "docker" / "docker-compose.yml"
DOCKERFILE = DEPLOY / "docker" / "Dockerfile"
WORKFLOW = REPOSITORY / ".github" / "workflows" / "omero-server.yml"

# What the Compose specification allows, as far as we use it; a misspelt key is in neither.
TOP_LEVEL = {"name", "services", "networks", "volumes", "configs", "secrets", "include"}
OF_SERVICE = {
    "image", "build", "environment", "env_file", "volumes", "ports", "expose", "depends_on", "networks", "network_mode",
    "restart", "healthcheck", "command", "entrypoint", "mem_limit", "cpus", "security_opt", "cap_drop", "cap_add", "user",
    "read_only", "tmpfs", "secrets", "configs", "deploy", "stop_grace_period", "init", "profiles", "hostname",
}  # fmt: skip
OF_BUILD = {"context", "dockerfile", "target", "args", "cache_from"}
OF_HEALTHCHECK = {"test", "interval", "timeout", "retries", "start_period", "disable"}


def settings_in(text: str) -> set[str]:
    return {name.lower() for name in re.findall(r"OPENHCS_EXECUTION_([A-Z_]+)", text)}


# ----------------------------------------------------------------- systemd


def unit_lines() -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if re.match(r"[A-Z][A-Za-z]+=", line):
            name, _, value = line.partition("=")
            lines.setdefault(name, []).append(value)
    return lines


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    # It wants the program to be there, which it is where the service is installed.
    stand_in = tmp_path / "openhcs-execution"
    stand_in.write_text("#!/bin/sh\n")
    stand_in.chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/openhcs/bin/openhcs-execution", str(stand_in)))
    checked = subprocess.run(
        [program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    said = [line for line in (checked.stdout + checked.stderr).splitlines() if unit.name in line]
    assert said == []
    wrong = tmp_path / "wrong.service"
    wrong.write_text(unit.read_text(encoding="utf-8").replace("NoNewPrivileges=true", "NoNewPrivilegs=true"))
    checked = subprocess.run(
        [program, "verify", "--man=no", str(wrong)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "NoNewPrivilegs" in checked.stdout + checked.stderr


def test_the_unit_is_hardened_and_can_write_where_the_service_does() -> None:
    lines = unit_lines()
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictSUIDSGID", "LockPersonality"):
        assert lines[name] == ["true"], name
    assert lines["ProtectSystem"] == ["strict"]
    assert lines["MemoryMax"] == ["90%"]
    environment = dict(
        line.split("=", 1)
        for line in (UNIT.parent / "execution.env").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert lines["ReadWritePaths"] == [environment["OPENHCS_EXECUTION_DATA_DIR"]]
    assert lines["StateDirectory"] == [Path(environment["OPENHCS_EXECUTION_DATA_DIR"]).name]
    assert lines["EnvironmentFile"] == ["/etc/omero-openhcs/execution.env"]


@pytest.mark.parametrize("file", sorted(path for path in DEPLOY.rglob("*") if path.is_file()), ids=lambda path: path.name)
def test_settings_in_the_files_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert settings_in(text) - set(Settings.model_fields) == set()
    assert not text.startswith("\ufeff")


def test_the_page_names_the_files() -> None:
    page = (REPOSITORY / "docs" / "administrators" / "deploy.md").read_text(encoding="utf-8")
    for path in (
        "deploy/systemd/openhcs-execution.service",
        "deploy/systemd/execution.env",
        "deploy/docker",
        "deploy/smoke.py",
    ):
        assert path in page, path
        assert (REPOSITORY / path).exists(), path


# ----------------------------------------------------------------- containers


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return content


def test_the_compose_file_has_only_keys_that_there_are() -> None:
    content = compose()
    assert set(content) <= TOP_LEVEL
    for name, service in content["services"].items():
        assert set(service) <= OF_SERVICE, name
        assert set(service.get("build", {})) <= OF_BUILD, name
        assert set(service.get("healthcheck", {})) <= OF_HEALTHCHECK, name
        assert ("image" in service) != ("build" in service), name
        assert not ("networks" in service and "network_mode" in service), name


def test_everything_that_is_referred_to_is_there() -> None:
    content = compose()
    services = content["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, name
            assert how["condition"] in ("service_started", "service_healthy"), name
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other], name
        for network in service.get("networks", []):
            assert network in content["networks"], name
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in content["volumes"], name
        if "network_mode" in service:
            assert service["network_mode"].removeprefix("service:") in services, name
        if "build" in service:
            folder = (COMPOSE.parent / service["build"]["context"]).resolve()
            assert (folder / service["build"]["dockerfile"]).resolve() == DOCKERFILE
            assert f" AS {service['build']['target']}\n" in DOCKERFILE.read_text(encoding="utf-8"), name


def test_ports_are_on_loopback_and_no_secret_is_written_down() -> None:
    for name, service in compose()["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        for key, value in service.get("environment", {}).items():
            if re.search(r"pass|secret(?!_FILE)|token|key", key, re.IGNORECASE) and "FILE" not in key:
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", str(value)), f"{name}: {key}"
    example = (COMPOSE.parent / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^\w*PASSWORD=(.+)$", example, re.MULTILINE) == []
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text(encoding="utf-8")))
    assert asked == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert ".env" in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_dockerfile_copies_what_is_there_and_runs_as_nobody_special() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    stages = set(re.findall(r" AS (\w+)$", text, re.MULTILINE))
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        words = line.split()
        if words[0].startswith("--from="):
            assert words[0].removeprefix("--from=") in stages
            continue
        for source in words[:-1]:
            assert (REPOSITORY / source).exists(), source
    for stage in ("service", "web"):
        part = text.split(f" AS {stage}\n")[1].split("\nFROM ")[0]
        assert "\nUSER openhcs\n" in part
        assert "HEALTHCHECK" in part
    assert set(re.findall(r"FROM python:(\d+\.\d+)", text)) == {"3.11"}
    assert "from scripts" not in text


def test_the_smoke_test_can_be_read_by_our_python_and_names_a_pipeline_that_there_is() -> None:
    text = (DEPLOY / "smoke.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 11))
    (pipeline,) = re.findall(r'pipeline="([\w-]+)"', text)
    assert (REPOSITORY / "src" / "openhcs_execution" / "pipelines" / pipeline).is_dir()


def test_the_workflow_uses_these_files() -> None:
    content = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    job = content["jobs"]["smoke"]
    assert (REPOSITORY / job["env"]["COMPOSE_FILE"]) == COMPOSE
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert "deploy/smoke.py" in commands
    for service in re.findall(r"docker compose exec (?:-\S+ |\S+=\S+ )*(\w+) ", commands):
        assert service in compose()["services"]
