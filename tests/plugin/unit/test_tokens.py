# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed claims that the plugin sends to the execution service."""

from __future__ import annotations

import time
from pathlib import Path

import jwt
import pytest

from omero_openhcs.omero_access.people import Person
from omero_openhcs.service.tokens import TOKEN_SECONDS, read_secret, sign_token
from openhcs_client import AUDIENCE, Claims, GroupClaim, OpenHCSError

SECRET = "s" * 43
ADA = Person(
    user_id=2, name="Ada Lovelace", admin=False, groups=(GroupClaim(id=4, reads_all=True), GroupClaim(id=5, reads_all=False))
)


def test_a_token_says_who_asks_and_ends_soon() -> None:
    token = sign_token(ADA, SECRET)
    claims = Claims.model_validate(jwt.decode(token, SECRET, algorithms=["HS256"], audience=AUDIENCE))
    assert (claims.user_id, claims.name, claims.admin) == (2, "Ada Lovelace", False)
    assert claims.groups == list(ADA.groups)
    assert claims.exp - claims.iat == TOKEN_SECONDS <= 300
    assert abs(claims.iat - time.time()) < 5


def test_each_token_is_new() -> None:
    ids = {jwt.decode(sign_token(ADA, SECRET), SECRET, algorithms=["HS256"], audience=AUDIENCE)["jti"] for _ in range(20)}
    assert len(ids) == 20


def test_another_secret_does_not_verify() -> None:
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(sign_token(ADA, SECRET), "t" * 43, algorithms=["HS256"], audience=AUDIENCE)


@pytest.mark.parametrize("content", [None, b"", b"short", b"\xff" * 64])
def test_without_a_good_secret_the_plugin_says_what_is_missing(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OpenHCSError) as caught:
        read_secret(str(path))
    assert (caught.value.code, caught.value.status) == ("service_not_configured", 503)
    assert "service_secret_file" in caught.value.message


def test_an_unset_secret_file_is_told_too() -> None:
    with pytest.raises(OpenHCSError, match="service_secret_file is not set"):
        read_secret("")


def test_the_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    assert read_secret(str(path)) == SECRET
