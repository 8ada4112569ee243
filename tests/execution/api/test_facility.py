# SPDX-License-Identifier: AGPL-3.0-or-later
"""A service with a facility folder: what it offers, and what its health says of the rest."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from openhcs_client import PipelineDocument
from openhcs_execution.api import create_app
from openhcs_execution.catalogue import PipelineCatalogue
from openhcs_execution.service import Service
from openhcs_execution.settings import Settings
from openhcs_execution.tokens import issue_token

NUCLEI = PipelineCatalogue.packaged().resolve("nuclei-count")


def test_a_bad_file_is_named_and_the_service_works(tmp_path: Path) -> None:
    folder = tmp_path / "pipelines"
    (folder / "ours").mkdir(parents=True)
    (folder / "ours" / "1.json").write_text(NUCLEI.model_copy(update={"id": "ours", "version": 1}).model_dump_json())
    (folder / "ours" / "2.json").write_text("no pipeline")
    service = Service(Settings(data_dir=tmp_path / "data", omero_port=1, pipeline_folders=(folder,)))
    try:
        http = TestClient(create_app(service))
        problems = http.get("/healthz").json()["pipeline_problems"]
        assert len(problems) == 1
        assert problems[0].startswith("ours/2.json: ")
        assert str(tmp_path) not in problems[0], "health needs no token, so it says nothing of the machine's folders"
        signed = {"Authorization": f"Bearer {issue_token(service.secret, user_id=2, name='Ada', admin=False, groups=[])}"}
        listed = {line["id"]: line for line in http.get("/api/v1/pipelines/", headers=signed).json()["pipelines"]}
        assert (listed["ours"]["origin"], listed["ours"]["versions"]) == ("facility", [1])
        assert listed["nuclei-count"]["origin"] == "built-in"
        answer = http.get("/api/v1/pipelines/ours/", headers=signed).json()["versions"]
        assert PipelineDocument.model_validate(answer[0]).id == "ours"
    finally:
        service.close()
