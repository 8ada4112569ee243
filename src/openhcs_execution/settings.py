# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of the execution service, read from environment variables that start with ``OPENHCS_EXECUTION_``.

Nothing else configures the service: what is not here cannot be changed. The table in
``docs/administrators/execution-service.md`` lists the same names; a test compares the two.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from openhcs_client import QueueLimits

__all__ = ["Settings", "default_workers", "is_loopback"]


def default_workers() -> int:
    """One worker per core this process may use, at most four: a laptop must stay usable."""
    return max(1, min(4, len(os.sched_getaffinity(0))))


def is_loopback(host: str) -> bool:
    """Whether ``host`` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Every setting with its default. ``None`` for a path or URL means: inside ``data_dir``."""

    model_config = SettingsConfigDict(env_prefix="OPENHCS_EXECUTION_", env_file=None, extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=7777, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    allow_remote: bool = Field(default=False, description="Allow a `HOST` that other machines can reach.")
    data_dir: Path = Field(
        default_factory=lambda: Path.home() / ".local" / "share" / "omero-openhcs" / "execution",
        description="Database, results and engine cache. Must be on a local disk when the database is SQLite.",
    )
    scratch_dir: Path | None = Field(
        default=None, description="Staged planes, emptied as wells end; `DATA_DIR/scratch` when unset."
    )
    database_url: str | None = Field(default=None, description="`postgresql://…`; `DATA_DIR/execution.db` (SQLite) when unset.")
    secret_file: Path | None = Field(
        default=None, description="Shared secret with OMERO.web, made when absent; `DATA_DIR/secret` when unset."
    )
    pipeline_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="Folders with pipelines of the facility, `<id>/<version>.json`, with `:` between the folders."
    )
    omero_host: str = Field(default="127.0.0.1", description="The one OMERO server that this service works with.")
    omero_port: int = Field(default=4064, ge=1, le=65535, description="Its SSL port.")
    repository_path: Path | None = Field(
        default=None,
        description="OMERO's data folder as the workers see it, to read pixels from its files; through OMERO when unset.",
    )
    workers: int = Field(
        default_factory=default_workers, ge=1, le=256, description="Wells computed at the same time; one process each."
    )
    engine: Literal["local", "scheduler", "slurm"] = Field(
        default="local",
        description="Where wells are computed: `local` processes, workers of a Dask `scheduler`, or jobs of `slurm`.",
    )
    scheduler_address: str | None = Field(
        default=None, description="`tls://host:port` of the Dask scheduler, for `ENGINE=scheduler`."
    )
    tls_ca_file: Path | None = Field(default=None, description="Certificate of the authority of schedulers and workers.")
    tls_cert_file: Path | None = Field(default=None, description="The service's certificate towards them.")
    tls_key_file: Path | None = Field(default=None, description="Its key.")
    slurm_partition: str | None = Field(default=None, description="Partition of the jobs; Slurm's default when unset.")
    slurm_account: str | None = Field(default=None, description="Account of the jobs; Slurm's default when unset.")
    slurm_cores: int = Field(default=4, ge=1, le=256, description="Cores of a job, with one worker on each.")
    slurm_memory: str = Field(default="16GB", pattern=r"^[0-9]+(MB|GB|MiB|GiB)$", description="Memory of a job.")
    slurm_walltime: str = Field(
        default="04:00:00",
        pattern=r"^[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$",
        description="Time limit of a job, `HH:MM:SS`; its workers leave some minutes earlier.",
    )
    slurm_minimum_jobs: int = Field(default=0, ge=0, le=1000, description="Jobs that are kept while nothing waits.")
    slurm_maximum_jobs: int = Field(default=4, ge=1, le=1000, description="Jobs at the same time, at most.")
    slurm_directives: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Further options of `sbatch`, with `;` between them, such as `-C fast;-q low`."
    )
    slurm_prologue: str = Field(default="", description="Commands of the batch script before the workers start.")
    slurm_labels: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Labels of the workers, with commas between them, such as `gpu`."
    )
    slurm_host: str | None = Field(
        default=None, description="Name or address of this machine as the nodes see it; found out by itself when unset."
    )
    slurm_shared_dir: Path | None = Field(
        default=None,
        description="Folder that nodes see under the same name, for logs and certificates; `DATA_DIR/slurm` when unset.",
    )
    slurm_scratch_dir: Path = Field(default=Path("/tmp"), description="Folder of a node's own disk for staged planes.")  # noqa: S108
    wells_per_task: int = Field(
        default=16,
        ge=1,
        le=64,
        description="At most so many wells are handed to a worker at once; fewer when they take long.",
    )
    well_time_limit: float = Field(default=1800.0, gt=0, description="Seconds after which a well is stopped and fails.")
    engine_memory_limit_mb: int | None = Field(
        default=None, ge=512, description="Memory of one engine process in MiB; unlimited when unset."
    )
    test_memory_mb: int = Field(
        default=512,
        ge=0,
        description="Memory of each engine process for what the steps of tested wells made, in MiB; 0 for none.",
    )
    test_images_mb: int = Field(
        default=1024, ge=0, description="Scratch disk of each worker for images of tested wells, in MiB; 0 for none."
    )
    test_images_minutes: float = Field(default=15.0, gt=0, description="How long images of a tested well are kept.")
    executions_at_once: int = Field(
        default=2, ge=1, le=1000, description="Executions of one user in work at a time; test wells are counted apart."
    )
    cpu_hours_per_day: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="CPU hours that one user may use in a day (UTC); 0 is no limit."
    )
    gpu_hours_per_day: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Hours on workers labelled `gpu` that one user may use in a day (UTC); 0 is no limit.",
    )
    ageing_minutes: float = Field(
        default=10.0, gt=0, le=100_000, allow_inf_nan=False, description="Waiting so long raises the priority of a user by one."
    )
    power_user_groups: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Names of OMERO groups, with commas between them, whose members come before other users."
    )
    max_rois_per_field: int = Field(
        default=20_000, ge=0, description="Most ROIs on one image that a user may ask for; 0 allows none."
    )
    max_rois_per_run: int = Field(default=500_000, ge=0, description="Most ROIs of one run that a user may ask for.")
    max_passport_labels_mb: int = Field(
        default=4096, ge=0, description="Most label images, in MiB on disk, that go into a run passport; 0 allows none."
    )
    minimum_free_mb: int = Field(default=200, ge=0, description="Submissions are refused below so many free MiB of disk.")
    session_idle_minutes: int = Field(
        default=60, ge=2, le=1440, description="Idle time of the OMERO sessions that the service opens for its executions."
    )
    keep_alive_seconds: float = Field(default=60.0, gt=0, description="How often open OMERO sessions are kept alive.")
    live_connections: int = Field(
        default=300, ge=0, le=10_000, description="Live (WebSocket) connections of all pages together; 0 leaves pages polling."
    )
    live_connections_per_user: int = Field(default=20, ge=1, le=1000, description="Live connections of one user.")
    live_minutes: float = Field(
        default=5.0, gt=0, le=60, description="How long a live connection may last until its page must show a new ticket."
    )
    live_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Other sites whose pages may open live connections, as `https://host:port` with commas.",
    )
    max_body_bytes: int = Field(default=2_000_000, ge=10_000, description="Largest request body that is read.")
    keep_results_days: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Days after which results of ended executions are removed here, never in OMERO; kept when unset.",
    )
    web_url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="Public address of OMERO.web, for links in mails and webhooks."
    )
    smtp_host: str | None = Field(default=None, description="Mail server for mails to users; no mail when unset.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="TLS after `STARTTLS`, from the start, or none (for a mail server on this machine)."
    )
    smtp_user: str | None = Field(default=None, description="Account at the mail server, if it wants one.")
    smtp_password_file: Path | None = Field(default=None, description="File with the password of that account.")
    mail_from: str | None = Field(default=None, description="Sender of mails; needed when there is a mail server.")
    webhook_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Addresses, with commas between them, that are told of each run that ended."
    )
    webhook_secret_file: Path | None = Field(
        default=None, description="Key of the signature of webhooks, made when absent; `DATA_DIR/webhook-secret` when unset."
    )
    metrics_token_file: Path | None = Field(
        default=None,
        description="File with a bearer token that lets other machines read `/metrics`; without one only this machine may.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least severe message logged.")
    log_format: Literal["console", "json"] = Field(default="console", description="Log lines for people or for programs.")

    @field_validator(
        "data_dir",
        "scratch_dir",
        "secret_file",
        "repository_path",
        "metrics_token_file",
        "smtp_password_file",
        "webhook_secret_file",
        "tls_ca_file",
        "tls_cert_file",
        "tls_key_file",
        "slurm_shared_dir",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("pipeline_folders", mode="before")
    @classmethod
    def _folders(cls, value: Any) -> Any:
        """Split text as ``PATH`` is split, and take what is not text as it is."""
        names = [name for name in value.split(os.pathsep) if name.strip()] if isinstance(value, str) else value
        return tuple(Path(name).expanduser().absolute() for name in names)

    @field_validator("slurm_directives", mode="before")
    @classmethod
    def _options(cls, value: Any) -> Any:
        """Split text at its semicolons, since options have commas, and take what is not text as it is."""
        return tuple(text.strip() for text in value.split(";") if text.strip()) if isinstance(value, str) else value

    @field_validator("power_user_groups", "slurm_labels", "live_origins", "webhook_urls", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        """Split text at its commas, and take what is not text as it is."""
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("webhook_urls")
    @classmethod
    def _web_addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"a webhook must start with http:// or https://, not {url!r}")
        return urls

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> Self:
        if self.smtp_host and not (self.mail_from and "@" in self.mail_from):
            raise ValueError("SMTP_HOST is set, so OPENHCS_EXECUTION_MAIL_FROM must be the address that mails come from")
        return self

    @model_validator(mode="after")
    def _remote_only_when_allowed(self) -> Self:
        if not self.allow_remote and not is_loopback(self.host):
            raise ValueError(
                f"HOST={self.host} can be reached from other machines; set OPENHCS_EXECUTION_ALLOW_REMOTE=true if that is meant"
            )
        return self

    @model_validator(mode="after")
    def _engine_is_complete(self) -> Self:
        if self.engine == "scheduler" and not self.scheduler_address:
            raise ValueError("ENGINE=scheduler needs SCHEDULER_ADDRESS=tls://host:port")
        if any("\n" in text for text in self.slurm_directives):
            raise ValueError("SLURM_DIRECTIVES are options of sbatch, each on one line")
        return self

    @property
    def limits(self) -> QueueLimits:
        """The limits of the queue, as long as no administrator changes them."""
        return QueueLimits(
            executions_at_once=self.executions_at_once,
            cpu_hours_per_day=self.cpu_hours_per_day,
            gpu_hours_per_day=self.gpu_hours_per_day,
            ageing_minutes=self.ageing_minutes,
        )

    @property
    def scratch(self) -> Path:
        return self.scratch_dir or self.data_dir / "scratch"

    @property
    def results(self) -> Path:
        return self.data_dir / "results"

    @property
    def engine_home(self) -> Path:
        """Home folder of the engine processes: OpenHCS keeps its function cache there."""
        return self.data_dir / "engine"

    @property
    def slurm_shared(self) -> Path:
        return self.slurm_shared_dir or self.data_dir / "slurm"

    @property
    def secret_path(self) -> Path:
        return self.secret_file or self.data_dir / "secret"

    @property
    def webhook_secret_path(self) -> Path:
        return self.webhook_secret_file or self.data_dir / "webhook-secret"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'execution.db'}"
