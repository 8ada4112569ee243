# SPDX-License-Identifier: AGPL-3.0-or-later
"""The metadata of a passport as an RO-Crate 1.1 with the profile *Workflow Run Crate* 0.5.

https://w3id.org/ro/crate/1.1, https://w3id.org/ro/wfrun/workflow/0.5 (which includes https://w3id.org/ro/wfrun/process/0.5 and
https://w3id.org/workflowhub/workflow-ro-crate/1.0). The pipeline document is the workflow and the main entity; the run is a
``CreateAction`` with the pipeline as its instrument, the plate, its wells and the values as objects, and the tables and label
images as results. Plain JSON-LD: every entity is a dictionary, linked by ``@id``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from openhcs_client import ExecutionStatusName, ExposedParameter, PassportMachine

from .gathering import Gathered
from .references import OMERO, Software, software_of

__all__ = ["METADATA", "PROFILES", "CrateFile", "crate_metadata"]

METADATA = "ro-crate-metadata.json"

_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
_CRATE = "https://w3id.org/ro/crate/1.1"
_WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    _WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
_WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_PARAMETER_PROFILE = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"

_SCHEMA_TYPES = {"integer": "Integer", "number": "Float", "boolean": "Boolean", "choice": "Text", "channel": "Text"}

Entity = dict[str, Any]


class CrateFile:
    """A file of the crate: its member name, what it is, its media type, size in bytes and SHA-256."""

    def __init__(self, name: str, title: str, media_type: str, size: int, sha256: str) -> None:
        self.name, self.title, self.media_type, self.size, self.sha256 = name, title, media_type, size, sha256

    def entity(self, **more: Any) -> Entity:
        return {
            "@id": self.name,
            "@type": "File",
            "name": self.title,
            "encodingFormat": self.media_type,
            "contentSize": str(self.size),
            "sha256": self.sha256,
            **more,
        }


def crate_metadata(gathered: Gathered, files: Sequence[CrateFile], published: datetime) -> bytes:
    """The content of ``ro-crate-metadata.json``. ``files`` are all others; label images go together as a folder."""
    by_name = {file.name: file for file in files}
    results = [name for name in by_name if name.startswith("measurements/")] + ["outputs.json"]
    labels = bool(gathered.label_files)
    software = [_software(*entry) for entry in software_of(gathered.facts.run.software)]
    values = _values(gathered)
    graph: list[Entity] = [
        _descriptor(),
        _root(gathered, list(by_name), labels, published),
        _pipeline(gathered, by_name["pipeline.json"], software, results),
        by_name["pipeline.py"].entity(
            **{"@type": ["File", "SoftwareSourceCode"], "programmingLanguage": _link("https://www.python.org/")}
        ),
        _run(gathered, values, [*results, *(["labels/"] if labels else [])]),
        *_inputs(gathered, by_name["inputs.json"]),
        by_name["outputs.json"].entity(exampleOfWork=_link("#output-outputs.json")),
        *(by_name[name].entity(exampleOfWork=_link(f"#output-{name}")) for name in results if name != "outputs.json"),
        *(by_name[name].entity() for name in ("parameters.json", "run.json", "methods.txt")),
        *values,
        *(_parameter(entry, gathered.facts.parameters) for entry in gathered.facts.document.parameters),
        *_slots(results),
        *software,
        *_papers(gathered),
        *_machines(gathered.facts.run.machines),
        *_surroundings(gathered),
    ]
    if labels:
        graph.append({"@id": "labels/", "@type": "Dataset", "name": "Label images, as NumPy arrays (y, x) of int32"})
    return json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False).encode()


def _link(target: str) -> Entity:
    return {"@id": target}


def _links(targets: Sequence[str]) -> list[Entity]:
    return [_link(target) for target in targets]


def _descriptor() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": _links([_CRATE, _WORKFLOW_CRATE]),
        "about": _link("./"),
    }


def _root(gathered: Gathered, files: Sequence[str], labels: bool, published: datetime) -> Entity:
    run, layout = gathered.facts.run, gathered.facts.layout
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{gathered.facts.document.name} on {layout.name}",
        "description": f"Run passport of execution {run.execution_id}: what was computed on what, how, and what came out.",
        "identifier": f"urn:uuid:{run.execution_id}",
        "datePublished": published.isoformat(),
        "license": _link("#no-licence"),
        "creator": _link("#person"),
        "conformsTo": _links(list(PROFILES)),
        "hasPart": _links([*files, *(["labels/"] if labels else [])]),
        "mainEntity": _link("pipeline.json"),
        "mentions": [_link("#run")],
    }


def _pipeline(gathered: Gathered, file: CrateFile, software: Sequence[Entity], results: Sequence[str]) -> Entity:
    document = gathered.facts.document
    return file.entity(
        **{
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": document.name,
            "description": document.description or document.name,
            "identifier": document.id,
            "version": str(document.version),
            "conformsTo": _link(_WORKFLOW_PROFILE),
            "programmingLanguage": _link("#pipeline-document"),
            "softwareRequirements": _links([entity["@id"] for entity in software]),
            "input": _links(["#input-plate", *(f"#input-{entry.name}" for entry in document.parameters)]),
            "output": _links([f"#output-{name}" for name in results]),
        }
    )


def _run(gathered: Gathered, values: Sequence[Entity], results: Sequence[str]) -> Entity:
    run = gathered.facts.run
    times = {"startTime": run.started_at or run.created_at, "endTime": run.ended_at}
    failed = [well.well for well in gathered.outputs.wells if well.failure]
    action: Entity = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Execution {run.execution_id}",
        "description": f"{len(gathered.results)} of {len(gathered.outputs.wells)} wells gave results; status {run.status}.",
        "instrument": _link("pipeline.json"),
        "agent": _link("#person"),
        "object": _links(["#plate", *(value["@id"] for value in values)]),
        "result": _links(results),
        "actionStatus": f"http://schema.org/{'CompletedActionStatus' if _completed(run.status) else 'FailedActionStatus'}",
        **{name: time.isoformat() for name, time in times.items() if time is not None},
    }
    if failed:
        action["error"] = f"No results: {', '.join(failed)}"
    if run.machines:
        action["location"] = _links([f"#machine-{number}" for number in range(1, len(run.machines) + 1)])
    return action


def _completed(status: str) -> bool:
    return status in (ExecutionStatusName.COMPLETED, ExecutionStatusName.COMPLETED_WITH_ERRORS)


def _inputs(gathered: Gathered, file: CrateFile) -> list[Entity]:
    inputs = gathered.inputs
    plate = {
        "@id": "#plate",
        "@type": "Collection",
        "name": inputs.plate_name,
        "description": f"Plate {inputs.plate_id} on the OMERO server {inputs.omero_server}",
        "identifier": f"{inputs.omero_server}/Plate:{inputs.plate_id}",
        "subjectOf": _link("inputs.json"),
        "exampleOfWork": _link("#input-plate"),
    }
    return [plate, file.entity(about=_link("#plate"))]


def _values(gathered: Gathered) -> list[Entity]:
    """A value for each exposed parameter: the user's, or the published one."""
    given = gathered.facts.parameters
    entities = []
    for entry in gathered.facts.document.parameters:
        value = given.get(entry.name, entry.default)
        if value is None:
            continue
        entity = {
            "@id": f"#value-{entry.name}",
            "@type": "PropertyValue",
            "name": entry.name,
            "value": value if isinstance(value, bool | int | float | str) else json.dumps(value),
            "exampleOfWork": _link(f"#input-{entry.name}"),
        }
        entities.append(entity | ({"unitText": entry.unit} if entry.unit else {}))
    return entities


def _parameter(entry: ExposedParameter, given: Mapping[str, Any]) -> Entity:
    parameter = {
        "@id": f"#input-{entry.name}",
        "@type": "FormalParameter",
        "conformsTo": _link(_PARAMETER_PROFILE),
        "additionalType": _SCHEMA_TYPES[entry.type],
        "name": entry.name,
        "description": entry.help or entry.title,
        "valueRequired": False,
    }
    default = {} if entry.default is None else {"defaultValue": str(entry.default)}
    has_value = given.get(entry.name, entry.default) is not None
    return parameter | default | ({"workExample": _link(f"#value-{entry.name}")} if has_value else {})


def _slots(results: Sequence[str]) -> list[Entity]:
    """What goes in beside the values, and what comes out."""
    plate = ("#input-plate", "Collection", "plate", "The plate with the images", "#plate")
    outputs = [(f"#output-{name}", "File", name, "What the pipeline made", name) for name in results]
    return [
        {
            "@id": identifier,
            "@type": "FormalParameter",
            "conformsTo": _link(_PARAMETER_PROFILE),
            "additionalType": kind,
            "name": name,
            "description": description,
            "workExample": _link(example),
        }
        for identifier, kind, name, description, example in [plate, *outputs]
    ]


def _software(software: Software, version: str) -> Entity:
    entity: Entity = {
        "@id": f"#software-{software.package}",
        "@type": "SoftwareApplication",
        "name": software.name,
        "softwareVersion": version,
    }
    if software.url:
        entity["url"] = _link(software.url)
    if software.reference is not None:
        entity["citation"] = _link(software.reference.url)
    return entity


def _papers(gathered: Gathered) -> list[Entity]:
    found = [software for software, _ in software_of(gathered.facts.run.software)]
    papers = {each.reference for each in [*found, OMERO] if each.reference is not None}
    return [
        {"@id": paper.url, "@type": "ScholarlyArticle", "name": paper.text, "identifier": paper.url}
        for paper in sorted(papers, key=lambda paper: paper.doi)
    ]


def _machines(machines: Sequence[PassportMachine]) -> list[Entity]:
    return [
        {
            "@id": f"#machine-{number}",
            "@type": "Place",
            "name": machine.processor or machine.architecture or "Worker",
            "description": f"{machine.cores} cores, {machine.memory_mb} MiB of memory, {machine.architecture}, "
            f"{machine.system}; computed {machine.wells} wells",
        }
        for number, machine in enumerate(machines, start=1)
    ]


def _surroundings(gathered: Gathered) -> list[Entity]:
    """The person, the languages, the licence and the profiles."""
    return [
        {"@id": "#person", "@type": "Person", "name": gathered.facts.run.executed_by},
        {
            "@id": "#no-licence",
            "@type": "CreativeWork",
            "name": "No licence claimed",
            "description": "Nobody has said under which licence this crate may be used; ask the person who ran it.",
        },
        {
            "@id": "#pipeline-document",
            "@type": "ComputerLanguage",
            "name": "Pipeline document of omero-openhcs",
            "version": "1",
            "url": _link("https://pypi.org/project/omero-openhcs/"),
        },
        {
            "@id": "https://www.python.org/",
            "@type": "ComputerLanguage",
            "name": "Python",
            "url": _link("https://www.python.org/"),
        },
        *({"@id": url, "@type": "CreativeWork", "name": name, "version": version} for url, (name, version) in PROFILES.items()),
    ]
