# SPDX-License-Identifier: AGPL-3.0-or-later
"""Certificates of an authority of one's own, and what is refused without them."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest
from distributed import Client, Scheduler

from openhcs_client import OpenHCSError
from openhcs_execution.certificates import make_certificates
from openhcs_execution.dispatch.cluster import check_address, probe, security_of
from openhcs_execution.dispatch.errands import SessionErrands
from openhcs_execution.dispatch.hosting import tls_files
from openhcs_execution.secrets import SecretError, SessionVault
from openhcs_execution.settings import Settings
from tests.execution.coroutines import run_coroutine


def settings_with(folder: Path, data: Path, name: str = "service") -> Settings:
    return Settings(
        data_dir=data,
        tls_ca_file=folder / "ca.pem",
        tls_cert_file=folder / f"{name}.pem",
        tls_key_file=folder / f"{name}.key",
    )


def test_keys_are_private_and_never_written_over(tmp_path: Path) -> None:
    make_certificates(tmp_path / "tls", ["service", "node-1.example.org"], 30)
    keys = list((tmp_path / "tls").glob("*.key"))
    assert {key.name for key in keys} == {"ca.key", "service.key", "node-1.example.org.key"}
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    with pytest.raises(FileExistsError):
        make_certificates(tmp_path / "tls", ["service"], 30)
    make_certificates(tmp_path / "tls", ["node-2"], 30)  # by the same authority


@pytest.mark.parametrize("name", ["ca", "../x", "a b", ""])
def test_names_are_those_of_hosts(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name of a host"):
        make_certificates(tmp_path, [name], 30)


@pytest.mark.parametrize(
    "address",
    ["tcp://10.0.0.1:8786", "tcp://127.0.0.1:8786", "tls://host", "tls://user@host:1", "http://host:1", "", "tls://h:1/x"],
)
def test_only_addresses_with_tls_are_taken(address: str) -> None:
    with pytest.raises(OpenHCSError) as refused:
        check_address(address)
    assert refused.value.code == "engine_not_safe"


def test_without_certificates_nothing_is_connected(tmp_path: Path) -> None:
    with pytest.raises(OpenHCSError) as refused:
        security_of(Settings(data_dir=tmp_path))
    assert refused.value.code == "no_certificates"


def test_a_scheduler_takes_our_authority_and_no_other(tmp_path: Path) -> None:
    ours, others = tmp_path / "ours", tmp_path / "others"
    for folder in (ours, others):
        make_certificates(folder, ["service", "host"], 30)

    async def try_both() -> None:
        security = tls_files(ours / "ca.pem", ours / "host.pem", ours / "host.key")
        async with Scheduler(host="127.0.0.1", port=0, protocol="tls://", security=security, dashboard=False) as scheduler:
            mine = security_of(settings_with(ours, tmp_path))
            async with Client(scheduler.address, security=mine, asynchronous=True, set_as_default=False) as client:
                assert client.status == "running"
            with pytest.raises(OpenHCSError) as refused:
                await asyncio.to_thread(probe, scheduler.address, settings_with(others, tmp_path))
            assert refused.value.code == "engine_unreachable"
            plain = scheduler.address.replace("tls://", "tcp://")
            with pytest.raises(OSError):
                await Client(plain, asynchronous=True, timeout=3, set_as_default=False)

    run_coroutine(try_both())


def test_workers_get_sessions_under_another_key_than_the_database_has() -> None:
    vault = SessionVault("s" * 40)
    errands = SessionErrands(vault)
    stored = vault.seal("a session key")
    sent = errands.seal(stored)
    assert SessionVault(errands.secret).open(sent) == "a session key"
    assert errands.seal(stored) == sent  # a worker knows the session again
    with pytest.raises(SecretError):
        SessionVault(errands.secret).open(stored)
    with pytest.raises(SecretError):
        vault.open(sent)
