# SPDX-License-Identifier: AGPL-3.0-or-later
"""What OMERO.web says to the execution service: who asks, and with which OMERO session the work is to be done."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ._executions import SubmitExecution
from ._pipelines import PipelineDocument

__all__ = ["AUDIENCE", "Claims", "GroupClaim", "ServiceHealth", "ServiceSubmission", "SignIn", "SignedIn"]

AUDIENCE = "openhcs-execution"
"""The ``aud`` of every service token."""


class GroupClaim(BaseModel):
    """A group of the user. ``reads_all``: the user may read other members' data there (not so in a private group)."""

    model_config = ConfigDict(extra="forbid")

    id: int
    reads_all: bool


class Claims(BaseModel):
    """The signed claims of a service token (JWT, HS256, minutes short): the user as OMERO knows them."""

    model_config = ConfigDict(extra="forbid")

    sub: str = Field(description="OMERO user id, in digits.")
    name: str
    admin: bool = False
    groups: list[GroupClaim] = Field(default_factory=list)
    aud: str = AUDIENCE
    iss: str
    iat: int
    exp: int
    jti: str

    @property
    def user_id(self) -> int:
        return int(self.sub)


class ServiceSubmission(SubmitExecution):
    """A submission as the service takes it: with the key of an OMERO session.

    ``session_for_job`` says that the session was opened for this execution and is the service's to close. Otherwise the
    service opens a second session of the same user and leaves the given one alone. ``document`` carries a pipeline that is
    not built in; the service validates it like any other.
    """

    omero_session: SecretStr
    session_for_job: bool = False
    omero_server: str | None = Field(default=None, description="host:port; the service's own OMERO when empty.")
    document: PipelineDocument | None = None


class SignIn(BaseModel):
    """A client's OMERO session, in exchange for a service token."""

    model_config = ConfigDict(extra="forbid")

    omero_session: SecretStr


class SignedIn(BaseModel):
    """A service token and whom it stands for."""

    token: str
    expires_in: int
    user_id: int
    user_name: str


class ServiceHealth(BaseModel):
    """Is the service well, and what can it do."""

    status: str
    version: str
    openhcs_version: str = ""
    workers: int = 0
    queued_executions: int = 0
    running_executions: int = 0
    functions_offered: int = 0
    functions_tested: bool = Field(default=True, description="Whether the functions were tested with the installed versions.")
    pipeline_problems: list[str] = Field(
        default_factory=list, description="Files of the facility's folders that are not offered, each with the reason."
    )
    mail: bool = Field(default=False, description="Whether it sends mails when runs end.")
    problems: list[str] = Field(
        default_factory=list, description="What keeps the service from doing its work now; looked at by `/readyz` only."
    )
