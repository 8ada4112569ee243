# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who counts as an administrator: an OMERO administrator who signed in, and not a public account that happens to be one."""

from __future__ import annotations

import pytest

from omero_openhcs.identity import Asker
from omero_openhcs.omero_access.people import Person
from openhcs_client import OpenHCSError


@pytest.mark.parametrize(("admin", "public"), [(False, False), (False, True), (True, True)])
def test_others_are_refused(admin: bool, public: bool) -> None:
    with pytest.raises(OpenHCSError) as refused:
        Asker(Person(7, "Ada", admin, ()), public).require_administrator()
    assert (refused.value.code, refused.value.status) == ("not_an_administrator", 403)


def test_an_administrator_is_let_in() -> None:
    Asker(Person(0, "root", True, ()), public=False).require_administrator()
