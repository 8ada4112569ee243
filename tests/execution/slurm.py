# SPDX-License-Identifier: AGPL-3.0-or-later
"""Slurm on this one machine: munged, slurmctld and slurmd with a configuration of their own, on free ports, without systemd."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

__all__ = ["SlurmMachine", "why_not"]

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
_CPUS = 4


def why_not() -> str | None:
    """Why Slurm cannot be started here; None when it can."""
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root; run the tests as root"
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not found; `make test` installs them, otherwise: apt-get install slurmctld slurmd munge"
    return None


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


class SlurmMachine:
    """One controller and one node with some CPUs, whatever this machine has."""

    def __init__(self) -> None:
        # Names of sockets are short, and the nodes must see the folder.
        self.folder = Path(tempfile.mkdtemp(prefix="openhcs-slurm-"))
        self.folder.chmod(0o755)
        self._daemons: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """For programs that submit jobs."""
        return {"SLURM_CONF": self._configuration}

    @property
    def _configuration(self) -> str:
        return str(self.folder / "slurm.conf")

    def start(self) -> SlurmMachine:
        try:
            self._write_configuration()
            socket_name = self.folder / "munge" / "socket"
            munge = [f"--socket={socket_name}", f"--key-file={self.folder / 'munge' / 'key'}", "--foreground", "--force"]
            munge += [f"--{kind}-file={self.folder / 'munge' / kind}" for kind in ("pid", "log", "seed")]
            self._daemon(["munged", *munge])
            self._wait(socket_name.exists, "munged")
            self._daemon(["slurmctld", "-D", "-c", "-f", self._configuration])
            self._daemon(["slurmd", "-D", "-N", "node", "-f", self._configuration])
            self._wait(lambda: self.ask("sinfo", "-h", "-o", "%t").strip() in ("idle", "mix", "alloc"), "the node")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in reversed(self._daemons):
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._end_steps()
        shutil.rmtree(self.folder)

    def _end_steps(self) -> None:
        """End the keepers of our jobs, with what they keep: they would wait for ever to tell the controller, which is gone."""
        for keeper in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if keeper.name().startswith("slurmstepd") and keeper.environ().get("SLURM_CONF") == self._configuration:
                    for process in (*keeper.children(recursive=True), keeper):
                        process.kill()

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands says; nothing when it fails."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout

    def jobs(self) -> list[str]:
        """Ids of the jobs that run."""
        return self.ask("squeue", "-h", "-t", "running", "-o", "%A").split()

    def submitted(self) -> int:
        """How many jobs have been submitted so far."""
        text = self.ask("scontrol", "show", "job", "-o")
        return text.count("JobId=")

    def _write_configuration(self) -> None:
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir(mode=0o755)
        (self.folder / "munge" / "key").write_bytes(secrets.token_bytes(64))
        (self.folder / "munge" / "key").chmod(0o400)
        host = socket.gethostname()
        settings = {
            "ClusterName": "test",
            "SlurmctldHost": f"{host}(127.0.0.1)",
            "SlurmctldPort": _free_port(),
            "SlurmUser": "root",
            "SlurmdUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={self.folder / 'munge' / 'socket'}",
            "CredType": "cred/munge",
            "StateSaveLocation": self.folder / "state",
            "SlurmdSpoolDir": self.folder / "spool",
            "SlurmctldPidFile": self.folder / "slurmctld.pid",
            "SlurmdPidFile": self.folder / "slurmd.pid",
            "SlurmctldLogFile": self.folder / "slurmctld.log",
            "SlurmdLogFile": self.folder / "slurmd.log",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "JobAcctGatherType": "jobacct_gather/none",
            "AccountingStorageType": "accounting_storage/none",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core",
            "SchedulerParameters": "sched_interval=2,bf_interval=2",
            "ReturnToService": 2,
            "KillWait": 2,
            "MpiDefault": "none",
            "SlurmdParameters": "config_overrides",
        }
        lines = [f"{name}={value}" for name, value in settings.items()]
        lines.append(f"NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 Port={_free_port()} CPUs={_CPUS} RealMemory=16000")
        lines.append("PartitionName=short Nodes=node Default=YES MaxTime=01:00:00 State=UP")
        (self.folder / "slurm.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _daemon(self, command: Sequence[str]) -> None:
        environment = {**os.environ, **self.environment}
        with (self.folder / f"{command[0]}.out").open("wb") as output:
            self._daemons.append(
                subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
            )

    def _wait(self, condition, what: str) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(
                    f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in self.folder.glob("*.[lo][ou][gt]")
                )
                raise AssertionError(f"waited for {what}\n{logs}")
            time.sleep(0.1)
